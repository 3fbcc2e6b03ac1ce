import { ZoetropeError } from '../../base/errors.ts';
import type { WallMs } from '../../base/time.ts';

const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * A capture time as people read it in a time zone: `2026-11-20 11:30:00.250 +01:00`, `Z` where it is UTC's.
 * @throws invalid_argument when the zone is unknown
 */
export function formatCaptureTime(atMs: WallMs, timeZone: string): string {
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(atMs)) parts[type] = value;
  const { year, month, day, hour, minute, second, fractionalSecond, timeZoneName } = parts;
  const offset = timeZoneName?.replace('GMT', '') ?? '';
  return `${year}-${month}-${day} ${hour}:${minute}:${second}.${fractionalSecond} ${offset === '' || offset === '+00:00' ? 'Z' : offset}`;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat('en-CA', {
        timeZone,
        hourCycle: 'h23',
        year: 'numeric',
        month: '2-digit',
        day: '2-digit',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
        fractionalSecondDigits: 3,
        timeZoneName: 'longOffset',
      });
    } catch (error) {
      throw new ZoetropeError(
        'invalid_argument',
        `The time zone must be an IANA name such as Europe/Berlin. Got ${JSON.stringify(timeZone)}.`,
        { cause: error },
      );
    }
    formats.set(timeZone, format);
  }
  return format;
}
