import { createHash } from 'node:crypto';
import { ZoetropeError } from '../../../base/errors.ts';
import { decodeOrderSamples, type TimedPacket } from '../../../packager/cmaf/decode-order.ts';
import { videoSampleOf, videoTrackOf } from '../../../packager/cmaf/encoded-video.ts';
import type { AacTrack } from '../../../packager/cmaf/init-track.ts';
import type { TrackSamples } from '../../../packager/cmaf/media-writer.ts';
import { readMuxedInit } from '../../../packager/cmaf/muxed-reader.ts';
import { writeMuxedInit, writeMuxedSegment } from '../../../packager/cmaf/muxed-writer.ts';
import type { EncodedInit, EncodedMediaSegment, EncodedRendition, VideoRung } from '../../transcoder.ts';
import type { PictureClock } from './picture-clock.ts';
import type { PictureColour } from './picture-colour.ts';
import type { SegmentStore } from './segment-store.ts';
import type { EncodedPicture } from './video-encoder.ts';

const TICKS_PER_MS = 90;

/** Sound that is written as it is beside the pictures of a rendition of one segment. */
export interface RungSound {
  readonly track: AacTrack;
  /** Null: the segment has none. */
  readonly samples: TrackSamples | null;
}

/** Makes CMAF of what an encoder gives out, with the pictures' true times; each segment is stored as soon as it is complete. */
export class RenditionWriter {
  readonly #rung: VideoRung;
  readonly #clock: PictureClock;
  readonly #store: SegmentStore;
  readonly #sound: RungSound | null;
  readonly #segments: EncodedMediaSegment[] = [];
  #packets: TimedPacket[] = [];
  #init: EncodedInit | undefined;

  constructor(
    rung: VideoRung,
    {
      clock,
      store,
      sound,
    }: { readonly clock: PictureClock; readonly store: SegmentStore; readonly sound: RungSound | null },
  ) {
    this.#rung = rung;
    this.#clock = clock;
    this.#store = store;
    this.#sound = sound;
  }

  /** The next packet in decoding order. `extradata` and `colour` are the encoder's. */
  add(picture: EncodedPicture, extradata: Uint8Array | null, colour: PictureColour): void {
    const { codec } = this.#rung.spec;
    this.#init ??= describeInit(this.#rung, { keyFrame: picture.data, extradata, colour, sound: this.#sound });
    const following = this.#clock.segment(this.#segments.length + 1);
    if (following !== undefined && picture.index === following.from) this.#close();
    const sample = videoSampleOf(codec, picture.data);
    // A sample that is the packet itself would change with the encoder's next one.
    const data = sample === picture.data ? Uint8Array.from(sample) : sample;
    this.#packets.push({ data, pts: this.#clock.timeOf(picture.index), isSync: picture.isKey });
  }

  /** What it became, once the encoder and the clock are finished. */
  finish(): EncodedRendition {
    this.#close();
    const { id } = this.#rung;
    if (this.#init === undefined || this.#clock.segment(this.#segments.length) !== undefined) {
      throw new ZoetropeError('engine_failed', `The encoder of ${id} gave fewer segments than there are.`);
    }
    return { id, init: this.#init, segments: this.#segments };
  }

  #close(): void {
    const number = this.#segments.length;
    const range = this.#clock.segment(number);
    const packets = this.#packets;
    this.#packets = [];
    const expected = range === undefined || range.to === null ? 0 : range.to - range.from;
    if (range?.to === undefined || range.to === null || packets.length !== expected || packets[0]?.isSync !== true) {
      throw new ZoetropeError(
        'engine_failed',
        `The encoder of ${this.#rung.id} did not begin segment ${number} with a key picture or lost one: got ${packets.length} of ${expected}.`,
      );
    }
    const end90k = this.#clock.timeOf(range.to);
    const { baseMediaDecodeTime, samples } = decodeOrderSamples(packets, end90k);
    const audio = this.#sound?.samples ?? null;
    const bytes = writeMuxedSegment({
      sequenceNumber: Math.floor(baseMediaDecodeTime / TICKS_PER_MS) + 1,
      video: { baseMediaDecodeTime, samples },
      audio,
    });
    const objectKey = `${this.#rung.outputPrefix}${number}.m4s`;
    const mediaBytes = [...samples, ...(audio?.samples ?? [])].reduce((sum, sample) => sum + sample.data.length, 0);
    this.#segments.push({
      mediaStart90k: baseMediaDecodeTime,
      duration90k: end90k - baseMediaDecodeTime,
      objectKey,
      sizeBytes: bytes.length,
      sha256: sha256(bytes),
      keyframeBytes: bytes.length - mediaBytes + (samples[0]?.data.length ?? 0),
    });
    this.#store.put(objectKey, bytes);
  }
}

interface FirstPacket {
  readonly keyFrame: Uint8Array;
  readonly extradata: Uint8Array | null;
  readonly colour: PictureColour;
  readonly sound: RungSound | null;
}

function describeInit({ spec }: VideoRung, { keyFrame, extradata, colour: said, sound }: FirstPacket): EncodedInit {
  const { primaries, transfer, matrix } = said;
  const colour = { primaries, transfer, matrix, fullRange: false };
  const { codec, frameRate } = spec;
  const track = videoTrackOf({ codec, extradata, keyFrame, frameRate, colour });
  const bytes = writeMuxedInit({ video: track, audio: sound?.track ?? null });
  const { video, audio } = readMuxedInit(bytes);
  return {
    base64: Buffer.from(bytes).toString('base64'),
    sha256: sha256(bytes),
    codecs: [video, audio].flatMap((one) => one?.codecs ?? []).join(','),
    width: track.width,
    height: track.height,
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
