import type { Stretch } from '../timeline/timeline-data.ts';

/** The parts of gaps that lie in a range. */
export function gapsWithin(range: Stretch, gaps: readonly Stretch[]): readonly Stretch[] {
  return gaps
    .filter((gap) => gap.toMs > range.fromMs && gap.fromMs < range.toMs)
    .map((gap) => ({ fromMs: Math.max(gap.fromMs, range.fromMs), toMs: Math.min(gap.toMs, range.toMs) }));
}

/** How long a clip of a range plays. */
export function playedMs(range: Stretch, gaps: readonly Stretch[], rule: 'skip' | 'black', speed: number): number {
  const missingMs = rule === 'black' ? 0 : gaps.reduce((sum, gap) => sum + gap.toMs - gap.fromMs, 0);
  return Math.max(0, range.toMs - range.fromMs - missingMs) / speed;
}
