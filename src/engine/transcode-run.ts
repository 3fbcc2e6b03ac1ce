import type { Clock, Timer } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Usage } from '../timeline/asset.ts';
import { EngineProcess, type ProcessEnd } from './engine-process.ts';
import { processMemory } from './process-memory.ts';
import { fromErrorMessage, type FromProcess, type ProcessLoad, type TranscodeKind } from './protocol.ts';
import type { Measured, RunOptions } from './transcoder.ts';

/** A run is the only task of its process. */
const TASK_ID = 1;
/** Native code that takes memory says nothing meanwhile, so it is looked at from outside too. */
const MEMORY_LOOK_MS = 250;

/** How processes of a transcoder are started and watched. */
export interface TranscodeRunOptions {
  readonly entryUrl: URL;
  /** Handed to the process over its pipe. */
  readonly childArguments: readonly string[];
  /** A process that gives no sign of life for so long is ended. */
  readonly stallTimeoutMs: number;
  /** A process that holds more than this is ended. Looked at a few times a second, and whenever it tells its progress. */
  readonly maxMemoryBytes: number;
  /** For files on the way to objects, on the object store's disk if it is one. */
  readonly scratchDirectory: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One run in a process of its own: from its start to the certainty that the process is gone. */
export class TranscodeRun {
  readonly #kind: TranscodeKind;
  readonly #options: TranscodeRunOptions;
  readonly #run: RunOptions;
  readonly #process: EngineProcess;
  readonly #startedAtMs: number;
  readonly #ended = Promise.withResolvers<Measured<unknown>>();
  #stall: Timer | undefined;
  #memoryLook: Timer | undefined;
  #load: ProcessLoad = { rssBytes: 0, peakRssBytes: 0, cpuMs: 0 };
  /** Set once it is clear what the run comes to; it is told when the process is gone. */
  #outcome: { readonly result: unknown } | { readonly error: ZoetropeError } | undefined;
  readonly #onAbort: () => void;

  constructor(
    task: { readonly kind: TranscodeKind; readonly request: unknown; readonly scratchPath: string },
    run: RunOptions,
    options: TranscodeRunOptions,
  ) {
    const { kind } = task;
    this.#kind = kind;
    this.#options = options;
    this.#run = run;
    this.#startedAtMs = options.clock.monotonicMs();
    this.#onAbort = () => this.cancel(run.signal?.reason);
    this.#process = new EngineProcess(options.entryUrl, options.childArguments, {
      onMessage: (message) => this.#receive(message),
      onExit: (end) => this.#exited(end),
    });
    this.#process.send({ type: 'task', id: TASK_ID, ...task });
    this.#watch();
    this.#watchMemory();
    run.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Settles when the process is gone. */
  get promise(): Promise<Measured<unknown>> {
    return this.#ended.promise;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Ends the process at once. */
  cancel(reason: unknown): void {
    this.#fail('cancelled', `The run ${this.#kind} was cancelled by its caller.`, reason);
  }

  #receive(message: FromProcess): void {
    if (this.#outcome !== undefined || message.type === 'ready') return;
    this.#load = { rssBytes: message.rssBytes, peakRssBytes: message.peakRssBytes, cpuMs: message.cpuMs };
    switch (message.type) {
      case 'progress':
        return this.#progress(message.fraction);
      case 'done':
        return this.#conclude({ result: message.result });
      case 'failed':
        return this.#conclude({ error: fromErrorMessage(message.error) });
    }
  }

  #progress(fraction: number): void {
    if (!this.#isWithinMemory(this.#load.rssBytes)) return;
    this.#watch();
    this.#run.onProgress?.(fraction);
  }

  #watchMemory(): void {
    this.#memoryLook = this.#options.clock.schedule(MEMORY_LOOK_MS, () => {
      const { pid } = this.#process;
      const rssBytes = pid === undefined ? null : processMemory(pid);
      if (rssBytes !== null) {
        this.#load = { ...this.#load, rssBytes, peakRssBytes: Math.max(this.#load.peakRssBytes, rssBytes) };
      }
      if (rssBytes === null || this.#isWithinMemory(rssBytes)) this.#watchMemory();
    });
  }

  #isWithinMemory(rssBytes: number): boolean {
    const { maxMemoryBytes } = this.#options;
    if (rssBytes <= maxMemoryBytes) return true;
    this.#fail(
      'payload_too_large',
      `The process of the run ${this.#kind} grew beyond its ceiling of ${maxMemoryBytes} bytes, to ${rssBytes}, and was ended. ` +
        'Raise ZOETROPE_VOD_MAX_MEMORY_MB, or send a file with smaller pictures.',
    );
    return false;
  }

  #watch(): void {
    const { clock, stallTimeoutMs } = this.#options;
    this.#stall?.cancel();
    this.#stall = clock.schedule(stallTimeoutMs, () =>
      this.#fail(
        'deadline_exceeded',
        `The run ${this.#kind} gave no sign of life for ${stallTimeoutMs} ms, so its process was ended.`,
      ),
    );
  }

  #fail(code: 'cancelled' | 'payload_too_large' | 'deadline_exceeded', message: string, cause?: unknown): void {
    this.#conclude({ error: new ZoetropeError(code, message, cause === undefined ? {} : { cause }) });
  }

  /** Whatever it was, nothing is left to do: results are durable before they are told. */
  #conclude(outcome: { readonly result: unknown } | { readonly error: ZoetropeError }): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#stall?.cancel();
    this.#memoryLook?.cancel();
    this.#process.kill();
  }

  #exited(end: ProcessEnd): void {
    this.#stall?.cancel();
    this.#memoryLook?.cancel();
    this.#run.signal?.removeEventListener('abort', this.#onAbort);
    const outcome = this.#outcome ?? { error: this.#died(end) };
    if ('result' in outcome) this.#ended.resolve({ value: outcome.result, usage: this.#usage() });
    else this.#ended.reject(withUsage(outcome.error, this.#usage()));
  }

  #died(end: ProcessEnd): ZoetropeError {
    this.#options.logger.warn({ kind: this.#kind, ...end }, 'a process died under its run');
    const said = end.stderrTail.split('\n').at(-1) ?? '';
    return new ZoetropeError(
      'engine_failed',
      `The process of the run ${this.#kind} died: ${end.reason}${said === '' ? '' : ` (${said})`}.`,
    );
  }

  #usage(): Usage {
    const wallMs = this.#options.clock.monotonicMs() - this.#startedAtMs;
    return { cpuMs: this.#load.cpuMs, peakMemoryBytes: this.#load.peakRssBytes, wallMs };
  }
}

/** What failed has cost something too: it goes along as `details.usage`. */
function withUsage(error: ZoetropeError, usage: Usage): ZoetropeError {
  const { code, message, details, retryable, cause } = error;
  return new ZoetropeError(code, message, {
    details: { ...details, usage },
    retryable,
    ...(cause === undefined ? {} : { cause }),
  });
}
