/** Measures what parts of a run cost, in microseconds of CPU time of this thread. */
export class CpuMeter {
  readonly #own = new Map<string, number>();
  readonly #processAtStart = process.cpuUsage();
  readonly #threadAtStart = process.threadCpuUsage();
  #lastUs = threadUs();

  /** What the thread has used since the last call was for `owner`; null: for all of them. */
  charge(owner: string | null): void {
    const nowUs = threadUs();
    if (owner !== null) this.#own.set(owner, (this.#own.get(owner) ?? 0) + nowUs - this.#lastUs);
    this.#lastUs = nowUs;
  }

  /**
   * How the whole cost falls to owners, parts that sum to 1: each its own and an equal part of what was for all. What other threads used goes to the
   * owners that work in threads of their own, by weight, or to all.
   */
  shares(owners: readonly CostOwner[]): Readonly<Record<string, number>> {
    const thread = sum(process.threadCpuUsage(this.#threadAtStart));
    const background = Math.max(0, sum(process.cpuUsage(this.#processAtStart)) - thread);
    const own = owners.reduce((total, { id }) => total + (this.#own.get(id) ?? 0), 0);
    const common = Math.max(0, thread - own);
    const threaded = owners.filter((owner) => owner.usesThreads);
    const weight = threaded.reduce((total, owner) => total + owner.weight, 0);
    const costs = owners.map((owner): readonly [string, number] => {
      const elsewhere = weight === 0 ? 1 / owners.length : owner.usesThreads ? owner.weight / weight : 0;
      return [owner.id, (this.#own.get(owner.id) ?? 0) + common / owners.length + background * elsewhere];
    });
    const whole = costs.reduce((total, [, cost]) => total + cost, 0);
    return Object.fromEntries(costs.map(([id, cost]) => [id, whole > 0 ? cost / whole : 1 / owners.length]));
  }
}

/** One that costs fall to. */
export interface CostOwner {
  readonly id: string;
  /** Whether it works outside the thread that calls it. */
  readonly usesThreads: boolean;
  /** Its part of the work in other threads, against the others'. */
  readonly weight: number;
}

function threadUs(): number {
  return sum(process.threadCpuUsage());
}

function sum({ user, system }: { readonly user: number; readonly system: number }): number {
  return user + system;
}
