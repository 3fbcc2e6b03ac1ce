import type { ClientBase } from 'pg';
import { ZoetropeError } from '../../base/errors.ts';
import type { Transactions } from '../../base/transaction-queue.ts';
import type { Connections } from './postgres-dialect.ts';
import { isLost, toStoreError } from './postgres-errors.ts';

/** Where connections come from, and where they go when they are of no more use. */
export interface ConnectionSource {
  connect(): Promise<ClientBase & { release(broken: boolean): void }>;
}

/**
 * One writing transaction at a time of this process, on a connection of the pool. Those of other processes wait for each other at the change feed's row, so
 * that of the whole catalog one is written at a time, as with SQLite: what the shared queries rely on.
 */
export class PostgresTransactions implements Transactions {
  /** For the queries of the transaction that is open: its connection stays its own. */
  readonly connections: Connections = { acquire: () => this.#open(), release: () => undefined };
  readonly #source: ConnectionSource;
  #client: Awaited<ReturnType<ConnectionSource['connect']>> | null = null;
  #isOpen = false;

  constructor(source: ConnectionSource) {
    this.#source = source;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  async begin(): Promise<void> {
    try {
      this.#client = await this.#source.connect();
    } catch (error) {
      throw toStoreError(error, 'reach the catalog');
    }
    this.#isOpen = true;
    await this.#run('begin');
  }

  async commit(): Promise<void> {
    await this.#run('commit');
    this.#end(false);
  }

  async rollBack(): Promise<void> {
    if (this.#client === null) return;
    const wasOpen = this.#isOpen;
    try {
      if (wasOpen) await this.#run('rollback');
      this.#end(!wasOpen);
    } catch {
      // The connection is gone, and the database rolls back by itself; the failure that led here is what is told.
      this.#end(true);
    }
  }

  savepoint(): Promise<void> {
    return this.#run('savepoint one_call');
  }

  release(): Promise<void> {
    return this.#run('release one_call');
  }

  undo(): Promise<void> {
    return this.#run('rollback to one_call; release one_call');
  }

  toError(error: unknown, action: string): unknown {
    return toStoreError(error, action);
  }

  async #open(): Promise<ClientBase> {
    if (this.#client !== null) return this.#client;
    throw new ZoetropeError('internal', 'A query was sent to the catalog outside of a transaction.');
  }

  #end(broken: boolean): void {
    this.#isOpen = false;
    this.#client?.release(broken);
    this.#client = null;
  }

  async #run(sql: string): Promise<void> {
    try {
      await (await this.#open()).query(sql);
    } catch (error) {
      if (isLost(error)) this.#isOpen = false;
      throw toStoreError(error, 'write to the catalog');
    }
  }
}
