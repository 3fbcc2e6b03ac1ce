import type { Lock, Locker } from '@tus/server';
import type { Clock } from '../../base/clock.ts';
import { ZoetropeError } from '../../base/errors.ts';

/** How long a request waits for the one before it on the same upload to let go. */
const PATIENCE_MS = 15_000;

interface Holder {
  /** Asks whoever holds it to end soon. */
  readonly release: () => void | Promise<void>;
}

interface Waiter {
  readonly holder: Holder;
  readonly take: () => void;
}

/**
 * One request at a time for each upload. Whoever comes asks the holder to let go (a client that resumes does not wait for its own dead connection)
 * and waits in line.
 */
export class UploadLocks implements Locker {
  readonly #clock: Clock;
  readonly #held = new Map<string, { holder: Holder; readonly line: Waiter[] }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  newLock(id: string): Lock {
    return {
      lock: (signal, cancelReq) => this.#acquire(id, { release: cancelReq }, signal),
      unlock: async () => this.#release(id),
    };
  }

  /** Runs `work` while nobody else touches the upload. @throws unavailable when the one before does not let go */
  async hold<T>(id: string, work: () => Promise<T>): Promise<T> {
    await this.#acquire(id, { release: () => undefined });
    try {
      return await work();
    } finally {
      this.#release(id);
    }
  }

  /** Whether somebody is at it now. */
  isHeld(id: string): boolean {
    return this.#held.has(id);
  }

  async #acquire(id: string, holder: Holder, signal?: AbortSignal): Promise<void> {
    const entry = this.#held.get(id);
    if (entry === undefined) {
      this.#held.set(id, { holder, line: [] });
      return;
    }
    const turn = Promise.withResolvers<void>();
    const waiter: Waiter = { holder, take: turn.resolve };
    entry.line.push(waiter);
    const giveUp = (): void => {
      const at = entry.line.indexOf(waiter);
      if (at < 0) return;
      entry.line.splice(at, 1);
      turn.reject(
        new ZoetropeError('unavailable', `Another request is at the upload ${id}. Try again in a few seconds.`),
      );
    };
    const timer = this.#clock.schedule(PATIENCE_MS, giveUp);
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      await entry.holder.release();
      await turn.promise;
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', giveUp);
    }
  }

  #release(id: string): void {
    const entry = this.#held.get(id);
    const next = entry?.line.shift();
    if (entry === undefined || next === undefined) {
      this.#held.delete(id);
      return;
    }
    entry.holder = next.holder;
    next.take();
    // Those behind it want it soon, too.
    if (entry.line.length > 0) void next.holder.release();
  }
}
