import { renderWebVtt } from '../packager/webvtt/write-webvtt.ts';
import type { StoryboardSpec } from '../timeline/asset.ts';
import { fileUri } from './child-uris.ts';

/** A storyboard whose sheets are there. */
export interface Storyboard {
  readonly spec: StoryboardSpec;
  readonly sheetCount: number;
  /** Of what it shows. */
  readonly durationMs: number;
}

interface Tile {
  readonly startMs: number;
  readonly endMs: number;
  readonly sheet: number;
  readonly x: number;
  readonly y: number;
}

/** Where each small picture lies: by rows, sheet after sheet; as many as fit into the duration and onto the sheets. */
function tilesOf({ spec, sheetCount, durationMs }: Storyboard): readonly Tile[] {
  const perSheet = spec.columns * spec.rows;
  const count = Math.min(Math.max(1, Math.ceil(durationMs / spec.intervalMs)), sheetCount * perSheet);
  return Array.from({ length: count }, (_, index) => {
    const place = index % perSheet;
    const startMs = index * spec.intervalMs;
    return {
      startMs,
      endMs: index === count - 1 ? Math.max(durationMs, startMs + 1) : startMs + spec.intervalMs,
      sheet: Math.floor(index / perSheet),
      x: (place % spec.columns) * spec.tileWidthPx,
      y: Math.floor(place / spec.columns) * spec.tileHeightPx,
    };
  });
}

/** The storyboard as WebVTT: each cue names a part of a sheet by a media fragment (W3C Media Fragments URI §4.2.2). With marks for a token. */
export function storyboardVtt(storyboard: Storyboard): string {
  const { tileWidthPx, tileHeightPx } = storyboard.spec;
  return renderWebVtt(
    tilesOf(storyboard).map(({ startMs, endMs, sheet, x, y }) => ({
      startMs,
      endMs,
      text: `${sheetUri(sheet)}#xywh=${x},${y},${tileWidthPx},${tileHeightPx}`,
    })),
  );
}

/** The storyboard for programs; sheets by number. With marks for a token. */
export function storyboardJson(storyboard: Storyboard): string {
  const { spec, sheetCount, durationMs } = storyboard;
  const { intervalMs, columns, rows, tileWidthPx, tileHeightPx } = spec;
  const sheets = Array.from({ length: sheetCount }, (_, sheet) => sheetUri(sheet));
  const tiles = tilesOf(storyboard).map(({ startMs, sheet, x, y }) => ({ startMs, sheet, x, y }));
  return `${JSON.stringify({ durationMs, intervalMs, columns, rows, tileWidthPx, tileHeightPx, sheets, tiles })}\n`;
}

function sheetUri(sheet: number): string {
  return fileUri(`storyboard/${sheet}.jpg`);
}
