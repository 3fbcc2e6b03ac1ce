import { Codec, CodecContext, Frame, Packet } from 'node-av/lib';
import {
  AVCOL_PRI_BT709,
  AVCOL_RANGE_JPEG,
  AVCOL_SPC_BT470BG,
  AVCOL_TRC_IEC61966_2_1,
  AVERROR_PATCHWELCOME,
  AV_PIX_FMT_YUV420P,
  AV_PIX_FMT_YUVJ420P,
  FF_DECODER_MJPEG,
} from 'node-av/constants';
import { ZoetropeError } from '../../base/errors.ts';
import { readJpegHeader, type JpegLimits } from '../jpeg/read-header.ts';
import { avError, check, setOptions } from './av.ts';
import { PixelConverter } from './pixel-converter.ts';

/**
 * Decodes JPEGs to 4:2:0 frames, strictly: what does not decode to its last block is refused, not patched up.
 * An odd width or height loses its last column or row, because 4:2:0 in H.264 is counted in pairs.
 */
export class JpegDecoder implements Disposable {
  readonly #limits: JpegLimits;
  readonly #packet = new Packet();
  readonly #frame = new Frame();
  readonly #converter = new PixelConverter();
  #context: CodecContext | undefined;

  constructor(limits: JpegLimits) {
    this.#limits = limits;
    this.#packet.alloc();
    this.#frame.alloc();
  }

  /**
   * The picture as full-range BT.601 4:2:0 (JFIF). The frame is the decoder's and good until the next call.
   * @throws payload_too_large, unsupported_media, corrupt_media
   */
  decode(jpeg: Uint8Array): Frame {
    const header = readJpegHeader(jpeg, this.#limits);
    if (!header.hasTables) this.#reset();
    const frame = this.#decode(Buffer.from(jpeg.buffer, jpeg.byteOffset, header.endOffset));
    if (frame.width !== header.width || frame.height !== header.height) {
      throw new ZoetropeError(
        'corrupt_media',
        `The JPEG says ${header.width}×${header.height} and decodes to ${frame.width}×${frame.height}.`,
      );
    }
    frame.width &= ~1;
    frame.height &= ~1;
    const is420 = frame.format === AV_PIX_FMT_YUVJ420P || frame.format === AV_PIX_FMT_YUV420P;
    const picture = is420 ? frame : this.#converter.convert(frame, AV_PIX_FMT_YUVJ420P, frame.width, frame.height);
    picture.colorRange = AVCOL_RANGE_JPEG;
    picture.colorSpace = AVCOL_SPC_BT470BG;
    picture.colorPrimaries = AVCOL_PRI_BT709;
    picture.colorTrc = AVCOL_TRC_IEC61966_2_1;
    return picture;
  }

  [Symbol.dispose](): void {
    this.#reset();
    this.#converter[Symbol.dispose]();
    this.#frame.free();
    this.#packet.free();
  }

  #decode(jpeg: Buffer): Frame {
    const context = (this.#context ??= openDecoder());
    this.#packet.unref();
    this.#packet.data = jpeg;
    let result = context.sendPacketSync(this.#packet);
    if (result >= 0) result = context.receiveFrameSync(this.#frame);
    if (result < 0) {
      // Tables and half a picture must not reach the next one.
      this.#reset();
      const code = result === AVERROR_PATCHWELCOME ? 'unsupported_media' : 'corrupt_media';
      throw avError(result, 'decode the JPEG', code);
    }
    if (this.#frame.decodeErrorFlags !== 0) {
      this.#reset();
      throw new ZoetropeError(
        'corrupt_media',
        `The JPEG is damaged: it decodes with faults (${this.#frame.decodeErrorFlags}).`,
      );
    }
    return this.#frame;
  }

  #reset(): void {
    this.#context?.freeContext();
    this.#context = undefined;
  }
}

function openDecoder(): CodecContext {
  const codec = Codec.findDecoderByName(FF_DECODER_MJPEG);
  if (codec === null) throw new ZoetropeError('engine_failed', 'This FFmpeg has no mjpeg decoder.');
  const context = new CodecContext();
  context.allocContext3(codec);
  context.threadCount = 1;
  setOptions(context, { err_detect: 'explode' });
  check(context.open2Sync(codec, null), 'open the JPEG decoder');
  return context;
}
