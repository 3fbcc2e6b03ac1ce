import { Frame, Packet, type CodecContext } from 'node-av/lib';
import { fillPacket, openDecoder } from '../../packets/decoder.ts';
import type { PacketFileHeader } from '../../packets/packet-file.ts';
import type { SourcePacket } from './source-packet.ts';

/** Codecs that put pictures in any order, and say which only inside. */
const REORDERING_CODECS = new Set(['h264', 'hevc']);

/** Whether a container that has no presentation times holds a codec that needs them. */
export function lacksPresentationTimes(container: string, codec: string, videoDelay: number): boolean {
  return container === 'avi' && REORDERING_CODECS.has(codec) && videoDelay > 0;
}

/**
 * Gives pictures the presentation times that their container does not have: a decoder (of the syntax alone) tells their order, and they get the
 * times of the group in that order.
 */
export class PresentationOrder implements Disposable {
  readonly #context: CodecContext;
  readonly #packet = new Packet();
  readonly #frame = new Frame();

  constructor(header: PacketFileHeader) {
    this.#context = openDecoder(header, { options: { skip_idct: 'all', skip_loop_filter: 'all' } });
    this.#packet.alloc();
    this.#frame.alloc();
  }

  /** A group of pictures from its keyframe on, in decoding order. */
  resolve(group: readonly SourcePacket[]): readonly SourcePacket[] {
    const times = group.map((packet) => packet.pts90k ?? packet.dts90k ?? 0).toSorted((a, b) => a - b);
    const shown = this.#decode(group);
    // What does not decode comes last: there is no better place for it.
    const isShown = new Set(shown);
    const order = [...shown, ...group.keys().filter((index) => !isShown.has(index))];
    const timeOf = new Map(order.map((index, place) => [index, times[place] ?? 0]));
    return group.map((packet, index) => ({ ...packet, pts90k: timeOf.get(index) ?? packet.pts90k }));
  }

  [Symbol.dispose](): void {
    this.#frame.free();
    this.#packet.free();
    this.#context.freeContext();
  }

  #decode(group: readonly SourcePacket[]): readonly number[] {
    const shown: number[] = [];
    const receive = (): void => {
      while (this.#context.receiveFrameSync(this.#frame) >= 0) {
        shown.push(Number(this.#frame.pts));
        this.#frame.unref();
      }
    };
    for (const [index, { data, flags, sideData }] of group.entries()) {
      fillPacket(this.#packet, { pts: index, dts: index, duration: 1, flags, data, sideData });
      this.#context.sendPacketSync(this.#packet);
      receive();
    }
    this.#context.sendPacketSync(null);
    receive();
    this.#context.flushBuffers();
    return shown;
  }
}
