import type { Frame } from 'node-av/lib';
import { TICKS_PER_MS } from '../../../base/time.ts';
import type { VideoPart } from '../../transcoder.ts';

/** A picture that somebody wants. */
export interface WantedPicture {
  /** The one at or before this time. */
  readonly time90k: number;
  /** Index of the part in which it is looked for. */
  readonly part: number;
  /** Whether the part's first picture will do, which is the cheapest to have. */
  readonly isKeyframe: boolean;
  /** Does with it what is to be done. The frame is only good until this resolves. */
  readonly draw: (frame: Frame) => Promise<void>;
}

/** The picture at a time, exactly. */
export function wantExactly(parts: readonly VideoPart[], timeMs: number, draw: WantedPicture['draw']): WantedPicture {
  const time90k = Math.round(timeMs * TICKS_PER_MS);
  const part = Math.max(
    0,
    parts.findLastIndex(({ from90k }) => from90k <= time90k),
  );
  return { time90k, part, isKeyframe: false, draw };
}

/** A picture near a time: the nearest keyframe, unless that is further away than `toleranceMs`. */
export function wantNearby(
  parts: readonly VideoPart[],
  timeMs: number,
  toleranceMs: number,
  draw: WantedPicture['draw'],
): WantedPicture {
  const exact = wantExactly(parts, timeMs, draw);
  const distance = (part: number): number =>
    Math.abs((parts[part]?.from90k ?? Number.POSITIVE_INFINITY) - exact.time90k);
  const nearest = distance(exact.part + 1) < distance(exact.part) ? exact.part + 1 : exact.part;
  if (distance(nearest) > toleranceMs * TICKS_PER_MS) return exact;
  return { ...exact, part: nearest, isKeyframe: true };
}

/** Wanted pictures that one run over the packets gives, in the order of their times; runs in the order of their parts. */
export function groupByRun(wanted: readonly WantedPicture[]): readonly (readonly WantedPicture[])[] {
  const groups = Map.groupBy(wanted, ({ part, isKeyframe }) => `${part} ${isKeyframe}`);
  return [...groups.values()]
    .map((group) => group.toSorted((a, b) => a.time90k - b.time90k))
    .toSorted(([a], [b]) => (a?.part ?? 0) - (b?.part ?? 0));
}
