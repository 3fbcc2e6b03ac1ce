import { clockTime, shortDate } from '../time/format.ts';
import { offsetMs, startOfDay, type Zone } from '../time/zone.ts';
import { spanOf, type Viewport } from './viewport.ts';

/** A line on the ruler. */
export interface Tick {
  readonly atMs: number;
  /** `day` starts a day, `major` has a label, `minor` has none. */
  readonly level: 'day' | 'major' | 'minor';
  readonly label: string;
}

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;
/** Labelled step, and the unlabelled one between. */
const STEPS: readonly (readonly [number, number])[] = [
  [S, 200],
  [2 * S, 500],
  [5 * S, S],
  [10 * S, 2 * S],
  [15 * S, 5 * S],
  [30 * S, 5 * S],
  [M, 10 * S],
  [2 * M, 30 * S],
  [5 * M, M],
  [10 * M, 2 * M],
  [15 * M, 5 * M],
  [30 * M, 5 * M],
  [H, 10 * M],
  [2 * H, 30 * M],
  [3 * H, 30 * M],
  [6 * H, H],
  [12 * H, 2 * H],
  [D, 6 * H],
  [2 * D, D],
  [7 * D, D],
];

/** The ticks of a ruler of `width` pixels whose labels stand at least `minLabelPx` apart, on round times of the zone. */
export function ticksOf(view: Viewport, width: number, zone: Zone, minLabelPx = 84): readonly Tick[] {
  const msPerPx = spanOf(view) / width;
  const [major, minor] = STEPS.find(([step]) => step / msPerPx >= minLabelPx) ?? [7 * D, D];
  const showMinor = minor / msPerPx >= 6;
  const step = showMinor ? minor : major;
  const startOffset = offsetMs(view.fromMs, zone);
  const firstLocal = Math.ceil((view.fromMs + startOffset) / step) * step;
  const ticks: Tick[] = [];
  for (let local = firstLocal; ; local += step) {
    // Round local times stay round when the clocks change within the view.
    const guess = local - startOffset;
    const atMs = local - offsetMs(guess, zone);
    if (atMs > view.toMs) return ticks;
    if (local % D === 0 && (major <= D || local % major === 0) && atMs === startOfDay(atMs, zone))
      ticks.push({ atMs, level: 'day', label: shortDate(atMs, zone) });
    else if (local % major === 0)
      ticks.push({ atMs, level: 'major', label: clockTime(atMs, zone, major < M ? 'second' : 'minute') });
    else ticks.push({ atMs, level: 'minor', label: '' });
  }
}
