import { TICKS_PER_MS } from '../../base/time.ts';

/** Media ticks in a second. */
const TICKS_PER_S = TICKS_PER_MS * 1000;

/**
 * A quoted-string (RFC 8216bis §4.2). The format has no escape for `"`, CR and LF, so these become `'` and spaces; other control characters go.
 */
export function quoted(text: string): string {
  return `"${text
    .replace(/\r\n|[\r\n]/g, ' ')
    .replaceAll('"', "'")
    .replace(/\p{Cc}/gu, '')}"`;
}

/** A duration in seconds with as many of six decimals as it needs: never wrong by more than half a microsecond. */
export function decimalSeconds(seconds: number): string {
  const text = seconds.toFixed(6);
  let end = text.length;
  // "30.000000" becomes "30.0": some parsers look for the point to tell version 3 playlists.
  while (text[end - 1] === '0' && text[end - 2] !== '.') end--;
  return text.slice(0, end);
}

/** How long `ticks` of media take to play at a speed, in seconds. */
export function playSeconds(ticks: number, speed: number): number {
  return ticks / TICKS_PER_S / speed;
}
