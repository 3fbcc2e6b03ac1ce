import type { Clock } from '../base/clock.ts';
import { isZoetropeError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import {
  deadLetterTopic,
  type DeadLetter,
  type EventLog,
  type LoggedEvent,
  type OwnedPartition,
} from '../events/event-log.ts';
import { persistently } from './back-off.ts';
import type { Lane, LaneContext, LanePlan } from './lane.ts';
import { OffsetTracker } from './offset-tracker.ts';

const COMMIT_INTERVAL_MS = 1_000;
const IDLE_LANE_MS = 600_000;

/** What a partition worker works with. */
export interface PartitionWorkerDeps {
  readonly events: Pick<EventLog, 'publish'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface OpenLane<R> {
  readonly lane: Lane<R>;
  lastEventMs: number;
}

/**
 * Reads one owned partition: hands each event to the lane of its stream, pauses while lanes are full, sends what cannot be read to the dead letters, and
 * commits up to where everything is done.
 */
export class PartitionWorker<R> {
  readonly #partition: OwnedPartition;
  readonly #plan: LanePlan<R>;
  readonly #deps: PartitionWorkerDeps;
  readonly #context: LaneContext;
  readonly #tracker = new OffsetTracker();
  readonly #lanes = new Map<string, OpenLane<R>>();
  /** Ends reading; what was read is still finished. */
  readonly #stop = new AbortController();
  /** Ends everything. */
  readonly #ended = new AbortController();
  #queued = 0;
  #committed: number | null = null;
  #wake: (() => void) | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(partition: OwnedPartition, plan: LanePlan<R>, deps: PartitionWorkerDeps) {
    this.#partition = partition;
    this.#plan = plan;
    this.#deps = deps;
    this.#context = {
      fence: partition.fence,
      signal: this.#ended.signal,
      done: (offset) => this.#tracker.done(offset),
      taken: () => this.#taken(),
      bury: (event, code, cause) => this.#bury(event, code, cause),
      publishDead: (key, letter) => this.#publishDead(key, letter),
      failed: (error) => this.#fail(error),
    };
  }

  /** Streams with events that are not done. */
  get openStreams(): number {
    let count = 0;
    for (const { lane } of this.#lanes.values()) if (lane.pending > 0) count += 1;
    return count;
  }

  /** Events that were read and are not done. */
  get pending(): number {
    return this.#tracker.pending;
  }

  /** Runs until the partition is revoked, the worker is drained, or something fails that only a new owner can mend. */
  async run(): Promise<void> {
    const onRevoked = (): void => this.#abandon();
    this.#partition.revoked.addEventListener('abort', onRevoked, { once: true });
    const ticking = this.#tick();
    try {
      await this.#read();
      await this.#settle();
    } finally {
      this.#abandon();
      this.#partition.revoked.removeEventListener('abort', onRevoked);
      await ticking;
    }
    if (this.#failure !== null) throw this.#failure.error;
  }

  /** Stops reading and has every lane finish what it can; `run` ends when that is done and committed. */
  drain(): void {
    this.#stop.abort();
    this.#wake?.();
  }

  /** The catalog says that these streams changed. */
  refresh(streamIds: ReadonlySet<string>): void {
    for (const { lane } of this.#lanes.values()) {
      if (lane.streamId !== null && streamIds.has(lane.streamId)) lane.refresh();
    }
  }

  async #read(): Promise<void> {
    const iterator = this.#partition.read({ maxEvents: this.#plan.readBatch })[Symbol.asyncIterator]();
    while (!this.#stop.signal.aborted && this.#failure === null) {
      const step = await this.#unlessStopped(iterator.next());
      if (step === null || step.done === true) break;
      for (const event of step.value) this.#route(event);
      await this.#room();
    }
    // The reader may be waiting for events that will not come; its end is the partition's revocation.
    if (this.#stop.signal.aborted) void iterator.return?.(undefined)?.catch(() => undefined);
  }

  /** Null when the worker is stopped first. `Promise.race` would leave a reaction behind, for each batch, until then. */
  #unlessStopped<T>(pending: Promise<T>): Promise<T | null> {
    const { signal } = this.#stop;
    return new Promise((resolve, reject) => {
      const stop = (): void => resolve(null);
      signal.addEventListener('abort', stop, { once: true });
      pending.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
    });
  }

  #route(event: LoggedEvent): void {
    this.#tracker.begin(event.offset);
    this.#queued += 1;
    this.#plan.onRead?.();
    let record: R;
    try {
      record = this.#plan.readEvent(event);
    } catch (error) {
      const code = isZoetropeError(error) ? error.code : 'internal';
      void this.#bury(event, code, messageOf(error)).then(() => this.#taken());
      return;
    }
    this.#laneOf(record).take(record, event);
  }

  #laneOf(record: R): Lane<R> {
    const key = this.#plan.laneKey(record);
    let open = this.#lanes.get(key);
    if (open === undefined) {
      open = { lane: this.#plan.openLane(record, this.#context), lastEventMs: 0 };
      this.#lanes.set(key, open);
    }
    open.lastEventMs = this.#deps.clock.monotonicMs();
    return open.lane;
  }

  async #bury(event: LoggedEvent, code: string, cause: string): Promise<void> {
    const { clock, logger } = this.#deps;
    const bury = (): Promise<void> => this.#publishDead(event.key, { code, cause, tries: 1, event: event.value });
    try {
      await persistently(bury, { clock, logger, signal: this.#ended.signal });
      this.#plan.onBuried?.(code);
      this.#tracker.done(event.offset);
    } catch (error) {
      if (!this.#ended.signal.aborted) this.#fail(error);
    }
  }

  async #publishDead(key: string, letter: Omit<DeadLetter, 'diedAt'>): Promise<void> {
    const diedAt = new Date(this.#deps.clock.nowMs()).toISOString();
    await this.#deps.events.publish(deadLetterTopic(this.#plan.topic), [{ key, value: { ...letter, diedAt } }]);
  }

  #taken(): void {
    this.#queued -= 1;
    if (this.#wake !== null && !this.#isFull()) this.#wake();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stop.abort();
    this.#abandon();
  }

  /** Resolves when there is room for more events in memory: the back-pressure of a slow engine or a full disk. */
  async #room(): Promise<void> {
    while (this.#isFull() && !this.#stop.signal.aborted && !this.#partition.revoked.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }

  #isFull(): boolean {
    return this.#queued >= this.#plan.maxQueued;
  }

  /** Finishes what was read, unless the partition is lost. */
  async #settle(): Promise<void> {
    if (this.#partition.revoked.aborted || this.#failure !== null) return;
    await Promise.all([...this.#lanes.values()].map(({ lane }) => lane.drain()));
    if (!this.#partition.revoked.aborted) await this.#commit();
  }

  async #tick(): Promise<void> {
    const ended = AbortSignal.any([this.#ended.signal, this.#partition.revoked]);
    try {
      while (!ended.aborted) {
        await this.#deps.clock.wait(COMMIT_INTERVAL_MS, ended);
        await this.#commit();
        this.#forgetIdle();
      }
    } catch (error) {
      if (!ended.aborted) this.#fail(error);
    }
  }

  async #commit(): Promise<void> {
    const { watermark } = this.#tracker;
    if (watermark === null || watermark === this.#committed) return;
    try {
      await this.#partition.commit(watermark);
      this.#committed = watermark;
    } catch (error) {
      if (!isZoetropeError(error) || !error.retryable) throw error;
      this.#deps.logger.warn({ error: error.message, watermark }, 'an offset could not be committed yet');
    }
  }

  #forgetIdle(): void {
    const beforeMs = this.#deps.clock.monotonicMs() - IDLE_LANE_MS;
    for (const [key, { lane, lastEventMs }] of this.#lanes) {
      if (lane.pending > 0 || lastEventMs > beforeMs) continue;
      lane.stop();
      this.#lanes.delete(key);
    }
  }

  #abandon(): void {
    this.#ended.abort();
    for (const { lane } of this.#lanes.values()) lane.stop();
    this.#wake?.();
  }
}
