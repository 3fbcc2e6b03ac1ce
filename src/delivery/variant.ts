import { ZoetropeError } from '../base/errors.ts';
import { effectiveSpeed } from '../packager/cmaf/retime.ts';
import type { TrackKind } from '../packager/cmaf/track-boxes.ts';

/** How a timeline is to be played: everything of a query that changes a playlist's text or a segment's bytes. */
export interface Variant {
  /** As it really is after rounding to a timescale. */
  readonly speed: number;
  readonly container: 'cmaf' | 'ts';
  /** Pictures or sound alone; null: the segments as they are. */
  readonly track: TrackKind | null;
  /** Equal for equal variants. */
  readonly key: string;
}

/** A query string's parameters; a parameter given twice is an array. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One parameter of a query. @throws invalid_argument when it is given twice. */
export function queryValue(query: Query, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new ZoetropeError('invalid_argument', `The query may name ${name} once. Got it ${value.length} times.`);
}

/** Reads `speed` and `container`. @throws invalid_argument, out_of_range with the value got. */
export function readVariant(query: Query, defaultSpeed: number): Variant {
  const container = queryValue(query, 'container') ?? 'cmaf';
  if (container !== 'cmaf' && container !== 'ts') {
    throw new ZoetropeError(
      'invalid_argument',
      `The container must be ts, or be left out for CMAF. Got ${JSON.stringify(container)}.`,
    );
  }
  return variantOf(readSpeed(queryValue(query, 'speed'), defaultSpeed), container);
}

/** Whether a delta update is asked for (RFC 8216bis §6.2.5.1). @throws invalid_argument */
export function readSkip(query: Query): boolean {
  const skip = queryValue(query, '_HLS_skip');
  if (skip === undefined) return false;
  if (skip === 'YES' || skip === 'v2') return true;
  throw new ZoetropeError('invalid_argument', `_HLS_skip must be YES or v2. Got ${JSON.stringify(skip)}.`);
}

/** A variant at a speed that is known to be good. */
export function variantOf(speed: number, container: Variant['container'], track: Variant['track'] = null): Variant {
  const effective = effectiveSpeed(speed);
  return { speed: effective, container, track, key: `${container}@${effective}${track === null ? '' : ` ${track}`}` };
}

function readSpeed(text: string | undefined, defaultSpeed: number): number {
  if (text === undefined) return Math.min(1000, Math.max(0.1, defaultSpeed));
  const speed = /^\d{1,6}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(speed)) {
    throw new ZoetropeError(
      'invalid_argument',
      `The speed must be a decimal number like 5 or 0.5. Got ${JSON.stringify(text)}.`,
    );
  }
  if (speed < 0.1 || speed > 1000) {
    throw new ZoetropeError('out_of_range', `The speed must be from 0.1 to 1000. Got ${text}.`);
  }
  return speed;
}
