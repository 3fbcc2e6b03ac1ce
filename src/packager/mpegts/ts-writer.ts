import { ZoetropeError } from '../../base/errors.ts';
import { joinAnnexB, NAL, nalType, OUT_OF_BAND_NALS, splitLengthPrefixed, type ParameterSets } from '../h264/nal.ts';
import { PAT_SECTION, PID, PMT_SECTION } from './program-tables.ts';

/** A sample to be carried; as the CMAF reader gives it. */
export interface TsSample {
  /** NAL units after their lengths in four bytes. */
  readonly data: Uint8Array;
  /** Ticks of 1/90,000 s. */
  readonly duration: number;
  readonly isSync: boolean;
  readonly compositionOffset?: number;
}

/** A segment to be carried. */
export interface TsSegment {
  readonly parameterSets: ParameterSets;
  /** Rises by one from segment to segment of an epoch: the continuity counters of the tables follow it. */
  readonly sequenceNumber: number;
  /** Decoding time of the first sample since the epoch's start. */
  readonly baseTime90k: number;
  readonly samples: readonly TsSample[];
  /** Times are divided by it. */
  readonly speed: number;
}

/** A transport packet, in bytes. */
export const TS_PACKET_BYTES = 188;

/** Time stamps and the clock have 33 bits (ISO/IEC 13818-1 §2.4.3.7); they wrap after 26.5 hours. */
export const TS_CLOCK_MODULUS = 2 ** 33;

/** Presentation times start here and the clock at 0, so that no clock reference comes after its picture. */
export const TS_LEAD_90K = 126_000;

/**
 * Writes an MPEG-TS segment (ISO/IEC 13818-1; RFC 8216bis §3.1.1): PAT, PMT, and one PES packet a picture with AUD, parameter sets before
 * every IDR picture, and PCR.
 *
 * Segments are written alone and yet follow each other without a break: time stamps are rounded from the epoch's media time, not summed;
 * the tables are sent once a segment, so their continuity counters are the sequence number's low four bits; the pictures of a segment take a
 * multiple of 16 packets (the largest is spread over more), so their counter starts at 0 every time. @throws corrupt_media on a bad sample.
 */
export function writeTsSegment(segment: TsSegment): Uint8Array {
  if (!Number.isFinite(segment.speed) || segment.speed <= 0) {
    throw new ZoetropeError('invalid_argument', `A speed must be a number above 0. Got ${segment.speed}.`);
  }
  const pictures = toPesPackets(segment);
  const packetCounts = pictures.map((picture) => packetsFor(picture.pes.length));
  const total = packetCounts.reduce((sum, count) => sum + count, 0);
  const largest = indexOfLargest(pictures);
  packetCounts[largest] = (packetCounts[largest] ?? 0) + ((16 - (total % 16)) % 16);
  const out = new PacketWriter(2 + Math.ceil(total / 16) * 16);
  const tableCounter = segment.sequenceNumber & 15;
  out.table(PID.pat, tableCounter, PAT_SECTION);
  out.table(PID.pmt, tableCounter, PMT_SECTION);
  for (const [index, picture] of pictures.entries()) out.picture(picture, packetCounts[index] ?? 1);
  return out.bytes;
}

interface Picture {
  readonly pes: Uint8Array;
  readonly isSync: boolean;
  readonly clock90k: number;
}

const HEADER_BYTES = 4;
/** Length, flags and clock reference of a picture's first packet. */
const CLOCK_FIELD_BYTES = 8;
const FIRST_PAYLOAD_BYTES = TS_PACKET_BYTES - HEADER_BYTES - CLOCK_FIELD_BYTES;
const PAYLOAD_BYTES = TS_PACKET_BYTES - HEADER_BYTES;
const ACCESS_UNIT_DELIMITER = Uint8Array.from([NAL.aud, 0xf0]);

function packetsFor(pesBytes: number): number {
  return 1 + Math.ceil(Math.max(0, pesBytes - FIRST_PAYLOAD_BYTES) / PAYLOAD_BYTES);
}

function indexOfLargest(pictures: readonly Picture[]): number {
  let largest = 0;
  for (const [index, picture] of pictures.entries()) {
    if (picture.pes.length > (pictures[largest]?.pes.length ?? 0)) largest = index;
  }
  return largest;
}

