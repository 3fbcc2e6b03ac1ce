import { ZoetropeError } from '../../base/errors.ts';
import { BitReader } from '../bits/bit-reader.ts';

/** What packaging needs of a key frame's uncompressed header. */
export interface Vp9FrameInfo {
  readonly profile: number;
  readonly bitDepth: 8 | 10 | 12;
  /** `color_space` of the bit stream (VP9 specification §7.2.2), not a code point of `nclx`. */
  readonly colourSpace: number;
  readonly fullRange: boolean;
  /** Whether chroma has half the samples across, and down. */
  readonly subsamplingX: boolean;
  readonly subsamplingY: boolean;
  readonly width: number;
  readonly height: number;
}

const SRGB = 7;

/** Reads a key frame's header (VP9 bitstream specification §6.2). @throws corrupt_media unless the packet begins with a key frame */
export function parseVp9KeyFrame(packet: Uint8Array): Vp9FrameInfo {
  const bits = new BitReader(packet, corruptFrame);
  if (bits.u(2) !== 2) throw corruptFrame('the frame marker is missing');
  const profile = bits.u(1) + 2 * bits.u(1);
  if (profile === 3) bits.u(1);
  if (bits.flag()) throw corruptFrame('it repeats a frame instead of being a key frame');
  if (bits.flag()) throw corruptFrame('it is no key frame');
  bits.u(2);
  if (bits.u(24) !== 0x498342) throw corruptFrame('the sync code is missing');
  const bitDepth = profile < 2 ? 8 : bits.flag() ? 12 : 10;
  const colourSpace = bits.u(3);
  const isOddProfile = profile === 1 || profile === 3;
  let [fullRange, subsamplingX, subsamplingY] = [true, false, false];
  if (colourSpace === SRGB) {
    if (!isOddProfile) throw corruptFrame(`profile ${profile} cannot hold RGB`);
    bits.u(1);
  } else {
    fullRange = bits.flag();
    [subsamplingX, subsamplingY] = isOddProfile ? [bits.flag(), bits.flag()] : [true, true];
    if (isOddProfile) bits.u(1);
  }
  const width = bits.u(16) + 1;
  const height = bits.u(16) + 1;
  return { profile, bitDepth, colourSpace, fullRange, subsamplingX, subsamplingY, width, height };
}

function corruptFrame(why: string): ZoetropeError {
  return new ZoetropeError('corrupt_media', `The VP9 key frame is not valid: ${why}. Encode the media again.`);
}
