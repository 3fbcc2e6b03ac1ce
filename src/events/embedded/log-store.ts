import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { partitionOf } from '../partition-of.ts';
import type { EventPosition, LoggedEvent } from '../event-log.ts';

/** A topic as stored. */
export interface Topic {
  readonly id: number;
  readonly name: string;
  readonly partitions: number;
}

/** An event that is ready to be stored. */
export interface EncodedEvent {
  readonly key: string;
  /** JSON. */
  readonly value: string;
}

interface Head {
  nextOffset: number;
  lastPublishedAtMs: number;
}

/** The events' tables: statements prepared once, synchronous. Writing methods belong in a transaction. */
export class LogStore {
  readonly #partitions: number;
  readonly #topics = new Map<string, Topic>();
  /** Heads touched in the running transaction, by topic and partition. */
  readonly #heads = new Map<number, Map<number, Head>>();
  readonly #findTopic: StatementSync;
  readonly #addTopic: StatementSync;
  readonly #allTopics: StatementSync;
  readonly #getHead: StatementSync;
  readonly #setHead: StatementSync;
  readonly #insert: StatementSync;
  readonly #read: StatementSync;
  readonly #first: StatementSync;
  readonly #timeAt: StatementSync;
  readonly #newest: StatementSync;
  readonly #trim: StatementSync;
  readonly #lowestCommitted: StatementSync;
  readonly #committed: StatementSync;

