import type { Clock, Timer } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Usage } from '../timeline/asset.ts';
import type { ProcessEnd } from './engine-process.ts';
import { processMemory } from './process-memory.ts';
import type { ProcessPool } from './process-pool.ts';
import { fromErrorMessage, type ProcessLoad, type TranscodeKind } from './protocol.ts';
import type { ProcessTask, RunEvents, TranscodeProcess } from './transcode-process.ts';
import type { Measured, RunOptions } from './transcoder.ts';

/** Native code that takes memory says nothing meanwhile, so it is looked at from outside too. */
const MEMORY_LOOK_MS = 250;

/** How runs are watched. */
export interface TranscodeRunOptions {
  /** A process that gives no sign of life for so long is ended. */
  readonly stallTimeoutMs: number;
  /** A process that holds more than this is ended. Looked at a few times a second, and whenever it tells its progress. */
  readonly maxMemoryBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One run, in a process that does nothing else meanwhile. When it ends in any way but well, so does the process. */
export class TranscodeRun {
  readonly #kind: TranscodeKind;
  readonly #options: TranscodeRunOptions;
  readonly #run: RunOptions;
  readonly #pool: ProcessPool;
  readonly #process: TranscodeProcess;
  readonly #startedAtMs: number;
  readonly #ended = Promise.withResolvers<Measured<unknown>>();
  #stall: Timer | undefined;
  #memoryLook: Timer | undefined;
  #load: ProcessLoad = { rssBytes: 0, peakRssBytes: 0, cpuMs: 0 };
  /** Set once it is clear that the run has failed; it is told when the process is gone. */
  #failure: ZoetropeError | undefined;
  #isOver = false;
  readonly #onAbort: () => void;

  constructor(task: ProcessTask, run: RunOptions, pool: ProcessPool, options: TranscodeRunOptions) {
    this.#kind = task.kind;
    this.#pool = pool;
    this.#options = options;
    this.#run = run;
    this.#startedAtMs = options.clock.monotonicMs();
    this.#onAbort = () => this.cancel(run.signal?.reason);
    this.#process = pool.take(run.owner ?? null);
    this.#process.begin(task, {
      onMessage: (message) => this.#receive(message),
      onExit: (end) => this.#exited(end),
    });
    this.#watch();
    this.#watchMemory();
    run.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Settles when the run has ended well, or the process is gone. */
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

  #receive(message: Parameters<RunEvents['onMessage']>[0]): void {
    if (this.#isOver) return;
    this.#load = { rssBytes: message.rssBytes, peakRssBytes: message.peakRssBytes, cpuMs: message.cpuMs };
    switch (message.type) {
      case 'progress':
        return this.#progress(message.fraction);
      case 'done':
        return this.#succeed(message.result);
      case 'failed':
        return this.#end(fromErrorMessage(message.error));
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
    this.#end(new ZoetropeError(code, message, cause === undefined ? {} : { cause }));
  }

  /** Results are durable before they are told. */
  #succeed(result: unknown): void {
    this.#stopWatching();
    const isRoomy = this.#load.rssBytes <= this.#options.maxMemoryBytes / 2;
    this.#pool.giveBack(this.#process, isRoomy ? (this.#run.owner ?? null) : null);
    this.#ended.resolve({ value: result, usage: this.#usage() });
  }

  #end(error: ZoetropeError): void {
    if (this.#isOver) return;
    this.#failure = error;
    this.#stopWatching();
    this.#process.kill();
  }

  #exited(end: ProcessEnd): void {
    this.#stopWatching();
    this.#ended.reject(withUsage(this.#failure ?? this.#died(end), this.#usage()));
  }

  #stopWatching(): void {
    this.#isOver = true;
    this.#stall?.cancel();
    this.#memoryLook?.cancel();
    this.#run.signal?.removeEventListener('abort', this.#onAbort);
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
