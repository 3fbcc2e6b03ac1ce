import { ZoetropeError } from '../../base/errors.ts';
import { TICKS_PER_MS } from '../../base/time.ts';
import { PLAYLIST_LIMITS } from '../../packager/hls/playlist-lines.ts';

/** A segment may be so much longer than its playlist says, and so much more: short ones are said in whole seconds. */
const [LIES_FACTOR, LIES_MS] = [4, 10_000];

/** Media that lasts far longer than the playlist says has time stamps that lie: it would be shown as one picture for all that time. @throws corrupt_media */
export function checkLength(duration90k: number, saidMs: number): void {
  const durationMs = duration90k / TICKS_PER_MS;
  const longestMs = saidMs > 0 ? LIES_FACTOR * saidMs + LIES_MS : PLAYLIST_LIMITS.maxSegmentMs;
  if (durationMs <= longestMs) return;
  throw new ZoetropeError(
    'corrupt_media',
    `The pictures of this segment lie within ${Math.round(durationMs / 1000)} s by their time stamps, ${saidMs > 0 ? `where the playlist says ${saidMs / 1000} s` : 'which is too long'}. Look at the encoder's clock.`,
  );
}
