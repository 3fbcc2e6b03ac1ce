import { InvalidArgumentError } from 'commander';
import { ZoetropeError } from '../base/errors.ts';
import { checkServerUrl } from '../simulator/server-client.ts';
import type { PictureSize } from '../simulator/simulated-camera.ts';

/** Reads a number of seconds above 0 from an option. */
export function parseSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds > 0 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError('It must be a number of seconds above 0, at most 86400.');
}

/** Reads a number of things from an option. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 to 999999.');
}

/** Reads a number of seconds above 0 from an option, with or without an `s` behind it. */
export function parseInterval(text: string): number {
  return parseSeconds(text.replace(/s$/, ''));
}

/** Reads the size of pictures from an option. */
export function parseSize(text: string): PictureSize {
  const [, width, height] = /^(\d{2,4})x(\d{2,4})$/.exec(text) ?? [];
  const size = { width: Number(width) & ~1, height: Number(height) & ~1 };
  if (size.width >= 160 && size.height >= 120) return size;
  throw new InvalidArgumentError('It must be like 640x480, at least 160x120.');
}

/** Reads a server's URL from an option. */
export function parseUrl(text: string): string {
  try {
    return checkServerUrl(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof ZoetropeError ? error.message : String(error));
  }
}
