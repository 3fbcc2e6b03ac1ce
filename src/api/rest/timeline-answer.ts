import { wallMs, type WallMs } from '../../base/time.ts';
import type { Stretch } from '../../catalog/catalog.ts';
import { GAP_INTERVALS } from '../../timeline/gap.ts';
import type { StreamSettings } from '../../timeline/stream.ts';

const MIN_TOLERANCE_MS = 1000;

/** A stretch without pictures; `toMs` exclusive. */
export interface GapRange {
  readonly fromMs: WallMs;
  readonly toMs: WallMs;
}

/** What the gaps of a range are judged by. */
export interface GapQuestion {
  readonly fromMs: WallMs;
  readonly toMs: WallMs;
  /** Silence at an edge of the range beyond which it is a gap; what lies between two stretches is one whatever its length. */
  readonly toleranceMs: number;
  /** Stretches that overlap the range, widened by the tolerance on both sides, in order. */
  readonly stretches: readonly Stretch[];
  /** Whether there are pictures before `fromMs`, however long before. */
  readonly hasEarlier: boolean;
  /** Whether there are pictures at or after `toMs`. */
  readonly hasLater: boolean;
  /** Where the timeline ends when nothing comes later: now, for a source that is offline; null: a source that is sending has no gap at its live edge. */
  readonly silentUntilMs: WallMs | null;
}

/** Silence at an edge of a range that is shown as a gap, in milliseconds: the stream's own, or by its frame interval, at least a second. */
export function toleranceOf(settings: Pick<StreamSettings, 'gapToleranceMs' | 'frameIntervalMs'>): number {
  return settings.gapToleranceMs ?? Math.max(MIN_TOLERANCE_MS, GAP_INTERVALS * settings.frameIntervalMs);
}

/** The gaps of a range, cut to it. Before the first picture of a timeline there is none: nothing is missing there. */
export function gapsOf(question: GapQuestion): readonly GapRange[] {
  const { fromMs, toMs, toleranceMs, stretches, hasEarlier, hasLater, silentUntilMs } = question;
  const gaps: GapRange[] = [];
  let endMs: WallMs | null = hasEarlier ? wallMs(fromMs - toleranceMs) : null;
  const addUpTo = (startMs: WallMs, leastMs: number): void => {
    if (endMs === null || startMs - endMs <= leastMs) return;
    const gap = { fromMs: wallMs(Math.max(endMs, fromMs)), toMs: wallMs(Math.min(startMs, toMs)) };
    if (gap.toMs > gap.fromMs) gaps.push(gap);
  };
  for (const [index, stretch] of stretches.entries()) {
    addUpTo(stretch.fromMs, index === 0 ? toleranceMs : 0);
    endMs = wallMs(Math.max(endMs ?? stretch.toMs, stretch.toMs));
  }
  if (hasLater) addUpTo(wallMs(toMs + toleranceMs + 1), toleranceMs);
  else if (silentUntilMs !== null) addUpTo(silentUntilMs, toleranceMs);
  return gaps;
}
