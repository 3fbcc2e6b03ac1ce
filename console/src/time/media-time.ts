const two = (value: number): string => String(value).padStart(2, '0');

/** A position in a film: `0:07`, `12:05`, `1:02:03`; with tenths when asked for: `0:07.4`. */
export function mediaTime(seconds: number, precision: 'second' | 'tenth' = 'second'): string {
  // In tenths, so that 59.96 does not become 59.10, and a hair below a second is that second.
  const tenths = Math.max(0, Math.floor(seconds * 10 + 1e-3));
  const whole = Math.floor(tenths / 10);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const short = hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  return precision === 'second' ? short : `${short}.${tenths % 10}`;
}

/** A position as it is spoken: `1 hour 2 minutes 3 seconds`. */
export function spokenMediaTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds + 1e-4));
  const parts = [
    [Math.floor(whole / 3600), 'hour'],
    [Math.floor(whole / 60) % 60, 'minute'],
    [whole % 60, 'second'],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, noun]) => `${count} ${noun}${count === 1 ? '' : 's'}`);
  return said.length === 0 ? 'start' : said.join(' ');
}

/** Reads `75`, `1:15` or `0:01:15.5`; null for anything else. Seconds. */
export function parseMediaTime(text: string): number | null {
  const match = /^(?:(?:(\d{1,3}):)?(\d{1,2}):)?(\d+(?:\.\d+)?)$/.exec(text.trim());
  if (match === null) return null;
  const [, hours, minutes, seconds] = match;
  const value = Number(seconds);
  if (minutes !== undefined && value >= 60) return null;
  return Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + value;
}
