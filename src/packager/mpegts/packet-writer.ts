import { TS_PACKET_BYTES, type PesPacket } from './pes.ts';

const HEADER_BYTES = 4;
/** Length, flags and clock reference of a PES packet's first transport packet. */
const CLOCK_FIELD_BYTES = 8;
const FIRST_PAYLOAD_BYTES = TS_PACKET_BYTES - HEADER_BYTES - CLOCK_FIELD_BYTES;
const PAYLOAD_BYTES = TS_PACKET_BYTES - HEADER_BYTES;

/** How many transport packets a PES packet needs. */
export function packetsFor(pesBytes: number): number {
  return 1 + Math.ceil(Math.max(0, pesBytes - FIRST_PAYLOAD_BYTES) / PAYLOAD_BYTES);
}

/** Writes transport packets of the tables and of elementary streams (ISO/IEC 13818-1 §2.4.3.2), whose counters begin at 0. */
export class PacketWriter {
  readonly bytes: Buffer;
  readonly #counters = new Map<number, number>();
  #at = 0;

  /** Room for exactly so many packets. */
  constructor(packets: number) {
    this.bytes = Buffer.alloc(packets * TS_PACKET_BYTES, 0xff);
  }

  /** Writes a table in one packet. */
  table(pid: number, counter: number, section: Uint8Array): void {
    const at = this.#header(pid, true, false, counter);
    const pointerField = 0;
    this.bytes[at] = pointerField;
    this.bytes.set(section, at + 1);
  }

  /** Spreads a PES packet over exactly `packets` transport packets, each with at least one byte of it. */
  pes(pid: number, pes: PesPacket, packets: number): void {
    let from = 0;
    for (let index = 0; index < packets; index++) {
      const after = packets - index - 1;
      const left = pes.bytes.length - from;
      const size = index === 0 ? Math.min(FIRST_PAYLOAD_BYTES, left - after) : Math.ceil(left / (after + 1));
      const hasField = index === 0 || size < PAYLOAD_BYTES;
      const counter = this.#counters.get(pid) ?? 0;
      const at = this.#header(pid, index === 0, hasField, counter);
      this.#counters.set(pid, (counter + 1) & 15);
      if (hasField) this.#adaptationField(at, PAYLOAD_BYTES - size, index === 0 ? pes : null);
      this.bytes.set(pes.bytes.subarray(from, from + size), at + PAYLOAD_BYTES - size);
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
  #adaptationField(at: number, sizeBytes: number, pes: PesPacket | null): void {
    this.bytes[at] = sizeBytes - 1;
    if (sizeBytes === 1) return;
    const base = pes?.clock90k ?? null;
    this.bytes[at + 1] = (pes?.isRandomAccess === true ? 0x40 : 0) | (base === null ? 0 : 0x10);
    if (base === null) return;
    this.bytes.writeUInt32BE(Math.floor(base / 2), at + 2);
    this.bytes[at + 6] = ((base & 1) << 7) | 0x7e;
    this.bytes[at + 7] = 0;
  }
}
