import { Frame } from 'node-av/lib';
import { AVCOL_RANGE_JPEG, type AVPixelFormat } from 'node-av/constants';
import { ZoetropeError } from '../../base/errors.ts';
import type { Canvas } from './canvas.ts';

/** A frame for FFmpeg's encoders that canvases of one size are copied into. */
export class CanvasFrame implements Disposable {
  readonly #frame = new Frame();

  /** @param format one of 4:2:0 with eight bits */
  constructor(width: number, height: number, format: AVPixelFormat) {
    this.#frame.alloc();
    this.#frame.format = format;
    this.#frame.width = width;
    this.#frame.height = height;
    this.#frame.colorRange = AVCOL_RANGE_JPEG;
    if (this.#frame.allocBuffer() < 0) throw outOfMemory();
  }

  /** The frame with the canvas's picture: the same one each time. */
  fill(canvas: Canvas): Frame {
    if (this.#frame.makeWritable() < 0) throw outOfMemory();
    const targets = this.#frame.data ?? [];
    for (const [index, source] of [canvas.luma, canvas.blue, canvas.red].entries()) {
      const stride = this.#frame.linesize[index] ?? 0;
      for (let y = 0; y < source.height; y++) {
        targets[index]?.set(source.data.subarray(y * source.stride, y * source.stride + source.width), y * stride);
      }
    }
    return this.#frame;
  }

  [Symbol.dispose](): void {
    this.#frame.free();
  }
}

function outOfMemory(): ZoetropeError {
  return new ZoetropeError('engine_failed', 'There is no memory for a picture.');
}
