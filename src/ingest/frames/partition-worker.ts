import { isZoetropeError, messageOf } from '../../base/errors.ts';
import type { WallMs } from '../../base/time.ts';
import {
  deadLetterTopic,
  type DeadLetter,
  type EventLog,
  type LoggedEvent,
  type OwnedPartition,
} from '../../events/event-log.ts';
import { persistently } from '../back-off.ts';
import { FRAMES_TOPIC, identityOf, keyOf, readFrameEvent, type IncomingFrame } from './frame-event.ts';
import { OffsetTracker } from '../offset-tracker.ts';
import { StreamWriter, type StreamWriterDeps } from './stream-writer.ts';

const READ_BATCH = 256;
const COMMIT_INTERVAL_MS = 1_000;
const IDLE_WRITER_MS = 600_000;

/** What a partition worker works with. */
export interface PartitionWorkerDeps extends StreamWriterDeps {
  readonly events: Pick<EventLog, 'publish'>;
  /** Frames of the partition that may be in memory; beyond it reading pauses. */
  readonly maxPending: number;
  /** Frames of one stream; beyond it a stream that waits for missing pictures loses further frames to the dead letters. */
  readonly maxPendingPerStream: number;
  readonly seen: (streamId: string, capturedAtMs: WallMs, receivedAtMs: number) => void;
}

/** Reads one owned partition: hands each frame to its stream's writer and commits what is done. */
export class PartitionWorker {
  readonly #partition: OwnedPartition;
  readonly #deps: PartitionWorkerDeps;
  readonly #tracker = new OffsetTracker();
  readonly #writers = new Map<string, StreamWriter>();
  /** Ends reading; what was read is still finished. */
  readonly #stop = new AbortController();
  /** Ends everything. */
  readonly #ended = new AbortController();
  #pending = 0;
  #committed: number | null = null;
  #wake: (() => void) | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(partition: OwnedPartition, deps: PartitionWorkerDeps) {
    this.#partition = partition;
    this.#deps = deps;
  }

  /** Streams with frames in an open or unwritten segment. */
  get openStreams(): number {
    let count = 0;
    for (const writer of this.#writers.values()) if (writer.pending > 0) count += 1;
    return count;
  }

  /** Frames in memory. */
  get pending(): number {
    return this.#pending;
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

  /** Stops reading and closes every open segment; `run` ends when all of it is durable and committed. */
  drain(): void {
    this.#stop.abort();
    this.#wake?.();
  }

  /** The catalog says that these streams changed. */
  refresh(streamIds: ReadonlySet<string>): void {
    for (const writer of this.#writers.values()) {
      if (writer.streamId !== null && streamIds.has(writer.streamId)) writer.refresh();
    }
  }

  async #read(): Promise<void> {
    const iterator = this.#partition.read({ maxEvents: READ_BATCH })[Symbol.asyncIterator]();
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
    this.#pending += 1;
    this.#deps.metrics.received(1);
    let frame: IncomingFrame;
    try {
      frame = readFrameEvent(event);
    } catch (error) {
      this.#buryEvent(event, isZoetropeError(error) ? error.code : 'internal', messageOf(error));
      return;
    }
    const writer = this.#writerOf(frame);
    if (writer.isWaitingForPictures && writer.pending >= this.#deps.maxPendingPerStream) {
      this.#buryEvent(event, 'too_many', 'Pictures of the stream keep missing, and its queue is full.');
      return;
    }
    writer.push(frame);
  }

  #writerOf(frame: IncomingFrame): StreamWriter {
    const key = identityOf(frame.target);
    const known = this.#writers.get(key);
    if (known !== undefined) return known;
    const writer = new StreamWriter(
      frame.target,
      this.#partition.fence,
      { ...this.#deps, logger: this.#deps.logger.child({ stream: keyOf(frame.target) }) },
      {
        done: (done) => this.#done(done.offset),
        bury: (dead, code, cause, tries) => this.#bury(keyOf(dead.target), code, cause, tries, dead.record),
        seen: this.#deps.seen,
        failed: (error) => this.#fail(error),
      },
    );
    this.#writers.set(key, writer);
    return writer;
  }

  #buryEvent(event: LoggedEvent, code: string, cause: string): void {
    const { clock, logger, metrics } = this.#deps;
    const bury = (): Promise<void> => this.#bury(event.key, code, cause, 1, event.value);
    persistently(bury, { clock, logger, signal: this.#ended.signal }).then(
      () => {
        metrics.dead(code);
        this.#done(event.offset);
      },
      (error: unknown) => {
        if (!this.#ended.signal.aborted) this.#fail(error);
      },
    );
  }

  async #bury(key: string, code: string, cause: string, tries: number, event: unknown): Promise<void> {
    const diedAt = new Date(this.#deps.clock.nowMs()).toISOString();
    const value: DeadLetter = { code, cause, tries, event, diedAt };
    await this.#deps.events.publish(deadLetterTopic(FRAMES_TOPIC), [{ key, value }]);
  }

  #done(offset: number): void {
    this.#tracker.done(offset);
    this.#pending -= 1;
    if (this.#wake !== null && this.#pending < this.#deps.maxPending) this.#wake();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stop.abort();
    this.#abandon();
  }

  /** Resolves when there is room for more frames in memory: the back-pressure of a slow engine or a full disk. */
  async #room(): Promise<void> {
    while (this.#isFull() && !this.#stop.signal.aborted && !this.#partition.revoked.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }

  #isFull(): boolean {
    return this.#pending >= this.#deps.maxPending;
  }

  /** Finishes what was read, unless the partition is lost. */
  async #settle(): Promise<void> {
    if (this.#partition.revoked.aborted || this.#failure !== null) return;
    await Promise.all([...this.#writers.values()].map((writer) => writer.drain()));
    await this.#commit();
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
    const beforeMs = this.#deps.clock.monotonicMs() - IDLE_WRITER_MS;
    for (const [key, writer] of this.#writers) {
      if (writer.pending > 0 || writer.lastArrivalMs > beforeMs) continue;
      writer.stop();
      this.#writers.delete(key);
    }
  }

  #abandon(): void {
    this.#ended.abort();
    for (const writer of this.#writers.values()) writer.stop();
    this.#wake?.();
  }
}
