import type { WallMs } from '../base/time.ts';

/** Chunks of a stream without a hole between them that are on its timeline; both inclusive. */
export interface ChunkRun {
  readonly firstIndex: number;
  readonly lastIndex: number;
}

/** A chunk that was announced and could not be taken, as of its last announcement. */
export interface ChunkRejection {
  readonly streamId: string;
  readonly chunkIndex: number;
  readonly objectKey: string;
  /** As it was announced. */
  readonly checksum: string;
  /** An error code. */
  readonly code: string;
  readonly message: string;
  readonly atMs: WallMs;
}

/** A stream's taken chunks, in order: which index lies where, and which come without a hole between them. */
export class ChunkRuns {
  #runs: readonly ChunkRun[];

  /** @param runs rising, with holes between them */
  constructor(runs: readonly ChunkRun[]) {
    this.#runs = runs;
  }

  /** Rising, with holes between them. */
  get all(): readonly ChunkRun[] {
    return this.#runs;
  }

  /** The highest index; null: there is none. */
  get newest(): number | null {
    return this.#runs.at(-1)?.lastIndex ?? null;
  }

  has(index: number): boolean {
    const run = this.#runs[this.#placeOf(index) - 1];
    return run !== undefined && index <= run.lastIndex;
  }

  /** Adds an index, which may be there. */
  add(index: number): void {
    if (this.has(index)) return;
    const at = this.#placeOf(index);
    const [before, after] = [this.#runs[at - 1], this.#runs[at]];
    const joinsBefore = before?.lastIndex === index - 1;
    const joinsAfter = after?.firstIndex === index + 1;
    const run = {
      firstIndex: joinsBefore ? before.firstIndex : index,
      lastIndex: joinsAfter ? after.lastIndex : index,
    };
    this.#runs = [...this.#runs.slice(0, at - Number(joinsBefore)), run, ...this.#runs.slice(at + Number(joinsAfter))];
  }

  /** How many runs begin at or before this index. */
  #placeOf(index: number): number {
    let [low, high] = [0, this.#runs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#runs[middle]?.firstIndex ?? Infinity) <= index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
