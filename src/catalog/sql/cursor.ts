import { ZoetropeError } from '../../base/errors.ts';
import type { Page, PageRequest } from '../catalog.ts';

/** The sort key of the last item of a page. */
export type CursorKey = readonly (string | number)[];

/** Reads a cursor of the given shape; null when there is none. @throws invalid_argument when it is not one of ours, or not of this list */
export function readCursor(cursor: string | undefined, shape: readonly ('string' | 'number')[]): CursorKey | null {
  if (cursor === undefined) return null;
  const key = parse(cursor);
  const fits =
    Array.isArray(key) && key.length === shape.length && key.every((part, index) => typeof part === shape[index]);
  if (fits) return key as CursorKey;
  throw new ZoetropeError(
    'invalid_argument',
    `The cursor is not one that this list gave out: ${JSON.stringify(cursor.slice(0, 100))}. Start again without a cursor.`,
  );
}

/** The rows to ask for: one more than the page, to see whether there is a next one. @throws invalid_argument for a limit outside 1–1000 */
export function pageLimit({ limit }: PageRequest): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= 1000) return limit + 1;
  throw new ZoetropeError('invalid_argument', `A page's limit is a whole number from 1 to 1000. Got ${limit}.`);
}

/** Makes a page of rows that were read with {@link pageLimit}. */
export function toPage<R, T>(
  rows: readonly R[],
  { limit }: PageRequest,
  toItem: (row: R) => T,
  keyOf: (row: R) => CursorKey,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  return {
    items: shown.map(toItem),
    nextCursor: hasMore ? Buffer.from(JSON.stringify(keyOf(last))).toString('base64url') : null,
  };
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined; // The caller says what is wrong.
  }
}
