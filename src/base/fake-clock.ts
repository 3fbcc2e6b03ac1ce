import type { Clock, Timer } from './clock.ts';
import { wallMs, type WallMs } from './time.ts';

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock for tests: stands still until {@link FakeClock.advance} moves it, running what falls due in order. */
export class FakeClock implements Clock {
  #nowMs: number;
  #jumpedMs = 0;
  #order = 0;
  readonly #startMs: number;
  readonly #entries = new Set<Entry>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
    this.#startMs = startMs;
  }

  nowMs(): WallMs {
    return wallMs(this.#nowMs + this.#jumpedMs);
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }

  schedule(delayMs: number, run: () => void): Timer {
    const entry: Entry = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#entries.add(entry);
    return { cancel: () => void this.#entries.delete(entry) };
  }

  wait(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const abort = (): void => {
        timer.cancel();
        reject(signal?.reason as Error);
      };
      const timer = this.schedule(delayMs, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Sets the wall clock on, or with less than 0 back, while no time passes: as a time server does to a clock that was wrong. */
  jump(ms: number): void {
    this.#jumpedMs += ms;
  }

  /** Moves time on by `ms`, running every timer that falls due, each at its own time; yields to promises between them. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await settle();
      const next = [...this.#entries].filter((entry) => entry.atMs <= untilMs).sort(byTime)[0];
      if (next === undefined) break;
      this.#entries.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = untilMs;
    await settle();
  }
}

function byTime(a: Entry, b: Entry): number {
  return a.atMs - b.atMs || a.order - b.order;
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
