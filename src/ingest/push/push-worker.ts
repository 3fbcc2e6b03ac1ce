import { isZoetropeError, messageOf } from '../../base/errors.ts';
import type { WallMs } from '../../base/time.ts';
import {
  deadLetterTopic,
  type DeadLetter,
  type EventLog,
  type LoggedEvent,
  type OwnedPartition,
} from '../../events/event-log.ts';
import type { LastSeen } from '../frames/last-seen.ts';
import { persistently, type Persistence } from '../back-off.ts';
import { OffsetTracker } from '../offset-tracker.ts';
import { PUSHES_TOPIC, readPushEvent, type PushRecord } from './push-event.ts';
import { PushWriter, type PushWriterDeps } from './push-writer.ts';

const READ_BATCH = 64;
const COMMIT_INTERVAL_MS = 1000;
const IDLE_WRITER_MS = 600_000;
/** Events that are read and not done; beyond it reading pauses. Each is some hundred bytes, a playlist some thousand. */
const MAX_PENDING = 5000;

/** What a worker is made of. */
export interface PushWorkerDeps extends Omit<PushWriterDeps, 'persistence' | 'seen'> {
  readonly lastSeen: Pick<LastSeen, 'note'>;
  readonly events: Pick<EventLog, 'publish'>;
  readonly clock: Persistence['clock'];
  readonly logger: Persistence['logger'];
}

/** A stream's writer with the chain of what it has to do. */
interface Lane {
  readonly writer: PushWriter;
  tail: Promise<void>;
  queued: number;
  lastEventMs: number;
}

/** Reads one owned partition of pushes: each stream's events go to its writer in order, and streams do not wait for each other. */
export class PushWorker {
  readonly #partition: OwnedPartition;
  readonly #deps: PushWorkerDeps;
  readonly #tracker = new OffsetTracker();
  readonly #lanes = new Map<string, Lane>();
  readonly #ended = new AbortController();
  readonly #failed = Promise.withResolvers<never>();
  #isDraining = false;
  #committed: number | null = null;
  #room: (() => void) | null = null;

  constructor(partition: OwnedPartition, deps: PushWorkerDeps) {
    this.#partition = partition;
    this.#deps = deps;
    this.#failed.promise.catch(() => undefined);
  }

  /** Segments that came and are on no timeline yet. */
  get pending(): number {
    return this.#tracker.pending;
  }

  /** The catalog says that these streams changed. */
  refresh(streamIds: ReadonlySet<string>): void {
    for (const [streamId, { writer }] of this.#lanes) if (streamIds.has(streamId)) writer.refresh();
  }

  /** Runs until the partition is revoked or something fails that only a new owner can mend. What is not done is the next owner's. */
  async run(): Promise<void> {
    const stop = (): void => this.#stop();
    this.#partition.revoked.addEventListener('abort', stop, { once: true });
    const ticking = this.#tick();
    try {
      await Promise.race([this.#read(), this.#failed.promise]);
      await Promise.all([...this.#lanes.values()].map(({ tail }) => tail));
      if (!this.#partition.revoked.aborted) await this.#commit();
    } finally {
      this.#stop();
      this.#partition.revoked.removeEventListener('abort', stop);
      await ticking;
    }
  }

  /** Finishes what is under way and begins nothing more. */
  drain(): void {
    this.#isDraining = true;
  }

  async #read(): Promise<void> {
    for await (const events of this.#partition.read({ maxEvents: READ_BATCH })) {
      if (this.#isDraining || this.#ended.signal.aborted) return;
      for (const event of events) this.#route(event);
      while (this.#queued() >= MAX_PENDING && !this.#ended.signal.aborted) {
        await new Promise<void>((resolve) => {
          this.#room = resolve;
        });
      }
    }
  }

  #queued(): number {
    return [...this.#lanes.values()].reduce((sum, { queued }) => sum + queued, 0);
  }

  #route(event: LoggedEvent): void {
    this.#tracker.begin(event.offset);
    let record: PushRecord;
    try {
      record = readPushEvent(event);
    } catch (error) {
      return this.#bury(event, error);
    }
    const lane = this.#laneOf(record.streamId);
    lane.lastEventMs = this.#deps.clock.monotonicMs();
    this.#enqueue(lane, () => lane.writer.take({ record, done: () => this.#tracker.done(event.offset) }));
  }

  #laneOf(streamId: string): Lane {
    const known = this.#lanes.get(streamId);
    if (known !== undefined) return known;
    const { clock, logger, lastSeen, ...deps } = this.#deps;
    const persistence: Persistence = { clock, logger: logger.child({ stream: streamId }), signal: this.#ended.signal };
    const seen = (endMs: WallMs, receivedAtMs: number): void => lastSeen.note(streamId, endMs, receivedAtMs);
    const lane: Lane = {
      writer: new PushWriter(streamId, this.#partition.fence, { ...deps, persistence, seen }, () =>
        this.#enqueue(lane, () => lane.writer.advance()),
      ),
      tail: Promise.resolve(),
      queued: 0,
      lastEventMs: clock.monotonicMs(),
    };
    this.#lanes.set(streamId, lane);
    return lane;
  }

  #enqueue(lane: Lane, work: () => Promise<void>): void {
    lane.queued += 1;
    lane.tail = lane.tail
      .then(async () => {
        if (!this.#ended.signal.aborted && !this.#isDraining) await work();
      })
      .catch((error: unknown) => {
        if (!this.#ended.signal.aborted) this.#fail(error);
      })
      .finally(() => {
        lane.queued -= 1;
        this.#room?.();
        this.#room = null;
      });
  }

  #bury(event: LoggedEvent, error: unknown): void {
    const { clock, logger, events } = this.#deps;
    const value: DeadLetter = {
      code: isZoetropeError(error) ? error.code : 'internal',
      cause: messageOf(error),
      tries: 1,
      event: event.value,
      diedAt: new Date(clock.nowMs()).toISOString(),
    };
    const topic = deadLetterTopic(PUSHES_TOPIC);
    persistently(() => events.publish(topic, [{ key: event.key, value }]), {
      clock,
      logger,
      signal: this.#ended.signal,
    }).then(
      () => this.#tracker.done(event.offset),
      (fault: unknown) => {
        if (!this.#ended.signal.aborted) this.#fail(fault);
      },
    );
  }

  async #tick(): Promise<void> {
    try {
      for (;;) {
        await this.#deps.clock.wait(COMMIT_INTERVAL_MS, this.#ended.signal);
        await this.#commit();
        this.#forgetIdle();
      }
    } catch (error) {
      if (!this.#ended.signal.aborted) this.#fail(error);
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
    const beforeMs = this.#deps.clock.monotonicMs() - IDLE_WRITER_MS;
    for (const [streamId, { writer, queued, lastEventMs }] of this.#lanes) {
      if (queued > 0 || writer.waiting > 0 || lastEventMs > beforeMs) continue;
      writer.stop();
      this.#lanes.delete(streamId);
    }
  }

  #fail(error: unknown): void {
    this.#failed.reject(error);
    this.#stop();
  }

  #stop(): void {
    this.#ended.abort();
    for (const { writer } of this.#lanes.values()) writer.stop();
    this.#room?.();
  }
}
