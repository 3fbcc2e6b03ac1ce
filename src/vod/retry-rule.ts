import { isZoetropeError, messageOf } from '../base/errors.ts';
import type { FailureCause } from '../timeline/asset.ts';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/** How long to wait before the next try of a task, after so many. Doubles four-fold: the cause may be a full disk or a lost store. */
export function pauseAfter(attempt: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 4 ** Math.max(0, attempt - 1));
}

/** Why a try failed, and whether another can help. An error that is none of ours counts as a mistake of the server: tried again, and said so. */
export function failureOf(error: unknown): { readonly cause: FailureCause; readonly retryable: boolean } {
  if (isZoetropeError(error)) {
    return {
      cause: { code: error.code, message: error.message },
      retryable: error.retryable || error.code === 'engine_failed',
    };
  }
  return { cause: { code: 'internal', message: messageOf(error) }, retryable: true };
}
