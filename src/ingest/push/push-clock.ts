import { TICKS_PER_MS, wallMs, type WallMs } from '../../base/time.ts';
import type { SourceClock } from '../../timeline/source-report.ts';

/** A source whose media time stamps jump by no more goes on: 0.1 s, which players pass over. 90 kHz ticks. */
const CONTINUOUS_90K = 9000;
/** Without a wall clock of its own, a source is judged by when its segments arrive; the quickest of so many count. */
const LAGS = 6;
/** Arrival is late for many reasons, so that it must be later by this than media time says, again and again. */
const ARRIVAL_TOLERANCE_MS = 5000;

/** A segment that is later than that lies on another clock of its source: its time stamps say nothing. */
const LATEST_MS = 120_000;

/** How media time of a running epoch lies on wall time. */
export interface RunningClock {
  /** Wall time at {@link RunningClock.originPts90k}. */
  readonly anchorMs: WallMs;
  /** The source's time stamp at media time 0. */
  readonly originPts90k: number;
  /** Where the newest segment ends, on the source's clock. */
  readonly endPts90k: number;
  /** Where it ends in wall time. */
  readonly endMs: WallMs;
  /** Where it begins in wall time. */
  readonly startMs: WallMs;
  readonly clock: SourceClock;
  /** Of the newest segments, how long after their ends they arrived. */
  readonly lagsMs: readonly number[];
}

/** A segment that came, as its place is decided by. */
export interface Arrival {
  /** First presentation time, unwrapped near {@link RunningClock.endPts90k}. */
  readonly startPts90k: number;
  readonly duration90k: number;
  /** What the source says; null: nothing. */
  readonly programDateTimeMs: WallMs | null;
  readonly receivedAtMs: WallMs;
  /** When it must have ended, by those behind it that have come already: the newest of a burst ended when it came. Null: nothing came behind it. */
  readonly endedByMs: WallMs | null;
  /** The source says that its clock begins anew, or its codec parameters are others. */
  readonly isBreak: boolean;
  /** Newer segments of the source are on the timeline already. */
  readonly isOutOfOrder: boolean;
}

/** What is tolerated. Milliseconds. */
export interface ClockRules {
  readonly toleranceMs: number;
  readonly futureToleranceMs: number;
  readonly retentionMs: number;
}

/** Where a segment goes. */
export interface SegmentPlacement {
  readonly placement: 'onTime' | 'late';
  readonly startMs: WallMs;
  /** Null: the running epoch goes on. */
  readonly begin: { readonly anchorMs: WallMs; readonly originPts90k: number } | null;
  readonly clock: SourceClock;
  /** How far wall time has moved against media time in the epoch. */
  readonly driftMs: number;
  /** Silence between the segment before and this one; 0 where it follows. */
  readonly gapMs: number;
}

/**
 * Decides where a segment lies in wall time. The source's own wall clock counts where it is sane; else the first segment is set at its arrival and
 * the others follow by media time. Where time stamps jump, parameters change or the two clocks have come apart beyond the tolerance, an epoch begins.
 */
export function placeSegment(running: RunningClock | null, arrival: Arrival, rules: ClockRules): SegmentPlacement {
  const { startPts90k, duration90k, receivedAtMs } = arrival;
  const saidMs = saneTime(arrival, rules);
  const arrivedMs = endedAt(arrival) - duration90k / TICKS_PER_MS;
  if (running === null) return beginAt(saidMs ?? arrivedMs, arrival, saidMs === null ? 'arrival' : 'programDateTime');
  const jump90k = startPts90k - running.endPts90k;
  const mediaMs = running.anchorMs + (startPts90k - running.originPts90k) / TICKS_PER_MS;
  if (arrival.isOutOfOrder) {
    const isPlausible = Math.abs(mediaMs - arrivedMs) < LATEST_MS;
    const startMs = saidMs ?? (isPlausible ? mediaMs : arrivedMs);
    return { ...beginAt(startMs, arrival, saidMs === null ? 'arrival' : 'programDateTime'), placement: 'late' };
  }
  const { endMs } = running;
  if (!arrival.isBreak && Math.abs(jump90k) <= CONTINUOUS_90K) {
    // The epoch was set by arrival because the source's clock had fallen back behind it; it goes on so while that lasts.
    const isBehind = saidMs !== null && running.clock === 'arrival' && saidMs < endMs - rules.toleranceMs;
    const toldMs = isBehind ? null : saidMs;
    const driftMs = driftOf(running, arrival, mediaMs, toldMs);
    const limitMs = toldMs === null ? arrivalLimit(driftMs, rules) : rules.toleranceMs;
    if (Math.abs(driftMs) <= limitMs) {
      const clock = toldMs === null ? running.clock : 'programDateTime';
      return { placement: 'onTime', startMs: wallMs(toldMs ?? mediaMs), begin: null, clock, driftMs, gapMs: 0 };
    }
    return afterEnd(mediaMs + driftMs, endMs, arrival, toldMs, rules);
  }
  if (saidMs !== null) return afterEnd(saidMs, endMs, arrival, saidMs, rules);
  // A hole of the same source is as long as its media clock says, as long as that is possible.
  const afterHoleMs = endMs + jump90k / TICKS_PER_MS;
  const isHole =
    !arrival.isBreak && jump90k > 0 && afterHoleMs <= receivedAtMs - duration90k / TICKS_PER_MS + ARRIVAL_TOLERANCE_MS;
  return afterEnd(isHole ? afterHoleMs : arrivedMs, endMs, arrival, null, rules);
}

