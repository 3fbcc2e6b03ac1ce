/** How long back a rate looks. */
const WINDOW_MS = 6000;

/** How fast bytes go, over the last seconds. */
export class TransferRate {
  #samples: readonly { readonly atMs: number; readonly bytes: number }[] = [];

  /** Notes that so many bytes are there now. A number that went back (another try) begins anew. */
  add(atMs: number, bytes: number): void {
    const last = this.#samples.at(-1);
    const kept = last !== undefined && bytes < last.bytes ? [] : this.#samples;
    const old = kept.findLastIndex((sample) => sample.atMs < atMs - WINDOW_MS);
    this.#samples = [...kept.slice(Math.max(0, old)), { atMs, bytes }];
  }

  /** Bytes a second; null until there is something to measure. */
  bytesPerS(): number | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.atMs - first.atMs < 250) return null;
    return ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs);
  }

  /** Forgets what was: after a pause. */
  reset(): void {
    this.#samples = [];
  }
}

/** Seconds until `total` is there at this rate; null when that cannot be said. */
export function secondsLeft(sent: number, total: number, bytesPerS: number | null): number | null {
  return bytesPerS === null || bytesPerS <= 0 ? null : (total - sent) / bytesPerS;
}
