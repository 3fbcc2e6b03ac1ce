import { ZoetropeError } from '../../base/errors.ts';
import { UNSPECIFIED_COLOUR, type Colour } from '../bits/colour.ts';
import { parseVp9KeyFrame } from './frame-header.ts';

/** A VPCodecConfigurationRecord (VP Codec ISO Media File Format Binding, version 1). */
export interface Vp9Configuration {
  readonly profile: number;
  /** Ten times the level: 31 is 3.1. */
  readonly level: number;
  readonly bitDepth: number;
  /** 0 and 1: 4:2:0, with chroma between rows or at the luma sample; 2: 4:2:2; 3: 4:4:4. */
  readonly chromaSubsampling: number;
  readonly colour: Colour;
}

/** What a stream must be able to carry. */
export interface Vp9Demand {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  /** Left out: as low as the size allows. */
  readonly bitsPerS?: number;
}

/** The configuration of an encoder's stream, from its first packet. `colour` says what the bit stream has no room for. @throws corrupt_media */
export function vp9ConfigurationOf(
  keyFrame: Uint8Array,
  demand: { readonly frameRate: number; readonly bitsPerS?: number; readonly colour?: Colour },
): Vp9Configuration {
  const info = parseVp9KeyFrame(keyFrame);
  const chromaSubsampling = info.subsamplingX ? (info.subsamplingY ? 1 : 2) : 3;
  const matrix = MATRIX_OF_COLOUR_SPACE[info.colourSpace] ?? UNSPECIFIED_COLOUR;
  const said = { primaries: UNSPECIFIED_COLOUR, transfer: UNSPECIFIED_COLOUR, matrix, fullRange: info.fullRange };
  return {
    profile: info.profile,
    level: vp9Level({ ...demand, width: info.width, height: info.height }),
    bitDepth: info.bitDepth,
    chromaSubsampling,
    colour: demand.colour ?? said,
  };
}

/** The lowest level that carries a stream (VP9 levels and profiles, §2), times ten. @throws unsupported_media beyond the highest */
export function vp9Level({ width, height, frameRate, bitsPerS = 0 }: Vp9Demand): number {
  const samples = width * height;
  const found = LEVELS.find(
    ([, rate, size, kbps, side]) =>
      samples * frameRate <= rate && samples <= size && bitsPerS <= kbps * 1000 && Math.max(width, height) <= side,
  );
  if (found !== undefined) return found[0];
  throw new ZoetropeError(
    'unsupported_media',
    `No level of VP9 carries ${width}×${height} at ${frameRate} frames and ${bitsPerS} bits a second; ask for a smaller size.`,
  );
}

/** RFC 6381 codec string, e.g. `vp09.00.31.08`; with chroma and colour only where they are not what the short form stands for. */
export function vp9CodecString(configuration: Vp9Configuration): string {
  const { profile, level, bitDepth, chromaSubsampling, colour } = configuration;
  const two = (value: number): string => String(value).padStart(2, '0');
  const short = `vp09.${[profile, level, bitDepth].map(two).join('.')}`;
  const isPlain = [colour.primaries, colour.transfer, colour.matrix].every((code) => PLAIN_CODES.has(code));
  if (chromaSubsampling < 2 && isPlain && !colour.fullRange) return short;
  const rest = [chromaSubsampling, colour.primaries, colour.transfer, colour.matrix, colour.fullRange ? 1 : 0];
  return `${short}.${rest.map(two).join('.')}`;
}

/** The payload of a `vpcC` box, version and flags included. */
export function writeVp9Configuration(configuration: Vp9Configuration): Uint8Array {
  const { profile, level, bitDepth, chromaSubsampling, colour } = configuration;
  const packed = (bitDepth << 4) | (chromaSubsampling << 1) | (colour.fullRange ? 1 : 0);
  const versionOne = [1, 0, 0, 0];
  const noInitializationData = [0, 0];
  return Uint8Array.from([
    ...versionOne,
    profile,
    level,
    packed,
    colour.primaries,
    colour.transfer,
    colour.matrix,
    ...noInitializationData,
  ]);
}

/** Reads the payload of a `vpcC` box. @throws corrupt_media when it is cut off */
export function readVp9Configuration(record: Uint8Array): Vp9Configuration {
  const [, , , , profile, level, packed, primaries, transfer, matrix] = record;
  if (
    profile === undefined ||
    level === undefined ||
    packed === undefined ||
    primaries === undefined ||
    transfer === undefined ||
    matrix === undefined
  ) {
    throw new ZoetropeError('corrupt_media', `A vpcC box has at least 10 bytes. Got ${record.length}; repackage it.`);
  }
  const colour = { primaries, transfer, matrix, fullRange: (packed & 1) === 1 };
  return { profile, level, bitDepth: packed >> 4, chromaSubsampling: (packed >> 1) & 7, colour };
}

const PLAIN_CODES: ReadonlySet<number> = new Set([1, UNSPECIFIED_COLOUR]);

/** By `color_space` of the bit stream: BT.601, BT.709, SMPTE 170, SMPTE 240, BT.2020, reserved, sRGB. */
const MATRIX_OF_COLOUR_SPACE: readonly number[] = [UNSPECIFIED_COLOUR, 5, 1, 6, 7, 9, UNSPECIFIED_COLOUR, 0];

/** Level, largest luma sample rate, luma picture size, bit rate in kbit/s, side. */
const LEVELS: readonly (readonly [number, number, number, number, number])[] = [
  [10, 829_440, 36_864, 200, 512],
  [11, 2_764_800, 73_728, 800, 768],
  [20, 4_608_000, 122_880, 1800, 960],
  [21, 9_216_000, 245_760, 3600, 1344],
  [30, 20_736_000, 552_960, 7200, 2048],
  [31, 36_864_000, 983_040, 12_000, 2752],
  [40, 83_558_400, 2_228_224, 18_000, 4160],
  [41, 160_432_128, 2_228_224, 30_000, 4160],
  [50, 311_951_360, 8_912_896, 60_000, 8384],
  [51, 588_251_136, 8_912_896, 120_000, 8384],
  [52, 1_176_502_272, 8_912_896, 180_000, 8384],
  [60, 1_176_502_272, 35_651_584, 180_000, 16_832],
  [61, 2_353_004_544, 35_651_584, 240_000, 16_832],
  [62, 4_706_009_088, 35_651_584, 480_000, 16_832],
];
