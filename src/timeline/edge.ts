import { wallMs, type WallMs } from '../base/time.ts';

/** How an edge says it is. What each means stands in src/edge/protocol.ts. */
export interface EdgeReport {
  readonly uptimeS: number;
  readonly freeBytes: number | null;
  readonly storedBytes: number;
  readonly backlogRows: number;
  readonly backlogSegments: number;
  readonly backlogBytes: number;
  readonly sentBytes: number;
  readonly clockOffsetMs: number | null;
  readonly roundTripMs: number | null;
}

/** A node near the sources that keeps everything and sends what is wanted, as control knows it. Times are by control's clock. */
export interface Edge {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  /** Of its program. */
  readonly version: string;
  /** Higher with each of its starts; what an older one sends is refused. */
  readonly session: number;
  readonly createdAtMs: WallMs;
  /** When this session began. */
  readonly registeredAtMs: WallMs;
  /** Its last word. */
  readonly seenAtMs: WallMs;
  /** When it was seen to go; null after each word of it. */
  readonly awayAtMs: WallMs | null;
  /** Null before its first. */
  readonly report: EdgeReport | null;
}

/** An edge that says nothing for so long is away: it asks every 20 s at least, and an answer has its way. */
export const EDGE_SILENCE_MS = 30_000;

/** Since when an edge is away; null while it is connected. */
export function awaySince(edge: Pick<Edge, 'seenAtMs' | 'awayAtMs'>, nowMs: WallMs): WallMs | null {
  if (edge.awayAtMs !== null) return edge.awayAtMs;
  return nowMs - edge.seenAtMs > EDGE_SILENCE_MS ? wallMs(edge.seenAtMs) : null;
}
