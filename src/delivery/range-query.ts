import { ZoetropeError } from '../base/errors.ts';
import { parseRfc3339, type WallMs } from '../base/time.ts';
import { queryValue, type Query } from './variant.ts';

const MAX_RANGE_MS = 32 * 86_400_000;

/** Segments in one playlist of a range. */
export const MAX_RANGE_SEGMENTS = 200_000;

/** From when to when a query asks; `toMs` null: it is to go on. @throws invalid_argument, out_of_range */
export function readRange(query: Query, nowMs: WallMs): { readonly fromMs: WallMs; readonly toMs: WallMs | null } {
  const from = queryValue(query, 'from');
  const to = queryValue(query, 'to');
  if (from === undefined) {
    throw new ZoetropeError(
      'invalid_argument',
      'A range needs a start: ?from=2026-11-20T10:00:00Z, and &to= unless it is to go on. Got none.',
    );
  }
  const fromMs = parseRfc3339(from, 'from');
  const toMs = to === undefined ? null : parseRfc3339(to, 'to');
  const endMs = toMs ?? Math.max(nowMs, fromMs + 1);
  if (endMs <= fromMs) {
    throw new ZoetropeError(
      'invalid_argument',
      `A range must end after it starts. Got from ${from} to ${to ?? 'now'}.`,
    );
  }
  if (endMs - fromMs > MAX_RANGE_MS) {
    throw new ZoetropeError('out_of_range', `A range may be 32 days long. Got from ${from} to ${to ?? 'now'}.`);
  }
  return { fromMs, toMs };
}
