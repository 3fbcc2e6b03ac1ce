import type { Clock } from '../base/clock.ts';
import type { Component } from '../base/component.ts';
import { ZoetropeError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { ProcessSlot } from './process-slot.ts';
import type { TaskKind, TaskMap } from './protocol.ts';
import { TaskQueue, type Priority } from './task-queue.ts';
import { Task, type EngineMetrics } from './task.ts';

/** What an engine is made of. */
export interface SupervisorOptions {
  /** How many processes; one a core is right. */
  readonly processes: number;
  /** The module that each process runs. */
  readonly entryUrl: URL;
  /** Handed to the process over its pipe. */
  readonly childArguments: readonly string[];
  /** The longest a task may run before its process is ended. */
  readonly taskTimeoutMs: number;
  /** Resident size at which a process is replaced after its task. */
  readonly maxMemoryBytes: number;
  /** Tasks that may wait. */
  readonly maxQueued: number;
  /** How often a task may take its process with it before it fails. */
  readonly maxTries: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: EngineMetrics;
}

/** Runs tasks on child processes: queues them, hands them out, replaces processes that die, hang or grow. */
export class Supervisor implements Component {
  readonly name = 'engine';
  readonly #options: SupervisorOptions;
  readonly #queue: TaskQueue<Task>;
  readonly #slots: readonly ProcessSlot[];
  #state: 'new' | 'running' | 'closed' = 'new';
  #closing: Promise<void> | undefined;
  #nextId = 1;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#queue = new TaskQueue(options.maxQueued);
    this.#slots = Array.from(
      { length: options.processes },
      (_, index) =>
        new ProcessSlot(index, options, {
          onFree: () => this.#dispatch(),
          onLost: (task, cause) => this.#retry(task, cause),
        }),
    );
  }

  /** Resolves when every process is ready. @throws engine_failed when one ends before it is. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#state = 'running';
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([aborted.promise, Promise.all(this.#slots.map((slot) => slot.start()))]);
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Refuses what waits, lets what runs finish, ends the processes. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** @throws too_many, deadline_exceeded, cancelled, engine_failed, unavailable, and whatever the task itself throws */
  run<K extends TaskKind>(
    kind: K,
    request: TaskMap[K]['request'],
    priority: Priority,
    signal?: AbortSignal,
  ): Promise<TaskMap[K]['result']> {
    if (this.#state !== 'running') {
      return Promise.reject(
        new ZoetropeError('unavailable', 'The media engine is not running: it has not been started, or is closing.'),
      );
    }
    if (signal?.aborted === true) return Promise.reject(cancelled(kind, signal));
    const task = new Task(this.#nextId++, kind, request, priority, this.#options);
    if (!this.#queue.offer(task, priority)) {
      task.fail(
        new ZoetropeError(
          'too_many',
          `The media engine's queue is full: ${this.#queue.length} tasks wait. Try again later, or raise engine.maxQueued.`,
        ),
      );
    }
    if (signal !== undefined) {
      const abort = (): void => {
        this.#queue.remove(task);
        task.fail(cancelled(kind, signal));
      };
      signal.addEventListener('abort', abort, { once: true });
      task.onSettled(() => signal.removeEventListener('abort', abort));
    }
    this.#dispatch();
    return task.promise as Promise<TaskMap[K]['result']>;
  }

  get queued(): number {
    return this.#queue.length;
  }

  get slots(): readonly ProcessSlot[] {
    return this.#slots;
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      if (!slot.isFree) continue;
      const task = this.#queue.take();
      if (task === undefined) return;
      slot.run(task);
    }
  }

  /** A task's process died under it. It goes to the front, so that its tries are soon over. */
  #retry(task: Task, cause: string): void {
    if (task.isSettled) return;
    if (task.tries >= this.#options.maxTries) {
      task.fail(
        new ZoetropeError(
          'engine_failed',
          `The task ${task.kind} ended its engine process ${task.tries} times; the last time ${cause}. The input is probably to blame.`,
          { retryable: false, details: { kind: task.kind, tries: task.tries, cause } },
        ),
      );
    } else if (this.#state === 'closed') {
      task.fail(closing(task.kind));
    } else {
      this.#queue.putBack(task, task.priority);
      this.#dispatch();
    }
  }

  async #close(): Promise<void> {
    this.#state = 'closed';
    for (const task of this.#queue.drain()) task.fail(closing(task.kind));
    await Promise.all(this.#slots.map((slot) => slot.close()));
  }
}

function cancelled(kind: TaskKind, signal: AbortSignal): ZoetropeError {
  return new ZoetropeError('cancelled', `The task ${kind} was cancelled by its caller.`, { cause: signal.reason });
}

function closing(kind: TaskKind): ZoetropeError {
  return new ZoetropeError('cancelled', `The task ${kind} did not run: the media engine is closing.`);
}
