import type { Frame } from 'node-av/lib';
import {
  AVCOL_RANGE_MPEG,
  AV_PIX_FMT_YUV420P,
  AV_PIX_FMT_YUV420P10LE,
  AV_PIX_FMT_YUV422P,
  AV_PIX_FMT_YUV422P10LE,
  AV_PIX_FMT_YUV444P,
  AV_PIX_FMT_YUV444P10LE,
} from 'node-av/constants';
import type { VideoTrack } from '../../../timeline/media-description.ts';
import { VideoFilterGraph, type GraphInput } from './filter-graph.ts';
import { colourOf, isKept, setColour, type PictureColour } from './picture-colour.ts';
import { describeFilters } from './picture-filters.ts';
import { PictureScaler } from './picture-scaler.ts';
import { isCropOnly, type PreparedShape } from './picture-shape.ts';
import type { DecodedPicture } from './picture-source.ts';
import type { Watermark } from './watermark.ts';

/** Formats that the scaler alone turns into 4:2:0 with eight bits. */
const PLAIN_FORMATS: ReadonlySet<number> = new Set([
  AV_PIX_FMT_YUV420P,
  AV_PIX_FMT_YUV422P,
  AV_PIX_FMT_YUV444P,
  AV_PIX_FMT_YUV420P10LE,
  AV_PIX_FMT_YUV422P10LE,
  AV_PIX_FMT_YUV444P10LE,
]);

/**
 * Makes decoded pictures what is wanted: progressive, upright, with square pixels, of one size, in 4:2:0 with eight bits and a colour that players know,
 * with the watermark on them. One comes out for each that goes in, interlaced ones a picture later. Pictures that need nothing pass as they are, those
 * that need another size alone go through the scaler, all others through FFmpeg's filters.
 */
export class PicturePreparer implements Disposable {
  readonly #track: VideoTrack;
  readonly #shape: PreparedShape;
  readonly #watermark: Watermark | null;
  readonly #scaler: PictureScaler;
  #graph: VideoFilterGraph | undefined;
  #graphKey = '';

  constructor(track: VideoTrack, shape: PreparedShape, watermark: Watermark | null) {
    this.#track = track;
    this.#shape = shape;
    this.#watermark = watermark;
    this.#scaler = new PictureScaler(shape.width, shape.height);
  }

  /** What has become ready; each is good until the next is asked for. */
  *prepare({ frame, time90k }: DecodedPicture): Generator<DecodedPicture, void, void> {
    const colour = colourOf(frame, this.#track);
    if (this.#isPlain(frame, colour)) {
      yield* this.finish();
      yield { frame: this.#scale(frame), time90k };
      return;
    }
    const { width, height, format } = frame;
    const key = JSON.stringify([width, height, format, colour]);
    if (key !== this.#graphKey) yield* this.finish();
    const graph = (this.#graph ??= this.#open(frame, colour));
    this.#graphKey = key;
    setColour(frame, colour);
    frame.pts = BigInt(time90k);
    graph.push(frame);
    yield* graph.pull();
  }

  /** What is left. More pictures may follow. */
  *finish(): Generator<DecodedPicture, void, void> {
    if (this.#graph === undefined) return;
    this.#graph.push(null);
    yield* this.#graph.pull();
    this.#close();
  }

  [Symbol.dispose](): void {
    this.#close();
    this.#scaler[Symbol.dispose]();
  }

  #isPlain(frame: Frame, colour: PictureColour): boolean {
    const { isInterlaced, rotation } = this.#track;
    const target = this.#shape.colour;
    return (
      !isInterlaced &&
      rotation === 0 &&
      this.#watermark === null &&
      target.range === AVCOL_RANGE_MPEG &&
      colour.range === AVCOL_RANGE_MPEG &&
      isKept(colour) &&
      colour.matrix === target.matrix &&
      PLAIN_FORMATS.has(frame.format)
    );
  }

  #scale(frame: Frame): Frame {
    const { width, height } = this.#shape;
    // 4:2:0 is counted in pairs: an odd last column or row is left out.
    if (isCropOnly(frame, this.#shape)) {
      frame.width = width;
      frame.height = height;
    }
    const isReady = frame.format === AV_PIX_FMT_YUV420P && frame.width === width && frame.height === height;
    return isReady ? frame : this.#scaler.scale(frame);
  }

  #open(frame: Frame, colour: PictureColour): VideoFilterGraph {
    const { width, height, format } = frame;
    const input: GraphInput = { width, height, format, colorSpace: colour.matrix, colorRange: colour.range };
    const watermark = this.#watermark;
    const description = describeFilters({
      track: this.#track,
      shape: this.#shape,
      source: { width, height, colour },
      watermark: watermark?.placeOn(this.#shape) ?? null,
    });
    const graph = new VideoFilterGraph(description, watermark === null ? [input] : [input, watermark.input]);
    if (watermark !== null) {
      graph.push(watermark.frame, 1);
      graph.push(null, 1);
    }
    return graph;
  }

  #close(): void {
    this.#graph?.[Symbol.dispose]();
    this.#graph = undefined;
    this.#graphKey = '';
  }
}
