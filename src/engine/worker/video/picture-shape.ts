import type { PictureColour } from './picture-colour.ts';

/** What pictures are made into. */
export interface PreparedShape {
  readonly width: number;
  readonly height: number;
  /** Narrow range for video, full range for JPEGs. */
  readonly colour: PictureColour;
}

/** Whether a picture has the wanted size but for an odd last column or row: 4:2:0 is counted in pairs. */
export function isCropOnly(
  picture: { readonly width: number; readonly height: number },
  wanted: { readonly width: number; readonly height: number },
): boolean {
  const [right, bottom] = [picture.width - wanted.width, picture.height - wanted.height];
  return right >= 0 && right <= 1 && bottom >= 0 && bottom <= 1;
}
