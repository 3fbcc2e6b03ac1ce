import type { Clock, Timer } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';

/** How long something may take. */
export interface WatchLimits {
  readonly what: string;
  readonly timeoutMs: number;
  /** Longest time without {@link Watch.progress}. */
  readonly stallMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Aborts when the caller does, when the time is up, or when nothing has moved for too long. Close it in the end. */
export class Watch {
  readonly #abort = new AbortController();
  readonly #clock: Clock;
  readonly #limits: WatchLimits;
  readonly #total: Timer;
  readonly #onAbort: () => void;
  #stall: Timer;
  #movedAtMs: number;

  constructor(clock: Clock, limits: WatchLimits) {
    const { what, timeoutMs, signal } = limits;
    this.#clock = clock;
    this.#limits = limits;
    this.#onAbort = () => this.#abort.abort(signal?.reason);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted === true) this.#onAbort();
    this.#movedAtMs = clock.monotonicMs();
    this.#total = clock.schedule(timeoutMs, () => this.#expire(`${what} took longer than ${timeoutMs / 1000} s.`));
    this.#stall = this.#watchStall(limits.stallMs);
  }

  /** Aborts with the caller's reason, or with `deadline_exceeded`. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Notes that something moved. */
  progress(): void {
    this.#movedAtMs = this.#clock.monotonicMs();
  }

  close(): void {
    this.#limits.signal?.removeEventListener('abort', this.#onAbort);
    this.#total.cancel();
    this.#stall.cancel();
  }

  #watchStall(delayMs: number): Timer {
    const { what, stallMs } = this.#limits;
    return this.#clock.schedule(delayMs, () => {
      const leftMs = this.#movedAtMs + stallMs - this.#clock.monotonicMs();
      if (leftMs > 0) this.#stall = this.#watchStall(leftMs);
      else this.#expire(`${what} stood still for ${stallMs / 1000} s.`);
    });
  }

  #expire(message: string): void {
    this.#abort.abort(new ZoetropeError('deadline_exceeded', message));
  }
}
