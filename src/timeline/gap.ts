import type { WallMs } from '../base/time.ts';

/** How many mean frame intervals of silence after a segment's end make a gap, where a stream states no tolerance of its own. */
export const GAP_INTERVALS = 2;

/** What decides whether the silence after a segment is a gap. */
export interface Silence {
  /** Where the pictures end: the last frame's capture time plus its duration. */
  readonly fromMs: WallMs;
  /** The next frame's capture time. */
  readonly toMs: WallMs;
  /** How far apart frames normally are. */
  readonly intervalMs: number;
  /** The stream's own tolerance; null: {@link GAP_INTERVALS} intervals. */
  readonly toleranceMs: number | null;
}

/** Whether a silence is a gap: it is shown on the timeline, and a new epoch (EXT-X-DISCONTINUITY) begins behind it. */
export function isGap(silence: Silence): boolean {
  return silence.toMs - silence.fromMs > (silence.toleranceMs ?? GAP_INTERVALS * silence.intervalMs);
}
