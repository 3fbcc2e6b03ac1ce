/** Why a segment of the source has no rungs: it did not encode, or this machine was too slow. */
export type MissedCause = 'failed' | 'slow';

/** Counts what live ladders do. */
export interface LadderMetrics {
  /** A segment was encoded to all its rungs and is on the timeline: so many seconds after the source's, for so much CPU time. */
  made(rungs: number, delaySeconds: number, cpuSeconds: number): void;
  missed(cause: MissedCause, segments: number): void;
}
