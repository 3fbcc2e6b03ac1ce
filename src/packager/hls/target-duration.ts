/** What one segment tells of the length of segments to come. */
export interface SegmentLength {
  readonly durationS: number;
  /** Frames in it; 0 where unknown. */
  readonly frameCount: number;
}

/** How segments of a stream are cut. */
export interface SegmentRhythm {
  readonly framesPerSegment: number;
  readonly maxSegmentWaitS: number;
}

/**
 * EXT-X-TARGETDURATION for a playlist: an integer not below any segment's duration (RFC 8216bis §4.4.3.1 asks it of the rounded one), which must
 * not change while the playlist lives.
 *
 * How long segments will become cannot be known: a camera may slow down. Three things keep the number still. A segment counts for as long as
 * it would have been with all its frames, so the short first segment of a session says what the next ones will be. The result is a rung of a
 * ladder whose steps are about a seventh, so jitter stays within one. And it never falls below `previous`. It grows only when a longer segment
 * really appears; players accept that, while a segment longer than the target they do not.
 */
export function targetDuration(
  lengths: Iterable<SegmentLength>,
  rhythm: SegmentRhythm,
  speed: number,
  previous = 1,
): number {
  let longestS = 0;
  for (const length of lengths) longestS = Math.max(longestS, expectedS(length, rhythm));
  return Math.max(previous, rungAbove(Math.ceil(longestS / speed)));
}

/** The smallest rung not below a whole number of seconds: 1 to 8, then about a seventh more each time. */
function rungAbove(seconds: number): number {
  let rung = 1;
  while (rung < seconds) rung = rung < 8 ? rung + 1 : Math.ceil(rung * 1.15);
  return rung;
}

function expectedS({ durationS, frameCount }: SegmentLength, rhythm: SegmentRhythm): number {
  if (frameCount === 0) return durationS;
  const frameS = durationS / frameCount;
  return Math.max(durationS, Math.min(frameS * rhythm.framesPerSegment, rhythm.maxSegmentWaitS + frameS));
}
