/** What the frames ingest counts. */
export interface FramesMetrics {
  received(count: number): void;
  accepted(count: number): void;
  late(count: number): void;
  duplicate(count: number): void;
  /** Frames in the dead letters, by error code. */
  dead(code: string): void;
  segment(placement: 'onTime' | 'late', sizeBytes: number): void;
  /** From the capture of a segment's first frame, and from the arrival of its last, to the segment being playable; seconds. */
  playable(captureToPlayableS: number, arrivalToPlayableS: number): void;
}

/** Counts nothing. */
export const noFramesMetrics: FramesMetrics = {
  received: () => undefined,
  accepted: () => undefined,
  late: () => undefined,
  duplicate: () => undefined,
  dead: () => undefined,
  segment: () => undefined,
  playable: () => undefined,
};
