import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock, Timer } from '../../base/clock.ts';
import { messageOf, ZoetropeError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { openDatabase, toStoreError } from '../../base/sqlite/database.ts';
import { sqliteTransactions } from '../../base/sqlite/sqlite-transactions.ts';
import { TransactionQueue } from '../../base/transaction-queue.ts';
import type { Consumer, ConsumeOptions, EventLog, EventPosition, LoggedEvent, NewEvent } from '../event-log.ts';
import { GroupConsumer } from './group-consumer.ts';
import { GroupStore } from './group-store.ts';
import { migrateLog } from './log-schema.ts';
import { type EncodedEvent, LogStore, type Topic } from './log-store.ts';
import type { PartitionSource } from './partition-reader.ts';

/** Where the log lives and how long it keeps events. */
export interface EmbeddedLogOptions {
  /** Its own database file, made when it is missing; any number of processes may open it. */
  readonly path: string;
  /** Partitions of topics that are made from now on; a topic keeps the number it was made with. */
  readonly partitions: number;
  /** How long events are kept, for all topics or for each. Milliseconds. */
  readonly retentionMs: number | ((topic: string) => number);
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How soon a consumer learns what another process published. */
const POLL_MS = 100;
const TRIM_MS = 60_000;
/** Events removed in one transaction: a few milliseconds. */
const TRIM_BATCH = 5_000;

/** An {@link EventLog} in one SQLite file, for one machine. Calls of one moment share a transaction and its fsync. */
export function createEmbeddedLog(options: EmbeddedLogOptions): EventLog {
  return new EmbeddedLog(options);
}

interface Opened {
  readonly database: DatabaseSync;
  readonly store: LogStore;
  readonly groups: GroupStore;
  readonly writer: TransactionQueue;
  /** Changes when another connection has committed (https://sqlite.org/pragma.html#pragma_data_version). */
  readonly dataVersion: StatementSync;
}

class EmbeddedLog implements EventLog {
  readonly name = 'events (embedded)';
  readonly #options: EmbeddedLogOptions;
  readonly #consumers = new Set<GroupConsumer>();
  /** Who waits for more in a partition, by topic id and partition. */
  readonly #waiting = new Map<string, Set<() => void>>();
  #opened: Opened | undefined;
  #lastDataVersion: unknown;
  #pollTimer: Timer | undefined;
  #trimTimer: Timer | undefined;
  #trimming: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: EmbeddedLogOptions) {
    this.#options = options;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { path, partitions, clock } = this.#options;
    const database = await openDatabase(path, clock, signal);
    try {
      const setup = new TransactionQueue(sqliteTransactions(database, clock));
      await setup.run(() => migrateLog(database));
      const store = new LogStore(database, partitions);
      const writer = new TransactionQueue(sqliteTransactions(database, clock), {
        ending: () => store.endTransaction(),
        failed: () => store.abandonTransaction(),
      });
      const dataVersion = database.prepare('pragma data_version');
      this.#opened = { database, store, groups: new GroupStore(database), writer, dataVersion };
      this.#scheduleTrim();
    } catch (error) {
      database.close();
      throw toStoreError(error, `open the event log ${path}`);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async publish(topic: string, events: readonly NewEvent[]): Promise<readonly EventPosition[]> {
    const { store, writer } = this.#open();
    checkName('topic', topic);
    if (events.length === 0) return [];
    const encoded = events.map(encode);
    const published = await writer.run(() => {
      const stored = store.ensureTopic(topic);
      const nowMs = Math.round(this.#options.clock.nowMs());
      return { topicId: stored.id, positions: store.append(stored, encoded, nowMs) };
    });
    for (const { partition } of published.positions) this.#wake(waitKey(published.topicId, partition));
    return published.positions;
  }

  async consume(options: ConsumeOptions): Promise<Consumer> {
    const { groups, writer, store } = this.#open();
    checkName('topic', options.topic);
    checkName('group', options.group);
    const topic = await writer.run(() => store.ensureTopic(options.topic));
    const key = { topicId: topic.id, group: options.group };
    const consumer = new GroupConsumer(
      {
        groups,
        writer,
        key,
        clock: this.#options.clock,
        source: this.#sourceOf(topic, options.group),
        partitions: topic.partitions,
        onMoved: () => this.#lookAll(),
      },
      options,
    );
    await consumer.join();
    this.#consumers.add(consumer);
    this.#lookAll();
    this.#pollTimer ??= this.#options.clock.schedule(POLL_MS, () => this.#poll());
    return {
      close: async () => {
        this.#consumers.delete(consumer);
        await consumer.close();
      },
    };
  }

  async lag(topicName: string, group: string): Promise<number> {
    const { store } = this.#open();
    const topic = store.findTopic(topicName);
    if (topic === null) return 0;
    let lag = 0;
    for (let partition = 0; partition < topic.partitions; partition++) {
      const from = store.firstOffset(topic.id, partition, store.committed(topic.id, group, partition) + 1);
      lag += Math.max(0, store.nextOffset(topic.id, partition) - from);
    }
    return lag;
  }

  /**
   * In order of time, then partition, then offset. Without `after` the newest `limit` events; with it the next `limit` behind it, also when
   * that event itself was trimmed.
   */
  async peek(
    topicName: string,
    { after, limit }: { readonly after?: EventPosition; readonly limit: number },
  ): Promise<readonly LoggedEvent[]> {
    const { store } = this.#open();
    const topic = store.findTopic(topicName);
    if (topic === null || limit < 1) return [];
    const partitions = Array.from({ length: topic.partitions }, (_, partition) => partition);
    if (after === undefined) {
      const newest = partitions.flatMap((partition) => store.newest(topic.id, partition, limit));
      return newest.sort(byTime).slice(-limit);
    }
    const first = store.firstOffset(topic.id, after.partition, after.offset);
    const atMs = store.publishedAtMs(topic.id, after.partition, first) ?? Number.POSITIVE_INFINITY;
    const next = partitions.flatMap((partition) => {
      if (partition === after.partition) return store.read(topic.id, partition, after.offset, limit);
      const sinceMs = partition < after.partition ? atMs + 1 : atMs;
      return store.read(topic.id, partition, store.firstOffsetSince(topic.id, partition, sinceMs) - 1, limit);
    });
    return next.sort(byTime).slice(0, limit);
  }

  async #close(): Promise<void> {
    this.#pollTimer?.cancel();
    this.#trimTimer?.cancel();
    const consumers = [...this.#consumers];
    this.#consumers.clear();
    await Promise.all(consumers.map((consumer) => consumer.close()));
    const opened = this.#opened;
    await opened?.writer.close();
    await this.#trimming;
    this.#opened = undefined;
    opened?.database.close();
  }

  #open(): Opened {
    if (this.#opened !== undefined && this.#closing === undefined) return this.#opened;
    throw new ZoetropeError(
      'unavailable',
      'The event log is not open. Start it first, and use it before it is closed.',
    );
  }

  #sourceOf(topic: Topic, group: string): PartitionSource {
    const { store, groups, writer } = this.#open();
    const key = { topicId: topic.id, group };
    return {
      topic: topic.name,
      readAfter: (partition, offset, limit) => store.read(topic.id, partition, offset, limit),
      committed: (partition) => store.committed(topic.id, group, partition),
      onceMore: (partition, wake) => this.#wait(waitKey(topic.id, partition), wake),
      commit: (owned, offset) => writer.run(() => groups.commit(key, owned, offset)),
    };
  }

  #wait(key: string, wake: () => void): () => void {
    let waiting = this.#waiting.get(key);
    if (waiting === undefined) this.#waiting.set(key, (waiting = new Set()));
    waiting.add(wake);
    return () => void waiting.delete(wake);
  }

  #wake(key: string): void {
    for (const wake of this.#waiting.get(key) ?? []) wake();
  }

  #lookAll(): void {
    for (const consumer of this.#consumers) consumer.look();
  }

  #poll(): void {
    const opened = this.#opened;
    if (opened === undefined || this.#closing !== undefined) return;
    this.#pollTimer = this.#options.clock.schedule(POLL_MS, () => this.#poll());
    try {
      const version = opened.dataVersion.get()?.['data_version'];
      if (version === this.#lastDataVersion) return;
      this.#lastDataVersion = version;
    } catch (error) {
      // A disk that cannot be read must not end the process from a timer: whoever asks for something is told.
      this.#options.logger.warn({ error: messageOf(error) }, 'the event log could not be looked at; it is tried again');
      return;
    }
    for (const key of this.#waiting.keys()) this.#wake(key);
    this.#lookAll();
  }

  #scheduleTrim(): void {
    this.#trimTimer = this.#options.clock.schedule(TRIM_MS, () => {
      this.#trimming = this.#trim()
        .catch((error: unknown) => {
          this.#options.logger.warn({ error: messageOf(error) }, 'trimming the event log failed; it is tried again');
        })
        .then(() => {
          if (this.#closing === undefined) this.#scheduleTrim();
        });
    });
  }

  /** Removes events past their retention that every known group has done, a batch at a time. */
  async #trim(): Promise<void> {
    const { store, writer } = this.#open();
    const { retentionMs, clock } = this.#options;
    for (const topic of store.topics()) {
      const keepMs = typeof retentionMs === 'number' ? retentionMs : retentionMs(topic.name);
      for (let partition = 0; partition < topic.partitions; partition++) {
        const aged = store.firstOffsetSince(topic.id, partition, clock.nowMs() - keepMs);
        const committed = store.lowestCommitted(topic.id, partition);
        const below = committed === null ? aged : Math.min(aged, committed + 1);
        if (below <= store.firstOffset(topic.id, partition)) continue;
        while (this.#closing === undefined) {
          if (!(await writer.run(() => store.trimBelow(topic.id, partition, below, TRIM_BATCH)))) break;
        }
      }
    }
  }
}

function waitKey(topicId: number, partition: number): string {
  return `${topicId}/${partition}`;
}

function encode({ key, value }: NewEvent): EncodedEvent {
  const json = JSON.stringify(value) as string | undefined;
  if (json !== undefined) return { key, value: json };
  throw new ZoetropeError(
    'invalid_argument',
    `The value of an event is JSON. Got ${typeof value} under the key ${key}.`,
  );
}

function checkName(what: string, name: string): void {
  if (/^[A-Za-z0-9._-]{1,249}$/.test(name)) return;
  throw new ZoetropeError(
    'invalid_argument',
    `A ${what}'s name is 1–249 characters of A–Z, a–z, 0–9, ".", "_" and "-". Got ${JSON.stringify(name.slice(0, 300))}.`,
  );
}

function byTime(a: LoggedEvent, b: LoggedEvent): number {
  return a.publishedAtMs - b.publishedAtMs || a.partition - b.partition || a.offset - b.offset;
}
