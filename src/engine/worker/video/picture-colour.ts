import type { Frame } from 'node-av/lib';
import {
  AVCOL_PRI_BT2020,
  AVCOL_PRI_BT470BG,
  AVCOL_PRI_BT709,
  AVCOL_PRI_RESERVED0,
  AVCOL_PRI_SMPTE170M,
  AVCOL_PRI_UNSPECIFIED,
  AVCOL_RANGE_JPEG,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_BT2020_NCL,
  AVCOL_SPC_BT470BG,
  AVCOL_SPC_BT709,
  AVCOL_SPC_FCC,
  AVCOL_SPC_SMPTE170M,
  AVCOL_SPC_SMPTE240M,
  AVCOL_SPC_UNSPECIFIED,
  AVCOL_TRC_ARIB_STD_B67,
  AVCOL_TRC_BT709,
  AVCOL_TRC_IEC61966_2_1,
  AVCOL_TRC_RESERVED0,
  AVCOL_TRC_SMPTE170M,
  AVCOL_TRC_SMPTE2084,
  AVCOL_TRC_UNSPECIFIED,
  AV_PIX_FMT_YUVJ420P,
  AV_PIX_FMT_YUVJ422P,
  AV_PIX_FMT_YUVJ440P,
  AV_PIX_FMT_YUVJ444P,
  type AVColorPrimaries,
  type AVColorRange,
  type AVColorSpace,
  type AVColorTransferCharacteristic,
} from 'node-av/constants';
import type { VideoTrack } from '../../../timeline/media-description.ts';

/** What the numbers of a picture mean. */
export interface PictureColour {
  readonly primaries: AVColorPrimaries;
  readonly transfer: AVColorTransferCharacteristic;
  readonly matrix: AVColorSpace;
  readonly range: AVColorRange;
}

/** Of high definition: what everything is converted to that players may not know (ITU-R BT.709, narrow range). */
export const BT709: PictureColour = {
  primaries: AVCOL_PRI_BT709,
  transfer: AVCOL_TRC_BT709,
  matrix: AVCOL_SPC_BT709,
  range: AVCOL_RANGE_MPEG,
};

/** Of standard definition, in countries with 525 lines (ITU-R BT.601). */
const BT601_525: PictureColour = {
  primaries: AVCOL_PRI_SMPTE170M,
  transfer: AVCOL_TRC_SMPTE170M,
  matrix: AVCOL_SPC_SMPTE170M,
  range: AVCOL_RANGE_MPEG,
};

/** Of standard definition, in countries with 625 lines (ITU-R BT.601). */
const BT601_625: PictureColour = { ...BT601_525, primaries: AVCOL_PRI_BT470BG, matrix: AVCOL_SPC_BT470BG };

/** Matrices of eight-bit video that every player knows; pictures that have one keep it, at every size. */
const KEPT_MATRICES: ReadonlySet<AVColorSpace> = new Set([
  AVCOL_SPC_BT709,
  AVCOL_SPC_FCC,
  AVCOL_SPC_BT470BG,
  AVCOL_SPC_SMPTE170M,
  AVCOL_SPC_SMPTE240M,
]);

const FULL_RANGE_FORMATS: ReadonlySet<number> = new Set([
  AV_PIX_FMT_YUVJ420P,
  AV_PIX_FMT_YUVJ422P,
  AV_PIX_FMT_YUVJ440P,
  AV_PIX_FMT_YUVJ444P,
]);

/** What a decoded picture's numbers mean, guessed from its size where it does not say: as players do. */
export function colourOf(frame: Frame, track: VideoTrack): PictureColour {
  if (track.hdr !== null) {
    return {
      primaries: AVCOL_PRI_BT2020,
      transfer: track.hdr === 'pq' ? AVCOL_TRC_SMPTE2084 : AVCOL_TRC_ARIB_STD_B67,
      matrix: AVCOL_SPC_BT2020_NCL,
      range: rangeOf(frame),
    };
  }
  const isLarge = track.codedWidth > 1024 || track.codedHeight > 576;
  const guess = isLarge ? BT709 : track.codedHeight === 480 || track.codedHeight === 486 ? BT601_525 : BT601_625;
  const { colorPrimaries, colorTrc, colorSpace } = frame;
  const isPrimarySaid = colorPrimaries !== AVCOL_PRI_UNSPECIFIED && colorPrimaries !== AVCOL_PRI_RESERVED0;
  const isTransferSaid = colorTrc !== AVCOL_TRC_UNSPECIFIED && colorTrc !== AVCOL_TRC_RESERVED0;
  return {
    primaries: isPrimarySaid ? colorPrimaries : guess.primaries,
    transfer: isTransferSaid ? colorTrc : guess.transfer,
    matrix: colorSpace === AVCOL_SPC_UNSPECIFIED ? guess.matrix : colorSpace,
    range: rangeOf(frame),
  };
}

/** What pictures of a colour are encoded as. */
export function encodedColourOf(colour: PictureColour): PictureColour {
  if (!isKept(colour)) return BT709;
  const transfer = colour.transfer > AVCOL_TRC_IEC61966_2_1 ? AVCOL_TRC_BT709 : colour.transfer;
  return { ...colour, transfer, range: AVCOL_RANGE_MPEG };
}

/** Whether matrix and primaries may stay as they are; range and depth are another matter. */
export function isKept({ matrix, primaries }: PictureColour): boolean {
  return KEPT_MATRICES.has(matrix) && primaries < AVCOL_PRI_BT2020;
}

/** What JPEGs hold: ITU-R BT.601 in full range (JFIF 1.02). */
export const JFIF: PictureColour = {
  primaries: AVCOL_PRI_BT709,
  transfer: AVCOL_TRC_IEC61966_2_1,
  matrix: AVCOL_SPC_SMPTE170M,
  range: AVCOL_RANGE_JPEG,
};

/** Writes a colour into a frame. */
export function setColour(frame: Frame, { primaries, transfer, matrix, range }: PictureColour): void {
  frame.colorPrimaries = primaries;
  frame.colorTrc = transfer;
  frame.colorSpace = matrix;
  frame.colorRange = range;
}

function rangeOf(frame: Frame): AVColorRange {
  const isFull = frame.colorRange === AVCOL_RANGE_JPEG || FULL_RANGE_FORMATS.has(frame.format);
  return isFull ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
}
