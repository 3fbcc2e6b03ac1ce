import type { ClockFragment } from './playback-clock.ts';

/** What stepping from picture to picture needs to know. */
export interface FrameIndex {
  readonly fragments: readonly ClockFragment[];
  /** Where the frames of a fragment start, in seconds from its first; empty while it is not loaded. */
  readonly offsets: (index: number) => readonly number[];
  /** How far frames stand apart on the media clock where they are not known, in seconds. */
  readonly intervalS: number;
}

/** Two media times closer than this are the same frame: the media element rounds to microseconds, playlists to 1 ms. */
const SAME_S = 0.0015;

/** So far before a fragment's end its last frame is on screen for certain. */
const BEFORE_END_S = 0.005;

function startsOf(index: FrameIndex, position: number): readonly number[] {
  const fragment = index.fragments[position];
  if (fragment === undefined) return [];
  const offsets = index.offsets(position);
  if (offsets.length > 0) return offsets.map((offset) => fragment.startS + offset);
  const count = Math.max(1, Math.round(fragment.durationS / index.intervalS));
  return Array.from({ length: count }, (_, frame) => fragment.startS + (frame * fragment.durationS) / count);
}

/** Media time of the frame before (`-1`) or after (`1`) the one that starts at or before `timeS`; null at the ends. */
export function neighbourFrame(index: FrameIndex, position: number, timeS: number, direction: 1 | -1): number | null {
  const starts = startsOf(index, position);
  if (direction === 1) {
    const inside = starts.find((start) => start > timeS + SAME_S);
    return inside ?? index.fragments[position + 1]?.startS ?? null;
  }
  const current = starts.findLastIndex((start) => start <= timeS + SAME_S);
  const inside = starts[current - 1];
  if (inside !== undefined) return inside;
  const before = index.fragments[position - 1];
  if (before === undefined) return null;
  // Where the last frame starts is not known before it is loaded; that it lasts to the end is.
  const known = index.offsets(position - 1).at(-1);
  return known === undefined ? before.startS + before.durationS - BEFORE_END_S : before.startS + known;
}

/** The frame shown at a media time: the start of the last frame that begins there or before. */
export function frameStart(index: FrameIndex, position: number, timeS: number): number | null {
  return startsOf(index, position).findLast((start) => start <= timeS + SAME_S) ?? null;
}

/** From where to where the frame at a media time is shown, within its fragment; null when there is no fragment. */
export function frameBounds(
  index: FrameIndex,
  position: number,
  timeS: number,
): { readonly startS: number; readonly endS: number; readonly isCertain: boolean } | null {
  const fragment = index.fragments[position];
  if (fragment === undefined) return null;
  const starts = startsOf(index, position);
  const at = Math.max(
    0,
    starts.findLastIndex((start) => start <= timeS),
  );
  return {
    startS: starts[at] ?? fragment.startS,
    endS: starts[at + 1] ?? fragment.startS + fragment.durationS,
    isCertain: index.offsets(position).length > 0,
  };
}
