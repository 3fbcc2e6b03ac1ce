import { Codec, CodecContext, Frame, Packet } from 'node-av/lib';
import { AV_CODEC_ID_H264, AV_CODEC_ID_HEVC } from 'node-av/constants';
import { ZoetropeError } from '../../../base/errors.ts';
import { configurationOf, sampleEntryOf } from '../../../packager/mp4/sample-description.ts';
import { check } from '../av.ts';
import type { SegmentBytes, SourcePicture } from './clip-source.ts';

/** A picture of a run. The frame is the decoder's and good until the next one is asked for. */
export interface DecodedPicture {
  readonly frame: Frame;
  readonly at: number;
}

/** Whether pictures of this codec can be decoded and encoded again for a clip's edges. */
export function isEncodable(codec: string): codec is 'avc1' | 'hvc1' {
  return codec === 'avc1' || codec === 'hvc1';
}

/** Decodes a run of coded pictures that begins with a keyframe, in the order in which they are shown. Damage is passed over as players do. */
export async function* decodeRun(
  init: Uint8Array,
  codec: 'avc1' | 'hvc1',
  pictures: readonly SourcePicture[],
  bytes: Pick<SegmentBytes, 'sample'>,
): AsyncGenerator<DecodedPicture, void, void> {
  using decoder = new RunDecoder(init, codec);
  for (const picture of pictures) {
    decoder.send(await bytes.sample(picture), picture);
    yield* decoder.receive();
  }
  decoder.finish();
  yield* decoder.receive();
}

class RunDecoder implements Disposable {
  readonly #context = new CodecContext();
  readonly #packet = new Packet();
  readonly #frame = new Frame();

  constructor(init: Uint8Array, codec: 'avc1' | 'hvc1') {
    const found = Codec.findDecoder(codec === 'avc1' ? AV_CODEC_ID_H264 : AV_CODEC_ID_HEVC);
    if (found === null) throw new ZoetropeError('engine_failed', `This FFmpeg has no decoder for ${codec}.`);
    this.#packet.alloc();
    this.#frame.alloc();
    this.#context.allocContext3(found);
    this.#context.threadCount = 1;
    const configuration = configurationOf(sampleEntryOf(init), codec === 'avc1' ? 'avcC' : 'hvcC');
    this.#context.extraData = Buffer.from(configuration);
    const opened = this.#context.open2Sync(found, null);
    if (opened < 0) this[Symbol.dispose]();
    check(opened, `open the decoder for ${codec}`, 'corrupt_media');
  }

  send(data: Uint8Array, { at, isSync }: SourcePicture): void {
    this.#packet.unref();
    this.#packet.data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    this.#packet.pts = BigInt(at);
    this.#packet.isKeyframe = isSync;
    // A picture that does not decode is missing, and the one before it stays.
    this.#context.sendPacketSync(this.#packet);
  }

  finish(): void {
    this.#context.sendPacketSync(null);
  }

  *receive(): Generator<DecodedPicture, void, void> {
    while (this.#context.receiveFrameSync(this.#frame) >= 0) yield { frame: this.#frame, at: Number(this.#frame.pts) };
  }

  [Symbol.dispose](): void {
    this.#frame.free();
    this.#packet.free();
    this.#context.freeContext();
  }
}