function toPesPackets(segment: TsSegment): readonly Picture[] {
  const { sps, pps } = segment.parameterSets;
  let mediaTime = segment.baseTime90k;
  return segment.samples.map((sample) => {
    const decoding = Math.round(mediaTime / segment.speed);
    const presentation = Math.round((mediaTime + (sample.compositionOffset ?? 0)) / segment.speed);
    mediaTime += sample.duration;
    const units = splitLengthPrefixed(sample.data).filter((unit) => !OUT_OF_BAND_NALS.has(nalType(unit)));
    const isIdr = sample.isSync || units.some((unit) => nalType(unit) === NAL.idr);
    const head = isIdr ? [ACCESS_UNIT_DELIMITER, sps, pps] : [ACCESS_UNIT_DELIMITER];
    const header = pesHeader(stamp(presentation + TS_LEAD_90K), stamp(decoding + TS_LEAD_90K));
    const pes = Buffer.concat([header, joinAnnexB([...head, ...units])]);
    return { pes, isSync: isIdr, clock90k: stamp(decoding) };
  });
}

function stamp(ticks: number): number {
  return ((ticks % TS_CLOCK_MODULUS) + TS_CLOCK_MODULUS) % TS_CLOCK_MODULUS;
}

/** ISO/IEC 13818-1 §2.4.3.6; the packet's length is left open, as video may. */
function pesHeader(pts: number, dts: number): Uint8Array {
  const videoStream = 0xe0;
  const alignedData = 0x84;
  if (pts === dts) return Uint8Array.from([0, 0, 1, videoStream, 0, 0, alignedData, 0x80, 5, ...timeStamp(2, pts)]);
  const stamps = [...timeStamp(3, pts), ...timeStamp(1, dts)];
  return Uint8Array.from([0, 0, 1, videoStream, 0, 0, alignedData, 0xc0, 10, ...stamps]);
}

/** 33 bits in five bytes with marker bits. */
function timeStamp(prefix: number, ticks: number): readonly number[] {
  const high = Math.floor(ticks / 2 ** 30) & 7;
  const middle = Math.floor(ticks / 2 ** 15) & 0x7fff;
  const low = ticks & 0x7fff;
  return [(prefix << 4) | (high << 1) | 1, middle >> 7, ((middle & 0x7f) << 1) | 1, low >> 7, ((low & 0x7f) << 1) | 1];
}

class PacketWriter {
  readonly bytes: Buffer;
  #at = 0;
  #videoCounter = 0;

  constructor(packets: number) {
    this.bytes = Buffer.alloc(packets * TS_PACKET_BYTES, 0xff);
  }

  table(pid: number, counter: number, section: Uint8Array): void {
    const at = this.#header(pid, true, false, counter);
    const pointerField = 0;
    this.bytes[at] = pointerField;
    this.bytes.set(section, at + 1);
  }

  /** Spreads a PES packet over exactly `packets` transport packets, each with at least one byte of it. */
  picture(picture: Picture, packets: number): void {
    const { pes } = picture;
    let from = 0;
    for (let index = 0; index < packets; index++) {
      const after = packets - index - 1;
      const left = pes.length - from;
      const size = index === 0 ? Math.min(FIRST_PAYLOAD_BYTES, left - after) : Math.ceil(left / (after + 1));
      const hasField = index === 0 || size < PAYLOAD_BYTES;
      const at = this.#header(PID.video, index === 0, hasField, this.#videoCounter);
      this.#videoCounter = (this.#videoCounter + 1) & 15;
      if (hasField) this.#adaptationField(at, PAYLOAD_BYTES - size, index === 0 ? picture : null);
      this.bytes.set(pes.subarray(from, from + size), at + PAYLOAD_BYTES - size);
      from += size;
    }
  }

  /** Answers where the packet's rest begins. */
  #header(pid: number, isStart: boolean, hasField: boolean, counter: number): number {
    const at = this.#at;
    this.#at += TS_PACKET_BYTES;
    this.bytes[at] = 0x47;
    this.bytes[at + 1] = (isStart ? 0x40 : 0) | (pid >> 8);
    this.bytes[at + 2] = pid & 0xff;
    this.bytes[at + 3] = (hasField ? 0x30 : 0x10) | counter;
    return at + HEADER_BYTES;
  }

  /** ISO/IEC 13818-1 §2.4.3.4; the bytes not named here are stuffing, already 0xFF. */
  #adaptationField(at: number, sizeBytes: number, picture: Picture | null): void {
    this.bytes[at] = sizeBytes - 1;
    if (sizeBytes === 1) return;
    this.bytes[at + 1] = picture === null ? 0 : (picture.isSync ? 0x40 : 0) | 0x10;
    if (picture === null) return;
    const base = picture.clock90k;
    this.bytes.writeUInt32BE(Math.floor(base / 2), at + 2);
    this.bytes[at + 6] = ((base & 1) << 7) | 0x7e;
    this.bytes[at + 7] = 0;
  }
}
