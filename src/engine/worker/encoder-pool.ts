import { H264Encoder, type H264EncoderOptions } from './h264-encoder.ts';

/** Encoders take about 15 bytes for each of their pixels: 90 MB for these. */
const MAX_KEPT_PIXELS = 6_000_000;

/** Encoders that are kept open from segment to segment, the least recently used given up first. */
export class EncoderPool {
  readonly #encoders = new Map<string, H264Encoder>();

  /** An encoder at the start of a segment; one user at a time. */
  open(options: H264EncoderOptions): H264Encoder {
    const key = `${options.width}x${options.height}@${options.crf}`;
    const encoder = this.#encoders.get(key) ?? new H264Encoder(options);
    this.#encoders.delete(key);
    this.#encoders.set(key, encoder);
    encoder.beginSegment();
    return encoder;
  }

  /** Closes what goes beyond the bound. */
  trim(): void {
    let pixels = 0;
    for (const [key, encoder] of [...this.#encoders].reverse()) {
      pixels += encoder.width * encoder.height;
      if (pixels <= MAX_KEPT_PIXELS) continue;
      this.#encoders.delete(key);
      encoder[Symbol.dispose]();
    }
  }

  /** Closes all: after a failure that may have left one in an odd state. */
  clear(): void {
    for (const encoder of this.#encoders.values()) encoder[Symbol.dispose]();
    this.#encoders.clear();
  }
}
