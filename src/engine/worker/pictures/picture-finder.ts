import { Frame } from 'node-av/lib';
import { ZoetropeError } from '../../../base/errors.ts';
import type { VideoTrack } from '../../../timeline/media-description.ts';
import type { VideoPart } from '../../transcoder.ts';
import { check } from '../av.ts';
import type { TranscodeContext } from '../transcode-context.ts';
import { PictureSource } from '../video/picture-source.ts';
import type { WantedPicture } from './wanted-pictures.ts';

/** Finds single pictures, decoding no more than it takes: from the keyframe before them, or it alone. */
export class PictureFinder implements Disposable {
  readonly #parts: readonly VideoPart[];
  readonly #source: PictureSource;
  readonly #context: TranscodeContext;
  /** The last picture that was not too late. */
  readonly #held = new Frame();

  constructor(track: VideoTrack, parts: readonly VideoPart[], context: TranscodeContext) {
    this.#parts = parts;
    this.#context = context;
    this.#source = new PictureSource(context.objects, track);
    this.#held.alloc();
  }

  /** Draws pictures of one run. Where a part does not decode, the nearest one that does stands in. @throws corrupt_media when none does */
  async draw(run: readonly WantedPicture[], fraction: number): Promise<void> {
    const [first] = run;
    if (first === undefined) return;
    const before = this.#parts.slice(0, first.part).map((_, index) => first.part - 1 - index);
    const behind = this.#parts.slice(first.part + 1).map((_, index) => first.part + 1 + index);
    if (first.isKeyframe && (await this.#drawKeyframe(first.part, run))) return;
    for (const part of [first.part, ...before, ...behind]) {
      if (await this.#drawFrom(part, run, fraction)) return;
    }
    throw new ZoetropeError('corrupt_media', 'No picture of the video decodes.');
  }

  [Symbol.dispose](): void {
    this.#source[Symbol.dispose]();
    this.#held.free();
  }

  async #drawKeyframe(part: number, run: readonly WantedPicture[]): Promise<boolean> {
    const { key } = this.#parts[part] ?? { key: '' };
    this.#source.restart();
    for await (const { frame } of this.#source.keyframe(key)) {
      for (const wanted of run) await wanted.draw(frame);
      return true;
    }
    return false;
  }

  async #drawFrom(part: number, run: readonly WantedPicture[], fraction: number): Promise<boolean> {
    const [own, next] = this.#parts.slice(part, part + 2);
    // Pictures shown before the next keyframe may be coded behind it.
    const keys = [...(own === undefined ? [] : [own.key]), ...(next?.hasLeading === true ? [next.key] : [])];
    const waiting = [...run];
    let hasHeld = false;
    this.#held.unref();
    this.#source.restart();
    for await (const { frame, time90k } of this.#source.pictures(keys)) {
      await this.#context.progress.at(fraction);
      while (waiting[0] !== undefined && waiting[0].time90k < time90k) {
        // What is wanted from before the first picture there is, is the first picture.
        await waiting.shift()?.draw(hasHeld ? this.#held : frame);
      }
      if (waiting.length === 0) return true;
      this.#held.unref();
      check(this.#held.ref(frame), 'keep a picture');
      hasHeld = true;
    }
    if (hasHeld) for (const wanted of waiting) await wanted.draw(this.#held);
    return hasHeld;
  }
}
