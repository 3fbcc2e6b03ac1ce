import { createHash } from 'node:crypto';
import type { EdgeDemand } from '../../catalog/edge-store.ts';
import type { EdgeDesired } from '../protocol.ts';

/** What is wanted of an edge, without the times of an answer. */
export type DesiredState = Omit<EdgeDesired, 'receivedAtMs' | 'sentAtMs'>;

/** The state that a demand comes to; its version is a hash of all that it says. */
export function desiredState(demand: EdgeDemand): DesiredState {
  const state = {
    live: demand.live,
    keep: demand.keep.map(({ id, streamId, name, fromMs, toMs }) => ({ id, streamId, name, fromMs, toMs })),
    segments: [
      ...demand.asked.map(({ id, streamId }) => ({ id, streamId, urgent: true })),
      ...demand.missing.map(({ id, streamId }) => ({ id, streamId, urgent: false })),
    ],
  };
  const version = createHash('sha256').update(JSON.stringify(state)).digest('base64url').slice(0, 22);
  return { version, ...state };
}

/**
 * Whether an edge that knows `given` must hear of `now` at once: of new streams, stretches and urgent segments always. That segments of a back-fill have come is
 * what it did itself; it needs more of them when less than half is left.
 */
export function isPressing(given: DesiredState, now: DesiredState): boolean {
  if (given.version === now.version) return false;
  if (JSON.stringify([given.live, given.keep]) !== JSON.stringify([now.live, now.keep])) return true;
  const known = new Map(given.segments.map(({ id, urgent }) => [id, urgent]));
  if (now.segments.some(({ id, urgent }) => urgent && known.get(id) !== true)) return true;
  const fill = now.segments.filter(({ urgent }) => !urgent);
  const left = fill.filter(({ id }) => known.has(id)).length;
  const before = given.segments.filter(({ urgent }) => !urgent).length;
  return left < fill.length && left * 2 <= before;
}
