/** A stretch of the media clock, in seconds. */
export interface BufferedStretch {
  readonly startS: number;
  readonly endS: number;
}

/** What a media element can show at once. */
export function bufferedOf(video: HTMLVideoElement): readonly BufferedStretch[] {
  const { buffered } = video;
  return Array.from({ length: buffered.length }, (_, index) => ({
    startS: buffered.start(index),
    endS: buffered.end(index),
  }));
}

/** Whether a moment can be shown at once. */
export function isBuffered(stretches: readonly BufferedStretch[], timeS: number): boolean {
  return stretches.some(({ startS, endS }) => startS <= timeS && timeS < endS);
}

/** A longer hole is one that still loads. */
const LONGEST_HOLE_S = 20;

/** Where it goes on behind a hole that a late frame left; null when nothing near is buffered. */
export function behindHole(stretches: readonly BufferedStretch[], timeS: number): number | null {
  const next = stretches.find(({ startS }) => startS > timeS);
  return next !== undefined && next.startS - timeS <= LONGEST_HOLE_S ? next.startS : null;
}
