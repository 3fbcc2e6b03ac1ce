import type { Clock } from '../base/clock.ts';
import { isZoetropeError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';

/** The first wait after a failure; each further one is twice as long. */
export const FIRST_BACK_OFF_MS = 250;
const LONGEST_BACK_OFF_MS = 10_000;

/** What {@link persistently} waits with and tells. */
export interface Persistence {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Whether a failure may pass by itself. Default: the error's own `retryable`. */
  readonly isTransient?: (error: unknown) => boolean;
}

/** Repeats what fails for want of a store, a disk or room in a queue, with back-off and without end, so that nothing is lost. @throws what is not transient, and the signal's reason. */
export async function persistently<T>(work: () => Promise<T>, how: Persistence): Promise<T> {
  const isTransient = how.isTransient ?? isRetryable;
  for (let backOffMs = FIRST_BACK_OFF_MS; ; backOffMs = Math.min(2 * backOffMs, LONGEST_BACK_OFF_MS)) {
    try {
      return await work();
    } catch (error) {
      how.signal.throwIfAborted();
      if (!isTransient(error)) throw error;
      how.logger.warn({ error: messageOf(error), backOffMs }, 'writing a stream must wait');
      await how.clock.wait(backOffMs, how.signal);
    }
  }
}

/** Whether an error says of itself that it may pass. */
export function isRetryable(error: unknown): boolean {
  return isZoetropeError(error) && error.retryable;
}
