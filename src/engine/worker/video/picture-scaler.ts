import { Frame, SoftwareScaleContext } from 'node-av/lib';
import { AV_PIX_FMT_YUV420P, SWS_BICUBIC, type AVPixelFormat } from 'node-av/constants';
import { check } from '../av.ts';

/**
 * Scales pictures to one size in 4:2:0 with eight bits; colour and range stay. Bicubic: area and bilinear filters cost a twentieth of a ladder less, and
 * lose more of the picture than scaling rung by rung does.
 */
export class PictureScaler implements Disposable {
  readonly width: number;
  readonly height: number;
  readonly #output = new Frame();
  #context: SoftwareScaleContext | undefined;
  #inputKey = '';

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#output.alloc();
  }

  /** The scaled picture; it is the scaler's and good until the next call. */
  scale(source: Frame): Frame {
    const key = `${source.width}x${source.height} ${source.format}`;
    if (key !== this.#inputKey || this.#context === undefined) this.#context = this.#open(source, key);
    // An encoder may still look at the last picture: then there is a new buffer.
    if (!this.#output.isWritable) this.#allocate();
    check(this.#context.scaleFrameSync(this.#output, source), 'scale a picture');
    return this.#output;
  }

  [Symbol.dispose](): void {
    this.#context?.freeContext();
    this.#context = undefined;
    this.#output.free();
  }

  #open(source: Frame, key: string): SoftwareScaleContext {
    this.#context?.freeContext();
    const context = new SoftwareScaleContext();
    const format = source.format as AVPixelFormat;
    context.getContext(source.width, source.height, format, this.width, this.height, AV_PIX_FMT_YUV420P, SWS_BICUBIC);
    this.#inputKey = key;
    return context;
  }

  #allocate(): void {
    const output = this.#output;
    output.unref();
    output.format = AV_PIX_FMT_YUV420P;
    output.width = this.width;
    output.height = this.height;
    check(output.allocBuffer(), 'allocate a picture');
  }
}
