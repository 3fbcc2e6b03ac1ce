import type { Clock, Timer } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { EngineProcess, type ProcessEnd } from './engine-process.ts';
import { fromErrorMessage, type FromProcess } from './protocol.ts';
import type { EngineMetrics, Task } from './task.ts';

const FIRST_BACK_OFF_MS = 100;
const LONGEST_BACK_OFF_MS = 10_000;
/** A process that was asked to end and has nothing to do is ended by force after so long. */
const END_DEADLINE_MS = 5_000;

/** What a slot needs of the engine's options. */
export interface SlotOptions {
  readonly entryUrl: URL;
  readonly childArguments: readonly string[];
  readonly taskTimeoutMs: number;
  readonly maxMemoryBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: EngineMetrics;
}

/** What a slot tells its supervisor. */
export interface SlotEvents {
  /** It can take a task. */
  readonly onFree: () => void;
  /** The process died under this task; `cause` says how, in words. */
  readonly onLost: (task: Task, cause: string) => void;
}

/** The place of one engine process: starts it, gives it one task at a time, and replaces it when it dies, hangs or grows. */
export class ProcessSlot {
  readonly #options: SlotOptions;
  readonly #events: SlotEvents;
  readonly #logger: Logger;
  readonly #closed = Promise.withResolvers<void>();
  #started: PromiseWithResolvers<void> | undefined;
  #process: EngineProcess | undefined;
  #isReady = false;
  #isClosing = false;
  /** True from asking a process to make room for a fresh one until it is gone. */
  #isRetiring = false;
  #task: Task | undefined;
  #taskSinceMs = 0;
  #deadline: Timer | undefined;
  #backOff: Timer | undefined;
  #backOffMs = FIRST_BACK_OFF_MS;
  #restarts = 0;

  constructor(index: number, options: SlotOptions, events: SlotEvents) {
    this.#options = options;
    this.#events = events;
    this.#logger = options.logger.child({ engineProcess: index });
  }

  get isFree(): boolean {
    return this.#isReady && !this.#isRetiring && !this.#isClosing && this.#task === undefined;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get isRunning(): boolean {
    return this.#task !== undefined;
  }

  /** How long its task has been running; 0 without one. */
  get taskAgeMs(): number {
    return this.#task === undefined ? 0 : this.#options.clock.monotonicMs() - this.#taskSinceMs;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Resolves when the first process is ready. @throws engine_failed when it ends before that. */
  start(): Promise<void> {
    this.#started = Promise.withResolvers<void>();
    this.#launch();
    return this.#started.promise;
  }

  /** Gives the process a task. The slot must be free. */
  run(task: Task): void {
    task.tries += 1;
    this.#task = task;
    this.#taskSinceMs = this.#options.clock.monotonicMs();
    this.#deadline = this.#options.clock.schedule(this.#options.taskTimeoutMs, () => this.#expire(task));
    this.#process?.send({ type: 'task', id: task.id, kind: task.kind, request: task.request });
  }

  /** Lets the task at hand finish, then ends the process. */
  close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#backOff?.cancel();
      if (this.#process === undefined) this.#closed.resolve();
      else if (this.#task === undefined) this.#end();
    }
    return this.#closed.promise;
  }

  #launch(): void {
    const { entryUrl, childArguments } = this.#options;
    const process = new EngineProcess(entryUrl, childArguments, {
      onMessage: (message) => this.#receive(message),
      onExit: (end) => this.#exited(end),
    });
    this.#process = process;
  }

  #receive(message: FromProcess): void {
    if (message.type === 'ready') {
      this.#isReady = true;
      this.#started?.resolve();
      this.#events.onFree();
      return;
    }
    const task = this.#task;
    if (task === undefined || task.id !== message.id || message.type === 'progress') return;
    this.#release();
    this.#backOffMs = FIRST_BACK_OFF_MS;
    if (message.type === 'done') task.succeed(message.result);
    else task.fail(fromErrorMessage(message.error));
    if (this.#isClosing) return this.#end();
    if (message.rssBytes > this.#options.maxMemoryBytes) return this.#retire(message.rssBytes);
    this.#events.onFree();
  }

  #retire(rssBytes: number): void {
    this.#logger.info({ rssBytes, pid: this.pid }, 'replacing an engine process that grew beyond its ceiling');
    this.#options.metrics?.processLost('memory');
    this.#isRetiring = true;
    this.#end();
  }

  #end(): void {
    const process = this.#process;
    process?.disconnect();
    this.#deadline = this.#options.clock.schedule(END_DEADLINE_MS, () => process?.kill());
  }

  /** A hanging task is not tried again: it would hold a process as long once more. Its caller may. */
  #expire(task: Task): void {
    const { taskTimeoutMs } = this.#options;
    this.#logger.warn({ kind: task.kind, pid: this.pid, taskTimeoutMs }, 'ending an engine process over its deadline');
    this.#options.metrics?.processLost('deadline');
    task.fail(
      new ZoetropeError(
        'deadline_exceeded',
        `The task ${task.kind} did not end within ${taskTimeoutMs} ms, so its engine process was ended.`,
        { details: { kind: task.kind, taskTimeoutMs } },
      ),
    );
    this.#process?.kill();
  }

  #exited(end: ProcessEnd): void {
    const task = this.#task;
    const wasReady = this.#isReady;
    const wasAsked = this.#isRetiring || this.#isClosing;
    this.#release();
    this.#process = undefined;
    this.#isReady = false;
    this.#isRetiring = false;
    if (task !== undefined && !task.isSettled) {
      this.#options.metrics?.processLost('crash');
      this.#logger.warn({ kind: task.kind, tries: task.tries, ...end }, 'an engine process died under its task');
    } else if (!wasAsked) {
      this.#logger.warn({ ...end }, 'an engine process ended');
    }
    this.#started?.reject(
      new ZoetropeError('engine_failed', `An engine process did not start: ${end.reason}. ${end.stderrTail}`.trim()),
    );
    const neverStarted = !wasReady && this.#restarts === 0 && !wasAsked;
    if (this.#isClosing || neverStarted) this.#closed.resolve();
    else this.#relaunch(wasAsked);
    if (task !== undefined) this.#events.onLost(task, describe(end));
  }

  #relaunch(atOnce: boolean): void {
    this.#restarts += 1;
    if (atOnce) return this.#launch();
    this.#backOff = this.#options.clock.schedule(this.#backOffMs, () => {
      if (!this.#isClosing) this.#launch();
    });
    this.#backOffMs = Math.min(this.#backOffMs * 2, LONGEST_BACK_OFF_MS);
  }

  #release(): void {
    this.#deadline?.cancel();
    this.#deadline = undefined;
    this.#task = undefined;
  }
}

function describe(end: ProcessEnd): string {
  const said = end.stderrTail.split('\n').at(-1) ?? '';
  return said === '' ? end.reason : `${end.reason} (${said})`;
}
