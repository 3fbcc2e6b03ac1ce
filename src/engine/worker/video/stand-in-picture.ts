import { Frame } from 'node-av/lib';
import { AV_PIX_FMT_YUV420P } from 'node-av/constants';
import type { VideoTrack } from '../../../timeline/media-description.ts';
import { check } from '../av.ts';

/** Black in 4:2:0 of limited range. */
const BLACK = [16, 128, 128] as const;

/** What is shown where nothing decodes: the last picture that did, or black. */
export class StandInPicture implements Disposable {
  readonly #track: VideoTrack;
  readonly #kept = new Frame();
  #hasPicture = false;

  constructor(track: VideoTrack) {
    this.#track = track;
    this.#kept.alloc();
  }

  /** Good until it is disposed. */
  get frame(): Frame {
    if (!this.#hasPicture) this.#paintBlack();
    return this.#kept;
  }

  /** Remembers a picture instead of the one before. */
  keep(frame: Frame): void {
    this.#kept.unref();
    check(this.#kept.ref(frame), 'keep a picture');
    this.#hasPicture = true;
  }

  [Symbol.dispose](): void {
    this.#kept.free();
  }

  #paintBlack(): void {
    const { codedWidth, codedHeight } = this.#track;
    this.#kept.format = AV_PIX_FMT_YUV420P;
    this.#kept.width = codedWidth;
    this.#kept.height = codedHeight;
    check(this.#kept.allocBuffer(), 'allocate a picture');
    for (const [index, plane] of (this.#kept.data ?? []).slice(0, 3).entries()) plane.fill(BLACK[index] ?? 0);
    this.#hasPicture = true;
  }
}
