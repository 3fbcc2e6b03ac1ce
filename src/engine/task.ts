import type { Clock } from '../base/clock.ts';
import { isZoetropeError, type ErrorCode } from '../base/errors.ts';
import type { TaskKind } from './protocol.ts';
import type { Priority } from './task-queue.ts';

/** What the engine counts and times, as far as somebody wants to know. */
export interface EngineMetrics {
  /** A task ended: how, and how long after it was asked for. */
  taskFinished(kind: TaskKind, outcome: 'done' | ErrorCode, seconds: number): void;
  /** A process ended without having been asked to. */
  processLost(cause: 'crash' | 'deadline' | 'memory'): void;
}

/** One thing to be done, and who waits for it. */
export class Task {
  readonly id: number;
  readonly kind: TaskKind;
  readonly request: unknown;
  readonly priority: Priority;
  /** Processes that it was given to. */
  tries = 0;
  readonly #result = Promise.withResolvers<unknown>();
  readonly #settled: (() => void)[] = [];
  readonly #askedAtMs: number;
  readonly #clock: Clock;
  readonly #metrics: EngineMetrics | undefined;
  #isSettled = false;

  constructor(
    id: number,
    kind: TaskKind,
    request: unknown,
    priority: Priority,
    deps: { readonly clock: Clock; readonly metrics?: EngineMetrics },
  ) {
    this.id = id;
    this.kind = kind;
    this.request = request;
    this.priority = priority;
    this.#clock = deps.clock;
    this.#metrics = deps.metrics;
    this.#askedAtMs = deps.clock.monotonicMs();
  }

  get promise(): Promise<unknown> {
    return this.#result.promise;
  }

  /** True once somebody was answered: what comes later is for nobody. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  onSettled(listener: () => void): void {
    if (this.#isSettled) listener();
    else this.#settled.push(listener);
  }

  succeed(result: unknown): void {
    if (this.#settle('done')) this.#result.resolve(result);
  }

  fail(error: Error): void {
    if (this.#settle(isZoetropeError(error) ? error.code : 'internal')) this.#result.reject(error);
  }

  #settle(outcome: 'done' | ErrorCode): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#metrics?.taskFinished(this.kind, outcome, (this.#clock.monotonicMs() - this.#askedAtMs) / 1000);
    for (const listener of this.#settled.splice(0)) listener();
    return true;
  }
}
