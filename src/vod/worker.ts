import type { Clock, Timer } from '../base/clock.ts';
import type { Component } from '../base/component.ts';
import { isZoetropeError } from '../base/errors.ts';
import { isId } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import { wallMs } from '../base/time.ts';
import type { AssetStore, TaskLease, TaskOutcome } from '../catalog/asset-store.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { NO_USAGE, type FailureCause, type Usage } from '../timeline/asset.ts';
import type { TaskKind } from '../timeline/task.ts';
import { failureOf, pauseAfter } from './retry-rule.ts';
import type { Settler } from './settler.ts';

/** What a try of a task gave. */
export interface TryResult {
  readonly result: unknown;
  readonly usage: Usage;
  readonly shares?: Readonly<Record<string, number>>;
}

/** A try that could not begin: it does not count, and the task's cause tells what it waits for. */
export interface Postponed {
  readonly postponedMs: number;
  readonly cause: FailureCause;
}

/** How a try is to behave. */
export interface TryContext {
  /** Aborts when the lease is lost or the worker stops. */
  readonly signal: AbortSignal;
  readonly onProgress: (fraction: number) => void;
}

/** Does tries of tasks, whatever they work for. */
export type TaskRunner = LeaseRunner<TaskLease>;

/** Does tries of the tasks of one kind of owner. */
export interface LeaseRunner<L> {
  /** @throws what went wrong; whether it is tried again follows from the error */
  run(lease: L, context: TryContext): Promise<TryResult | Postponed>;
  /** Removes what a try that came to nothing has written. */
  discard(lease: L): Promise<void>;
}

/** Counts what workers do. */
export interface WorkerMetrics {
  taskEnded(
    kind: TaskKind,
    outcome: 'done' | 'failed' | 'returned' | 'lost',
    seconds: number,
    cpuSeconds: number,
  ): void;
}

/** What a worker is made of. */
export interface WorkerDeps {
  readonly catalog: AssetStore & Pick<Catalog, 'onChange'>;
  readonly settler: Pick<Settler, 'settle'>;
  readonly runner: TaskRunner;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: WorkerMetrics;
  /** Names this process in leases. */
  readonly workerId: string;
  /** Tasks at once. */
  readonly slots: number;
  readonly leaseMs: number;
}

/** How often it asks for work when nothing tells it that there is some. */
const POLL_MS = 1000;
/** How often progress is told, if the lease does not ask for more. */
const HEARTBEAT_MS = 1000;

interface Try {
  readonly lease: TaskLease;
  readonly abort: AbortController;
  progress: number;
}

