import { BitReader } from '../bits/bit-reader.ts';
import { UNSPECIFIED_COLOUR, type Colour } from '../bits/colour.ts';
import { corruptAv1 } from './obu.ts';

/** What packaging needs of a sequence header. */
export interface Av1SequenceInfo {
  readonly profile: number;
  /** `seq_level_idx[0]`: 4 is 3.0. */
  readonly levelIdx: number;
  readonly tier: number;
  readonly bitDepth: 8 | 10 | 12;
  readonly monochrome: boolean;
  readonly subsamplingX: boolean;
  readonly subsamplingY: boolean;
  readonly chromaSamplePosition: number;
  readonly width: number;
  readonly height: number;
  /** Null where the stream does not say. */
  readonly colour: Colour | null;
}

/** Reads the payload of a sequence header unit (AV1 specification §5.5). @throws corrupt_media when it is cut off or absurd */
export function parseSequenceHeader(payload: Uint8Array): Av1SequenceInfo {
  const bits = new BitReader(payload, corruptAv1);
  const profile = bits.u(3);
  if (profile > 2) throw corruptAv1(`the profile is ${profile}`);
  bits.u(1);
  const isReducedStill = bits.flag();
  const { levelIdx, tier } = isReducedStill ? { levelIdx: bits.u(5), tier: 0 } : readOperatingPoints(bits);
  const widthBits = bits.u(4) + 1;
  const heightBits = bits.u(4) + 1;
  const width = bits.u(widthBits) + 1;
  const height = bits.u(heightBits) + 1;
  if (!isReducedStill && bits.flag()) bits.u(7);
  bits.u(3);
  if (!isReducedStill) skipTools(bits);
  bits.u(3);
  return { profile, levelIdx, tier, width, height, ...readColour(bits, profile) };
}

/** RFC 6381 codec string, e.g. `av01.0.04M.08`; the rest only where it is not what the short form stands for. */
export function av1CodecString(info: Av1SequenceInfo): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const short = `av01.${info.profile}.${two(info.levelIdx)}${info.tier === 0 ? 'M' : 'H'}.${two(info.bitDepth)}`;
  const { colour } = info;
  const codes = colour === null ? [] : [colour.primaries, colour.transfer, colour.matrix];
  const isPlain = codes.every((code) => code === 1 || code === UNSPECIFIED_COLOUR) && colour?.fullRange !== true;
  if (!info.monochrome && info.subsamplingX && info.subsamplingY && isPlain) return short;
  const chroma = `${Number(info.subsamplingX)}${Number(info.subsamplingY)}${info.chromaSamplePosition}`;
  const [primaries = 1, transfer = 1, matrix = 1] = codes;
  const tail = [primaries, transfer, matrix].map(two).join('.');
  return `${short}.${Number(info.monochrome)}.${chroma}.${tail}.${Number(colour?.fullRange === true)}`;
}

/** The payload of an `av1C` box: an AV1CodecConfigurationRecord (AV1 Codec ISO Media File Format Binding §2.3). */
export function writeAv1Configuration(info: Av1SequenceInfo, sequenceHeader: Uint8Array): Uint8Array {
  const flags = [
    info.tier === 1,
    info.bitDepth > 8,
    info.bitDepth === 12,
    info.monochrome,
    info.subsamplingX,
    info.subsamplingY,
  ];
  let third = info.chromaSamplePosition;
  for (const [index, flag] of flags.entries()) if (flag) third |= 0x80 >> index;
  const markerAndVersion = 0x81;
  return Uint8Array.from([markerAndVersion, (info.profile << 5) | info.levelIdx, third, 0, ...sequenceHeader]);
}

/** Level and tier of the first operating point. */
function readOperatingPoints(bits: BitReader): { readonly levelIdx: number; readonly tier: number } {
  let delayBits = 0;
  let hasModel = false;
  if (bits.flag()) {
    bits.u(64);
    if (bits.flag()) bits.ue();
    hasModel = bits.flag();
    if (hasModel) {
      delayBits = bits.u(5) + 1;
      bits.u(32 + 5 + 5);
    }
  }
  const hasInitialDelay = bits.flag();
  let first = { levelIdx: 0, tier: 0 };
  const count = bits.u(5) + 1;
  for (let point = 0; point < count; point++) {
    bits.u(12);
    const levelIdx = bits.u(5);
    const tier = levelIdx > 7 ? bits.u(1) : 0;
    if (hasModel && bits.flag()) bits.u(2 * delayBits + 1);
    if (hasInitialDelay && bits.flag()) bits.u(4);
    if (point === 0) first = { levelIdx, tier };
  }
  return first;
}

/** From `enable_interintra_compound` to `order_hint_bits_minus_1`. */
function skipTools(bits: BitReader): void {
  bits.u(4);
  const hasOrderHint = bits.flag();
  if (hasOrderHint) bits.u(2);
  const choosesScreenContent = bits.flag();
  const screenContent = choosesScreenContent ? 2 : bits.u(1);
  if (screenContent > 0 && !bits.flag()) bits.u(1);
  if (hasOrderHint) bits.u(3);
}

type ColourConfig = Pick<
  Av1SequenceInfo,
  'bitDepth' | 'monochrome' | 'subsamplingX' | 'subsamplingY' | 'chromaSamplePosition' | 'colour'
>;

/** `color_config()` (AV1 specification §5.5.2). */
function readColour(bits: BitReader, profile: number): ColourConfig {
  const isHigh = bits.flag();
  const bitDepth = profile === 2 && isHigh ? (bits.flag() ? 12 : 10) : isHigh ? 10 : 8;
  const monochrome = profile === 1 ? false : bits.flag();
  const isDescribed = bits.flag();
  const [primaries, transfer, matrix] = isDescribed
    ? [bits.u(8), bits.u(8), bits.u(8)]
    : [UNSPECIFIED_COLOUR, UNSPECIFIED_COLOUR, UNSPECIFIED_COLOUR];
  const isSrgb = primaries === 1 && transfer === 13 && matrix === 0;
  const fullRange = isSrgb && !monochrome ? true : bits.flag();
  const colour = isDescribed || fullRange ? { primaries, transfer, matrix, fullRange } : null;
  if (monochrome) {
    return { bitDepth, monochrome, subsamplingX: true, subsamplingY: true, chromaSamplePosition: 0, colour };
  }
  let [subsamplingX, subsamplingY] = [profile === 0, profile === 0];
  if (profile === 2 && !isSrgb) {
    subsamplingX = bitDepth === 12 ? bits.flag() : true;
    subsamplingY = bitDepth === 12 && subsamplingX ? bits.flag() : false;
  }
  const chromaSamplePosition = subsamplingX && subsamplingY ? bits.u(2) : 0;
  return { bitDepth, monochrome, subsamplingX, subsamplingY, chromaSamplePosition, colour };
}
