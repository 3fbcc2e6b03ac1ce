import { Frame } from 'node-av/lib';
import { AVCOL_RANGE_JPEG, AV_PIX_FMT_YUVJ420P } from 'node-av/constants';
import { ZoetropeError } from '../../../base/errors.ts';
import type { StoryboardSpec } from '../../../timeline/asset.ts';
import { check } from '../av.ts';
import { JpegEncoder } from '../jpeg-encoder.ts';

/** Coarser than a still: tiles are seen for a moment, and all of them are loaded. */
const SHEET_QUANTISER = 5;
const BLACK = [0, 128, 128] as const;

/** A sheet being filled. */
interface OpenSheet {
  readonly frame: Frame;
  readonly planes: readonly Uint8Array[];
  missing: number;
}

/** How many tiles a storyboard has: one for each interval begun, at least one. */
export function tileCount(spec: StoryboardSpec, durationMs: number): number {
  return Math.max(1, Math.ceil(durationMs / spec.intervalMs));
}

/** Puts tiles side by side on sheets, by rows. The last sheet is no higher than its rows. */
export class StoryboardSheets implements Disposable {
  readonly #spec: StoryboardSpec;
  readonly #tiles: number;
  readonly #open = new Map<number, OpenSheet>();

  /** @throws invalid_argument when tiles are of odd size: colours go by pairs of pixels */
  constructor(spec: StoryboardSpec, tiles: number) {
    if (spec.tileWidthPx % 2 !== 0 || spec.tileHeightPx % 2 !== 0) {
      throw new ZoetropeError(
        'invalid_argument',
        `Tiles must have even sizes. Got ${spec.tileWidthPx}×${spec.tileHeightPx}.`,
      );
    }
    this.#spec = spec;
    this.#tiles = tiles;
  }

  get count(): number {
    return Math.ceil(this.#tiles / this.#perSheet);
  }

  /** Puts a tile of the right size in its place. Answers with its sheet as JPEG once that is full, else null. */
  place(tile: number, picture: Frame): { readonly sheet: number; readonly jpeg: Uint8Array } | null {
    const number = Math.floor(tile / this.#perSheet);
    const sheet = this.#open.get(number) ?? this.#begin(number);
    const { columns, tileWidthPx, tileHeightPx } = this.#spec;
    const place = tile % this.#perSheet;
    const [left, top] = [(place % columns) * tileWidthPx, Math.floor(place / columns) * tileHeightPx];
    for (const [index, source] of (picture.data ?? []).slice(0, 3).entries()) {
      const step = index === 0 ? 1 : 2;
      const target = sheet.planes[index];
      const [from = 0, to = 0] = [picture.linesize[index], sheet.frame.linesize[index]];
      for (let y = 0; y < tileHeightPx / step; y++) {
        target?.set(source.subarray(y * from, y * from + tileWidthPx / step), (top / step + y) * to + left / step);
      }
    }
    sheet.missing -= 1;
    return sheet.missing > 0 ? null : { sheet: number, jpeg: this.#finish(number, sheet) };
  }

  [Symbol.dispose](): void {
    for (const { frame } of this.#open.values()) frame.free();
    this.#open.clear();
  }

  get #perSheet(): number {
    return this.#spec.columns * this.#spec.rows;
  }

  #begin(number: number): OpenSheet {
    const { columns, tileWidthPx, tileHeightPx } = this.#spec;
    const tiles = Math.min(this.#perSheet, this.#tiles - number * this.#perSheet);
    const frame = new Frame();
    frame.alloc();
    frame.format = AV_PIX_FMT_YUVJ420P;
    frame.width = columns * tileWidthPx;
    frame.height = Math.ceil(tiles / columns) * tileHeightPx;
    frame.colorRange = AVCOL_RANGE_JPEG;
    check(frame.allocBuffer(), 'allocate a sheet');
    const planes = (frame.data ?? []).slice(0, 3);
    for (const [index, plane] of planes.entries()) plane.fill(BLACK[index] ?? 0);
    const sheet: OpenSheet = { frame, planes, missing: tiles };
    this.#open.set(number, sheet);
    return sheet;
  }

  #finish(number: number, { frame }: OpenSheet): Uint8Array {
    const { width, height } = frame;
    using encoder = new JpegEncoder({ width, height, quantiser: SHEET_QUANTISER });
    const jpeg = encoder.encode(frame);
    this.#open.delete(number);
    frame.free();
    return jpeg;
  }
}
