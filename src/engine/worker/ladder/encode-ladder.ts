import type { Frame } from 'node-av/lib';
import { AVCOL_TRC_ARIB_STD_B67, AVCOL_TRC_SMPTE2084, AV_FRAME_FLAG_INTERLACED } from 'node-av/constants';
import { ZoetropeError } from '../../../base/errors.ts';
import {
  readMuxedInit,
  readMuxedSegment,
  selectTrackInit,
  type MuxedInfo,
} from '../../../packager/cmaf/muxed-reader.ts';
import type { ReadMediaSegment } from '../../../packager/cmaf/media-reader.ts';
import type { VideoTrack } from '../../../timeline/media-description.ts';
import type { EncodeLadderRequest, EncodeLadderResult } from '../../transcoder.ts';
import type { SourcePicture } from '../clip/clip-source.ts';
import { decodeRun, isEncodable } from '../clip/run-decoder.ts';
import type { TranscodeContext } from '../transcode-context.ts';
import { CpuMeter } from '../video/cpu-meter.ts';
import { PictureClock } from '../video/picture-clock.ts';
import { colourOf, encodedColourOf } from '../video/picture-colour.ts';
import { PicturePreparer } from '../video/picture-preparer.ts';
import type { DecodedPicture } from '../video/picture-source.ts';
import type { RungSound } from '../video/rendition-writer.ts';
import { largestOf, RungLadder } from '../video/rung-ladder.ts';
import { SegmentStore } from '../video/segment-store.ts';

/** Does {@link Transcoder.encodeLadder} in this process. */
export async function encodeLadder(
  request: EncodeLadderRequest,
  context: TranscodeContext,
): Promise<EncodeLadderResult> {
  if (request.rungs.length === 0) {
    throw new ZoetropeError('invalid_argument', 'Nothing is to be encoded: there are no rungs.');
  }
  const bytes = await context.objects.get(request.objectKey);
  const info = readMuxedInit(request.init);
  const { video, audio } = readMuxedSegment(request.init, bytes);
  if (info.video === null || video === null || !isEncodable(info.video.codec)) {
    throw new ZoetropeError('unsupported_media', 'A ladder needs pictures in H.264 or HEVC; the segment has none.');
  }
  using rungs = new SegmentRungs(request, context, soundOf(info, audio));
  const pictures = decodeRun(selectTrackInit(request.init, 'video'), info.video.codec, codedPictures(video), {
    sample: ({ offset, size }) => Promise.resolve(bytes.subarray(offset, offset + size)),
  });
  for await (const { frame, at } of pictures) {
    rungs.add({ frame, time90k: at });
    await context.progress.at(rungs.count / video.samples.length);
  }
  return { rungs: await rungs.finish() };
}

/** The rungs of one segment while its pictures come in. */
class SegmentRungs implements Disposable {
  readonly #request: EncodeLadderRequest;
  readonly #context: TranscodeContext;
  readonly #sound: RungSound | null;
  readonly #clock: PictureClock;
  readonly #store: SegmentStore;
  #lastAt = Number.NEGATIVE_INFINITY;
  /** Open from the first picture on: it says what colours there are. */
  #work: { readonly preparer: PicturePreparer; readonly ladder: RungLadder } | undefined;

  constructor(request: EncodeLadderRequest, context: TranscodeContext, sound: RungSound | null) {
    this.#request = request;
    this.#context = context;
    this.#sound = sound;
    this.#clock = new PictureClock([request.mediaStart90k]);
    this.#store = new SegmentStore(context.objects);
  }

  get count(): number {
    return this.#clock.count;
  }

  /** The next picture in the order in which they are shown. */
  add(picture: DecodedPicture): void {
    const { time90k, frame } = picture;
    // A picture at the time of another, or beyond the segment's end, would take time from its neighbours.
    if (time90k <= this.#lastAt || time90k >= this.#end90k) return;
    this.#lastAt = time90k;
    const { preparer, ladder } = (this.#work ??= this.#open(frame));
    this.#encode(preparer.prepare(picture), ladder);
  }

  async finish(): ReturnType<RungLadder['finish']> {
    if (this.#work === undefined) {
      throw new ZoetropeError('corrupt_media', 'No picture of the segment decodes.');
    }
    const { preparer, ladder } = this.#work;
    this.#encode(preparer.finish(), ladder);
    this.#clock.finish(this.#end90k);
    const rungs = await ladder.finish(this.#context.progress);
    await this.#store.settled();
    return rungs;
  }

  [Symbol.dispose](): void {
    this.#work?.preparer[Symbol.dispose]();
    this.#work?.ladder[Symbol.dispose]();
  }

  get #end90k(): number {
    return this.#request.mediaStart90k + this.#request.duration90k;
  }

  #encode(pictures: Iterable<DecodedPicture>, ladder: RungLadder): void {
    for (const { frame, time90k } of pictures) {
      // Where the first picture does not decode, the next one is shown from its time on.
      ladder.encode(frame, this.#clock.count === 0 ? this.#request.mediaStart90k : time90k);
    }
  }

  #open(frame: Frame): { readonly preparer: PicturePreparer; readonly ladder: RungLadder } {
    const { rungs } = this.#request;
    const track = describe(frame);
    const colour = encodedColourOf(colourOf(frame, track));
    const [clock, store, sound] = [this.#clock, this.#store, this.#sound];
    const ladder = new RungLadder(rungs, { colour, clock, store, meter: new CpuMeter(), sound });
    return { ladder, preparer: new PicturePreparer(track, { ...largestOf(rungs), colour }, null) };
  }
}

function soundOf({ audio }: MuxedInfo, samples: ReadMediaSegment | null): RungSound | null {
  if (audio === null) return null;
  return { track: { codec: 'mp4a', audioConfig: audio.audioConfig, primingSamples: 0 }, samples };
}

/** In decoding order, as the decoder takes them. */
function codedPictures({ baseMediaDecodeTime, samples }: ReadMediaSegment): readonly SourcePicture[] {
  let decoding = baseMediaDecodeTime;
  return samples.map(({ offset, size, isSync, duration, compositionOffset }) => {
    const at = decoding + compositionOffset;
    decoding += duration;
    return { segment: 0, offset, size, at, isSync };
  });
}

/** What the first picture says of all: nobody looked into the source before. */
function describe(frame: Frame): VideoTrack {
  const { width, height, colorTrc, sampleAspectRatio } = frame;
  const hdr = colorTrc === AVCOL_TRC_SMPTE2084 ? 'pq' : colorTrc === AVCOL_TRC_ARIB_STD_B67 ? 'hlg' : null;
  return {
    index: 0,
    codec: 'video',
    codedWidth: width,
    codedHeight: height,
    width,
    height,
    rotation: 0,
    sampleAspectRatio: sampleAspectRatio.num > 0 ? sampleAspectRatio.num / sampleAspectRatio.den : 1,
    frameRate: null,
    pixelFormat: '',
    bitDepth: 8,
    isInterlaced: (frame.flags & AV_FRAME_FLAG_INTERLACED) !== 0,
    hdr,
    bitsPerS: null,
  };
}
