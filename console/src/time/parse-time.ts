import { MONTHS, WEEKDAYS } from './format.ts';
import { partsOf, startOfDay, wallTimeOf, type Zone } from './zone.ts';

/** What a typed time is read against. */
export interface TimeContext {
  readonly nowMs: number;
  /** Where the playhead stands: `-10m` counts from here, and `14:32` means this day if there are pictures then. */
  readonly playheadMs: number;
  /** The stretch in which there can be pictures. */
  readonly fromMs: number;
  readonly zone: Zone;
}

/** What was typed: a wall time, the live edge, or nothing that can be read. */
export type TypedTime = { readonly kind: 'at'; readonly atMs: number } | { readonly kind: 'live' } | null;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LENGTH = String.raw`\d+(?:\.\d+)?\s*(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)`;
const LENGTHS = `${LENGTH}(?:\\s*(?:and|,)?\\s*${LENGTH})*`;
const CLOCK = /^(\d{1,2})(?:[:.h](\d{2})(?:[:.](\d{2})(?:[.,](\d{1,3}))?)?)?\s*(am|pm)?$/;

interface ClockReading {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly ms: number;
}

/** Reads a length such as `1h30m` or `90 s`; NaN if it is none. */
function lengthOf(text: string): number {
  let total = 0;
  for (const match of text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g)) {
    const word = match[2] ?? '';
    const unit = word.startsWith('ms') || word.startsWith('milli') ? 'ms' : word.slice(0, 1);
    total += Number(match[1]) * (UNIT_MS[unit] ?? Number.NaN);
  }
  return total;
}

function readClock(text: string): ClockReading | null {
  const match = CLOCK.exec(text);
  if (match === null) return null;
  const half = match[5];
  // A bare number is no time of day; `9am` is.
  if (match[2] === undefined && half === undefined) return null;
  let hour = Number(match[1]);
  if (half !== undefined && (hour < 1 || hour > 12)) return null;
  if (half === 'pm' && hour < 12) hour += 12;
  if (half === 'am' && hour === 12) hour = 0;
  const minute = Number(match[2] ?? 0);
  const second = Number(match[3] ?? 0);
  const ms = Number((match[4] ?? '').padEnd(3, '0'));
  return hour < 24 && minute < 60 && second < 60 ? { hour, minute, second, ms } : null;
}

function onDay(dayMs: number, clock: ClockReading, zone: Zone): number {
  const { year, month, day } = partsOf(dayMs, zone);
  return wallTimeOf({ year, month, day, ...clock }, zone);
}

/** The day that words before a time of day name, as any time in it; undefined if they name none. */
function dayOf(words: string, context: TimeContext): number | undefined {
  const { nowMs, zone } = context;
  if (words === 'today') return nowMs;
  if (words === 'yesterday') return startOfDay(nowMs, zone, -1);
  const today = partsOf(nowMs, zone);
  const weekday = words.length < 3 ? -1 : WEEKDAYS.findIndex((name) => name.toLowerCase().startsWith(words));
  if (weekday >= 0) return startOfDay(nowMs, zone, -((today.weekday - weekday + 7) % 7));
  const iso = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/.exec(words);
  if (iso !== null) return calendarDay(Number(iso[1]), Number(iso[2]), Number(iso[3]), zone);
  const dotted = /^(\d{1,2})\.(\d{1,2})\.?(\d{4})?$/.exec(words);
  const named = /^(\d{1,2})(?:st|nd|rd|th|\.)? ([a-z]{3,})\.?(?: (\d{4}))?$/.exec(words);
  const american = /^([a-z]{3,})\.? (\d{1,2})(?:st|nd|rd|th)?,?(?: (\d{4}))?$/.exec(words);
  const monthOf = (name = ''): number => MONTHS.findIndex((month) => month.toLowerCase().startsWith(name)) + 1;
  const [day, month, year] =
    dotted !== null
      ? [Number(dotted[1]), Number(dotted[2]), dotted[3]]
      : named !== null
        ? [Number(named[1]), monthOf(named[2]), named[3]]
        : american !== null
          ? [Number(american[2]), monthOf(american[1]), american[3]]
          : [0, 0, undefined];
  if (year !== undefined) return calendarDay(Number(year), month, day, zone);
  const thisYear = calendarDay(today.year, month, day, zone);
  return thisYear !== undefined && thisYear > nowMs ? calendarDay(today.year - 1, month, day, zone) : thisYear;
}

