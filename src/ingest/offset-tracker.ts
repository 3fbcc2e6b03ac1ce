/**
 * Knows up to where a partition is done, while its events finish in any order: an offset may be committed only when everything
 * below it is done too ("commit follows durability"). It holds what is not done, and nothing else, however long one event is waited for.
 */
export class OffsetTracker {
  /** Offsets that are not done, rising, each with the one that was begun before it. */
  readonly #open = new Map<number, number | null>();
  #newest: number | null = null;

  /** Offsets that were begun and are not done. */
  get pending(): number {
    return this.#open.size;
  }

  /** The highest offset below and at which everything is done; null while there is none. */
  get watermark(): number | null {
    const [lowest] = this.#open.values().take(1);
    return lowest === undefined ? this.#newest : lowest;
  }

  /** Notes an event as read. Offsets must rise. */
  begin(offset: number): void {
    this.#open.set(offset, this.#newest);
    this.#newest = offset;
  }

  /** Notes an event as durable, dead or known. */
  done(offset: number): void {
    this.#open.delete(offset);
  }
}
