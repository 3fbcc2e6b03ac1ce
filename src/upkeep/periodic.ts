import type { Clock, Timer } from '../base/clock.ts';
import type { Component } from '../base/component.ts';
import { messageOf, ZoetropeError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';

/** What is run again and again. */
export interface PeriodicOptions {
  /** For logs: `retention`. */
  readonly name: string;
  /** From the start of one run to the start of the next; a run that takes longer delays the next, which then starts at once. */
  readonly intervalMs: number;
  /** Before the first run. Default: none. */
  readonly initialDelayMs?: number;
  readonly run: (signal: AbortSignal) => Promise<unknown>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of each finished run, for metrics. */
  readonly onRun?: (outcome: { readonly ok: boolean; readonly durationMs: number }) => void;
}

/** How a {@link Periodic} fares. */
export interface PeriodicStats {
  readonly runs: number;
  readonly failures: number;
  /** Of the newest run; null when it went well. */
  readonly lastError: string | null;
}

/** Runs something at an interval, never twice at once. A failing run is logged and counted; the next one tries again. */
export class Periodic implements Component {
  readonly name: string;
  readonly #options: PeriodicOptions;
  readonly #closing = new AbortController();
  #timer: Timer | null = null;
  #running: Promise<void> = Promise.resolve();
  #stats: PeriodicStats = { runs: 0, failures: 0, lastError: null };

  constructor(options: PeriodicOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Counts since the start. */
  stats(): PeriodicStats {
    return this.#stats;
  }

  async start(): Promise<void> {
    this.#schedule(this.#options.initialDelayMs ?? 0);
  }

  /** Aborts a run under way and waits for its end. */
  async close(): Promise<void> {
    this.#closing.abort(new ZoetropeError('cancelled', `${this.name} was stopped.`));
    this.#timer?.cancel();
    await this.#running;
  }

  #schedule(delayMs: number): void {
    if (this.#closing.signal.aborted) return;
    this.#timer = this.#options.clock.schedule(delayMs, () => {
      this.#running = this.#run();
    });
  }

  async #run(): Promise<void> {
    const { clock, intervalMs, logger, onRun, run } = this.#options;
    const startedMs = clock.monotonicMs();
    let failure: string | null = null;
    try {
      await run(this.#closing.signal);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      failure = messageOf(error);
      logger.error({ task: this.name, error: failure }, 'a periodic task failed; it will be tried again');
    }
    const durationMs = clock.monotonicMs() - startedMs;
    const { runs, failures } = this.#stats;
    this.#stats = { runs: runs + 1, failures: failures + (failure === null ? 0 : 1), lastError: failure };
    onRun?.({ ok: failure === null, durationMs });
    this.#schedule(Math.max(0, intervalMs - durationMs));
  }
}
