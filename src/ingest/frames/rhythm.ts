import type { WallMs } from '../../base/time.ts';

const KEPT = 31;

/** A stream's rhythm: the running median of the intervals between frames, which late frames and single outages do not bend. */
export class Rhythm {
  readonly #fallbackMs: number;
  readonly #intervalsMs: number[] = [];
  #lastMs: WallMs | null = null;

  /** @param fallbackMs the interval before two frames are known. */
  constructor(fallbackMs: number) {
    this.#fallbackMs = fallbackMs;
  }

  /** Notes frames in rising order of capture time; one that is not newer than the last is passed over. */
  note(capturedAtMs: WallMs): void {
    if (this.#lastMs !== null) {
      if (capturedAtMs <= this.#lastMs) return;
      this.#intervalsMs.push(capturedAtMs - this.#lastMs);
      if (this.#intervalsMs.length > KEPT) this.#intervalsMs.shift();
    }
    this.#lastMs = capturedAtMs;
  }

  /** The median interval, in milliseconds. */
  get intervalMs(): number {
    if (this.#intervalsMs.length === 0) return this.#fallbackMs;
    const sorted = this.#intervalsMs.toSorted((a, b) => a - b);
    const middle = sorted[Math.floor((sorted.length - 1) / 2)];
    return middle ?? this.#fallbackMs;
  }
}
