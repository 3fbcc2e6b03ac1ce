/** What the ingest of pushed streams counts. */
export interface PushMetrics {
  segment(placement: 'onTime' | 'late', sizeBytes: number): void;
  duplicate(): void;
  /** A segment that could not be taken, by error code. */
  rejected(code: string): void;
  /** A hole between two segments. */
  gap(): void;
  /** From the arrival of a segment to its being playable; seconds. */
  playable(seconds: number): void;
}

/** Counts nothing. */
export const noPushMetrics: PushMetrics = {
  segment: () => undefined,
  duplicate: () => undefined,
  rejected: () => undefined,
  gap: () => undefined,
  playable: () => undefined,
};