/** Takes tasks and does them, as many at once as it has slots. Any number of workers share the work; any may be killed. */
export class Worker implements Component {
  readonly name = 'worker';
  readonly #deps: WorkerDeps;
  readonly #tries = new Set<Try>();
  readonly #running = new Set<Promise<void>>();
  #isClosing = false;
  #claiming: Promise<void> | undefined;
  #claimAgain = false;
  #timer: Timer | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(deps: WorkerDeps) {
    this.#deps = deps;
  }

  /** Begins to take tasks. */
  async start(): Promise<void> {
    this.#unsubscribe = this.#deps.catalog.onChange(({ streamIds }) => {
      if (streamIds.some((id) => isId('asset', id) || isId('clip', id))) this.#wake();
    });
    this.#wake();
  }

  /** Hands back what is under way and takes no more. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#unsubscribe?.();
    this.#timer?.cancel();
    await this.#claiming;
    for (const { abort } of this.#tries) abort.abort(STOPPING);
    await Promise.all(this.#running);
  }

  #wake(): void {
    if (this.#isClosing) return;
    if (this.#claiming !== undefined) {
      this.#claimAgain = true;
      return;
    }
    this.#timer?.cancel();
    this.#claiming = this.#claim().finally(() => {
      this.#claiming = undefined;
      if (this.#isClosing) return;
      this.#timer = this.#deps.clock.schedule(POLL_MS, () => this.#wake());
      if (this.#claimAgain) {
        this.#claimAgain = false;
        this.#wake();
      }
    });
  }

  async #claim(): Promise<void> {
    const { catalog, workerId, slots, leaseMs, logger } = this.#deps;
    try {
      while (!this.#isClosing && this.#tries.size < slots) {
        const lease = await catalog.claimTask({ workerId, leaseMs });
        if (lease === null) return;
        this.#begin(lease);
      }
    } catch (error) {
      logger.error({ err: error }, 'asking for tasks failed; it is tried again');
    }
  }

  #begin(lease: TaskLease): void {
    const attempt: Try = { lease, abort: new AbortController(), progress: 0 };
    this.#tries.add(attempt);
    const done = this.#do(attempt).finally(() => {
      this.#tries.delete(attempt);
      this.#running.delete(done);
      this.#wake();
    });
    this.#running.add(done);
  }

  async #do(attempt: Try): Promise<void> {
    const { logger } = this.#deps;
    const { task } = attempt.lease;
    const ended = new AbortController();
    const heartbeat = this.#keepAlive(attempt, ended.signal);
    try {
      await this.#doAndTell(attempt);
    } catch (error) {
      // The lease runs out and the task is done again; what it wrote is swept as orphans.
      logger.error({ err: error, taskId: task.id }, 'a task could not be ended; its lease will run out');
    } finally {
      ended.abort();
      await heartbeat;
    }
  }

  async #doAndTell(attempt: Try): Promise<void> {
    const { clock, metrics, settler, runner } = this.#deps;
    const { lease } = attempt;
    const { kind } = lease.task;
    const startedAtMs = clock.monotonicMs();
    const outcome = await this.#try(attempt);
    const isTaken = outcome !== null && (await this.#finish(attempt, outcome));
    if (outcome?.kind !== 'done' || !isTaken) await runner.discard(lease);
    const seconds = (clock.monotonicMs() - startedAtMs) / 1000;
    metrics.taskEnded(kind, isTaken ? outcome.kind : 'lost', seconds, (outcome?.usage.cpuMs ?? 0) / 1000);
    if (isTaken && lease.clip === undefined) await settler.settle(lease.asset.id);
  }

  /** Null: the lease was lost meanwhile. */
  async #try(attempt: Try): Promise<TaskOutcome | null> {
    const { runner, clock, logger } = this.#deps;
    const { lease, abort } = attempt;
    try {
      const given = await runner.run(lease, {
        signal: abort.signal,
        onProgress: (fraction) => {
          attempt.progress = fraction;
        },
      });
      if ('postponedMs' in given) {
        const untilMs = wallMs(clock.nowMs() + given.postponedMs);
        return { kind: 'returned', usage: NO_USAGE, wait: { untilMs, cause: given.cause } };
      }
      const { result, usage, shares } = given;
      return { kind: 'done', result, usage, shares: shares ?? null };
    } catch (error) {
      if (abort.signal.aborted) {
        return abort.signal.reason === STOPPING ? { kind: 'returned', usage: usageOf(error) } : null;
      }
      const { cause, retryable } = failureOf(error);
      const { id, kind, attempt: count, ownerId } = lease.task;
      logger.warn({ err: error, taskId: id, ownerId, kind, attempt: count }, 'a try of a task failed');
      const retryAtMs = retryable ? wallMs(clock.nowMs() + pauseAfter(count)) : null;
      return { kind: 'failed', cause, usage: usageOf(error), retryAtMs };
    }
  }

  /** Says how a try ended, until the catalog has taken it or the lease would have run out anyway. */
  async #finish({ lease, abort }: Try, outcome: TaskOutcome): Promise<boolean> {
    const { catalog, clock, leaseMs, logger } = this.#deps;
    const { id, attempt } = lease.task;
    const untilMs = clock.monotonicMs() + leaseMs;
    for (;;) {
      try {
        return await catalog.finishTask({ taskId: id, attempt }, outcome);
      } catch (error) {
        const isWorthTrying = isZoetropeError(error) && error.retryable && clock.monotonicMs() < untilMs;
        if (!isWorthTrying || abort.signal.aborted) throw error;
        logger.warn({ err: error, taskId: id }, 'the end of a task could not be noted; it is tried again');
        await clock.wait(POLL_MS);
      }
    }
  }

  /** Heartbeats: they keep the lease, tell the progress, and learn that the task was cancelled. */
  async #keepAlive(attempt: Try, ended: AbortSignal): Promise<void> {
    const { clock, leaseMs } = this.#deps;
    try {
      for (;;) {
        await clock.wait(Math.min(leaseMs / 4, HEARTBEAT_MS), ended);
        await this.#renew(attempt);
      }
    } catch (error) {
      if (!ended.aborted) throw error;
    }
  }

  async #renew({ lease, abort, progress }: Try): Promise<void> {
    const { catalog, leaseMs, logger } = this.#deps;
    const { id, attempt } = lease.task;
    try {
      const answer = await catalog.renewTask({ taskId: id, attempt }, { leaseMs, progress });
      if (answer === 'lost') abort.abort(LOST);
    } catch (error) {
      // The lease lasts a few heartbeats; when it does run out, the end of the try finds out.
      logger.warn({ err: error, taskId: id }, 'a lease could not be renewed');
    }
  }
}

const STOPPING = new Error('The worker is stopping.');
const LOST = new Error('The lease was lost: the task was cancelled, or another worker has it.');

/** What a failed try has cost, as far as the error says. */
function usageOf(error: unknown): Usage {
  const usage = isZoetropeError(error) ? error.details['usage'] : undefined;
  return isUsage(usage) ? usage : NO_USAGE;
}

function isUsage(value: unknown): value is Usage {
  return (
    typeof value === 'object' && value !== null && 'cpuMs' in value && 'peakMemoryBytes' in value && 'wallMs' in value
  );
}
