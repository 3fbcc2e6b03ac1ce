import { Frame, SoftwareScaleContext } from 'node-av/lib';
import { SWS_ACCURATE_RND, SWS_AREA, SWS_BILINEAR, type AVPixelFormat, type SwsFlags } from 'node-av/constants';
import { check } from './av.ts';

/** Converts frames to another pixel format or size; keeps what it needs as long as the kind of input stays the same. */
export class PixelConverter implements Disposable {
  #key = '';
  #context: SoftwareScaleContext | undefined;
  #output: Frame | undefined;

  /** The converted frame; it is the converter's and good until the next call. */
  convert(source: Frame, format: AVPixelFormat, width: number, height: number): Frame {
    const key = [source.width, source.height, source.format, source.colorRange, format, width, height].join();
    if (key !== this.#key) this.#open(key, source, format, width, height);
    const { context, output } = this.#opened();
    check(output.makeWritable(), 'get a buffer for a converted picture');
    check(
      context.scaleSync(source.data ?? [], source.linesize, 0, source.height, output.data ?? [], output.linesize),
      'convert the picture',
    );
    return output;
  }

  [Symbol.dispose](): void {
    this.#context?.freeContext();
    this.#output?.free();
    this.#context = undefined;
    this.#output = undefined;
    this.#key = '';
  }

  #open(key: string, source: Frame, format: AVPixelFormat, width: number, height: number): void {
    this[Symbol.dispose]();
    const context = new SoftwareScaleContext();
    const filter = width < source.width ? SWS_AREA : SWS_BILINEAR;
    context.getContext(
      source.width,
      source.height,
      source.format as AVPixelFormat,
      width,
      height,
      format,
      (filter | SWS_ACCURATE_RND) as SwsFlags,
    );
    const output = new Frame();
    output.alloc();
    output.format = format;
    output.width = width;
    output.height = height;
    check(output.allocBuffer(), 'allocate a picture');
    this.#context = context;
    this.#output = output;
    this.#key = key;
  }

  #opened(): { readonly context: SoftwareScaleContext; readonly output: Frame } {
    if (this.#context === undefined || this.#output === undefined) throw new TypeError('The converter is not open.');
    return { context: this.#context, output: this.#output };
  }
}
