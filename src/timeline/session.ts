import type { WallMs } from '../base/time.ts';

/** Why a session ended. */
export type SessionEnd = 'offline' | 'maxDuration' | 'reset';

/** A stretch in which the source was online. At most one is open for a stream. */
export interface Session {
  readonly id: string;
  readonly streamId: string;
  /** Capture time of its first frame. */
  readonly startMs: WallMs;
  /** The end of its last segment so far. */
  readonly endMs: WallMs;
  /** Null while it is open. */
  readonly endedBy: SessionEnd | null;
  /** When it was closed; null while it is open. */
  readonly closedAtMs: WallMs | null;
}
