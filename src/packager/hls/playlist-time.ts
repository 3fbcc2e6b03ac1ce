import { wallMs, type WallMs } from '../../base/time.ts';

/**
 * A date and time as encoders write EXT-X-PROGRAM-DATE-TIME: any number of decimals, `Z`, `+00:00`, `+0000` or `+00` as the zone. Without one it is
 * taken as UTC, which is what encoders mean that forget it. @returns null when it is no time
 */
export function readProgramDateTime(text: string): WallMs | null {
  const match = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,12})\d*)?\s?(?:([Zz])|([+-]\d\d):?(\d\d)?)?$/.exec(
    text.trim(),
  );
  if (match === null) return null;
  const [, date, time, decimals = '', , hours = '+00', minutes = '00'] = match;
  const wholeMs = Date.parse(`${date}T${time}${hours}:${minutes}`);
  return Number.isFinite(wholeMs) ? wallMs(wholeMs + Number(`0.${decimals}`) * 1000) : null;
}
