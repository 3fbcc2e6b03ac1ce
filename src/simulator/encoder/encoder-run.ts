import {
  AVCOL_PRI_BT709,
  AVCOL_RANGE_JPEG,
  AVCOL_SPC_BT470BG,
  AVCOL_TRC_IEC61966_2_1,
  AV_PIX_FMT_YUV420P,
} from 'node-av/constants';
import { ZoetropeError } from '../../base/errors.ts';
import { wallMs, type WallMs } from '../../base/time.ts';
import { AacEncoder } from '../../engine/worker/audio/aac-encoder.ts';
import type { PictureColour } from '../../engine/worker/video/picture-colour.ts';
import { VideoEncoder, type EncodedPicture } from '../../engine/worker/video/video-encoder.ts';
import { silenceAvLog } from '../../engine/worker/av.ts';
import { AAC_PACKET_SAMPLES } from '../../packager/aac/audio-specific-config.ts';
import { CameraView } from '../picture/camera-view.ts';
import { CanvasFrame } from '../picture/canvas-frame.ts';
import { MovingObject } from '../picture/moving-object.ts';
import type { PictureSize } from '../simulated-camera.ts';
import { SegmentMuxer, type SegmentContainer } from './segment-muxer.ts';
import { SAMPLE_RATE_HZ, Tone } from './tone.ts';

/** How an encoder is set up. */
export interface EncoderSetup {
  readonly name: string;
  /** Picks the scene and the pitch. */
  readonly index: number;
  readonly size: PictureSize;
  readonly framesPerS: number;
  readonly framesPerSegment: number;
  readonly container: SegmentContainer;
}

/** A segment as it comes out of an encoder, with pictures and sound. */
export interface EncodedSegment {
  readonly bytes: Uint8Array;
  /** What must be read before it; null for MPEG-TS. The same object for all segments of a run. */
  readonly init: Uint8Array | null;
  /** What the clock in its first picture shows. */
  readonly startMs: WallMs;
  readonly frames: number;
  readonly durationMs: number;
}

/** As in JPEGs, which is what canvases hold (ITU-T T.871). */
const COLOUR: PictureColour = {
  primaries: AVCOL_PRI_BT709,
  transfer: AVCOL_TRC_IEC61966_2_1,
  matrix: AVCOL_SPC_BT470BG,
  range: AVCOL_RANGE_JPEG,
};
const CRF = 26;
const SOUND_BITS_PER_S = 64_000;

/**
 * An encoder from its start to its end: one size, one media clock from 0. Pictures show the wall clock as text and as a code, a beep begins with
 * every second of it; H.264 in closed groups of one segment and AAC.
 */
export class EncoderRun implements Disposable {
  readonly #setup: EncoderSetup;
  readonly #startMs: WallMs;
  readonly #resources = new DisposableStack();
  readonly #view: CameraView;
  readonly #frame: CanvasFrame;
  readonly #video: VideoEncoder;
  readonly #audio: AacEncoder;
  readonly #tone: Tone;
  readonly #muxer: SegmentMuxer;
  /** Put into the encoder, which holds one back, and come out of it. */
  #framesIn = 0;
  #framesOut = 0;
  #segmentFrom = 0;
  /** The same, in samples. Sound is made, so it can be put in before it is heard. */
  #soundIn = 0;
  #soundOut = 0;

  /** @param startMs what the clock in the first picture shows */
  constructor(setup: EncoderSetup, startMs: WallMs) {
    const { name, index, size, framesPerS, container } = setup;
    this.#setup = setup;
    this.#startMs = startMs;
    this.#view = new CameraView({ name, index, ...size, timeZone: 'UTC', object: new MovingObject(index) });
    this.#tone = new Tone(startMs, index);
    silenceAvLog();
    using guard = new DisposableStack();
    this.#frame = guard.use(new CanvasFrame(size.width, size.height, AV_PIX_FMT_YUV420P));
    const quality = { crf: CRF, bitsPerS: null, maxBitsPerS: null, preset: 'ultrafast' };
    const spec = { kind: 'video', codec: 'h264', ...size, ...quality, frameRate: framesPerS } as const;
    this.#video = guard.use(new VideoEncoder(spec, COLOUR));
    this.#audio = guard.use(new AacEncoder({ sampleRateHz: SAMPLE_RATE_HZ, channels: 1, bitsPerS: SOUND_BITS_PER_S }));
    const parameterSets = this.#video.extradata;
    if (parameterSets === null) throw new ZoetropeError('engine_failed', 'The H.264 encoder gave no parameter sets.');
    const audioConfig = this.#audio.config;
    this.#muxer = guard.use(new SegmentMuxer({ container, size, framesPerS, parameterSets, audioConfig }));
    this.#resources = guard.move();
  }

  /** When the next picture is to be taken. */
  get nextFrameMs(): WallMs {
    return this.#timeOf(this.#framesIn);
  }

  /** Takes a picture; the segment, if the encoder's coming out with the picture before made one complete. */
  encodeFrame(): EncodedSegment | null {
    const { framesPerSegment } = this.#setup;
    const number = this.#framesIn++;
    const picture = this.#frame.fill(this.#view.draw(this.#timeOf(number)));
    let segment: EncodedSegment | null = null;
    for (const coded of this.#video.encode(picture, number, number % framesPerSegment === 0)) {
      this.#mux(coded);
      if (this.#framesOut % framesPerSegment === 0) segment = this.#cut();
    }
    return segment;
  }

  /** What is left at the end, less than two segments; nothing can be encoded after it. */
  finish(): readonly EncodedSegment[] {
    const segments: EncodedSegment[] = [];
    for (const coded of this.#video.finish()) {
      this.#mux(coded);
      if (this.#framesOut % this.#setup.framesPerSegment === 0) segments.push(this.#cut());
    }
    if (this.#framesOut > this.#segmentFrom) segments.push(this.#cut());
    return segments;
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  /** A picture, and the sound until the next one. */
  #mux({ data, index, isKey }: EncodedPicture): void {
    this.#muxer.video(data, index, isKey);
    this.#framesOut = index + 1;
    const until = Math.round((this.#framesOut * SAMPLE_RATE_HZ) / this.#setup.framesPerS);
    while (this.#soundOut < until) {
      const samples = this.#tone.samples(this.#soundIn, AAC_PACKET_SAMPLES);
      for (const packet of this.#audio.encode(this.#soundIn, [samples])) {
        // Number 0 primes decoders for sound before the start; there was none.
        if (packet.number === 0) continue;
        this.#muxer.audio(packet.data, (packet.number - 1) * AAC_PACKET_SAMPLES, AAC_PACKET_SAMPLES);
        this.#soundOut = packet.number * AAC_PACKET_SAMPLES;
      }
      this.#soundIn += AAC_PACKET_SAMPLES;
    }
  }

  #cut(): EncodedSegment {
    const frames = this.#framesOut - this.#segmentFrom;
    const startMs = this.#timeOf(this.#segmentFrom);
    this.#segmentFrom = this.#framesOut;
    const durationMs = (frames * 1000) / this.#setup.framesPerS;
    return { bytes: this.#muxer.cut(), init: this.#muxer.init, startMs, frames, durationMs };
  }

  /** Codes hold whole milliseconds. */
  #timeOf(frame: number): WallMs {
    return wallMs(this.#startMs + Math.round((frame * 1000) / this.#setup.framesPerS));
  }
}
