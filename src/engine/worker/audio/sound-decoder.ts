import { avChannelLayoutDefault, Frame, Packet, SoftwareResampleContext, type CodecContext } from 'node-av/lib';
import {
  AV_CHANNEL_ORDER_UNSPEC,
  AV_OPT_SEARCH_CHILDREN,
  AV_OPT_TYPE_DOUBLE,
  AV_SAMPLE_FMT_FLTP,
  AVERROR_EINVAL,
} from 'node-av/constants';
import { fillPacket, openDecoder } from '../../packets/decoder.ts';
import type { PacketFileHeader, StoredPacket } from '../../packets/packet-file.ts';
import { check } from '../av.ts';

/** A run of decoded samples. The planes live until the next call. */
export interface DecodedSound {
  /** Of its first sample, in samples of `sampleRateHz` from time 0. */
  readonly position: number;
  readonly samples: number;
  readonly planes: readonly Uint8Array[];
}

/** Decodes packets of one track to native floats of so many channels. What does not decode is left out: it becomes silence. */
export class SoundDecoder implements Disposable {
  readonly #decoder: CodecContext;
  readonly #channels: number;
  readonly #sourceRateHz: number;
  readonly #packet = new Packet();
  readonly #frame = new Frame();
  #converter: { readonly of: string; readonly context: SoftwareResampleContext } | undefined;
  #sampleRateHz: number | undefined;

  constructor(header: PacketFileHeader, channels: number) {
    this.#decoder = openDecoder(header);
    this.#channels = channels;
    this.#sourceRateHz = header.timeBase.den / header.timeBase.num;
    this.#packet.alloc();
    this.#frame.alloc();
  }

  /** What all its sound comes in: the rate of the first that was decoded, which for HE-AAC can be twice what the file says. */
  get sampleRateHz(): number {
    return this.#sampleRateHz ?? this.#sourceRateHz;
  }

  /** Decodes a packet; null: what the decoder still holds. */
  decode(stored: StoredPacket | null, take: (sound: DecodedSound) => void): void {
    if (stored !== null) fillPacket(this.#packet, stored);
    if (this.#decoder.sendPacketSync(stored === null ? null : this.#packet) < 0) return;
    while (this.#decoder.receiveFrameSync(this.#frame) >= 0) {
      this.#convert(take);
      this.#frame.unref();
    }
  }

  [Symbol.dispose](): void {
    this.#forgetConverter();
    this.#frame.free();
    this.#packet.free();
    this.#decoder.freeContext();
  }

  #convert(take: (sound: DecodedSound) => void): void {
    const frame = this.#frame;
    if (frame.nbSamples === 0 || frame.sampleRate <= 0) return;
    this.#sampleRateHz ??= frame.sampleRate;
    if (frame.channelLayout.order === AV_CHANNEL_ORDER_UNSPEC)
      frame.channelLayout = avChannelLayoutDefault(frame.channels);
    using out = new Frame();
    out.alloc();
    out.format = AV_SAMPLE_FMT_FLTP;
    out.sampleRate = this.sampleRateHz;
    out.channelLayout = avChannelLayoutDefault(this.#channels);
    const converted = this.#converterFor(frame).convertFrame(out, frame);
    // Damage makes layouts that nothing can mix: such a frame counts as one that did not decode.
    if (converted === AVERROR_EINVAL) return this.#forgetConverter();
    check(converted, 'convert decoded sound');
    const { extendedData } = out;
    if (extendedData === null || out.nbSamples === 0) return;
    const position = Math.round((Number(frame.pts) * this.sampleRateHz) / this.#sourceRateHz);
    take({ position, samples: out.nbSamples, planes: extendedData });
  }

  #forgetConverter(): void {
    this.#converter?.context.free();
    this.#converter = undefined;
  }

  /** A track may change its layout on the way. Mixing down keeps below full scale, whatever the channels hold. */
  #converterFor({ format, sampleRate, channels, channelLayout }: Frame): SoftwareResampleContext {
    const of = [format, sampleRate, channels, channelLayout.mask].join(' ');
    if (this.#converter?.of === of) return this.#converter.context;
    this.#forgetConverter();
    const context = new SoftwareResampleContext();
    context.alloc();
    this.#converter = { of, context };
    check(
      context.setOption('rematrix_maxval', 1, AV_OPT_TYPE_DOUBLE, AV_OPT_SEARCH_CHILDREN),
      'bound the mixing of channels',
    );
    return context;
  }
}
