import type { Component } from '../base/component.ts';

/**
 * A durable, partitioned log of events (Kafka's shape). The contract, whatever the broker below it:
 *
 * - `publish` resolves when every event in the call is durable, with where each went. Events of one key go to one partition, in order of publishing.
 * - A consumer of a group is handed *owned* partitions. One partition has one owner in a group at a time; each ownership has a `fence`
 *   that is higher than that of any earlier one. Reading starts behind the group's committed offset, else at the oldest event kept.
 * - Order holds within a partition. Delivery is at least once: what was read and not committed is read again by the next owner.
 * - `commit(offset)` says that everything *below and including* `offset` is done; it never moves back; by an owner that was revoked it throws `fenced`.
 * - Revocation aborts `partition.revoked`. `onAssigned` should end soon after; what it leaves uncommitted is the next owner's.
 * - Events older than the topic's retention go, except those above the lowest committed offset of a known group.
 * - A full disk throws `storage_full`, an unreachable broker `unavailable`; nothing of a failed call is visible to a consumer.
 */
export interface EventLog extends Component {
  publish(topic: string, events: readonly NewEvent[]): Promise<readonly EventPosition[]>;
  /** Joins the group. `onAssigned` is called once for each partition as it becomes owned and runs as long as it is. */
  consume(options: ConsumeOptions): Promise<Consumer>;
  /** Events that the group has not committed, over all partitions. */
  lag(topic: string, group: string): Promise<number>;
  /** Events as kept, newest last, for people and tools. */
  peek(
    topic: string,
    options: { readonly after?: EventPosition; readonly limit: number },
  ): Promise<readonly LoggedEvent[]>;
}

/** An event to be published. */
export interface NewEvent {
  readonly key: string;
  /** Any JSON value. */
  readonly value: unknown;
}

/** Where an event lies. Offsets rise within a partition; they may have holes. */
export interface EventPosition {
  readonly partition: number;
  readonly offset: number;
}

/** An event as read. */
export interface LoggedEvent extends EventPosition {
  readonly key: string;
  readonly value: unknown;
  /** When it was published, by the log's clock; milliseconds since the Unix epoch. */
  readonly publishedAtMs: number;
}

/** What to consume, as whom. */
export interface ConsumeOptions {
  readonly topic: string;
  readonly group: string;
  readonly onAssigned: (partition: OwnedPartition) => Promise<void>;
  /** Told when `onAssigned` fails or the log cannot be read; the partition is given up and handed out again after a back-off. */
  readonly onError: (error: unknown) => void;
}

/** A membership in a group. */
export interface Consumer {
  /** Gives all partitions up (their `revoked` aborts), waits for `onAssigned` to end, leaves the group. Idempotent. */
  close(): Promise<void>;
}

/** A partition while it is owned. */
export interface OwnedPartition {
  readonly topic: string;
  readonly partition: number;
  /** Higher than any earlier ownership's of this partition in this group. */
  readonly fence: number;
  readonly revoked: AbortSignal;
  /** Batches of events in order, waiting for more; ends when revoked. Pulling the next batch asks for no commit of the last. */
  read(options: { readonly maxEvents: number }): AsyncIterable<readonly LoggedEvent[]>;
  /** @throws fenced after revocation. */
  commit(offset: number): Promise<void>;
}

/** The topic that takes what `topic`'s consumers had to give up. Values are {@link DeadLetter}s. */
export function deadLetterTopic(topic: string): string {
  return `${topic}.dead`;
}

/** Why an event was given up, with the event. */
export interface DeadLetter {
  readonly code: string;
  readonly cause: string;
  readonly tries: number;
  readonly event: unknown;
  readonly diedAt: string;
}
