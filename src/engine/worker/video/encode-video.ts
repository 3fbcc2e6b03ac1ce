import { ZoetropeError } from '../../../base/errors.ts';
import type { EncodeVideoRequest, EncodeVideoResult } from '../../transcoder.ts';
import type { TranscodeContext } from '../transcode-context.ts';
import { CpuMeter } from './cpu-meter.ts';
import { PictureClock } from './picture-clock.ts';
import { colourOf, encodedColourOf } from './picture-colour.ts';
import { PicturePreparer } from './picture-preparer.ts';
import { PictureSource, type DecodedPicture } from './picture-source.ts';
import { largestOf, RungLadder } from './rung-ladder.ts';
import { SegmentStore } from './segment-store.ts';
import { StandInPicture } from './stand-in-picture.ts';
import { loadWatermark, type Watermark } from './watermark.ts';

/** Does {@link Transcoder.encodeVideo} in this process. */
export async function encodeVideo(request: EncodeVideoRequest, context: TranscodeContext): Promise<EncodeVideoResult> {
  checkRequest(request);
  const { objects } = context;
  using watermark = request.watermark === null ? null : await loadWatermark(request.watermark, objects);
  using stretch = new Stretch(request, watermark, context);
  return await stretch.encode();
}

/** One stretch on its way from packets to segments. */
class Stretch implements Disposable {
  readonly #request: EncodeVideoRequest;
  readonly #watermark: Watermark | null;
  readonly #context: TranscodeContext;
  readonly #meter = new CpuMeter();
  readonly #clock: PictureClock;
  readonly #store: SegmentStore;
  #source: PictureSource;
  readonly #standIn: StandInPicture;
  /** Open from the first picture on: it says what colours there are. */
  #work: { readonly preparer: PicturePreparer; readonly ladder: RungLadder } | undefined;

  constructor(request: EncodeVideoRequest, watermark: Watermark | null, context: TranscodeContext) {
    this.#request = request;
    this.#watermark = watermark;
    this.#context = context;
    this.#clock = new PictureClock(request.segmentStarts90k);
    this.#store = new SegmentStore(context.objects);
    this.#source = new PictureSource(context.objects, request.track, { from90k: request.from90k });
    this.#standIn = new StandInPicture(request.track);
  }

  async encode(): Promise<EncodeVideoResult> {
    const { from90k, to90k, end90k } = this.#request;
    await this.#encodePictures();
    if (this.#work === undefined) {
      // The keyframe is lost: rather pictures with faults than a video that ends here.
      this.#source[Symbol.dispose]();
      this.#source = new PictureSource(this.#context.objects, this.#request.track, { showsDamaged: true });
      await this.#encodePictures();
    }
    if (this.#work === undefined && from90k > 0) {
      // Of a video that begins all right, a stretch is lost: the last picture stays.
      const picture = { frame: this.#standIn.frame, time90k: from90k };
      const { preparer, ladder } = (this.#work = this.#open(picture));
      this.#encodeAll(preparer.prepare(picture), ladder);
    }
    if (this.#work === undefined) {
      throw new ZoetropeError(
        'corrupt_media',
        `No picture of the ${this.#request.track.codec} track decodes from ${from90k} to ${to90k ?? 'the end'} (90 kHz); ` +
          `${this.#source.faults} packets were refused. Send a file that plays.`,
      );
    }
    const { preparer, ladder } = this.#work;
    this.#encodeAll(preparer.finish(), ladder);
    this.#clock.finish(to90k ?? end90k);
    const rungs = await ladder.finish(this.#context.progress);
    await this.#store.settled();
    return { rungs, frames: this.#clock.count, shares: ladder.shares() };
  }

  [Symbol.dispose](): void {
    this.#work?.preparer[Symbol.dispose]();
    this.#work?.ladder[Symbol.dispose]();
    this.#standIn[Symbol.dispose]();
    this.#source[Symbol.dispose]();
  }

  /** Encodes what decodes. */
  async #encodePictures(): Promise<void> {
    const { from90k, to90k, parts, expectedFrames } = this.#request;
    for await (const picture of this.#source.pictures(parts)) {
      await this.#context.progress.at(this.#clock.count / Math.max(1, expectedFrames));
      if (picture.time90k < from90k) {
        this.#standIn.keep(picture.frame);
        continue;
      }
      if (to90k !== null && picture.time90k >= to90k) return;
      const { preparer, ladder } = (this.#work ??= this.#open(picture));
      this.#encodeAll(preparer.prepare(picture), ladder);
      await this.#store.room();
    }
  }

  #encodeAll(pictures: Iterable<DecodedPicture>, ladder: RungLadder): void {
    for (const { frame, time90k } of pictures) {
      // Where the first picture is damaged, the next one is shown from its time on: the stretch before ends there.
      ladder.encode(frame, this.#clock.count === 0 ? this.#request.from90k : time90k);
    }
  }

  #open({ frame }: DecodedPicture): { readonly preparer: PicturePreparer; readonly ladder: RungLadder } {
    const { track, rungs } = this.#request;
    const colour = encodedColourOf(colourOf(frame, track));
    const ladder = new RungLadder(rungs, { colour, clock: this.#clock, store: this.#store, meter: this.#meter });
    const preparer = new PicturePreparer(track, { ...largestOf(rungs), colour }, this.#watermark);
    return { preparer, ladder };
  }
}

function checkRequest({ rungs, segmentStarts90k, from90k }: EncodeVideoRequest): void {
  if (rungs.length === 0) throw new ZoetropeError('invalid_argument', 'Nothing is to be encoded: there are no rungs.');
  if (
    segmentStarts90k[0] !== from90k ||
    segmentStarts90k.some((start, n) => start <= (segmentStarts90k[n - 1] ?? -1))
  ) {
    throw new ZoetropeError(
      'invalid_argument',
      `Segments must begin at ${from90k} and rise. Got ${segmentStarts90k.join(', ')}.`,
    );
  }
  const odd = rungs.find(({ spec }) => spec.width % 2 !== 0 || spec.height % 2 !== 0);
  if (odd !== undefined) {
    const { width, height } = odd.spec;
    throw new ZoetropeError('invalid_argument', `Sizes must be even for 4:2:0. Got ${width}×${height} for ${odd.id}.`);
  }
}