function calendarDay(year: number, month: number, day: number, zone: Zone): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  const at = wallTimeOf({ year, month, day, hour: 0, minute: 0, second: 0, ms: 0 }, zone);
  return partsOf(at, zone).day === day ? at : undefined;
}

/** A time of day without a day: the playhead's day if pictures can be there, else the last time the clocks showed it. */
function nearestDay(clock: ClockReading, context: TimeContext): number {
  const { nowMs, playheadMs, fromMs, zone } = context;
  const days = [playheadMs, nowMs, startOfDay(nowMs, zone, -1)];
  const candidates = days.map((day) => onDay(day, clock, zone));
  const inside = candidates.find((at) => at >= fromMs && at <= nowMs);
  return inside ?? candidates.find((at) => at <= nowMs) ?? onDay(nowMs, clock, zone);
}

function readAbsolute(text: string): number | undefined {
  if (/^\d{13}$/.test(text)) return Number(text);
  if (/^\d{10}$/.test(text)) return Number(text) * 1000;
  const iso = /^\d{4}-\d\d-\d\d[t ]\d\d:\d\d(:\d\d(\.\d+)?)?\s*(z|utc|[+-]\d\d:?\d\d)$/.exec(text);
  if (iso === null) return undefined;
  const at = Date.parse(
    text
      .replace(/\s*utc$/, 'z')
      .replace(' ', 't')
      .toUpperCase(),
  );
  return Number.isFinite(at) ? at : undefined;
}

/**
 * Reads a time as people type it: `14:32`, `14:32:05`, `2:30 pm`, `-10m` and `+1h30m` (from the playhead), `5 min ago`
 * (from now), `yesterday 18:00`, `mon 9am`, `20 Nov 14:32`, `2026-11-20 14:32`, RFC 3339, Unix seconds or milliseconds,
 * `live`. Null when it cannot be read.
 */
export function parseTime(typed: string, context: TimeContext): TypedTime {
  const text = typed.trim().toLowerCase().replace('−', '-').replaceAll(/\s+/g, ' ');
  if (text === 'now' || text === 'live') return { kind: 'live' };
  const absolute = readAbsolute(text);
  if (absolute !== undefined) return { kind: 'at', atMs: absolute };
  const relative = new RegExp(`^([+-]) ?(${LENGTHS})$`).exec(text);
  if (relative !== null) {
    const length = lengthOf(relative[2] ?? '');
    return { kind: 'at', atMs: context.playheadMs + (relative[1] === '-' ? -length : length) };
  }
  const since = new RegExp(`^(${LENGTHS}) ago$`).exec(text);
  if (since !== null) return { kind: 'at', atMs: context.nowMs - lengthOf(since[1] ?? '') };

  const bare = readClock(text);
  if (bare !== null) return { kind: 'at', atMs: nearestDay(bare, context) };
  const whole = dayOf(text, context);
  if (whole !== undefined) return { kind: 'at', atMs: startOfDay(whole, context.zone) };
  // The time of day is the last one or two words (`9:15 pm`), the day whatever stands before.
  const split =
    /^(.+?)(?:,| at|t| |(?<=\d)t) ?(\d{1,2}(?:[:.h]\d{2}(?:[:.]\d{2}(?:[.,]\d{1,3})?)?)?\s*(?:am|pm)?)$/.exec(text);
  if (split === null) return null;
  const clock = readClock((split[2] ?? '').trim());
  const day = dayOf((split[1] ?? '').trim(), context);
  return clock === null || day === undefined ? null : { kind: 'at', atMs: onDay(day, clock, context.zone) };
}
