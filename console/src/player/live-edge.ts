import type { MediaSession } from './hls-session.ts';

/** The newest end of a playlist that still grows, in seconds of the media clock. */
export interface LiveEdge {
  readonly edgeS: number;
  /** EXT-X-TARGETDURATION. */
  readonly targetS: number;
}

/**
 * How far behind the newest picture live is: a segment and a half. The playlist is read again after one target duration, or
 * half of one if nothing was new (RFC 8216bis 6.3.4): so the next segment is there before it is needed.
 */
export function liveDelayS(targetS: number): number {
  return Math.max(targetS * 1.5, Math.min(targetS + 4, targetS * 3));
}

/** Where playing live goes on, on the media clock; null when the playlist has an end. */
export function livePosition(session: Pick<MediaSession, 'fragments' | 'liveEdge'> | null): number | null {
  const edge = session?.liveEdge() ?? null;
  if (edge === null) return null;
  return Math.max(session?.fragments()[0]?.startS ?? 0, edge.edgeS - liveDelayS(edge.targetS));
}

/** Whether a moment is as near to the edge as playing live brings it, give or take a segment. */
export function isNearEdge(edge: LiveEdge | null, timeS: number): boolean {
  return edge !== null && edge.edgeS - timeS <= liveDelayS(edge.targetS) + edge.targetS;
}

/** Whether there is nothing left to show before the edge moves. */
export function isAtEdge(edge: LiveEdge | null, timeS: number): boolean {
  return edge !== null && edge.edgeS - timeS < 0.75;
}
