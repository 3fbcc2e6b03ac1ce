import { partsOf, startOfDay, type Zone } from './zone.ts';

/** English month names, January first. */
export const MONTHS: readonly string[] = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** English weekday names, Sunday first. */
export const WEEKDAYS: readonly string[] = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
];

const two = (value: number): string => String(value).padStart(2, '0');

/** `14:32:05`, or with `precision` of `minute` `14:32`, of `ms` `14:32:05.250`. */
export function clockTime(atMs: number, zone: Zone, precision: 'minute' | 'second' | 'ms' = 'second'): string {
  // A fraction of a millisecond must not tip over into the next second.
  const { hour, minute, second, ms } = partsOf(Math.floor(atMs + 1e-3), zone);
  const short = `${two(hour)}:${two(minute)}`;
  if (precision === 'minute') return short;
  const full = `${short}:${two(second)}`;
  return precision === 'second' ? full : `${full}.${String(ms).padStart(3, '0')}`;
}

/** `Fri 20 Nov`. */
export function shortDate(atMs: number, zone: Zone): string {
  const { weekday, day, month } = partsOf(atMs, zone);
  return `${(WEEKDAYS[weekday] ?? '').slice(0, 3)} ${day} ${(MONTHS[month - 1] ?? '').slice(0, 3)}`;
}

/** `Today`, `Yesterday`, or the short date. */
export function dayName(atMs: number, nowMs: number, zone: Zone): string {
  const day = startOfDay(atMs, zone);
  if (day === startOfDay(nowMs, zone)) return 'Today';
  if (day === startOfDay(nowMs, zone, -1)) return 'Yesterday';
  return shortDate(atMs, zone);
}

/** A time as one reads it in a list: `14:32:05` on the same day as `nowMs`, else `Thu 19 Nov 14:32:05`. */
export function listTime(atMs: number, nowMs: number, zone: Zone): string {
  const time = clockTime(atMs, zone);
  return startOfDay(atMs, zone) === startOfDay(nowMs, zone) ? time : `${shortDate(atMs, zone)} ${time}`;
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** A wall time as it is spoken: `14 hours 32 minutes 5 seconds, 20 November`. */
export function spokenTime(atMs: number, zone: Zone): string {
  const { hour, minute, second, day, month } = partsOf(Math.floor(atMs + 1e-3), zone);
  const time = `${plural(hour, 'hour')} ${plural(minute, 'minute')} ${plural(second, 'second')}`;
  return `${time}, ${day} ${MONTHS[month - 1] ?? ''}`;
}

/** How long ago, in one unit: `now`, `3 s ago`, `12 min ago`, `5 h ago`, `2 d ago`. */
export function ago(atMs: number, nowMs: number): string {
  const seconds = Math.round((nowMs - atMs) / 1000);
  if (seconds < 1) return 'now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** A length in at most two units: `850 ms`, `42 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(lengthMs: number): string {
  if (lengthMs < 1000) return `${Math.round(lengthMs)} ms`;
  const total = Math.round(lengthMs / 1000);
  const units: readonly (readonly [number, string])[] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const first = units.findIndex(([size]) => total >= size);
  const parts: string[] = [];
  let rest = total;
  for (const [size, unit] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.join(' ');
}

/** A length as an editor wants it: `6.08 s` below a minute, else as {@link duration}. */
export function exactLength(lengthMs: number): string {
  return lengthMs < 60_000 ? `${(lengthMs / 1000).toFixed(2)} s` : duration(lengthMs);
}
