import type { Stretch, TimelineData } from '../timeline/timeline-data.ts';

/** Which playlist plays: the whole retained window, a stretch by wall clock, or what is kept (all of it, or a part). */
export type Source =
  | { readonly kind: 'dvr'; readonly rendition?: string }
  | { readonly kind: 'range'; readonly fromMs: number; readonly toMs: number; readonly rendition?: string }
  | {
      readonly kind: 'kept';
      readonly folder: 'archives' | 'recordings';
      readonly id: string;
      /** Null: all of it. A part without an end goes on to the end, and grows with it. */
      readonly window: { readonly fromMs: number; readonly toMs: number | null } | null;
    };

/** A range playlist names no more than this on each side of the wanted time. */
const REACH_MS = 6 * 3_600_000;

/** Whether two sources are the same playlist. */
export function isSameSource(a: Source, b: Source): boolean {
  if (a.kind !== 'kept' && b.kind !== 'kept' && a.rendition !== b.rendition) return false;
  if (a.kind === 'range' && b.kind === 'range') return a.fromMs === b.fromMs && a.toMs === b.toMs;
  if (a.kind === 'kept' && b.kind === 'kept') {
    const isSameWindow = a.window?.fromMs === b.window?.fromMs && a.window?.toMs === b.window?.toMs;
    return a.folder === b.folder && a.id === b.id && isSameWindow;
  }
  return a.kind === b.kind;
}

/**
 * The playlist that shows a wall time: the retained window from `dvrFromMs` on; before it, the kept stretch that holds the
 * time or the next one after it. Null when nothing before the window is kept. A `dvrFromMs` of Infinity says that the window
 * is empty: then the last kept stretch is better than none.
 */
export function sourceFor(atMs: number, dvrFromMs: number | null, data: TimelineData | null): Source | null {
  if (dvrFromMs === null || atMs >= dvrFromMs) return { kind: 'dvr' };
  const kept: Stretch | undefined =
    data?.stretches.find((stretch) => stretch.toMs > atMs && stretch.fromMs < dvrFromMs) ??
    (dvrFromMs === Number.POSITIVE_INFINITY ? data?.stretches.at(-1) : undefined);
  if (kept === undefined) return null;
  const nearMs = Math.min(Math.max(atMs, kept.fromMs), kept.toMs);
  return {
    kind: 'range',
    fromMs: Math.max(kept.fromMs, nearMs - REACH_MS),
    toMs: Math.min(kept.toMs, nearMs + REACH_MS),
  };
}

/** Whether a playlist ends before what it is of does: what comes after it is in another. */
export function isCutOff(source: Source): boolean {
  return source.kind === 'range' || (source.kind === 'kept' && source.window !== null && source.window.toMs !== null);
}

/** Finds the playlist that shows a wall time; see `PlayerOptions.chooseSource`. */
export type ChooseSource = (atMs: number, playlistStartMs: number | null) => Source | null;

/** So far after an end, what is there is not what has been played: playlists round to a millisecond. */
const PAST_END_MS = 20;

/** The playlist that goes on where one ends that does not tell all there is; null: that was all. */
export function nextSource(source: Source, endMs: number, choose: ChooseSource): Source | null {
  if (!isCutOff(source)) return null;
  const next = choose(endMs + PAST_END_MS, null);
  return next !== null && endOf(next) > endOf(source) ? next : null;
}

function endOf(source: Source): number {
  if (source.kind === 'range') return source.toMs;
  return (source.kind === 'kept' ? source.window?.toMs : null) ?? Number.POSITIVE_INFINITY;
}

/** What is kept from before the retained window when there is nothing in it. */
export function olderSource(
  source: Source,
  wantedMs: number,
  choose: ChooseSource,
): Extract<Source, { readonly kind: 'range' }> | null {
  const older = source.kind === 'dvr' ? choose(wantedMs, Number.POSITIVE_INFINITY) : null;
  return older?.kind === 'range' ? older : null;
}
