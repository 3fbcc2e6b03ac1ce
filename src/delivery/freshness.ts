import type { Clock } from '../base/clock.ts';

/** Times that a busy view is read again because it changed meanwhile. */
const MAX_READS = 3;

/** How fresh a view is: a revision that rises with every change, and a reading that is done once however many wait for it. */
export class Freshness {
  readonly #clock: Clock;
  #revision = 0;
  #isClosed = false;
  #usedAtMs: number;
  #reading: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#usedAtMs = clock.monotonicMs();
  }

  /** What was rendered at another revision must be rendered again. */
  get revision(): number {
    return this.#revision;
  }

  /** When the view was last asked for, by the monotonic clock. */
  get usedAtMs(): number {
    return this.#usedAtMs;
  }

  /** Whether it is being read: what changes now may be missing from it. */
  get isReading(): boolean {
    return this.#reading !== undefined;
  }

  /** Whether what was rendered at a revision is what would be rendered now. Counts as use. */
  isAt(revision: number): boolean {
    this.#usedAtMs = this.#clock.monotonicMs();
    return this.#revision === revision && !this.#isClosed;
  }

  /** Notes a change. */
  rise(): void {
    this.#revision++;
  }

  /** Makes everything rendered so far stale for good. */
  close(): void {
    this.#isClosed = true;
    this.#revision++;
  }

  /** Reads, and again while that is needed: a few times at most, so that what changes all the time is answered too. @throws what `read` throws */
  async refresh(needsReading: () => boolean, read: () => Promise<void>): Promise<void> {
    this.#usedAtMs = this.#clock.monotonicMs();
    for (let reads = 0; reads < MAX_READS && needsReading(); reads++) {
      this.#reading ??= read().finally(() => {
        this.#reading = undefined;
      });
      await this.#reading;
    }
  }
}
