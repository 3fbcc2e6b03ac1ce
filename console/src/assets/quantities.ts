import { duration } from '../time/format.ts';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** A size with about three digits, in powers of 1000: `512 B`, `4.14 MB`, `23.1 GB`. */
export function bytes(count: number): string {
  const step = count < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** step;
  const digits = step === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[step] ?? 'B'}`;
}

/** A bit rate: `96 kbit/s`, `1.4 Mbit/s`. */
export function bitRate(bitsPerS: number): string {
  return bitsPerS < 1e6 ? `${Math.round(bitsPerS / 1000)} kbit/s` : `${(bitsPerS / 1e6).toFixed(1)} Mbit/s`;
}

/** A part of the whole, never 100 before it is: `0 %`, `37 %`. */
export function percent(part: number): string {
  const whole = Math.floor(Math.min(1, Math.max(0, part)) * 100 + 1e-9);
  return `${whole} %`;
}

/** How fast media is made: `1.8×`, `12×`. */
export function speedText(mediaSecondsPerSecond: number): string {
  return `${mediaSecondsPerSecond.toFixed(mediaSecondsPerSecond < 9.95 ? 1 : 0)}×`;
}

/** The time that is left, in words that do not flicker: `a few seconds left`, `40 s left`, `3 min left`. */
export function timeLeft(seconds: number): string {
  if (seconds < 5) return 'a few seconds left';
  if (seconds < 60) return `${Math.ceil(seconds / 5) * 5} s left`;
  return `${duration(Math.ceil(seconds / 60) * 60_000)} left`;
}

/** CPU time: `0.4 s`, `14 s`, `3 min 20 s`. */
export function cpuTime(seconds: number): string {
  return seconds < 9.95 ? `${seconds.toFixed(1)} s` : duration(seconds * 1000);
}