  constructor(database: DatabaseSync, partitions: number) {
    const columns = 'partition, "offset", key, value, published_at_ms';
    this.#partitions = partitions;
    this.#findTopic = database.prepare('select id, name, partitions from topic where name = ?');
    this.#addTopic = database.prepare('insert into topic (name, partitions) values (?, ?) on conflict do nothing');
    this.#allTopics = database.prepare('select id, name, partitions from topic order by id');
    this.#getHead = database.prepare(
      'select next_offset, last_published_at_ms from head where topic_id = ? and partition = ?',
    );
    this.#setHead = database.prepare('insert or replace into head values (?, ?, ?, ?)');
    this.#insert = database.prepare('insert into event values (?, ?, ?, ?, ?, ?)');
    this.#read = database.prepare(
      `select ${columns} from event where topic_id = ? and partition = ? and "offset" > ? order by "offset" limit ?`,
    );
    this.#first = database.prepare(
      'select "offset" from event where topic_id = ? and partition = ? and "offset" >= ? order by "offset" limit 1',
    );
    this.#timeAt = database.prepare(
      'select published_at_ms from event where topic_id = ? and partition = ? and "offset" = ?',
    );
    this.#newest = database.prepare(
      `select ${columns} from event where topic_id = ? and partition = ? order by "offset" desc limit ?`,
    );
    this.#trim = database.prepare('delete from event where topic_id = ? and partition = ? and "offset" < ?');
    this.#lowestCommitted = database.prepare(
      'select min(committed) as committed from ownership where topic_id = ? and partition = ?',
    );
    this.#committed = database.prepare(
      'select committed from ownership where topic_id = ? and grp = ? and partition = ?',
    );
  }

  findTopic(name: string): Topic | null {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const row = this.#findTopic.get(name);
    if (row === undefined) return null;
    const topic = asTopic(row);
    this.#topics.set(name, topic);
    return topic;
  }

  ensureTopic(name: string): Topic {
    const known = this.findTopic(name);
    if (known !== null) return known;
    this.#addTopic.run(name, this.#partitions);
    // Not remembered: the transaction may yet be undone.
    return asTopic(this.#findTopic.get(name) ?? {});
  }

  topics(): readonly Topic[] {
    return this.#allTopics.all().map(asTopic);
  }

  /** Stores events of one call in order. {@link LogStore.endTransaction} must follow before the commit. */
  append(topic: Topic, events: readonly EncodedEvent[], nowMs: number): EventPosition[] {
    return events.map(({ key, value }) => {
      const partition = partitionOf(key, topic.partitions);
      const head = this.#headOf(topic.id, partition);
      const offset = head.nextOffset++;
      head.lastPublishedAtMs = Math.max(head.lastPublishedAtMs, nowMs);
      this.#insert.run(topic.id, partition, offset, key, value, head.lastPublishedAtMs);
      return { partition, offset };
    });
  }

  /** Writes the heads that the transaction moved, once each. */
  endTransaction(): void {
    for (const [topicId, partitions] of this.#heads) {
      for (const [partition, head] of partitions) {
        this.#setHead.run(topicId, partition, head.nextOffset, head.lastPublishedAtMs);
      }
    }
    this.#heads.clear();
  }

  /** Forgets the heads of a transaction that was undone. */
  abandonTransaction(): void {
    this.#heads.clear();
  }

  read(topicId: number, partition: number, afterOffset: number, limit: number): LoggedEvent[] {
    return this.#read.all(topicId, partition, afterOffset, limit).map(asEvent);
  }

  /** The newest events of a partition, newest first. */
  newest(topicId: number, partition: number, limit: number): LoggedEvent[] {
    return this.#newest.all(topicId, partition, limit).map(asEvent);
  }

  publishedAtMs(topicId: number, partition: number, offset: number): number | null {
    const row = this.#timeAt.get(topicId, partition, offset);
    return row === undefined ? null : Number(row['published_at_ms']);
  }

  /** The first offset kept that is not below `from`; the next event's when there is none. */
  firstOffset(topicId: number, partition: number, from = 0): number {
    const row = this.#first.get(topicId, partition, from);
    return row === undefined ? this.nextOffset(topicId, partition) : Number(row['offset']);
  }

  nextOffset(topicId: number, partition: number): number {
    return Number(this.#getHead.get(topicId, partition)?.['next_offset'] ?? 0);
  }

  /** The first offset kept that was published at `atMs` or later, by halving; the next event's when there is none. */
  firstOffsetSince(topicId: number, partition: number, atMs: number): number {
    let low = this.firstOffset(topicId, partition);
    let high = this.nextOffset(topicId, partition);
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.publishedAtMs(topicId, partition, middle) ?? Number.NEGATIVE_INFINITY) < atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Removes at most about `limit` events below `offset` from the start of a partition. Answers whether any are left to remove. */
  trimBelow(topicId: number, partition: number, offset: number, limit: number): boolean {
    const upTo = Math.min(offset, this.firstOffset(topicId, partition) + limit);
    this.#trim.run(topicId, partition, upTo);
    return upTo < offset;
  }

  /** The lowest committed offset of all known groups; null when no group is known. */
  lowestCommitted(topicId: number, partition: number): number | null {
    const value = this.#lowestCommitted.get(topicId, partition)?.['committed'] ?? null;
    return value === null ? null : Number(value);
  }

  committed(topicId: number, group: string, partition: number): number {
    return Number(this.#committed.get(topicId, group, partition)?.['committed'] ?? -1);
  }

  #headOf(topicId: number, partition: number): Head {
    let partitions = this.#heads.get(topicId);
    if (partitions === undefined) this.#heads.set(topicId, (partitions = new Map<number, Head>()));
    let head = partitions.get(partition);
    if (head === undefined) {
      const row = this.#getHead.get(topicId, partition);
      head = {
        nextOffset: Number(row?.['next_offset'] ?? 0),
        lastPublishedAtMs: Number(row?.['last_published_at_ms'] ?? 0),
      };
      partitions.set(partition, head);
    }
    return head;
  }
}

type Row = Readonly<Record<string, unknown>>;

function asTopic(row: Row): Topic {
  return { id: Number(row['id']), name: String(row['name']), partitions: Number(row['partitions']) };
}

function asEvent(row: Row): LoggedEvent {
  return {
    partition: Number(row['partition']),
    offset: Number(row['offset']),
    key: String(row['key']),
    value: JSON.parse(String(row['value'])) as unknown,
    publishedAtMs: Number(row['published_at_ms']),
  };
}
