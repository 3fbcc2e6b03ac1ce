import { parseMediaTime } from '../time/media-time.ts';

/** A small picture of a film: a part of a sheet. */
export interface StoryboardTile {
  readonly startS: number;
  readonly endS: number;
  readonly sheetUrl: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const TIMING = /^\s*(\S+)\s+-->\s+(\S+)/;
/** The part of a picture, in pixels (Media Fragments URI 1.0, 4.2.2). */
const PART = /^xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)$/;

/** Reads a WebVTT file whose cues name parts of pictures; lines that do not are passed over. Addresses count from `baseUrl`. */
export function parseStoryboard(text: string, baseUrl: string): readonly StoryboardTile[] {
  const tiles: StoryboardTile[] = [];
  for (const block of text.replaceAll('\r\n', '\n').split(/\n{2,}/)) {
    const lines = block.split('\n');
    const at = lines.findIndex((line) => TIMING.test(line));
    const [, from = '', to = ''] = TIMING.exec(lines[at] ?? '') ?? [];
    const url = URL.parse(lines[at + 1]?.trim() ?? '', baseUrl);
    const part = PART.exec(url?.hash.slice(1) ?? '');
    const [startS, endS] = [parseMediaTime(from), parseMediaTime(to)];
    if (at < 0 || url === null || part === null || startS === null || endS === null) continue;
    url.hash = '';
    const [x = 0, y = 0, width = 0, height = 0] = part.slice(1).map(Number);
    if (width > 0 && height > 0) tiles.push({ startS, endS, sheetUrl: url.href, x, y, width, height });
  }
  return tiles.toSorted((a, b) => a.startS - b.startS);
}

/** The tile that shows a moment: the last that begins there or before, or else the first. */
export function tileAt(tiles: readonly StoryboardTile[], timeS: number): StoryboardTile | undefined {
  let [low, high] = [0, tiles.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const tile = tiles[middle];
    if (tile !== undefined && tile.startS <= timeS) low = middle + 1;
    else high = middle;
  }
  return tiles[Math.max(0, low - 1)];
}

/** How a tile fits into a box of this size: scaled, and how large it is then. */
export function fitTile(
  tile: Pick<StoryboardTile, 'width' | 'height'>,
  box: { readonly width: number; readonly height: number },
): { readonly scale: number; readonly width: number; readonly height: number } {
  const scale = Math.min(box.width / tile.width, box.height / tile.height);
  return { scale, width: Math.round(tile.width * scale), height: Math.round(tile.height * scale) };
}

/** Where a preview of this width stands so that it is over the pointer and inside the bar. */
export function previewLeft(pointerX: number, previewWidth: number, barWidth: number): number {
  return Math.max(0, Math.min(pointerX - previewWidth / 2, barWidth - previewWidth));
}
