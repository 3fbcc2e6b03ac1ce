import type { WallMs } from '../../base/time.ts';
import type { PushedFile } from './push-event.ts';

/** A segment as it was sent. */
export interface SegmentFile extends PushedFile {
  /** Its bytes, where they were read already. */
  readonly bytes?: Uint8Array;
  /** Where the source counts its segments for good: the number that this one takes. */
  readonly chunkIndex?: number;
}

/** What the source says of a segment, apart from its bytes. */
export interface SegmentFacts {
  readonly programDateTimeMs: WallMs | null;
  /** EXT-X-DISCONTINUITY stands before it. */
  readonly discontinuity: boolean;
  readonly isOutOfOrder: boolean;
  /** How long it plays, by the source; 0: it does not say. Milliseconds. */
  readonly durationMs: number;
  /** When it must have ended, by those behind it that have come already; null: none has. */
  readonly endedByMs: WallMs | null;
}
