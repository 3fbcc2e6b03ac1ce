/**
 * Knows up to where a partition is done, while its events finish in any order: an offset may be committed only when everything
 * below it is done too ("commit follows durability").
 */
export class OffsetTracker {
  /** Offsets begun and not yet passed by the watermark, rising; `#done` says which of them are done. */
  readonly #begun: number[] = [];
  readonly #done = new Set<number>();
  #head = 0;
  #watermark: number | null = null;

  /** Offsets that were begun and are not done. */
  get pending(): number {
    return this.#begun.length - this.#head - this.#done.size;
  }

  /** The highest offset below and at which everything is done; null while there is none. */
  get watermark(): number | null {
    return this.#watermark;
  }

  /** Notes an event as read. Offsets must rise. */
  begin(offset: number): void {
    this.#begun.push(offset);
  }

  /** Notes an event as durable, dead or known. */
  done(offset: number): void {
    this.#done.add(offset);
    for (;;) {
      const next = this.#begun[this.#head];
      if (next === undefined || !this.#done.delete(next)) break;
      this.#watermark = next;
      this.#head += 1;
    }
    if (this.#head > 1024 && this.#head * 2 > this.#begun.length) {
      this.#begun.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
