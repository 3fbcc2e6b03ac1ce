import { ZoetropeError } from '../../base/errors.ts';
import { elementaryStream, type ElementaryStream, type TsContent } from './elementary-stream.ts';
import { packetsFor, PacketWriter } from './packet-writer.ts';
import type { PesPacket } from './pes.ts';
import { PAT_SECTION, pmtSection, TABLE_PID } from './program-tables.ts';

interface Numbered {
  /** Rises by one from segment to segment of an epoch: the continuity counters of the tables follow it. */
  readonly sequenceNumber: number;
}

/** A segment of one track to be carried. */
export interface TsSegment extends TsContent, Numbered {}

/** A segment of pictures and sound to be carried. Not both are null. */
export interface MuxedTsSegment extends Numbered {
  readonly video: TsContent | null;
  readonly audio: TsContent | null;
}

/**
 * Writes an MPEG-TS segment (ISO/IEC 13818-1; RFC 8216bis §3.1.1): PAT, PMT, and PES packets of one elementary stream with its clock: H.264 or
 * HEVC with a delimiter before every picture and parameter sets where decoding can begin, or AAC in ADTS frames. Tracks of one asset carry the
 * same clock, so their segments are in time with each other; packets of audio priming lie before the first picture, where decoders need them.
 *
 * Segments are written alone and yet follow each other without a break: time stamps are rounded from the epoch's media time, not summed;
 * decoding fills the time in which the segment is shown (see `decodeOrderSamples`), so no shift has to be known; the tables are sent once a
 * segment, so their continuity counters are the sequence number's low four bits; the rest of a segment takes a multiple of 16 packets (the
 * largest PES packet is spread over more), so its counter starts at 0 every time.
 * @throws corrupt_media on a bad sample, unsupported_media for other codecs
 */
export function writeTsSegment(segment: TsSegment): Uint8Array {
  return writeStreams(segment.sequenceNumber, [segment]);
}

/**
 * Writes an MPEG-TS segment of pictures and sound, as {@link writeTsSegment} does of either. Packets are sent in the order of their decoding
 * times; the pictures carry the clock. @throws as {@link writeTsSegment}, invalid_argument without a track
 */
export function writeMuxedTsSegment({ sequenceNumber, video, audio }: MuxedTsSegment): Uint8Array {
  return writeStreams(
    sequenceNumber,
    [video, audio].filter((content) => content !== null),
  );
}

/** A PES packet, and over how many transport packets it is spread. */
interface SpreadPes {
  readonly pid: number;
  readonly pes: PesPacket;
  readonly packets: number;
}

function writeStreams(sequenceNumber: number, contents: readonly TsContent[]): Uint8Array {
  if (contents.length === 0) {
    throw new ZoetropeError('invalid_argument', 'A segment needs a track. Got neither pictures nor sound.');
  }
  for (const { speed } of contents) {
    if (!Number.isFinite(speed) || speed <= 0) {
      throw new ZoetropeError('invalid_argument', `A speed must be a number above 0. Got ${speed}.`);
    }
  }
  const streams = contents.map(elementaryStream);
  const spread = streams.flatMap((stream, index) => spreadOf(stream, index === 0));
  // Sorting is stable: at one time pictures come before sound, and each stream keeps its order.
  if (streams.length > 1) spread.sort((a, b) => a.pes.decoding90k - b.pes.decoding90k);
  const out = new PacketWriter(2 + spread.reduce((sum, { packets }) => sum + packets, 0));
  const tableCounter = sequenceNumber & 15;
  out.table(TABLE_PID.pat, tableCounter, PAT_SECTION);
  out.table(TABLE_PID.pmt, tableCounter, pmtSection(streams));
  for (const { pid, pes, packets } of spread) out.pes(pid, pes, packets);
  return out.bytes;
}

/** Over a multiple of 16 transport packets all in all. */
function spreadOf({ pid, packets }: ElementaryStream, carriesClock: boolean): readonly SpreadPes[] {
  const counts = packets.map((packet) => packetsFor(packet.bytes.length));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const largest = indexOfLargest(packets);
  counts[largest] = (counts[largest] ?? 0) + ((16 - (total % 16)) % 16);
  return packets.map((pes, index) => ({
    pid,
    pes: carriesClock ? pes : { ...pes, clock90k: null },
    packets: counts[index] ?? 1,
  }));
}

function indexOfLargest(packets: readonly PesPacket[]): number {
  let largest = 0;
  for (const [index, packet] of packets.entries()) {
    if (packet.bytes.length > (packets[largest]?.bytes.length ?? 0)) largest = index;
  }
  return largest;
}
