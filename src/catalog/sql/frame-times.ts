import { wallMs, type WallMs } from '../../base/time.ts';

/**
 * Writes capture times compactly: whole milliseconds as the first one and then steps, in base 36; times with fractions as JSON.
 * A segment of six frames takes some 25 bytes, where its times in full took 80.
 */
export function encodeFrameTimes(times: readonly WallMs[]): string {
  if (!times.every((time) => Number.isSafeInteger(time))) return JSON.stringify(times);
  return times.map((time, index) => (index === 0 ? time : time - (times[index - 1] ?? 0)).toString(36)).join(',');
}

/** Reads what {@link encodeFrameTimes} wrote. */
export function decodeFrameTimes(text: string): readonly WallMs[] {
  if (text === '') return [];
  if (text.startsWith('[')) return JSON.parse(text) as WallMs[];
  let time = 0;
  return text.split(',').map((step) => wallMs((time += Number.parseInt(step, 36))));
}
