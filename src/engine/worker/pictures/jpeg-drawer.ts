import type { Frame } from 'node-av/lib';
import type { VideoTrack } from '../../../timeline/media-description.ts';
import { JpegEncoder } from '../jpeg-encoder.ts';
import { JFIF } from '../video/picture-colour.ts';
import { PicturePreparer } from '../video/picture-preparer.ts';
import type { Watermark } from '../video/watermark.ts';

/** Fine: on a still, artefacts are looked at. */
const STILL_QUANTISER = 3;

/** How large pictures are to be. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Makes decoded pictures upright ones of one size, in the colours of JPEG, each by itself. */
export class PictureFitter implements Disposable {
  readonly #preparer: PicturePreparer;
  readonly #isInterlaced: boolean;
  #count = 0;

  constructor(track: VideoTrack, size: PictureSize, watermark: Watermark | null) {
    this.#isInterlaced = track.isInterlaced;
    this.#preparer = new PicturePreparer(track, { ...size, colour: JFIF }, watermark);
  }

  /** Calls back with the fitted picture, which is good until the callback returns. */
  fit<T>(frame: Frame, use: (fitted: Frame) => T): readonly T[] {
    const results: T[] = [];
    const take = ({ frame: fitted }: { readonly frame: Frame }): void => void results.push(use(fitted));
    for (const fitted of this.#preparer.prepare({ frame, time90k: this.#count++ })) take(fitted);
    // Deinterlacing would wait for the next picture, which has nothing to do with this one.
    if (this.#isInterlaced) for (const fitted of this.#preparer.finish()) take(fitted);
    return results;
  }

  [Symbol.dispose](): void {
    this.#preparer[Symbol.dispose]();
  }
}

/** Makes JPEGs of one size of decoded pictures. */
export class JpegDrawer implements Disposable {
  readonly #fitter: PictureFitter;
  readonly #encoder: JpegEncoder;

  constructor(track: VideoTrack, size: PictureSize, watermark: Watermark | null) {
    this.#encoder = new JpegEncoder({ ...size, quantiser: STILL_QUANTISER });
    this.#fitter = new PictureFitter(track, size, watermark);
  }

  draw(frame: Frame): Uint8Array {
    const [jpeg] = this.#fitter.fit(frame, (fitted) => this.#encoder.encode(fitted));
    if (jpeg === undefined) throw new TypeError('A picture went into the filters and none came out.');
    return jpeg;
  }

  [Symbol.dispose](): void {
    this.#fitter[Symbol.dispose]();
    this.#encoder[Symbol.dispose]();
  }
}
