import { wallMs, type WallMs } from '../base/time.ts';
import type { Session } from './session.ts';

/** What an on-time segment does to its stream's sessions. */
export type SessionStep =
  /** No session is open: one begins with the segment. */
  | { readonly kind: 'begin'; readonly endMs: WallMs }
  /** The open session goes on to here. */
  | { readonly kind: 'extend'; readonly endMs: WallMs }
  /** The source was away for too long: the open session has ended as `offline`, and another begins. */
  | { readonly kind: 'replace'; readonly endMs: WallMs };

/** The step for a segment over [startMs, endMs). The end of a session never falls. */
export function sessionStep(
  open: Pick<Session, 'endMs'> | null,
  segment: { readonly startMs: WallMs; readonly endMs: WallMs },
  offlineAfterMs: number,
): SessionStep {
  if (open === null) return { kind: 'begin', endMs: segment.endMs };
  if (segment.startMs - open.endMs > offlineAfterMs) return { kind: 'replace', endMs: segment.endMs };
  return { kind: 'extend', endMs: wallMs(Math.max(open.endMs, segment.endMs)) };
}
