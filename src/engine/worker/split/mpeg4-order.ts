import type { SourcePacket } from './source-packet.ts';

/** A picture that says only "as the one before" is this small, as FFmpeg has it too. Bytes. */
const MAX_EMPTY_BYTES = 19;
const VOP_START = 0xb6;
const TYPE_B = 2;

/** Whether packets are MPEG-4 Part 2 whose container gives them times in decoding order alone. */
export function isUntimedMpeg4(container: string, codec: string): boolean {
  return container === 'avi' && codec === 'mpeg4';
}

/**
 * Gives pictures of MPEG-4 Part 2 in AVI the presentation times that the container does not have. A reference picture (I, P, S) is shown after the
 * B-pictures that follow it, so it takes the time of the last of them, and each B-picture that of the one before it. Encoders that pack put a
 * B-picture behind the reference picture of the same packet and an empty packet at the end of the B-pictures: they move up one place.
 */
export class Mpeg4Order {
  /** A reference picture and the B-pictures that follow it, with the times of their packets. */
  #waiting: SourcePacket[] = [];
  #packed: Uint8Array | null = null;

  /** Takes a packet of the container; gives out those whose times are known, in decoding order. */
  add(packet: SourcePacket): readonly SourcePacket[] {
    const packed = this.#packed;
    this.#packed = null;
    if (packed === null) return this.#unpack(packet);
    const moved = this.#place({ ...packet, data: packed, isKey: false, flags: 0, sideData: [] });
    if (packet.data.length <= MAX_EMPTY_BYTES) return moved;
    if (typeOf(packet.data) === TYPE_B) {
      this.#packed = packet.data;
      return moved;
    }
    return [...moved, ...this.#unpack(packet)];
  }

  #unpack(packet: SourcePacket): readonly SourcePacket[] {
    const [, second] = vopsIn(packet.data);
    if (second === undefined) return this.#place(packet);
    this.#packed = packet.data.slice(second);
    return this.#place({ ...packet, data: packet.data.slice(0, second) });
  }

  /** What was waiting for the next reference picture. */
  finish(): readonly SourcePacket[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    const last = waiting.at(-1);
    return waiting.map((packet, index) => at(packet, timeOf(waiting[index - 1] ?? last ?? packet)));
  }

  #place(packet: SourcePacket): readonly SourcePacket[] {
    const isB = typeOf(packet.data) === TYPE_B && this.#waiting.length > 0;
    const done = isB ? [] : this.finish();
    this.#waiting.push(packet);
    return done;
  }
}

function at(packet: SourcePacket, pts90k: number | null): SourcePacket {
  return { ...packet, pts90k };
}

/** AVI counts packets; what it calls presentation times are guesses. */
function timeOf({ pts90k, dts90k }: SourcePacket): number | null {
  return dts90k ?? pts90k;
}

/** Where pictures begin (ISO/IEC 14496-2 table 6-3, `vop_start_code`). */
function vopsIn(data: Uint8Array): readonly number[] {
  const found: number[] = [];
  for (let at = data.indexOf(VOP_START); at >= 0; at = data.indexOf(VOP_START, at + 1)) {
    if (at >= 3 && data[at - 1] === 1 && data[at - 2] === 0 && data[at - 3] === 0) found.push(at - 3);
  }
  return found;
}

/** `vop_coding_type`: the first two bits behind the start code. */
function typeOf(data: Uint8Array): number | null {
  const [first] = vopsIn(data);
  const byte = first === undefined ? undefined : data[first + 4];
  return byte === undefined ? null : byte >> 6;
}
