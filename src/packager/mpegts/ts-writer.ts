import { ZoetropeError } from '../../base/errors.ts';
import { elementaryStream, type TsContent } from './elementary-stream.ts';
import { packetsFor, PacketWriter } from './packet-writer.ts';
import type { PesPacket } from './pes.ts';
import { PAT_SECTION, pmtSection, TABLE_PID } from './program-tables.ts';

/** A segment to be carried. */
export interface TsSegment extends TsContent {
  /** Rises by one from segment to segment of an epoch: the continuity counters of the tables follow it. */
  readonly sequenceNumber: number;
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
  if (!Number.isFinite(segment.speed) || segment.speed <= 0) {
    throw new ZoetropeError('invalid_argument', `A speed must be a number above 0. Got ${segment.speed}.`);
  }
  const { packets, pid, streamType } = elementaryStream(segment);
  const counts = packets.map((packet) => packetsFor(packet.bytes.length));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const largest = indexOfLargest(packets);
  counts[largest] = (counts[largest] ?? 0) + ((16 - (total % 16)) % 16);
  const out = new PacketWriter(2 + Math.ceil(total / 16) * 16, pid);
  const tableCounter = segment.sequenceNumber & 15;
  out.table(TABLE_PID.pat, tableCounter, PAT_SECTION);
  out.table(TABLE_PID.pmt, tableCounter, pmtSection(pid, streamType));
  for (const [index, packet] of packets.entries()) out.pes(packet, counts[index] ?? 1);
  return out.bytes;
}

function indexOfLargest(packets: readonly PesPacket[]): number {
  let largest = 0;
  for (const [index, packet] of packets.entries()) {
    if (packet.bytes.length > (packets[largest]?.bytes.length ?? 0)) largest = index;
  }
  return largest;
}
