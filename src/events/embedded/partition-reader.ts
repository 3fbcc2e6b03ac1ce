import { ZoetropeError } from '../../base/errors.ts';
import type { LoggedEvent, OwnedPartition } from '../event-log.ts';
import type { Ownership } from './group-store.ts';

/** What an owned partition needs of the log. */
export interface PartitionSource {
  readonly topic: string;
  /** Events behind an offset, at once; empty when there are none yet. */
  readAfter(partition: number, offset: number, limit: number): readonly LoggedEvent[];
  /** The group's committed offset; -1 when there is none. */
  committed(partition: number): number;
  /** Calls back once when the partition may have more. Answers how to stop waiting. */
  onceMore(partition: number, wake: () => void): () => void;
  /** Resolves when durable; false when the ownership has ended. */
  commit(owned: Ownership, offset: number): Promise<boolean>;
}

/** A partition while one consumer owns it. */
export class PartitionReader implements OwnedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly fence: number;
  readonly revoked: AbortSignal;
  readonly #source: PartitionSource;
  readonly #ownership: Ownership;
  readonly #revocation = new AbortController();

  constructor(source: PartitionSource, ownership: Ownership) {
    this.topic = source.topic;
    this.partition = ownership.partition;
    this.fence = ownership.fence;
    this.revoked = this.#revocation.signal;
    this.#source = source;
    this.#ownership = ownership;
  }

  async *read({ maxEvents }: { readonly maxEvents: number }): AsyncIterable<readonly LoggedEvent[]> {
    if (!Number.isSafeInteger(maxEvents) || maxEvents < 1) {
      throw new ZoetropeError('invalid_argument', `maxEvents must be a whole number of at least 1. Got ${maxEvents}.`);
    }
    let position = this.#source.committed(this.partition);
    while (!this.revoked.aborted) {
      const events = this.#source.readAfter(this.partition, position, maxEvents);
      const last = events.at(-1);
      if (last === undefined) {
        // Nothing happens between the empty read and the waiting, so no wake-up is missed.
        await this.#more();
      } else {
        position = last.offset;
        yield events;
      }
    }
  }

  async commit(offset: number): Promise<void> {
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new ZoetropeError('invalid_argument', `An offset is a whole number of at least 0. Got ${offset}.`);
    }
    if (!this.revoked.aborted && (await this.#source.commit(this.#ownership, offset))) return;
    this.revoke();
    throw new ZoetropeError(
      'fenced',
      `Partition ${this.partition} of ${this.topic} was taken from this consumer (fence ${this.fence}); offset ${offset} was not committed. The next owner reads it again.`,
    );
  }

  /** Ends the ownership as seen from here. */
  revoke(): void {
    this.#revocation.abort(
      new ZoetropeError('fenced', `Partition ${this.partition} of ${this.topic} was revoked (fence ${this.fence}).`),
    );
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        stop();
        this.revoked.removeEventListener('abort', done);
        resolve();
      };
      const stop = this.#source.onceMore(this.partition, done);
      this.revoked.addEventListener('abort', done, { once: true });
    });
  }
}
