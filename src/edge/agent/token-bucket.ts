import type { Clock } from '../../base/clock.ts';

/** What was not sent is saved up for so long. */
const SAVED_MS = 1000;

/** Keeps what is sent to a rate. A thing may be larger than the bucket: it is let through when the bucket is not empty, and paid off before the next. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #bytesPerMs: number;
  #level: number;
  #filledAtMs: number;

  /** @param bytesPerS 0: no limit. */
  constructor(clock: Clock, bytesPerS: number) {
    this.#clock = clock;
    this.#bytesPerMs = bytesPerS / 1000;
    this.#level = this.#bytesPerMs * SAVED_MS;
    this.#filledAtMs = clock.monotonicMs();
  }

  /** Resolves when something may be sent. @throws the signal's reason */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.#bytesPerMs === 0) return;
    for (this.#fill(); this.#level <= 0; this.#fill()) {
      await this.#clock.wait(Math.ceil(-this.#level / this.#bytesPerMs) + 1, signal);
    }
  }

  /** Says how much is sent. */
  pay(bytes: number): void {
    this.#fill();
    this.#level -= bytes;
  }

  #fill(): void {
    const nowMs = this.#clock.monotonicMs();
    const gained = (nowMs - this.#filledAtMs) * this.#bytesPerMs;
    this.#level = Math.min(this.#bytesPerMs * SAVED_MS, this.#level + gained);
    this.#filledAtMs = nowMs;
  }
}
