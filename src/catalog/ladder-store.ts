import type { LadderReport } from '../timeline/ladder.ts';

/** The right to make the ladder of a stream, until it runs out. */
export interface LadderLease {
  readonly streamId: string;
  /** Higher than that of any owner before. */
  readonly fence: number;
  readonly report: LadderReport | null;
}

/** What a segment of the source became in one rung. Its object is durable. */
export interface RungSegment {
  readonly id: string;
  readonly rendition: string;
  readonly objectKey: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly init: RungInit;
}

/** The init segment of a rung. */
export interface RungInit {
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly codecs: string;
  readonly width: number;
  readonly height: number;
}

/** All that a segment of the source became. */
export interface NewRungSegments {
  readonly streamId: string;
  readonly fence: number;
  /** The segment of `main`. */
  readonly sourceId: string;
  readonly rungs: readonly RungSegment[];
}

/** What was appended, and what that left open. */
export interface AppendedRungs {
  /** Segments, lost ones too, over all rungs. */
  readonly appended: number;
  /** False: there are more gaps to be noted than one transaction takes. Say the same again. */
  readonly isComplete: boolean;
}

/** Live ladders: who makes them, and what was made. A stream has one while its setting `ladder` asks for it. */
export interface LadderStore {
  /**
   * Renews what this owner has, and gives it at most `limit` ladders more that nobody has or whose owner's lease has run out. Answers all that it has.
   */
  claimLadders(claim: {
    readonly owner: string;
    readonly leaseMs: number;
    readonly limit: number;
  }): Promise<readonly LadderLease[]>;
  /** Lets go of all that this owner has. */
  releaseLadders(owner: string): Promise<void>;
  /**
   * Appends to all rungs in one transaction, in step with `main`: with the source's sequence number, times, epoch and discontinuity. A rung that
   * lacks segments of `main` before it gets them as lost ones first, so that numbers stay in step. What a rung has already is passed over, so a call whose answer was lost may be
   * repeated. @throws fenced when another owner has the ladder or nobody wants it; not_found when the source is gone; unavailable, retryable, while older segments of a rung have still to leave its window
   */
  appendRungs(segments: NewRungSegments): Promise<AppendedRungs>;
  /** Notes what is known of a ladder. Raises no change; passed over when another owner has it. */
  noteLadder(streamId: string, fence: number, report: LadderReport): Promise<void>;
  /** What is known of a stream's ladder; null: there was none, or nothing was made yet. */
  getLadder(streamId: string): Promise<LadderReport | null>;
}
