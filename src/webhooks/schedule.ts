import { wallMs, type WallMs } from '../base/time.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Pauses after the first, second, … try; the last one repeats. */
const PAUSES_MS = [5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS];
/** Pauses are shortened or lengthened by up to this part, so that what failed together is not tried together. */
const JITTER = 0.2;
const MAX_RETRY_AFTER_MS = 24 * HOUR_MS;

/** A delivery that was tried and not taken. */
export interface FailedTry {
  /** Tries so far, this one included. */
  readonly tries: number;
  readonly createdAtMs: WallMs;
  readonly nowMs: WallMs;
  /** How long a delivery is tried, from its making on. */
  readonly retryMs: number;
  /** What the receiver asked for; null: nothing. */
  readonly retryAfterMs: number | null;
  /** From 0 to 1. */
  readonly random: number;
}

/** When to try again; null: not any more. */
export function nextTryAt({ tries, createdAtMs, nowMs, retryMs, retryAfterMs, random }: FailedTry): WallMs | null {
  const pauseMs = PAUSES_MS[Math.min(tries, PAUSES_MS.length) - 1] ?? 0;
  const jitteredMs = pauseMs * (1 - JITTER + 2 * JITTER * random);
  const askedMs = Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS);
  const atMs = nowMs + Math.round(Math.max(jitteredMs, askedMs));
  return atMs > createdAtMs + retryMs ? null : wallMs(atMs);
}
