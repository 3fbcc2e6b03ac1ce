import type { WallMs } from '../base/time.ts';

/** What made a hold. */
export type HoldKind = 'recording' | 'archive' | 'clip';

/** A named range of a stream that retention must not remove. */
export interface Hold {
  readonly id: string;
  readonly streamId: string;
  readonly kind: HoldKind;
  readonly name: string;
  readonly fromMs: WallMs;
  /** Exclusive; null while it still grows. */
  readonly toMs: WallMs | null;
  /** The session that an archive keeps. */
  readonly sessionId: string | null;
  readonly createdAtMs: WallMs;
  /** When it is let go by itself; null: never. */
  readonly expiresAtMs: WallMs | null;
  /** When it was let go; it still protects for a grace, so that players that read its playlist can finish. */
  readonly releasedAtMs: WallMs | null;
}
