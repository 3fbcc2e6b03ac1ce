import { InvalidArgumentError } from 'commander';

/** Reads a number of seconds above 0 from an option. */
export function parseSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds > 0 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError('It must be a number of seconds above 0, at most 86400.');
}
