import { ZoetropeError } from '../../base/errors.ts';
import { BitReader, withoutEmulation } from '../bits/bit-reader.ts';
import { UNSPECIFIED_COLOUR, type Colour } from '../bits/colour.ts';

/** Profile, tier and level (ITU-T H.265 §7.3.3). */
export interface HevcProfile {
  readonly space: number;
  readonly tier: number;
  readonly idc: number;
  /** 32 flags, the first in the highest bit. */
  readonly compatibility: number;
  /** The six bytes from `general_progressive_source_flag` on. */
  readonly constraints: Uint8Array;
  readonly levelIdc: number;
}

/** What packaging needs of a sequence parameter set. */
export interface HevcSpsInfo {
  readonly profile: HevcProfile;
  readonly subLayers: number;
  readonly temporalIdNested: boolean;
  readonly chromaFormatIdc: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** Size of the picture shown, the conformance window applied. */
  readonly width: number;
  readonly height: number;
  /** Null where the stream does not say. */
  readonly colour: Colour | null;
}

/** RFC 6381 codec string of an SPS, e.g. `hvc1.1.6.L93.90` (ISO/IEC 14496-15 annex E.3). */
export function hevcCodecString(sps: Uint8Array): string {
  const { profile } = parseHevcSps(sps);
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) if ((profile.compatibility / 2 ** bit) & 1) reversed += 2 ** (31 - bit);
  const significant = profile.constraints.findLastIndex((byte) => byte !== 0) + 1;
  return [
    'hvc1',
    `${['', 'A', 'B', 'C'][profile.space] ?? ''}${profile.idc}`,
    reversed.toString(16).toUpperCase(),
    `${profile.tier === 0 ? 'L' : 'H'}${profile.levelIdc}`,
    ...[...profile.constraints.subarray(0, significant)].map((byte) => byte.toString(16).toUpperCase()),
  ].join('.');
}

/** Reads an SPS NAL unit (ITU-T H.265 §7.3.2.2.1 and E.2.1). @throws corrupt_media when it is cut off or absurd. */
export function parseHevcSps(sps: Uint8Array): HevcSpsInfo {
  const bits = new BitReader(withoutEmulation(sps.subarray(2)), corruptSps);
  bits.u(4);
  const subLayers = bits.u(3) + 1;
  const temporalIdNested = bits.flag();
  const profile = readProfile(bits, subLayers);
  bits.ue();
  const chromaFormatIdc = bits.ue();
  if (chromaFormatIdc > 3) throw corruptSps(`chroma_format_idc is ${chromaFormatIdc}`);
  if (chromaFormatIdc === 3) bits.u(1);
  const codedWidth = bits.ue();
  const codedHeight = bits.ue();
  const [left, right, top, bottom] = bits.flag() ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [0, 0, 0, 0];
  const width = codedWidth - (chromaFormatIdc === 1 || chromaFormatIdc === 2 ? 2 : 1) * (left + right);
  const height = codedHeight - (chromaFormatIdc === 1 ? 2 : 1) * (top + bottom);
  if (width < 1 || height < 1 || width > 65_535 || height > 65_535) throw corruptSps(`the size is ${width}×${height}`);
  const bitDepthLuma = 8 + bits.ue();
  const bitDepthChroma = 8 + bits.ue();
  if (bitDepthLuma > 16 || bitDepthChroma > 16) throw corruptSps(`the bit depth is ${bitDepthLuma}`);
  const colour = readColourBehind(bits, subLayers);
  return {
    profile,
    subLayers,
    temporalIdNested,
    chromaFormatIdc,
    bitDepthLuma,
    bitDepthChroma,
    width,
    height,
    colour,
  };
}

function readProfile(bits: BitReader, subLayers: number): HevcProfile {
  const space = bits.u(2);
  const tier = bits.u(1);
  const idc = bits.u(5);
  const compatibility = bits.u(32);
  const constraints = Uint8Array.from({ length: 6 }, () => bits.u(8));
  const levelIdc = bits.u(8);
  const present = Array.from({ length: subLayers - 1 }, () => ({ profile: bits.flag(), level: bits.flag() }));
  if (subLayers > 1) bits.u(2 * (8 - present.length));
  for (const layer of present) {
    if (layer.profile) bits.u(88);
    if (layer.level) bits.u(8);
  }
  return { space, tier, idc, compatibility, constraints, levelIdc };
}

/** Reads on from `log2_max_pic_order_cnt_lsb_minus4` to the colour description of the VUI. */
function readColourBehind(bits: BitReader, subLayers: number): Colour | null {
  const orderCountBits = bits.ue() + 4;
  if (orderCountBits > 16) throw corruptSps(`the picture order count has ${orderCountBits} bits`);
  for (let layer = bits.flag() ? 0 : subLayers - 1; layer < subLayers; layer++) {
    bits.ue();
    bits.ue();
    bits.ue();
  }
  for (let skipped = 0; skipped < 6; skipped++) bits.ue();
  if (bits.flag() && bits.flag()) skipScalingLists(bits);
  bits.u(2);
  if (bits.flag()) {
    bits.u(8);
    bits.ue();
    bits.ue();
    bits.u(1);
  }
  skipReferenceSets(bits);
  if (bits.flag()) {
    const longTerm = bits.ue();
    if (longTerm > 32) throw corruptSps(`there are ${longTerm} long-term pictures`);
    for (let index = 0; index < longTerm; index++) bits.u(orderCountBits + 1);
  }
  bits.u(2);
  return bits.flag() ? readColour(bits) : null;
}

function skipScalingLists(bits: BitReader): void {
  for (let size = 0; size < 4; size++) {
    for (let matrix = 0; matrix < 6; matrix += size === 3 ? 3 : 1) {
      if (!bits.flag()) {
        bits.ue();
        continue;
      }
      if (size > 1) bits.se();
      for (let index = 0; index < Math.min(64, 16 << (2 * size)); index++) bits.se();
    }
  }
}

/** `st_ref_pic_set()` as often as the SPS says (ITU-T H.265 §7.3.7); each may be told as a difference to the one before. */
function skipReferenceSets(bits: BitReader): void {
  const count = bits.ue();
  if (count > 64) throw corruptSps(`there are ${count} reference picture sets`);
  let previousPictures = 0;
  for (let set = 0; set < count; set++) {
    let pictures = 0;
    if (set > 0 && bits.flag()) {
      bits.u(1);
      bits.ue();
      for (let index = 0; index <= previousPictures; index++) {
        const isUsed = bits.flag();
        if (isUsed || bits.flag()) pictures++;
      }
    } else {
      pictures = bits.ue() + bits.ue();
      if (pictures > 32) throw corruptSps(`a reference picture set has ${pictures} pictures`);
      for (let index = 0; index < pictures; index++) {
        bits.ue();
        bits.u(1);
      }
    }
    previousPictures = pictures;
  }
}

function readColour(bits: BitReader): Colour | null {
  if (bits.flag() && bits.u(8) === 255) bits.u(32);
  if (bits.flag()) bits.u(1);
  if (!bits.flag()) return null;
  bits.u(3);
  const fullRange = bits.flag();
  if (!bits.flag()) {
    return { primaries: UNSPECIFIED_COLOUR, transfer: UNSPECIFIED_COLOUR, matrix: UNSPECIFIED_COLOUR, fullRange };
  }
  return { primaries: bits.u(8), transfer: bits.u(8), matrix: bits.u(8), fullRange };
}

function corruptSps(why: string): ZoetropeError {
  return new ZoetropeError(
    'corrupt_media',
    `The HEVC sequence parameter set is not valid: ${why}. Encode the media again.`,
  );
}
