import { ZoetropeError } from '../base/errors.ts';
import { formatRfc3339 } from '../base/time.ts';
import { segmentEndMs } from '../timeline/segment.ts';
import type { LiveWindow } from './rendition-windows.ts';

/** Fewer segments are not enough to begin with: players begin so far before the end (RFC 8216bis §6.3.3). */
const FEWEST_SEGMENTS = 3;

/**
 * Whether a rendition keeps up with `main`, so that a player can be sent to it: it ends in the newer half of `main`'s live playlist, and has enough to begin with. What an
 * encoder sends no more, or a ladder has no rung for any more, does not.
 */
export function keepsUp(live: LiveWindow, main: LiveWindow): boolean {
  const there = live.segments.filter(({ lost }) => !lost);
  return there.length >= Math.min(FEWEST_SEGMENTS, main.segments.length) && !isLeftBehind(live, main);
}

/** Whether a rendition ends before the newer half of `main`'s live playlist. */
export function isLeftBehind(live: LiveWindow, main: LiveWindow): boolean {
  const newest = live.segments.findLast(({ lost }) => !lost);
  const middle = main.segments[main.segments.length >> 1];
  return middle !== undefined && (newest === undefined || segmentEndMs(newest) <= middle.startMs);
}

/** What a player is told that still asks for such a rendition: it then tries another, instead of waiting for what does not come. */
export function leftBehind(streamId: string, { rendition, segments }: LiveWindow): ZoetropeError {
  const newest = segments.at(-1);
  const ended = newest === undefined ? 'has no segments' : `ended at ${formatRfc3339(segmentEndMs(newest))}`;
  return new ZoetropeError(
    'not_found',
    `The rendition ${rendition.name} of the stream ${streamId} ${ended}, and the stream went on without it. Play one that master.m3u8 names.`,
  );
}
