import type { WallMs } from '../../base/time.ts';
import type { MediaRef } from '../../engine/engine.ts';
import type { IncomingFrame } from './frame-event.ts';

/** A frame whose place on the timeline is known. */
export interface PlacedFrame {
  readonly capturedAtMs: WallMs;
  readonly ref: MediaRef;
  /** Its object's key when it arrived by HTTP: ours to delete once it is in a segment. */
  readonly ownedKey: string | null;
  readonly incoming: IncomingFrame;
}

/** The frames of an open segment, sorted by capture time, one for each time. */
export class FrameBuffer {
  #frames: PlacedFrame[] = [];
  #openedAtMs: number | null = null;

  get size(): number {
    return this.#frames.length;
  }

  /** When the first frame came in, by the monotonic clock; null while empty. */
  get openedAtMs(): number | null {
    return this.#openedAtMs;
  }

  get first(): PlacedFrame | undefined {
    return this.#frames[0];
  }

  get last(): PlacedFrame | undefined {
    return this.#frames.at(-1);
  }

  /** Puts a frame in its place. Answers the frame that already has this capture time, if there is one; then nothing is added. */
  add(frame: PlacedFrame, nowMs: number): PlacedFrame | null {
    let index = this.#frames.length;
    while (index > 0) {
      const before = this.#frames[index - 1];
      if (before === undefined || before.capturedAtMs < frame.capturedAtMs) break;
      if (before.capturedAtMs === frame.capturedAtMs) return before;
      index -= 1;
    }
    this.#frames.splice(index, 0, frame);
    this.#openedAtMs ??= nowMs;
    return null;
  }

  /** Empties it. */
  takeAll(): readonly PlacedFrame[] {
    const frames = this.#frames;
    this.#frames = [];
    this.#openedAtMs = null;
    return frames;
  }
}
