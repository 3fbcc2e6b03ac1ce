import type { MarkerJson, TimelineJson } from '../../../src/api/rest/shapes.ts';

/** A stretch of wall time, in ms since the Unix epoch; the end is exclusive. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A stretch in which the source was online. */
export interface Session extends Stretch {
  readonly id: string;
  readonly open: boolean;
}

/** A named stretch that is kept from retention. */
export interface Hold extends Stretch {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  /** A recording that still takes in what comes. */
  readonly running: boolean;
}

/** A labelled point or range. */
export interface Marker {
  readonly id: string;
  readonly atMs: number;
  readonly untilMs: number | null;
  readonly label: string;
  readonly type: string;
}

/** What is known of a stream's timeline between two times. */
export interface TimelineData extends Stretch {
  readonly stretches: readonly Stretch[];
  readonly gaps: readonly Stretch[];
  readonly sessions: readonly Session[];
  readonly holds: readonly Hold[];
  readonly markers: readonly Marker[];
  readonly liveEdgeMs: number | null;
}

/** Reads a marker from the API. */
export function readMarker(json: MarkerJson): Marker {
  return {
    id: json.id,
    atMs: Date.parse(json.at),
    untilMs: json.until === null ? null : Date.parse(json.until),
    label: json.label,
    type: json.type,
  };
}

const between = (item: { readonly from: string; readonly to: string }): Stretch => ({
  fromMs: Date.parse(item.from),
  toMs: Date.parse(item.to),
});

/** Reads a timeline from the API. */
export function readTimeline(json: TimelineJson): TimelineData {
  return {
    ...between(json),
    stretches: json.stretches.map(between),
    gaps: json.gaps.map(between),
    sessions: json.sessions.map((session) => ({ ...between(session), id: session.id, open: session.open })),
    holds: json.holds.map((hold) => ({
      id: hold.id,
      kind: hold.kind,
      name: hold.name,
      running: hold.kind === 'recording' && (hold.to === null || hold.to > json.now),
      ...between({ from: hold.from, to: hold.to ?? json.to }),
    })),
    markers: json.markers.map(readMarker).toSorted((a, b) => a.atMs - b.atMs),
    liveEdgeMs: json.liveEdge === null ? null : Date.parse(json.liveEdge),
  };
}

/** The parts of stretches that lie within bounds. */
function clip<T extends Stretch>(list: readonly T[], fromMs: number, toMs: number): T[] {
  return list
    .filter((item) => item.toMs > fromMs && item.fromMs < toMs)
    .map((item) => ({ ...item, fromMs: Math.max(item.fromMs, fromMs), toMs: Math.min(item.toMs, toMs) }));
}

/** Replaces what `old` says of the stretch from `fromMs` to `toMs`, and joins what touches. */
function splice(old: readonly Stretch[], fresh: readonly Stretch[], fromMs: number, toMs: number): readonly Stretch[] {
  const parts = [
    ...clip(old, Number.NEGATIVE_INFINITY, fromMs),
    ...clip(fresh, fromMs, toMs),
    ...clip(old, toMs, Number.POSITIVE_INFINITY),
  ];
  const joined: { fromMs: number; toMs: number }[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (last !== undefined && part.fromMs <= last.toMs) last.toMs = Math.max(last.toMs, part.toMs);
    else joined.push({ fromMs: part.fromMs, toMs: part.toMs });
  }
  return joined;
}

function byId<T extends { readonly id: string }>(
  old: readonly T[],
  fresh: readonly T[],
  keep: (item: T) => boolean,
): T[] {
  const ids = new Set(fresh.map((item) => item.id));
  return [...old.filter((item) => !ids.has(item.id) && keep(item)), ...fresh];
}

/** An answer may cut a session or hold at its own bounds: what was known of it outside them stays. */
function whole<T extends Stretch & { readonly id: string }>(
  old: readonly T[],
  fresh: TimelineData,
  items: readonly T[],
): T[] {
  const before = new Map(old.map((item) => [item.id, item]));
  return items.map((item) => {
    const known = before.get(item.id);
    if (known === undefined) return item;
    return {
      ...item,
      fromMs: item.fromMs <= fresh.fromMs ? Math.min(known.fromMs, item.fromMs) : item.fromMs,
      toMs: item.toMs >= fresh.toMs ? Math.max(known.toMs, item.toMs) : item.toMs,
    };
  });
}

/**
 * Lays a fresh answer over what was known, so that the live edge can be asked for alone and a day stays on screen. The fresh
 * answer rules within its bounds.
 */
export function mergeTimelines(old: TimelineData, fresh: TimelineData): TimelineData {
  const { fromMs, toMs } = fresh;
  // Two answers with a stretch between that nobody asked for: the newer one stands alone.
  if (fromMs > old.toMs || toMs < old.fromMs) return fresh;
  const outside = (item: Stretch): boolean => item.toMs <= fromMs || item.fromMs >= toMs;
  const markerOutside = (marker: Marker): boolean => (marker.untilMs ?? marker.atMs) < fromMs || marker.atMs >= toMs;
  return {
    fromMs: Math.min(old.fromMs, fromMs),
    toMs: Math.max(old.toMs, toMs),
    stretches: splice(old.stretches, fresh.stretches, fromMs, toMs),
    gaps: splice(old.gaps, fresh.gaps, fromMs, toMs),
    sessions: byId(old.sessions, whole(old.sessions, fresh, fresh.sessions), outside).toSorted(
      (a, b) => a.fromMs - b.fromMs,
    ),
    holds: byId(old.holds, whole(old.holds, fresh, fresh.holds), outside).toSorted((a, b) => a.fromMs - b.fromMs),
    markers: byId(old.markers, fresh.markers, markerOutside).toSorted((a, b) => a.atMs - b.atMs),
    liveEdgeMs: fresh.liveEdgeMs ?? old.liveEdgeMs,
  };
}

/** The gap that a wall time lies in, if one is known. */
export function gapAt(data: TimelineData, atMs: number): Stretch | undefined {
  return data.gaps.find((gap) => atMs >= gap.fromMs && atMs < gap.toMs);
}

/** The first wall time with pictures; undefined when there are none. */
export function firstPictureMs(data: TimelineData): number | undefined {
  return data.stretches[0]?.fromMs;
}
