/** In which zone the console shows and reads times: the browser's own, or UTC. */
export type Zone = 'local' | 'utc';

/** A wall time split into the parts a clock and a calendar show. */
export interface WallParts {
  readonly year: number;
  /** 1–12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly ms: number;
  /** 0 is Sunday. */
  readonly weekday: number;
}

/** Splits a wall time (ms since the Unix epoch) as the zone's clocks show it. */
export function partsOf(atMs: number, zone: Zone): WallParts {
  const date = new Date(atMs);
  if (zone === 'utc') {
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
      ms: date.getUTCMilliseconds(),
      weekday: date.getUTCDay(),
    };
  }
  return {
    year: date.getFullYear(),
    month: date.getMonth() + 1,
    day: date.getDate(),
    hour: date.getHours(),
    minute: date.getMinutes(),
    second: date.getSeconds(),
    ms: date.getMilliseconds(),
    weekday: date.getDay(),
  };
}

/** The wall time at which the zone's clocks show these parts; parts past their end carry over (day 0 is the month before). */
export function wallTimeOf(parts: Omit<WallParts, 'weekday'>, zone: Zone): number {
  const { year, month, day, hour, minute, second, ms } = parts;
  if (zone === 'utc') return Date.UTC(year, month - 1, day, hour, minute, second, ms);
  return new Date(year, month - 1, day, hour, minute, second, ms).getTime();
}

/** Milliseconds that the zone's clocks are ahead of UTC at a wall time. */
export function offsetMs(atMs: number, zone: Zone): number {
  return zone === 'utc' ? 0 : -new Date(atMs).getTimezoneOffset() * 60_000;
}

/** Midnight at the start of the day that a wall time lies in, `days` later. */
export function startOfDay(atMs: number, zone: Zone, days = 0): number {
  const { year, month, day } = partsOf(atMs, zone);
  return wallTimeOf({ year, month, day: day + days, hour: 0, minute: 0, second: 0, ms: 0 }, zone);
}

/** The zone's offset as people write it, e.g. `UTC+02:00`. */
export function zoneLabel(atMs: number, zone: Zone): string {
  const minutes = Math.round(offsetMs(atMs, zone) / 60_000);
  if (minutes === 0) return 'UTC';
  const sign = minutes < 0 ? '−' : '+';
  const absolute = Math.abs(minutes);
  return `UTC${sign}${String(Math.floor(absolute / 60)).padStart(2, '0')}:${String(absolute % 60).padStart(2, '0')}`;
}
