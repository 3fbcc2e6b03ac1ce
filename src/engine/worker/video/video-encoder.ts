import { Codec, CodecContext, Packet, Rational, type Frame } from 'node-av/lib';
import {
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_PICTURE_TYPE_I,
  AV_PICTURE_TYPE_NONE,
  AV_PIX_FMT_YUV420P,
} from 'node-av/constants';
import { ZoetropeError } from '../../../base/errors.ts';
import type { VideoSpec } from '../../../timeline/asset.ts';
import { check, setOptions } from '../av.ts';
import { encoderSettings } from './encoder-settings.ts';
import type { PictureColour } from './picture-colour.ts';

/** A coded picture as it came out of an encoder. */
export interface EncodedPicture {
  /** The encoder's; good until the next one is asked for. */
  readonly data: Uint8Array;
  /** Which picture it is, in the order they went in. */
  readonly index: number;
  readonly isKey: boolean;
}

/** No keyframe but those asked for. */
const ENDLESS = 1 << 20;

/** Encodes pictures on a nominal clock that counts them; they come out in decoding order. */
export class VideoEncoder implements Disposable {
  readonly #context: CodecContext;
  readonly #packet = new Packet();

  /** @throws invalid_argument when the encoder does not take the specification */
  constructor(spec: VideoSpec, colour: PictureColour) {
    this.#context = openEncoder(spec, colour);
    this.#packet.alloc();
  }

  /** Headers apart from the packets; null where the codec has none. */
  get extradata(): Uint8Array | null {
    const { extraData } = this.#context;
    return extraData === null || extraData === undefined ? null : new Uint8Array(extraData);
  }

  /** Puts a picture in and takes out what is ready. A key picture depends on nothing before it, and nothing behind it does. */
  *encode(frame: Frame, index: number, isKey: boolean): Generator<EncodedPicture, void, void> {
    frame.pts = BigInt(index);
    // A decoded picture says what it was in its source, which would decide what it becomes.
    frame.pictType = isKey ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    check(this.#context.sendFrameSync(frame), 'encode a picture');
    yield* this.#receive();
  }

  /** Takes out the rest. */
  *finish(): Generator<EncodedPicture, void, void> {
    check(this.#context.sendFrameSync(null), 'finish encoding');
    yield* this.#receive();
  }

  [Symbol.dispose](): void {
    this.#packet.free();
    this.#context.freeContext();
  }

  *#receive(): Generator<EncodedPicture, void, void> {
    const packet = this.#packet;
    for (;;) {
      const result = this.#context.receivePacketSync(packet);
      if (result === AVERROR_EAGAIN || result === AVERROR_EOF) return;
      check(result, 'take a coded picture');
      const { data } = packet;
      if (data === null) throw new ZoetropeError('engine_failed', 'The encoder gave an empty packet.');
      yield { data, index: Number(packet.pts), isKey: packet.isKeyframe };
      packet.unref();
    }
  }
}

function openEncoder(spec: VideoSpec, colour: PictureColour): CodecContext {
  const { encoder, options, bitsPerS, maxBitsPerS, bufferBits, rate } = encoderSettings(spec);
  const codec = Codec.findEncoderByName(encoder);
  if (codec === null) {
    throw new ZoetropeError('unsupported_media', `This FFmpeg has no encoder ${encoder}; choose another codec.`);
  }
  const context = new CodecContext();
  context.allocContext3(codec);
  try {
    context.width = spec.width;
    context.height = spec.height;
    context.pixelFormat = AV_PIX_FMT_YUV420P;
    context.sampleAspectRatio = new Rational(1, 1);
    context.colorRange = colour.range;
    context.colorSpace = colour.matrix;
    context.colorPrimaries = colour.primaries;
    context.colorTrc = colour.transfer;
    context.timeBase = new Rational(rate.den, rate.num);
    context.framerate = new Rational(rate.num, rate.den);
    context.gopSize = ENDLESS;
    context.threadCount = 1;
    context.bitRate = BigInt(bitsPerS);
    context.rcMaxRate = BigInt(maxBitsPerS);
    context.rcBufferSize = bufferBits;
    context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
    setOptions(context, options);
    const asked = `${spec.width}×${spec.height} at ${spec.frameRate} pictures a second, ${JSON.stringify(options)}`;
    check(context.open2Sync(codec, null), `open ${encoder} for ${asked}`, 'invalid_argument');
    return context;
  } catch (error) {
    context.freeContext();
    throw error;
  }
}
