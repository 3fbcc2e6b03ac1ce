import type { FaultLog } from '../demuxed/fault-log.ts';
import type { TransportPacket } from './packet-reader.ts';

/** A PES packet's content. Time stamps as they stand, of 33 bits. */
export interface ReadPes {
  /** Where its first transport packet begins in the segment. */
  readonly offset: number;
  readonly pts: number | null;
  /** The PTS where it is not given. */
  readonly dts: number | null;
  readonly isRandomAccess: boolean;
  readonly data: Uint8Array;
}

/** Puts PES packets of one PID together again (ISO/IEC 13818-1 §2.4.3.6), also those that do not say how long they are. */
export class PesReader {
  readonly #pid: number;
  readonly #faults: FaultLog;
  #start: TransportPacket | null = null;
  #chunks: Uint8Array[] = [];
  #last: TransportPacket | null = null;

  constructor(pid: number, faults: FaultLog) {
    this.#pid = pid;
    this.#faults = faults;
  }

  /** Takes the PID's next transport packet; answers the PES packet that ended before it. */
  push(packet: TransportPacket): ReadPes | null {
    if (packet.payload === null) return null;
    const isRepeated = this.#checkCounter(packet, packet.payload);
    this.#last = packet;
    if (isRepeated) return null;
    const ended = packet.isStart ? this.finish() : null;
    if (packet.isStart) this.#start = packet;
    if (this.#start === null) {
      this.#faults.note('no start', `PID ${this.#pid} begins inside a PES packet at offset ${packet.offset}.`);
    } else {
      this.#chunks.push(packet.payload);
    }
    return ended;
  }

  /** The PES packet that is open; null when there is none, or it is no such thing. */
  finish(): ReadPes | null {
    const start = this.#start;
    if (start === null) return null;
    const bytes = Buffer.concat(this.#chunks);
    this.#start = null;
    this.#chunks = [];
    return this.#read(bytes, start);
  }

  /** Whether the packet is the one before once more, which is allowed (§2.4.3.3). */
  #checkCounter({ counter, isDiscontinuity, offset }: TransportPacket, payload: Uint8Array): boolean {
    const last = this.#last;
    if (last === null || isDiscontinuity || counter === ((last.counter + 1) & 15)) return false;
    if (counter === last.counter && last.payload !== null && Buffer.compare(last.payload, payload) === 0) return true;
    this.#faults.note(
      `continuity ${this.#pid}`,
      `Transport packets of PID ${this.#pid} are missing before offset ${offset}: the counter goes from ${last.counter} to ${counter}.`,
    );
    return false;
  }

  #read(bytes: Buffer, { offset, isRandomAccess }: TransportPacket): ReadPes | null {
    if (bytes.length < 9 || bytes.readUIntBE(0, 3) !== 1) {
      this.#faults.note('PES', `At offset ${offset} no PES packet begins on PID ${this.#pid}, though it should.`);
      return null;
    }
    if (HEADERLESS_STREAMS.has(bytes.readUInt8(3))) return null;
    const claimed = bytes.readUInt16BE(4);
    const dataAt = 9 + bytes.readUInt8(8);
    const end = claimed === 0 ? bytes.length : Math.min(bytes.length, 6 + claimed);
    if (claimed !== 0 && 6 + claimed > bytes.length) {
      const missing = 6 + claimed - bytes.length;
      this.#faults.note('short PES', `The PES packet at offset ${offset} on PID ${this.#pid} lacks ${missing} bytes.`);
    }
    if (dataAt > end || (bytes.readUInt8(6) & 0xc0) !== 0x80) {
      this.#faults.note('PES header', `The PES packet at offset ${offset} on PID ${this.#pid} has a bad header.`);
      return null;
    }
    const stamps = bytes.readUInt8(7) >> 6;
    const pts = stamps >= 2 && dataAt >= 14 ? timeStamp(bytes, 9) : null;
    const dts = stamps === 3 && dataAt >= 19 ? timeStamp(bytes, 14) : pts;
    return { offset, pts, dts, isRandomAccess, data: bytes.subarray(dataAt, end) };
  }
}

/** `stream_id`s whose packets have no optional header (table 2-22): maps, padding, private_stream_2, ECM, EMM, DSM-CC, H.222.1 E, directory. */
const HEADERLESS_STREAMS: ReadonlySet<number> = new Set([0xbc, 0xbe, 0xbf, 0xf0, 0xf1, 0xf2, 0xf8, 0xff]);

/** 33 bits in five bytes with marker bits. */
function timeStamp(bytes: Buffer, at: number): number {
  const high = (bytes.readUInt8(at) >> 1) & 7;
  return high * 2 ** 30 + (bytes.readUInt16BE(at + 1) >> 1) * 2 ** 15 + (bytes.readUInt16BE(at + 3) >> 1);
}
