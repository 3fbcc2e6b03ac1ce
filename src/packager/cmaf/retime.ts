import { ZoetropeError } from '../../base/errors.ts';
import { timescaleOffset } from './init-reader.ts';
import { checkTimescale, TIMESCALE } from './init-writer.ts';

/**
 * An init segment under which the same media segments play `speed` times as fast: the timescale is multiplied, and that is all, so media
 * segments have the same bytes at every speed. @throws out_of_range when the product, rounded, is no 32-bit timescale.
 */
export function retimeInit(init: Uint8Array, speed: number): Uint8Array {
  const at = timescaleOffset(init);
  const copy = Uint8Array.from(init);
  const view = new DataView(copy.buffer);
  view.setUint32(at, checkTimescale(Math.round(view.getUint32(at) * speed)));
  return copy;
}

/** The speed that {@link retimeInit} really gives at 90 kHz: playlists must divide durations by this one to stay exact. */
export function effectiveSpeed(speed: number): number {
  if (!Number.isFinite(speed) || speed <= 0) {
    throw new ZoetropeError('invalid_argument', `A speed must be a number above 0. Got ${speed}.`);
  }
  return checkTimescale(Math.round(TIMESCALE * speed)) / TIMESCALE;
}
