import { Frame } from 'node-av/lib';
import { AVCOL_RANGE_JPEG, AV_PIX_FMT_YUVJ420P } from 'node-av/constants';
import { ZoetropeError } from '../../base/errors.ts';
import { JpegEncoder } from '../../engine/worker/jpeg-encoder.ts';
import type { Canvas } from './canvas.ts';

/** Encodes canvases of one size as JPEGs. */
export class PictureEncoder implements Disposable {
  readonly #encoder: JpegEncoder;
  readonly #frame = new Frame();

  constructor(width: number, height: number, quantiser = 4) {
    this.#encoder = new JpegEncoder({ width, height, quantiser });
    this.#frame.alloc();
    this.#frame.format = AV_PIX_FMT_YUVJ420P;
    this.#frame.width = width;
    this.#frame.height = height;
    this.#frame.colorRange = AVCOL_RANGE_JPEG;
    if (this.#frame.allocBuffer() < 0) throw new ZoetropeError('engine_failed', 'There is no memory for a picture.');
  }

  encode(canvas: Canvas): Uint8Array {
    if (this.#frame.makeWritable() < 0) throw new ZoetropeError('engine_failed', 'There is no memory for a picture.');
    const targets = this.#frame.data ?? [];
    for (const [index, source] of [canvas.luma, canvas.blue, canvas.red].entries()) {
      const stride = this.#frame.linesize[index] ?? 0;
      for (let y = 0; y < source.height; y++) {
        targets[index]?.set(source.data.subarray(y * source.stride, y * source.stride + source.width), y * stride);
      }
    }
    return this.#encoder.encode(this.#frame);
  }

  [Symbol.dispose](): void {
    this.#encoder[Symbol.dispose]();
    this.#frame.free();
  }
}
