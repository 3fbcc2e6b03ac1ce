import type { FaultLog } from '../demuxed/fault-log.ts';
import { TS_PACKET_BYTES } from './pes.ts';

/** A transport packet (ISO/IEC 13818-1 §2.4.3.2). */
export interface TransportPacket {
  /** Where it begins in the segment. */
  readonly offset: number;
  readonly pid: number;
  /** A PES packet or a section begins in it. */
  readonly isStart: boolean;
  readonly counter: number;
  /** The counter need not go on from the packet before. */
  readonly isDiscontinuity: boolean;
  /** Decoding can begin here. */
  readonly isRandomAccess: boolean;
  /** Null: it has none. */
  readonly payload: Uint8Array | null;
}

/** The packets of a segment in order; garbage between them, and packets that say that they are damaged, are passed over. */
export function* transportPackets(bytes: Uint8Array, faults: FaultLog): Generator<TransportPacket, void, void> {
  let at = 0;
  let isInStep = false;
  while (at + TS_PACKET_BYTES <= bytes.length) {
    if (bytes[at] === SYNC_BYTE && (isInStep || isFollowed(bytes, at))) {
      isInStep = true;
      const packet = readPacket(bytes, at, faults);
      if (packet !== null) yield packet;
      at += TS_PACKET_BYTES;
      continue;
    }
    const from = at;
    do at = nextSyncByte(bytes, at + 1);
    while (at + TS_PACKET_BYTES <= bytes.length && !isFollowed(bytes, at));
    faults.note(
      'sync',
      `There are ${Math.min(at, bytes.length) - from} bytes at offset ${from} that are no transport packet.`,
    );
    isInStep = false;
  }
  if (at < bytes.length)
    faults.note('cut off', `The last transport packet is cut off after ${bytes.length - at} bytes.`);
}

const SYNC_BYTE = 0x47;
const NULL_PID = 0x1fff;
const MOST_FIELD_BYTES = 183;

function isFollowed(bytes: Uint8Array, at: number): boolean {
  const next = at + TS_PACKET_BYTES;
  return next >= bytes.length || bytes[next] === SYNC_BYTE;
}

function nextSyncByte(bytes: Uint8Array, from: number): number {
  const at = bytes.indexOf(SYNC_BYTE, from);
  return at === -1 ? bytes.length : at;
}

function readPacket(bytes: Uint8Array, offset: number, faults: FaultLog): TransportPacket | null {
  const high = bytes[offset + 1] ?? 0;
  const control = bytes[offset + 3] ?? 0;
  const pid = ((high & 0x1f) << 8) | (bytes[offset + 2] ?? 0);
  if (pid === NULL_PID) return null;
  if ((high & 0x80) !== 0) {
    faults.note('damaged packet', `The transport packet at offset ${offset} says that it is damaged.`);
    return null;
  }
  let payloadAt = offset + 4;
  let flags = 0;
  if ((control & 0x20) !== 0) {
    const fieldBytes = bytes[payloadAt] ?? 0;
    if (fieldBytes > MOST_FIELD_BYTES) {
      faults.note('adaptation field', `The adaptation field at offset ${payloadAt} claims ${fieldBytes} bytes.`);
      return null;
    }
    flags = fieldBytes === 0 ? 0 : (bytes[payloadAt + 1] ?? 0);
    payloadAt += 1 + fieldBytes;
  }
  const end = offset + TS_PACKET_BYTES;
  const hasPayload = (control & 0x10) !== 0 && payloadAt < end;
  const isScrambled = (control & 0xc0) !== 0;
  if (isScrambled) faults.note('scrambled', `PID ${pid} is scrambled; it was passed over.`);
  return {
    offset,
    pid,
    isStart: (high & 0x40) !== 0,
    counter: control & 15,
    isDiscontinuity: (flags & 0x80) !== 0,
    isRandomAccess: (flags & 0x40) !== 0,
    payload: hasPayload && !isScrambled ? bytes.subarray(payloadAt, end) : null,
  };
}