/** Segments on time lie in the order of their numbers, however short the one before is and however a source's clock wavers. */
export function inOrder(running: RunningClock | null, place: SegmentPlacement): SegmentPlacement {
  if (running === null || place.placement === 'late' || place.startMs > running.startMs) return place;
  return { ...place, startMs: wallMs(running.startMs + 1) };
}

/** The clock behind a segment that was placed on time. */
export function advanceClock(running: RunningClock | null, place: SegmentPlacement, arrival: Arrival): RunningClock {
  const endMs = wallMs(place.startMs + arrival.duration90k / TICKS_PER_MS);
  const base =
    place.begin ??
    (running === null
      ? { anchorMs: place.startMs, originPts90k: arrival.startPts90k }
      : { anchorMs: running.anchorMs, originPts90k: running.originPts90k });
  const lagMs =
    endedAt(arrival) - (base.anchorMs + (arrival.startPts90k + arrival.duration90k - base.originPts90k) / TICKS_PER_MS);
  return {
    ...base,
    endPts90k: arrival.startPts90k + arrival.duration90k,
    endMs,
    startMs: place.startMs,
    clock: place.clock,
    lagsMs: [...(place.begin === null ? (running?.lagsMs ?? []) : []), lagMs].slice(-LAGS),
  };
}

/** When it had ended at the latest, by its own arrival and by those behind it. */
function endedAt({ receivedAtMs, endedByMs }: Arrival): number {
  return Math.min(receivedAtMs, endedByMs ?? receivedAtMs);
}

/** The source's own wall time, unless it cannot be: far in the future, or before all that is kept. */
function saneTime({ programDateTimeMs, receivedAtMs }: Arrival, rules: ClockRules): WallMs | null {
  if (programDateTimeMs === null) return null;
  const isSane =
    programDateTimeMs <= receivedAtMs + rules.futureToleranceMs &&
    programDateTimeMs >= receivedAtMs - rules.retentionMs;
  return isSane ? programDateTimeMs : null;
}

function driftOf(running: RunningClock, arrival: Arrival, mediaMs: number, saidMs: WallMs | null): number {
  if (saidMs !== null) return saidMs - mediaMs;
  const lagMs = endedAt(arrival) - (mediaMs + arrival.duration90k / TICKS_PER_MS);
  // Until there are enough to judge by, arrival says nothing but that it cannot be before the end.
  const lags = [...running.lagsMs, lagMs].slice(-LAGS);
  return lagMs < 0 || lags.length === LAGS ? Math.min(...lags) : 0;
}

/** Media that is ahead of its arrival comes from a source with a store of its own, as long as it is not the future. */
function arrivalLimit(driftMs: number, rules: ClockRules): number {
  return driftMs < 0 ? rules.futureToleranceMs : Math.max(rules.toleranceMs, ARRIVAL_TOLERANCE_MS);
}

/** Begins an epoch behind all that is there: `live` only moves forward, whatever the source's clock does. */
function afterEnd(
  wishedMs: number,
  endMs: WallMs,
  arrival: Arrival,
  saidMs: WallMs | null,
  rules: ClockRules,
): SegmentPlacement {
  const isPossible = wishedMs >= endMs - rules.toleranceMs;
  const startMs = isPossible ? wishedMs : endMs;
  const place = beginAt(startMs, arrival, isPossible && saidMs !== null ? 'programDateTime' : 'arrival');
  return { ...place, gapMs: Math.max(0, startMs - endMs) };
}

function beginAt(atMs: number, { startPts90k }: Arrival, clock: SourceClock): SegmentPlacement {
  const startMs = wallMs(atMs);
  return {
    placement: 'onTime',
    startMs,
    begin: { anchorMs: startMs, originPts90k: startPts90k },
    clock,
    driftMs: 0,
    gapMs: 0,
  };
}
