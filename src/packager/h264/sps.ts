import { ZoetropeError } from '../../base/errors.ts';
import { BitReader, withoutEmulation } from '../bits/bit-reader.ts';
import { UNSPECIFIED_COLOUR, type Colour } from '../bits/colour.ts';

/** What packaging needs of a sequence parameter set. */
export interface SpsInfo {
  readonly profileIdc: number;
  readonly levelIdc: number;
  readonly chromaFormatIdc: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** Size of the picture shown, cropping applied. */
  readonly width: number;
  readonly height: number;
  /** Null where the stream does not say. */
  readonly colour: Colour | null;
  /** Pictures a second; null where the stream does not say. */
  readonly frameRate: number | null;
  /** Width over height of one pixel; 1 where the stream does not say. */
  readonly sampleAspectRatio: number;
}

/** RFC 6381 codec string of an SPS, e.g. `avc1.42C01E`: profile, constraint flags and level in hex. */
export function codecString(sps: Uint8Array): string {
  if (sps.length < 4) throw corruptSps(`it has ${sps.length} bytes`);
  return `avc1.${Buffer.from(sps.subarray(1, 4)).toString('hex').toUpperCase()}`;
}

/** Reads an SPS NAL unit (ITU-T H.264 §7.3.2.1.1 and E.1.1). @throws corrupt_media when it is cut off or absurd. */
export function parseSps(sps: Uint8Array): SpsInfo {
  const bits = new BitReader(withoutEmulation(sps.subarray(1)), corruptSps);
  const profileIdc = bits.u(8);
  bits.u(8);
  const levelIdc = bits.u(8);
  bits.ue();
  let chromaFormatIdc = 1;
  let bitDepthLuma = 8;
  let bitDepthChroma = 8;
  if (hasChromaFormat(profileIdc)) {
    chromaFormatIdc = bits.ue();
    if (chromaFormatIdc > 3) throw corruptSps(`chroma_format_idc is ${chromaFormatIdc}`);
    if (chromaFormatIdc === 3) bits.u(1);
    bitDepthLuma = 8 + bits.ue();
    bitDepthChroma = 8 + bits.ue();
    bits.u(1);
    if (bits.u(1) === 1) skipScalingMatrix(bits, chromaFormatIdc);
  }
  bits.ue();
  skipPictureOrderCount(bits);
  bits.ue();
  bits.u(1);
  const widthInMbs = bits.ue() + 1;
  const heightInMapUnits = bits.ue() + 1;
  const frameMbsOnly = bits.u(1);
  if (frameMbsOnly === 0) bits.u(1);
  bits.u(1);
  let [left, right, top, bottom] = [0, 0, 0, 0];
  if (bits.u(1) === 1) [left, right, top, bottom] = [bits.ue(), bits.ue(), bits.ue(), bits.ue()];
  const cropX = chromaFormatIdc === 1 || chromaFormatIdc === 2 ? 2 : 1;
  const cropY = (chromaFormatIdc === 1 ? 2 : 1) * (2 - frameMbsOnly);
  const width = widthInMbs * 16 - cropX * (left + right);
  const height = (2 - frameMbsOnly) * heightInMapUnits * 16 - cropY * (top + bottom);
  if (width < 1 || height < 1 || width > 65_535 || height > 65_535) throw corruptSps(`the size is ${width}×${height}`);
  const usability = bits.u(1) === 1 ? readUsability(bits) : NOTHING_SAID;
  return { profileIdc, levelIdc, chromaFormatIdc, bitDepthLuma, bitDepthChroma, width, height, ...usability };
}

/** Whether a profile's SPS (and its `avcC`) states chroma format and bit depths (ITU-T H.264 §7.3.2.1.1). */
export function hasChromaFormat(profileIdc: number): boolean {
  return CHROMA_PROFILES.has(profileIdc);
}

const CHROMA_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

function skipPictureOrderCount(bits: BitReader): void {
  const type = bits.ue();
  if (type === 0) {
    bits.ue();
  } else if (type === 1) {
    bits.u(1);
    bits.ue();
    bits.ue();
    const cycle = bits.ue();
    if (cycle > 255) throw corruptSps(`the picture order cycle has ${cycle} frames`);
    for (let index = 0; index < cycle; index++) bits.ue();
  } else if (type !== 2) {
    throw corruptSps(`pic_order_cnt_type is ${type}`);
  }
}

function skipScalingMatrix(bits: BitReader, chromaFormatIdc: number): void {
  for (let list = 0; list < (chromaFormatIdc === 3 ? 12 : 8); list++) {
    if (bits.u(1) === 0) continue;
    let last = 8;
    let next = 8;
    for (let index = 0; index < (list < 6 ? 16 : 64); index++) {
      if (next !== 0) next = (last + bits.se() + 256) & 0xff;
      if (next !== 0) last = next;
    }
  }
}

type Usability = Pick<SpsInfo, 'colour' | 'frameRate' | 'sampleAspectRatio'>;

const NOTHING_SAID: Usability = { colour: null, frameRate: null, sampleAspectRatio: 1 };

/** The beginning of `vui_parameters` (ITU-T H.264 E.1.1). */
function readUsability(bits: BitReader): Usability {
  const sampleAspectRatio = bits.u(1) === 1 ? readAspectRatio(bits) : 1;
  if (bits.u(1) === 1) bits.u(1);
  const colour = readColour(bits);
  return { colour, frameRate: readFrameRate(bits), sampleAspectRatio };
}

/** By `aspect_ratio_idc` (ITU-T H.264 table E-1). */
const ASPECT_RATIOS: readonly (readonly [width: number, height: number])[] = [
  [1, 1],
  [1, 1],
  [12, 11],
  [10, 11],
  [16, 11],
  [40, 33],
  [24, 11],
  [20, 11],
  [32, 11],
  [80, 33],
  [18, 11],
  [15, 11],
  [64, 33],
  [160, 99],
  [4, 3],
  [3, 2],
  [2, 1],
];

function readAspectRatio(bits: BitReader): number {
  const idc = bits.u(8);
  const [width, height] = idc === 255 ? [bits.u(16), bits.u(16)] : (ASPECT_RATIOS[idc] ?? [1, 1]);
  return width > 0 && height > 0 ? width / height : 1;
}

/** Two ticks are a frame, which has two fields (ITU-T H.264 E.2.1). */
function readFrameRate(bits: BitReader): number | null {
  if (bits.u(1) === 1) {
    bits.ue();
    bits.ue();
  }
  if (bits.u(1) === 0) return null;
  const unitsInTick = bits.u(32);
  const timescale = bits.u(32);
  return unitsInTick === 0 || timescale === 0 ? null : timescale / (2 * unitsInTick);
}

function readColour(bits: BitReader): Colour | null {
  if (bits.u(1) === 0) return null;
  bits.u(3);
  const fullRange = bits.u(1) === 1;
  if (bits.u(1) === 0) {
    return { primaries: UNSPECIFIED_COLOUR, transfer: UNSPECIFIED_COLOUR, matrix: UNSPECIFIED_COLOUR, fullRange };
  }
  return { primaries: bits.u(8), transfer: bits.u(8), matrix: bits.u(8), fullRange };
}

function corruptSps(why: string): ZoetropeError {
  return new ZoetropeError(
    'corrupt_media',
    `The H.264 sequence parameter set is not valid: ${why}. Encode the media again.`,
  );
}
