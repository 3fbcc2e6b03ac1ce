import { avGetAudioFrameDuration2, Frame, Packet, type CodecContext, type Stream } from 'node-av/lib';
import { fillPacket, openDecoder } from '../../packets/decoder.ts';
import type { PacketFileHeader } from '../../packets/packet-file.ts';
import type { SourcePacket } from './source-packet.ts';

/** What a container that counts milliseconds may be off in a duration. 90 kHz ticks. */
const ROUNDING_90K = 135;
/** Opus packets last a multiple of 2.5 ms (RFC 6716 §2.1.4), always counted at 48 kHz. */
const OPUS_STEPS_PER_S = 400;

/** Tells how many samples each packet of a track decodes to. Durations of containers are rounded; what is counted here must add up over hours. */
export class PacketSamples implements Disposable {
  readonly #stream: Stream;
  readonly #header: PacketFileHeader;
  readonly #sampleRateHz: number;
  #decoder: SampleCounter | undefined;

  constructor(stream: Stream, header: PacketFileHeader) {
    this.#stream = stream;
    this.#header = header;
    this.#sampleRateHz = stream.codecpar.sampleRate;
  }

  of(packet: SourcePacket): number {
    if (this.#decoder !== undefined) return this.#decoder.count(packet);
    return this.#said(packet) ?? this.#decoded(packet);
  }

  #decoded(packet: SourcePacket): number {
    this.#decoder = new SampleCounter(this.#header, this.#sampleRateHz);
    return this.#decoder.count(packet);
  }

  /** What the container or the codec say; null where it cannot be relied on. */
  #said(packet: SourcePacket): number | null {
    const { timeBase, codecpar } = this.#stream;
    const exact = (packet.duration90k * this.#sampleRateHz) / 90_000;
    const { codec } = this.#header.parameters;
    // FFmpeg's durations of Vorbis packets are wrong at the borders of Ogg pages, where blocks of two lengths meet.
    if (codec === 'vorbis') return null;
    if (codec === 'opus' && packet.duration90k > 0) {
      const steps = Math.round((packet.duration90k * OPUS_STEPS_PER_S) / 90_000);
      return Math.round((steps * this.#sampleRateHz) / OPUS_STEPS_PER_S);
    }
    const isOwnClock = (timeBase.den / timeBase.num) % this.#sampleRateHz === 0;
    if (isOwnClock && packet.duration90k > 0) return Math.round(exact);
    const frame = avGetAudioFrameDuration2(codecpar, packet.data.length);
    const off90k = Math.abs((frame * 90_000) / this.#sampleRateHz - packet.duration90k);
    return frame > 0 && (packet.duration90k === 0 || off90k <= ROUNDING_90K) ? frame : null;
  }

  [Symbol.dispose](): void {
    this.#decoder?.[Symbol.dispose]();
  }
}

/** For codecs whose packets vary and do not say how long they are: decodes them. */
class SampleCounter implements Disposable {
  readonly #context: CodecContext;
  readonly #packet = new Packet();
  readonly #frame = new Frame();
  readonly #sampleRateHz: number;

  constructor(header: PacketFileHeader, sampleRateHz: number) {
    this.#context = openDecoder(header, { options: { flags2: '+skip_manual' } });
    this.#packet.alloc();
    this.#frame.alloc();
    this.#sampleRateHz = sampleRateHz;
  }

  /** A packet that does not decode has no samples: what is missing shows as a hole. */
  count({ data, flags, sideData }: SourcePacket): number {
    fillPacket(this.#packet, { pts: null, dts: null, duration: 0, flags, data, sideData });
    if (this.#context.sendPacketSync(this.#packet) < 0) return 0;
    let samples = 0;
    while (this.#context.receiveFrameSync(this.#frame) >= 0) {
      const { nbSamples, sampleRate } = this.#frame;
      samples += sampleRate > 0 ? (nbSamples * this.#sampleRateHz) / sampleRate : nbSamples;
      this.#frame.unref();
    }
    return Math.round(samples);
  }

  [Symbol.dispose](): void {
    this.#frame.free();
    this.#packet.free();
    this.#context.freeContext();
  }
}
