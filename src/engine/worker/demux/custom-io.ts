import { IOContext } from 'node-av/lib';
import { AVERROR_EIO, AVERROR_EOF, AVSEEK_CUR, AVSEEK_END, AVSEEK_SET, AVSEEK_SIZE } from 'node-av/constants';
import type { RandomInput } from '../input.ts';

const IO_BUFFER_BYTES = 256 << 10;
/** Reading ahead pays where each read is a request; several blocks serve files whose tracks lie far apart. */
const BLOCK_BYTES = 1 << 20;
const KEPT_BLOCKS = 16;

/** FFmpeg's only way to the bytes of a file: our own callbacks. The callbacks belong to asynchronous calls: a synchronous one would wait for ever. */
export class CustomIo implements Disposable {
  readonly context = new IOContext();
  readonly #input: RandomInput;
  readonly #blocks = new Map<number, Buffer>();
  #position = 0;
  #furthest = 0;
  #failure: unknown;

  constructor(input: RandomInput) {
    this.#input = input;
    this.context.allocContextWithCallbacks(
      IO_BUFFER_BYTES,
      0,
      (wanted) => this.#read(wanted),
      null,
      (offset, whence) => this.#seek(Number(offset), whence),
    );
  }

  /** The first error of the input, which FFmpeg knows as a code alone; undefined: none. */
  get failure(): unknown {
    return this.#failure;
  }

  /** How far into the file it was read, as a part of its size. */
  get fraction(): number {
    return this.#input.sizeBytes === 0 ? 1 : this.#furthest / this.#input.sizeBytes;
  }

  [Symbol.dispose](): void {
    this.context.freeContext();
  }

  async #read(wanted: number): Promise<Buffer | number> {
    try {
      if (this.#position < 0 || this.#position >= this.#input.sizeBytes) return AVERROR_EOF;
      const index = Math.floor(this.#position / BLOCK_BYTES);
      const block = await this.#block(index);
      const start = this.#position - index * BLOCK_BYTES;
      const bytes = block.subarray(start, start + wanted);
      this.#position += bytes.length;
      this.#furthest = Math.max(this.#furthest, this.#position);
      return bytes.length === 0 ? AVERROR_EOF : bytes;
    } catch (error) {
      // The callback's caller is C: FFmpeg gets a code, and whoever asked it finds the error here.
      this.#failure ??= error;
      return AVERROR_EIO;
    }
  }

  async #block(index: number): Promise<Buffer> {
    const known = this.#blocks.get(index);
    if (known !== undefined) {
      this.#blocks.delete(index);
      this.#blocks.set(index, known);
      return known;
    }
    const block = await this.#input.read(index * BLOCK_BYTES, BLOCK_BYTES);
    this.#blocks.set(index, block);
    const oldest = this.#blocks.keys().next();
    if (this.#blocks.size > KEPT_BLOCKS && oldest.done !== true) this.#blocks.delete(oldest.value);
    return block;
  }

  #seek(offset: number, whence: number): bigint {
    if (whence === AVSEEK_SIZE) return BigInt(this.#input.sizeBytes);
    if (whence === AVSEEK_SET) this.#position = offset;
    else if (whence === AVSEEK_CUR) this.#position += offset;
    else if (whence === AVSEEK_END) this.#position = this.#input.sizeBytes + offset;
    return BigInt(this.#position);
  }
}
