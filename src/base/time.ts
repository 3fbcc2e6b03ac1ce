import { ZoetropeError } from './errors.ts';

declare const wallBrand: unique symbol;
declare const mediaBrand: unique symbol;

/** Wall time: milliseconds since the Unix epoch, UTC. Integral for frames; may have a fraction for pushed media. */
export type WallMs = number & { readonly [wallBrand]: true };

/** Media time: ticks of 1/90,000 s since the start of an epoch. Integral. */
export type Pts90k = number & { readonly [mediaBrand]: true };

/** Media ticks in a millisecond. */
export const TICKS_PER_MS = 90;

/** Calls a number of milliseconds wall time. */
export function wallMs(value: number): WallMs {
  return value as WallMs;
}

/** Calls a number of 90 kHz ticks media time. */
export function pts90k(value: number): Pts90k {
  return value as Pts90k;
}

/** Reads an RFC 3339 time with its zone, e.g. `2025-11-25T10:30:00.250Z`. @throws invalid_argument with the value got. */
export function parseRfc3339(text: string, what = 'time'): WallMs {
  const ok = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/.test(text);
  const value = ok ? Date.parse(text.replace(' ', 'T')) : Number.NaN;
  if (!Number.isFinite(value)) {
    throw new ZoetropeError(
      'invalid_argument',
      `The ${what} must be RFC 3339 with a time zone, like 2025-11-25T10:30:00.250Z. Got ${JSON.stringify(text)}.`,
    );
  }
  return wallMs(value);
}

/** Writes wall time as RFC 3339 in UTC with three decimals. */
export function formatRfc3339(value: WallMs): string {
  return new Date(Math.round(value)).toISOString();
}
