import type { FaultLog } from '../demuxed/fault-log.ts';
import type { TransportPacket } from './packet-reader.ts';
import { crc32Mpeg, TABLE_PID } from './program-tables.ts';

/** An elementary stream that a programme map names. */
export interface NamedStream {
  readonly pid: number;
  readonly streamType: number;
}

/** Reads the tables of a segment until a programme is known (ISO/IEC 13818-1 §2.4.4). */
export class TableReader {
  readonly #faults: FaultLog;
  readonly #sections = new Map<number, SectionReader>([[TABLE_PID.pat, new SectionReader()]]);
  #sectionCount = 0;

  constructor(faults: FaultLog) {
    this.#faults = faults;
  }

  /** Takes the next packet; answers a programme's streams when their description is complete. */
  push(packet: TransportPacket): readonly NamedStream[] | null {
    const reader = this.#sections.get(packet.pid);
    if (reader === undefined || packet.payload === null || this.#sectionCount > MAX_SECTIONS) return null;
    for (const section of reader.push(packet.payload, packet.isStart)) {
      this.#sectionCount += 1;
      if (!this.#isValid(section, packet)) continue;
      if (packet.pid === TABLE_PID.pat) this.#readAssociation(section);
      else if (section[0] === PMT_TABLE) return readMap(section);
    }
    return null;
  }

  #isValid(section: Uint8Array, { pid, offset }: TransportPacket): boolean {
    if (section.length < MIN_SECTION_BYTES || ((section[1] ?? 0) & 0x80) === 0) return false;
    if (crc32Mpeg(section) !== 0) {
      this.#faults.note(
        'table',
        `The table on PID ${pid} at offset ${offset} has a wrong checksum; it was passed over.`,
      );
      return false;
    }
    const isCurrent = ((section[5] ?? 0) & 1) !== 0;
    return isCurrent;
  }

  #readAssociation(section: Uint8Array): void {
    if (section[0] !== PAT_TABLE) return;
    for (let at = 8; at + 4 <= section.length - CRC_BYTES; at += 4) {
      const [high = 0, low = 0, pidHigh = 0, pidLow = 0] = section.subarray(at, at + 4);
      const pid = ((pidHigh & 0x1f) << 8) | pidLow;
      const isNetwork = high === 0 && low === 0;
      if (isNetwork || this.#sections.has(pid) || this.#sections.size > MAX_PROGRAMS) continue;
      this.#sections.set(pid, new SectionReader());
    }
  }
}

const PAT_TABLE = 0;
const PMT_TABLE = 2;
const CRC_BYTES = 4;
/** Header, and checksum. */
const MIN_SECTION_BYTES = 12;
const MAX_PROGRAMS = 64;
/** A segment repeats its tables ten times a second; each costs a checksum. */
const MAX_SECTIONS = 10_000;

/** Programme map section (§2.4.4.8). */
function readMap(section: Uint8Array): readonly NamedStream[] {
  const streams: NamedStream[] = [];
  const lengthAt = (at: number): number => (((section[at] ?? 0) & 15) << 8) | (section[at + 1] ?? 0);
  let at = 12 + lengthAt(10);
  while (at + 5 <= section.length - CRC_BYTES) {
    const pid = (((section[at + 1] ?? 0) & 0x1f) << 8) | (section[at + 2] ?? 0);
    streams.push({ pid, streamType: section[at] ?? 0 });
    at += 5 + lengthAt(at + 3);
  }
  return streams;
}

/** Puts sections together, which may begin anywhere in a packet and go over several (§2.4.4.1). */
class SectionReader {
  #pending: Uint8Array = new Uint8Array();

  push(payload: Uint8Array, isStart: boolean): readonly Uint8Array[] {
    if (!isStart) {
      if (this.#pending.length === 0) return [];
      return this.#take(Buffer.concat([this.#pending, payload]));
    }
    const pointer = payload[0] ?? 0;
    const before = payload.subarray(1, 1 + pointer);
    const ended = this.#pending.length === 0 ? [] : this.#take(Buffer.concat([this.#pending, before]));
    return [...ended, ...this.#take(payload.subarray(1 + pointer))];
  }

  #take(bytes: Uint8Array): readonly Uint8Array[] {
    const sections: Uint8Array[] = [];
    let rest = bytes;
    const stuffing = 0xff;
    while (rest.length > 0 && rest[0] !== stuffing) {
      const size = rest.length < 3 ? Number.POSITIVE_INFINITY : 3 + ((((rest[1] ?? 0) & 15) << 8) | (rest[2] ?? 0));
      if (size > rest.length) {
        this.#pending = rest;
        return sections;
      }
      sections.push(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
    this.#pending = new Uint8Array();
    return sections;
  }
}
