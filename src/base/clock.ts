import { setTimeout as delay } from 'node:timers/promises';
import { wallMs, type WallMs } from './time.ts';

/** A pending call of {@link Clock.schedule}. */
export interface Timer {
  /** Makes the call not happen; harmless when it has. */
  cancel(): void;
}

/** The only source of time in the server, so that a test can hold its hands. */
export interface Clock {
  nowMs(): WallMs;
  /** Milliseconds that never run backwards, from an arbitrary start: for measuring. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs`. The timer does not keep the process alive. */
  schedule(delayMs: number, run: () => void): Timer;
  /** Resolves after `delayMs`. @throws the signal's reason when it aborts first. */
  wait(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => wallMs(Date.now()),
  monotonicMs: () => performance.now(),
  schedule(delayMs, run) {
    const handle = setTimeout(run, Math.min(Math.max(0, delayMs), 2_147_483_647));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  async wait(delayMs, signal) {
    try {
      await delay(delayMs, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      // Node.js rejects with an AbortError of its own, whatever the reason was.
      signal?.throwIfAborted();
      throw error;
    }
  },
};
