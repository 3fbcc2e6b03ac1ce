/** What control counts of its edges. */
export interface EdgeMetrics {
  /** Bytes of a segment came. */
  received(bytes: number): void;
  /** Somebody waited for the bytes of a segment. */
  waited(outcome: 'served' | 'away' | 'late'): void;
}
