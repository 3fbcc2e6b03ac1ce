import { Codec, CodecContext, Packet, Rational, type Frame } from 'node-av/lib';
import {
  AVCOL_RANGE_JPEG,
  AV_CODEC_FLAG_BITEXACT,
  AV_CODEC_FLAG_QSCALE,
  AV_PIX_FMT_YUVJ420P,
  AV_PICTURE_TYPE_NONE,
  FF_ENCODER_MJPEG,
} from 'node-av/constants';
import { ZoetropeError } from '../../base/errors.ts';
import { check } from './av.ts';

/** FFmpeg's quality unit: `global_quality` is the quantiser times this (FF_QP2LAMBDA). */
const LAMBDA_PER_QUANTISER = 118;

/** What kind of JPEGs come out. */
export interface JpegEncoderOptions {
  readonly width: number;
  readonly height: number;
  /** 1 (best) to 31. */
  readonly quantiser: number;
}

/** Encodes full-range 4:2:0 frames of one size as JPEGs, each by itself. */
export class JpegEncoder implements Disposable {
  readonly #context = new CodecContext();
  readonly #packet = new Packet();
  #count = 0n;

  constructor({ width, height, quantiser }: JpegEncoderOptions) {
    const codec = Codec.findEncoderByName(FF_ENCODER_MJPEG);
    if (codec === null) throw new ZoetropeError('engine_failed', 'This FFmpeg has no mjpeg encoder.');
    const context = this.#context;
    context.allocContext3(codec);
    context.width = width;
    context.height = height;
    context.pixelFormat = AV_PIX_FMT_YUVJ420P;
    context.colorRange = AVCOL_RANGE_JPEG;
    context.timeBase = new Rational(1, 25);
    context.threadCount = 1;
    context.globalQuality = quantiser * LAMBDA_PER_QUANTISER;
    context.setFlags(AV_CODEC_FLAG_QSCALE, AV_CODEC_FLAG_BITEXACT);
    const result = context.open2Sync(codec, null);
    if (result < 0) context.freeContext();
    check(result, `open a JPEG encoder for ${width}×${height}`);
    this.#packet.alloc();
  }

  encode(frame: Frame): Uint8Array {
    frame.pts = this.#count;
    frame.pictType = AV_PICTURE_TYPE_NONE;
    frame.quality = this.#context.globalQuality;
    this.#count += 1n;
    check(this.#context.sendFrameSync(frame), 'encode a JPEG');
    check(this.#context.receivePacketSync(this.#packet), 'encode a JPEG');
    const jpeg = Buffer.from(this.#packet.data ?? []);
    this.#packet.unref();
    return jpeg;
  }

  [Symbol.dispose](): void {
    this.#packet.free();
    this.#context.freeContext();
  }
}
