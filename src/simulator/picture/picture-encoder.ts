import { AV_PIX_FMT_YUVJ420P } from 'node-av/constants';
import { JpegEncoder } from '../../engine/worker/jpeg-encoder.ts';
import { CanvasFrame } from './canvas-frame.ts';
import type { Canvas } from './canvas.ts';

/** Encodes canvases of one size as JPEGs. */
export class PictureEncoder implements Disposable {
  readonly #encoder: JpegEncoder;
  readonly #frame: CanvasFrame;

  constructor(width: number, height: number, quantiser = 4) {
    this.#encoder = new JpegEncoder({ width, height, quantiser });
    this.#frame = new CanvasFrame(width, height, AV_PIX_FMT_YUVJ420P);
  }

  encode(canvas: Canvas): Uint8Array {
    return this.#encoder.encode(this.#frame.fill(canvas));
  }

  [Symbol.dispose](): void {
    this.#encoder[Symbol.dispose]();
    this.#frame[Symbol.dispose]();
  }
}
