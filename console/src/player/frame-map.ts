import { frameBounds, frameStart, neighbourFrame, type FrameIndex } from './frame-index.ts';
import type { PlaybackClock } from './playback-clock.ts';
import type { WallSpan } from './player-state.ts';

/** A seek aims this far into the wanted frame, so that rounding cannot show the one before. */
export const INTO_FRAME_S = 0.002;

/** The frames of a playlist, by the media clock and by the wall clock. */
export class FrameMap {
  readonly #clock: PlaybackClock;
  readonly #index: FrameIndex;

  constructor(clock: PlaybackClock, index: FrameIndex) {
    this.#clock = clock;
    this.#index = index;
  }

  /** Where the frame shown at a media time starts. */
  startAt(timeS: number): number {
    return frameStart(this.#index, this.#clock.indexAt(timeS + INTO_FRAME_S), timeS) ?? timeS;
  }

  /** When the frame shown at a media time was taken, in whole milliseconds, as capture times are; media times are off by microseconds. */
  takenAt(timeS: number): number | null {
    const wallMs = this.#clock.wallAt(this.startAt(timeS));
    return wallMs === null ? null : Math.round(wallMs);
  }

  /** Where the frame before (`-1`) or after (`1`) the one at a media time starts; null at the ends. */
  neighbour(timeS: number, direction: 1 | -1): number | null {
    return neighbourFrame(this.#index, this.#clock.indexAt(timeS + INTO_FRAME_S), timeS, direction);
  }

  /** From when to when the frame of a wall time is shown; null where none is. It is certain once its segment is loaded. */
  spanAt(atMs: number): (WallSpan & { readonly isCertain: boolean }) | null {
    const found = this.#clock.mediaAt(atMs);
    if (found === null || found.found !== 'exact') return null;
    // Rounding must not take the frame before for the one that is meant.
    const timeS = found.timeS + INTO_FRAME_S / 4;
    const position = this.#clock.indexAt(timeS);
    const frame = frameBounds(this.#index, position, timeS);
    if (frame === null) return null;
    const [fromMs, toMs] = [this.#clock.wallIn(position, frame.startS), this.#clock.wallIn(position, frame.endS)];
    return fromMs === null || toMs === null ? null : { fromMs, toMs, isCertain: frame.isCertain };
  }
}
