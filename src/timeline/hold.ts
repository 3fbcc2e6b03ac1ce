import type { WallMs } from '../base/time.ts';

/** What made a hold. */
export type HoldKind = 'recording' | 'archive' | 'clip';

/** A named range of a stream that retention must not remove. */
export interface Hold {
  readonly id: string;
  readonly streamId: string;
  readonly kind: HoldKind;
  readonly name: string;
  /** What whoever made it wants to know of it: texts by name. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly fromMs: WallMs;
  /** Exclusive; null while it still grows. Of a recording that is to stop by itself: when, before that too. */
  readonly toMs: WallMs | null;
  /** The session that an archive keeps. */
  readonly sessionId: string | null;
  readonly createdAtMs: WallMs;
  /** When it is let go by itself; null: never. */
  readonly expiresAtMs: WallMs | null;
  /** When it was let go; it still protects for a grace, so that players that read its playlist can finish. */
  readonly releasedAtMs: WallMs | null;
  /** When a recording was stopped, by the server's clock. Null: it runs, or is no recording. */
  readonly stoppedAtMs: WallMs | null;
  /** What is in it. Null: it has not been measured since its range or what is in it changed. */
  readonly extent: HoldExtent | null;
}

/** What is in a hold. Segments that were lost count as missing. */
export interface HoldExtent {
  readonly segmentCount: number;
  readonly sizeBytes: number;
  /** Of its range, how much has pictures. */
  readonly coveredMs: number;
  /** Stretches without pictures between those with. */
  readonly gapCount: number;
}

/** A hold to be made. */
export type NewHold = Omit<Hold, 'createdAtMs' | 'releasedAtMs' | 'stoppedAtMs' | 'extent' | 'metadata'> &
  Partial<Pick<Hold, 'metadata'>>;
