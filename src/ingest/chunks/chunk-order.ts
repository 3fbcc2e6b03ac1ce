/** A chunk that waits, as its turn is decided by. */
export interface WaitingChunk {
  readonly index: number;
  readonly durationMs: number;
  /** Its object was not there yet: it is looked for again then, by the monotonic clock. */
  readonly retryAtMs: number;
}

/** What is to be done next. */
export type ChunkStep<C> =
  | { readonly kind: 'take'; readonly chunk: C; readonly isLate: boolean }
  /** Nothing before then, by the monotonic clock. Infinite: not before something comes. */
  | { readonly kind: 'wait'; readonly untilMs: number };

/**
 * What a missing chunk is waited for: `full`, for it may be announced; `announced`, if it was and its object is not there yet, for nothing else will come;
 * `none`.
 */
export type ChunkPatience = 'full' | 'announced' | 'none';

/** How long a missing chunk is waited for: as long as the one that is there plays, within these bounds. */
const [SHORTEST_WAIT_MS, LONGEST_WAIT_MS] = [1000, 15_000];

/** Says whose turn it is: chunks are taken by their index, one that is missing is waited for a while, and taken later if it comes after all. */
export class ChunkOrder {
  /** The index that follows what was taken; null: nothing was. */
  #next: number | null;
  #missing: { readonly index: number | null; readonly sinceMs: number } | null = null;

  /** @param newest the highest index taken so far; null: none */
  constructor(newest: number | null) {
    this.#next = newest === null ? null : newest + 1;
  }

  /** Whether newer chunks were taken. */
  isLate(index: number): boolean {
    return this.#next !== null && index < this.#next;
  }

  /** The next step, of chunks by rising index. */
  next<C extends WaitingChunk>(waiting: readonly C[], nowMs: number, patience: ChunkPatience): ChunkStep<C> {
    const retryAtMs = Math.min(...waiting.filter(isUnready).map((chunk) => chunk.retryAtMs));
    const first = waiting.find((chunk) => !isUnready(chunk));
    if (first === undefined) return { kind: 'wait', untilMs: retryAtMs };
    const isTurn = first.index <= (this.#next ?? 0);
    const isAwaited =
      patience === 'full' || (patience === 'announced' && waiting.some(({ index }) => index < first.index));
    const untilMs = isTurn || !isAwaited ? nowMs : this.#waitUntil(first, nowMs);
    if (untilMs > nowMs) return { kind: 'wait', untilMs: Math.min(untilMs, retryAtMs) };
    return { kind: 'take', chunk: first, isLate: this.isLate(first.index) };

    function isUnready(chunk: C): boolean {
      return chunk.retryAtMs > nowMs;
    }
  }

  /** The chunk of this index was taken. Answers how many before it are given up with that. */
  passed(index: number): number {
    if (this.isLate(index)) return 0;
    // What an encoder begins with is its own choice.
    const missing = this.#next === null ? 0 : index - this.#next;
    this.#next = index + 1;
    this.#missing = null;
    return missing;
  }

  #waitUntil({ durationMs }: WaitingChunk, nowMs: number): number {
    if (this.#missing === null || this.#missing.index !== this.#next) {
      this.#missing = { index: this.#next, sinceMs: nowMs };
    }
    return this.#missing.sinceMs + Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, durationMs));
  }
}
