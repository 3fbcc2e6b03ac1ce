import { ZoetropeError } from '../base/errors.ts';

const MAX_LENGTH = 512;
const KEY = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
const PREFIX = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/|$))*$/;

/** Returns the key if it keeps the grammar of {@link ObjectStore}. @throws invalid_argument with the key */
export function checkObjectKey(key: string): string {
  if (key.length > 0 && key.length <= MAX_LENGTH && KEY.test(key)) return key;
  throw new ZoetropeError(
    'invalid_argument',
    `An object key is 1–${MAX_LENGTH} characters of A–Z, a–z, 0–9, ".", "_", "/" and "-", whose parts are not empty and do not start with ".". ` +
      `Got ${describe(key)}.`,
  );
}

/** Returns the prefix if a key could start with it; the empty one is every key's. @throws invalid_argument with the prefix */
export function checkObjectPrefix(prefix: string): string {
  if (prefix.length <= MAX_LENGTH && PREFIX.test(prefix)) return prefix;
  throw new ZoetropeError(
    'invalid_argument',
    `No object key can start with ${describe(prefix)}. Give the start of a key.`,
  );
}

/** Clips what came from outside, so that an error message stays a line. */
function describe(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}

/** A byte range of an object, end inclusive, both inside. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** The bytes asked for, or null for all of them. @throws range_not_satisfiable when they are not inside an object of this size */
export function resolveByteRange(
  key: string,
  asked: { readonly start?: number; readonly end?: number },
  sizeBytes: number,
): ByteRange | null {
  if (asked.start === undefined && asked.end === undefined) return null;
  const start = asked.start ?? 0;
  const end = asked.end ?? sizeBytes - 1;
  const isInside =
    Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end && end < sizeBytes;
  if (isInside) return { start, end };
  throw new ZoetropeError(
    'range_not_satisfiable',
    `Object ${key} has ${sizeBytes} bytes; a range lies inside them, its end not before its start. Got ${start}–${end}.`,
  );
}
