import { ZoetropeError } from '../../base/errors.ts';

/** What a JPEG says about itself, read without decoding a pixel. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** 1 (grayscale) or 3. */
  readonly components: number;
  /** `4:2:0`, `4:2:2`, `4:4:4`, `gray`, or the sampling factors as written, e.g. `4x1,1x1,1x1`. */
  readonly sampling: string;
  readonly isProgressive: boolean;
  /** False for an abbreviated stream (ITU-T T.81 B.4), which relies on tables from elsewhere. */
  readonly hasTables: boolean;
  /** Where the picture ends: behind its EOI marker. Whatever follows (padding, further pictures) is not part of it. */
  readonly endOffset: number;
}

/** Bounds on what is taken. */
export interface JpegLimits {
  readonly maxBytes: number;
  readonly maxPixels: number;
}

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const DQT = 0xdb;
const DHT = 0xc4;
/** Baseline, extended sequential and progressive DCT with Huffman coding (ITU-T T.81 Table B.1). */
const DECODABLE_SOF = new Set([0xc0, 0xc1, 0xc2]);
const PROGRESSIVE_SOF = 0xc2;
/** Every SOFn; C4, C8 and CC are other markers. */
const SOF = new Set([0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf]);
const MAX_SAMPLING_FACTOR = 4;
/** A full progression of three components has about ten scans; each costs a pass over the whole picture, so their number is bounded. */
const MAX_SCANS = 100;

/**
 * Reads the markers of a JPEG (ITU-T T.81 Annex B) up to the first scan, finds its end and counts its scans.
 * @throws payload_too_large, unsupported_media, corrupt_media: each with what was found
 */
export function readJpegHeader(bytes: Uint8Array, limits: JpegLimits): JpegHeader {
  if (bytes.length > limits.maxBytes) {
    throw new ZoetropeError(
      'payload_too_large',
      `The JPEG has ${bytes.length} bytes, more than the ${limits.maxBytes} allowed. Send smaller pictures, or raise the limit.`,
    );
  }
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== SOI) throw notJpeg(bytes);
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame: FrameHeader | undefined;
  let hasHuffmanTables = false;
  let hasQuantTables = false;
  let at = 2;
  for (;;) {
    const marker = source[at] === 0xff ? source[at + 1] : undefined;
    if (marker === undefined) throw corrupt(`there is no marker at byte ${at} of ${bytes.length}`);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === EOI) throw corrupt('it ends before any picture data');
    const length = at + 4 <= source.length ? source.readUInt16BE(at + 2) : 0;
    const end = at + 2 + length;
    if (length < 2 || end > source.length) throw corrupt(`the header is cut off at byte ${at} of ${bytes.length}`);
    if (SOF.has(marker)) {
      if (frame !== undefined) throw corrupt(`it has a second frame header at byte ${at}`);
      frame = readFrameHeader(source.subarray(at + 4, end), marker, limits);
    } else if (marker === DHT) hasHuffmanTables = true;
    else if (marker === DQT) hasQuantTables = true;
    else if (marker === SOS) break;
    at = end;
  }
  if (frame === undefined) throw corrupt('its picture data come before any frame header');
  const eoi = findMarker(source, at, EOI);
  if (eoi === -1) throw corrupt(`there is no end-of-image marker in ${bytes.length} bytes: it is cut off`);
  if (frame.isProgressive) checkScans(source, at, eoi);
  return { ...frame, hasTables: hasHuffmanTables && hasQuantTables, endOffset: eoi + 2 };
}

type FrameHeader = Omit<JpegHeader, 'hasTables' | 'endOffset'>;

function readFrameHeader(body: Buffer, marker: number, limits: JpegLimits): FrameHeader {
  if (!DECODABLE_SOF.has(marker)) {
    throw new ZoetropeError(
      'unsupported_media',
      `The JPEG uses coding process SOF${marker - 0xc0}; only baseline, extended and progressive Huffman coding are read.`,
    );
  }
  const components = body[5] ?? 0;
  if (body.length !== 6 + 3 * components) throw corrupt(`its frame header has ${body.length} bytes`);
  const precision = body[0];
  const height = body.readUInt16BE(1);
  const width = body.readUInt16BE(3);
  if (precision !== 8) throw new ZoetropeError('unsupported_media', `The JPEG has ${precision} bits a sample, not 8.`);
  if (components !== 1 && components !== 3) {
    const what = components === 4 ? 'CMYK' : `${components} colour components`;
    throw new ZoetropeError('unsupported_media', `The JPEG is ${what}; only grayscale and YCbCr or RGB are read.`);
  }
  if (width < 2 || height < 2) {
    throw new ZoetropeError('unsupported_media', `The JPEG measures ${width}×${height}; at least 2×2 is needed.`);
  }
  if (width * height > limits.maxPixels) {
    throw new ZoetropeError(
      'payload_too_large',
      `The JPEG measures ${width}×${height}, more than the ${limits.maxPixels} pixels allowed. Send smaller pictures, or raise the limit.`,
    );
  }
  return {
    width,
    height,
    components,
    sampling: readSampling(body, components),
    isProgressive: marker === PROGRESSIVE_SOF,
  };
}

function readSampling(body: Buffer, components: number): string {
  const factors: string[] = [];
  for (let index = 0; index < components; index++) {
    const packed = body[7 + 3 * index] ?? 0;
    const horizontal = packed >> 4;
    const vertical = packed & 0xf;
    if (horizontal < 1 || vertical < 1 || horizontal > MAX_SAMPLING_FACTOR || vertical > MAX_SAMPLING_FACTOR) {
      throw corrupt(`component ${index} has sampling factors ${horizontal}×${vertical}`);
    }
    factors.push(`${horizontal}x${vertical}`);
  }
  return components === 1 ? 'gray' : (SAMPLING_NAMES.get(factors.join()) ?? factors.join());
}

const SAMPLING_NAMES = new Map([
  ['2x2,1x1,1x1', '4:2:0'],
  ['2x1,1x1,1x1', '4:2:2'],
  ['2x2,1x2,1x2', '4:2:2'],
  ['1x1,1x1,1x1', '4:4:4'],
]);

/** In entropy-coded data every FF that is no marker is followed by 00 (T.81 F.1.2.3), so a plain search finds only markers. */
function findMarker(source: Buffer, from: number, marker: number): number {
  return source.indexOf(Uint8Array.of(0xff, marker), from);
}

function checkScans(source: Buffer, from: number, to: number): void {
  let scans = 0;
  for (let at = from; at !== -1 && at < to; at = findMarker(source, at + 2, SOS)) scans += 1;
  if (scans > MAX_SCANS) {
    throw new ZoetropeError(
      'unsupported_media',
      `The JPEG has ${scans} scans, more than the ${MAX_SCANS} that are decoded.`,
    );
  }
}

function notJpeg(bytes: Uint8Array): ZoetropeError {
  const start = Buffer.from(bytes.subarray(0, 8)).toString('hex');
  return new ZoetropeError(
    'unsupported_media',
    `It is not a JPEG: ${bytes.length} bytes that begin with ${start === '' ? 'nothing' : start}, not ffd8ff.`,
  );
}

function corrupt(what: string): ZoetropeError {
  return new ZoetropeError('corrupt_media', `The JPEG is damaged: ${what}.`);
}
