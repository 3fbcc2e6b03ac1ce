import type { WallMs } from '../base/time.ts';

/** A labelled point or range on a stream's timeline. */
export interface Marker {
  readonly id: string;
  readonly streamId: string;
  readonly atMs: WallMs;
  /** Null for a point; else not before `atMs`. */
  readonly untilMs: WallMs | null;
  /** 1–200 characters. */
  readonly label: string;
  /** A short word such as `motion`: `[a-z0-9._-]{1,64}`. */
  readonly type: string;
  /** A JSON object of at most 4 KiB. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly createdAtMs: WallMs;
}
