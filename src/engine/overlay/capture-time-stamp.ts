import type { Frame } from 'node-av/lib';
import { ZoetropeError } from '../../base/errors.ts';
import type { WallMs } from '../../base/time.ts';
import type { OverlaySettings } from '../../timeline/stream.ts';
import { drawMask, fillBox, type Box, type Plane } from './draw-mask.ts';
import { formatCaptureTime } from './format-capture-time.ts';
import { TextRaster } from './text-raster.ts';

const BOX_OPACITY = 0.62;
const BOX_LUMA = 16;
const TEXT_LUMA = 243;
const NO_COLOUR = 128;
/** Smaller text cannot be read. */
const SMALLEST_PX = 7;

/** Draws capture times into pictures: light text on a dark translucent box in a corner. */
export class CaptureTimeStamp {
  readonly #settings: OverlaySettings;
  /** By width of the picture: the largest that fits, up to the size that was set. */
  readonly #rasters = new Map<number, TextRaster>();

  constructor(settings: OverlaySettings) {
    this.#settings = settings;
  }

  /**
   * Draws into an 8-bit planar 4:2:0 frame, which gets buffers of its own first if they are shared. Text too wide for it is made smaller, down
   * to what can be read; only then is it cut off.
   */
  draw(frame: Frame, atMs: WallMs): void {
    if (frame.makeWritable() < 0)
      throw new ZoetropeError('engine_failed', 'There is no memory to draw the capture time.');
    const [luma, ...chroma] = planesOf(frame);
    if (luma === undefined) return;
    const text = formatCaptureTime(atMs, this.#settings.timeZone);
    const raster = this.#rasterFor(frame.width, text);
    const mask = raster.draw(text);
    const inset = insetOf(raster);
    const box = this.#place(frame, mask.width + inset, mask.height, inset);
    fillBox(luma, box, BOX_LUMA, BOX_OPACITY);
    for (const plane of chroma) {
      fillBox(
        plane,
        { left: box.left / 2, top: box.top / 2, width: box.width / 2, height: box.height / 2 },
        NO_COLOUR,
        BOX_OPACITY,
      );
    }
    drawMask(luma, mask, box.left + Math.round(inset / 2), box.top, TEXT_LUMA);
  }

  #rasterFor(widthPx: number, text: string): TextRaster {
    const known = this.#rasters.get(widthPx);
    if (known !== undefined) return known;
    let raster = new TextRaster(this.#settings.sizePx);
    while (raster.capHeight > SMALLEST_PX) {
      const neededPx = raster.measure(text) + 3 * insetOf(raster);
      if (neededPx <= widthPx) break;
      const fitting = Math.floor((raster.capHeight * widthPx) / neededPx);
      raster = new TextRaster(Math.max(SMALLEST_PX, Math.min(raster.capHeight - 1, fitting)));
    }
    this.#rasters.set(widthPx, raster);
    return raster;
  }

  #place(
    { width, height }: { readonly width: number; readonly height: number },
    boxWidth: number,
    boxHeight: number,
    margin: number,
  ): Box {
    const { position } = this.#settings;
    const left = position.endsWith('left') ? margin : width - margin - boxWidth;
    const top = position.startsWith('top') ? margin : height - margin - boxHeight;
    const even = (value: number): number => Math.max(0, value) & ~1;
    return { left: even(left), top: even(top), width: even(boxWidth + 1), height: even(boxHeight + 1) };
  }
}

/** Between text and box, and between box and the picture's edge. Pixels. */
function insetOf(raster: TextRaster): number {
  return Math.round(raster.capHeight / 2);
}

function planesOf(frame: Frame): readonly Plane[] {
  const { width, height, linesize } = frame;
  return (frame.data ?? []).slice(0, 3).map((data, index) => ({
    data,
    stride: linesize[index] ?? 0,
    width: index === 0 ? width : width / 2,
    height: index === 0 ? height : height / 2,
  }));
}
