import type { DatabaseSync } from 'node:sqlite';
import { Kysely, type SelectQueryBuilder } from 'kysely';
import type { Clock, Timer } from '../../base/clock.ts';
import { messageOf, ZoetropeError } from '../../base/errors.ts';
import type { IdSource } from '../../base/ids.ts';
import type { Logger } from '../../base/logger.ts';
import { isUniqueViolation, openDatabase, toStoreError } from '../../base/sqlite/database.ts';
import { sqliteTransactions } from '../../base/sqlite/sqlite-transactions.ts';
import { TransactionQueue } from '../../base/transaction-queue.ts';
import type { Component } from '../../base/component.ts';
import type { Catalog, CatalogChange } from '../catalog.ts';
import { migrate } from '../migrations/migrate.ts';
import type { SqlBackend, WriteScope } from '../sql/backend.ts';
import { catalogOver } from '../sql/catalog-over.ts';
import { ChangeFeed, ChangeSet } from '../sql/change-feed.ts';
import type { CatalogDb, CatalogSchema } from '../sql/schema.ts';

import { nodeSqliteDialect } from './sqlite-dialect.ts';

/** Where the catalog lives. */
export interface SqliteCatalogOptions {
  /** The database file, made when it is missing; any number of processes on this machine may open it. */
  readonly path: string;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
}

/** How soon a change by another process is told. */
const POLL_MS = 250;

/** A {@link Catalog} in one SQLite file: writes of one moment share a transaction and its fsync; reading goes on beside them. */
export function createSqliteCatalog(options: SqliteCatalogOptions): Catalog {
  return catalogOver(new SqliteBackend(options));
}

interface Opened {
  readonly writing: DatabaseSync;
  readonly reading: DatabaseSync;
  readonly writer: CatalogDb;
  readonly reader: CatalogDb;
  readonly queue: TransactionQueue;
}

/** Connections, locking and the change feed: what is SQLite's own about the catalog. */
class SqliteBackend implements SqlBackend, Component {
  readonly name = 'catalog (sqlite)';
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly #path: string;
  readonly #logger: Logger;
  readonly #feed: ChangeFeed;
  #opened: Opened | undefined;
  #closing: Promise<void> | undefined;
  #pollTimer: Timer | undefined;
  #polling: Promise<void> | undefined;

  constructor({ path, clock, ids, logger }: SqliteCatalogOptions) {
    this.clock = clock;
    this.ids = ids;
    this.#path = path;
    this.#logger = logger;
    this.#feed = new ChangeFeed(logger, { locksRow: false });
  }

  async start(signal: AbortSignal): Promise<void> {
    const writing = await openDatabase(this.#path, this.clock, signal);
    let reading: DatabaseSync | undefined;
    try {
      const writer = new Kysely<CatalogSchema>({ dialect: nodeSqliteDialect(writing) });
      // `begin immediate` keeps processes that start together from migrating twice.
      const setup = new TransactionQueue(sqliteTransactions(writing, this.clock));
      await setup.run(() => migrate(writer, { bytes: 'blob' }, this.clock.nowMs()));
      reading = await openDatabase(this.#path, this.clock, signal);
      reading.exec('pragma query_only = on');
      const reader = new Kysely<CatalogSchema>({ dialect: nodeSqliteDialect(reading) });
      await this.#feed.start(writer);
      const queue = new TransactionQueue(sqliteTransactions(writing, this.clock), {
        begun: () => this.#feed.begin(writer),
        ending: () => this.#feed.end(writer, this.clock.nowMs()),
        committed: () => this.#feed.committed(),
        failed: () => this.#feed.failed(),
      });
      this.#opened = { writing, reading, writer, reader, queue };
      this.#watch(dataVersionOf(writing));
    } catch (error) {
      reading?.close();
      writing.close();
      throw toStoreError(error, `open the catalog ${this.#path}`);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  onChange(listener: (change: CatalogChange) => void): () => void {
    return this.#feed.onChange(listener);
  }

  reader(): CatalogDb {
    return this.#open().reader;
  }

  async snapshot<T>(work: (db: CatalogDb) => Promise<T>): Promise<T> {
    try {
      return await this.#open().reader.transaction().execute(work);
    } catch (error) {
      throw toStoreError(error, 'read the catalog');
    }
  }

  async write<T>(work: (scope: WriteScope) => Promise<T>): Promise<T> {
    const { queue, writer } = this.#open();
    return queue.run(async () => {
      const changes = new ChangeSet();
      const value = await work({
        db: writer,
        changed: (streamId, appended) => {
          changes.changed(streamId, appended);
          return this.#feed.next();
        },
        removed: (streamId) => changes.removed(streamId),
      });
      this.#feed.absorb(changes);
      return value;
    });
  }

  claiming<T extends keyof CatalogSchema, R>(
    query: SelectQueryBuilder<CatalogSchema, T, R>,
  ): SelectQueryBuilder<CatalogSchema, T, R> {
    return query; // `begin immediate`: nobody else writes.
  }

  isUniqueViolation(error: unknown): boolean {
    return isUniqueViolation(error);
  }

  #open(): Opened {
    if (this.#opened !== undefined && this.#closing === undefined) return this.#opened;
    throw new ZoetropeError('unavailable', 'The catalog is not open. Start it first, and use it before it is closed.');
  }

  async #close(): Promise<void> {
    this.#pollTimer?.cancel();
    await this.#opened?.queue.close();
    await this.#polling;
    const opened = this.#opened;
    this.#opened = undefined;
    opened?.reading.close();
    opened?.writing.close();
  }

  /** Looks for commits of other connections (https://sqlite.org/pragma.html#pragma_data_version); our reader never commits any. */
  #watch(dataVersion: () => unknown): void {
    let last = dataVersion();
    const look = (): void => {
      if (this.#closing !== undefined) return;
      this.#pollTimer = this.clock.schedule(POLL_MS, look);
      if (this.#polling !== undefined) return;
      let version: unknown;
      try {
        version = dataVersion();
      } catch (error) {
        // A disk that cannot be read must not end the process from a timer: whoever asks for something is told.
        this.#logger.warn({ error: messageOf(error) }, 'the catalog could not be looked at; it is tried again');
        return;
      }
      if (version === last) return;
      last = version;
      // An empty transaction of ours finds out what they changed, in step with our own writes.
      this.#polling = this.#open()
        .queue.run(() => undefined)
        .catch((error: unknown) => {
          last = undefined;
          this.#logger.warn(
            { error: messageOf(error) },
            'looking for changes by other processes failed; it is tried again',
          );
        })
        .finally(() => {
          this.#polling = undefined;
        });
    };
    this.#pollTimer = this.clock.schedule(POLL_MS, look);
  }
}

function dataVersionOf(database: DatabaseSync): () => unknown {
  const statement = database.prepare('pragma data_version');
  return () => statement.get()?.['data_version'];
}
