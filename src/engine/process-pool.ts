import type { Clock, Timer } from '../base/clock.ts';
import { TranscodeProcess } from './transcode-process.ts';

/** How long a process waits for another run before it is ended, unless said otherwise. */
const IDLE_MS = 5000;
/** What native code leaks, if it does, ends with the process. */
const MAX_RUNS = 100;

/** What processes are started with. */
export interface ProcessPoolOptions {
  readonly entryUrl: URL;
  /** Handed to the process over its pipe. */
  readonly childArguments: readonly string[];
  readonly clock: Clock;
  /** How long a process waits for another run before it is ended. */
  readonly idleMs?: number;
}

interface Idle {
  readonly process: TranscodeProcess;
  readonly owner: string;
  readonly timer: Timer;
}

/**
 * The processes of a transcoder. One that has done a run well may do the next of the same owner, which saves its start; it never serves another owner, so
 * what a hostile file did to it reaches nobody else's.
 */
export class ProcessPool {
  readonly #options: ProcessPoolOptions;
  readonly #idle = new Set<Idle>();
  readonly #living = new Set<TranscodeProcess>();

  constructor(options: ProcessPoolOptions) {
    this.#options = options;
  }

  /** Processes that wait for a run. */
  get idle(): number {
    return this.#idle.size;
  }

  /** One that served this owner before, or a fresh one; null: a fresh one. */
  take(owner: string | null): TranscodeProcess {
    for (const idle of this.#idle) {
      if (idle.owner !== owner) continue;
      this.#forget(idle);
      if (idle.process.isAlive) return idle.process;
    }
    const { entryUrl, childArguments } = this.#options;
    const process = new TranscodeProcess(entryUrl, childArguments);
    this.#living.add(process);
    void process.gone.then(() => this.#living.delete(process));
    return process;
  }

  /** Takes one back whose run ended well. */
  giveBack(process: TranscodeProcess, owner: string | null): void {
    process.release();
    if (owner === null || process.runs >= MAX_RUNS) return process.kill();
    const idle: Idle = {
      process,
      owner,
      timer: this.#options.clock.schedule(this.#options.idleMs ?? IDLE_MS, () => {
        this.#forget(idle);
        process.kill();
      }),
    };
    this.#idle.add(idle);
    void process.gone.then(() => this.#forget(idle));
  }

  /** Ends all; resolves when they are gone. */
  async close(): Promise<void> {
    for (const idle of this.#idle) this.#forget(idle);
    const living = [...this.#living];
    for (const process of living) process.kill();
    await Promise.all(living.map(({ gone }) => gone));
  }

  #forget(idle: Idle): void {
    idle.timer.cancel();
    this.#idle.delete(idle);
  }
}
