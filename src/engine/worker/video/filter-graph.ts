import { Filter, FilterGraph, Frame, type FilterContext } from 'node-av/lib';
import {
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AV_BUFFERSRC_FLAG_KEEP_REF,
  type AVColorRange,
  type AVColorSpace,
} from 'node-av/constants';
import { ZoetropeError } from '../../../base/errors.ts';
import { check } from '../av.ts';

/** What pictures go into a graph. */
export interface GraphInput {
  readonly width: number;
  readonly height: number;
  /** `AVPixelFormat`. */
  readonly format: number;
  readonly colorSpace: AVColorSpace;
  readonly colorRange: AVColorRange;
}

/** A picture that came out of a graph; good until the next one is asked for. */
export interface FilteredPicture {
  readonly frame: Frame;
  readonly time90k: number;
}

/** Ticks a second of what goes in. */
const TICK_RATE = 90_000;

/** A chain of FFmpeg's filters for video, fed and emptied synchronously in this thread. */
export class VideoFilterGraph implements Disposable {
  readonly #graph = new FilterGraph();
  readonly #sources: readonly FilterContext[];
  readonly #sink: FilterContext;
  readonly #frame = new Frame();
  readonly #ticksPerOut: number;

  /**
   * The inputs are called `in0`, `in1`, … in the description and the output `out`.
   * @throws unsupported_media when pictures of this kind cannot be filtered so
   */
  constructor(description: string, inputs: readonly GraphInput[]) {
    this.#graph.alloc();
    try {
      this.#graph.nbThreads = 1;
      const sources = inputs.map((input, index) => `buffer@in${index}=${sourceArguments(input)}[in${index}]`);
      const whole = [...sources, description, '[out]buffersink@out'].join(';');
      check(this.#graph.parsePtr(whole), 'build the filters of the pictures', 'unsupported_media');
      check(this.#graph.configSync(), 'set up the filters of the pictures', 'unsupported_media');
      this.#sources = inputs.map((_, index) => this.#find(`buffer@in${index}`));
      this.#sink = this.#find('buffersink@out');
    } catch (error) {
      this.#graph.free();
      throw error;
    }
    const { num, den } = this.#sink.buffersinkGetTimeBase();
    this.#ticksPerOut = (TICK_RATE * num) / den;
    this.#frame.alloc();
  }

  /** Puts a picture in, which stays the caller's; null: there are no more. */
  push(frame: Frame | null, input = 0): void {
    const source = this.#sources[input];
    if (source === undefined) throw new ZoetropeError('internal', `The filters have no input ${input}.`);
    check(source.buffersrcAddFrameSync(frame, AV_BUFFERSRC_FLAG_KEEP_REF), 'filter a picture');
  }

  /** What is ready. */
  *pull(): Generator<FilteredPicture, void, void> {
    for (;;) {
      this.#frame.unref();
      const result = this.#sink.buffersinkGetFrameSync(this.#frame);
      if (result === AVERROR_EAGAIN || result === AVERROR_EOF) return;
      check(result, 'take a filtered picture');
      yield { frame: this.#frame, time90k: Math.round(Number(this.#frame.pts) * this.#ticksPerOut) };
    }
  }

  [Symbol.dispose](): void {
    this.#frame.free();
    this.#graph.free();
  }

  #find(name: string): FilterContext {
    const context = this.#graph.getFilter(name);
    if (context === null) throw new ZoetropeError('internal', `The filters have no ${name}.`);
    return context;
  }
}

/** Whether this FFmpeg has a filter. */
export function hasFilter(name: string): boolean {
  return Filter.getByName(name) !== null;
}

function sourceArguments({ width, height, format, colorSpace, colorRange }: GraphInput): string {
  return [
    `video_size=${width}x${height}`,
    `pix_fmt=${format}`,
    `time_base=1/${TICK_RATE}`,
    'pixel_aspect=1/1',
    `colorspace=${colorSpace}`,
    `range=${colorRange}`,
  ].join(':');
}
