import type { WallMs } from '../base/time.ts';

/** One encoding below the pushed quality that a stream asks for. */
export interface LadderRung {
  /** Pixels of the shorter side. */
  readonly height: number;
  /** Thousands of bits a second of the pictures; null: by quality, under a ceiling for the height. */
  readonly videoKbps: number | null;
}

/** What a stream asks to be made below its pushed quality. `auto`: a few usual sizes. */
export type LadderSetting = 'auto' | readonly LadderRung[];

/** What is known of the ladder of a stream. */
export interface LadderReport {
  /** Of the newest segment that was made: what each rung is. */
  readonly rungs: readonly LadderRungReport[];
  /** Segments of the source that were encoded to all their rungs. */
  readonly made: number;
  /** Segments of the source that were passed over, because they did not encode or because this machine is too slow. Each is a gap in the rungs. */
  readonly missed: number;
  readonly lastFailure: LadderFailure | null;
}

/** A rung as it is made. */
export interface LadderRungReport {
  /** Of its rendition. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
}

/** Why a segment was not encoded. */
export interface LadderFailure {
  readonly atMs: WallMs;
  /** Of the source. */
  readonly segmentId: string;
  readonly code: string;
  readonly message: string;
}
