import {
  HandleEmptyInListsPlugin,
  Kysely,
  replaceWithNoncontingentExpression,
  type Dialect,
  type SelectQueryBuilder,
} from 'kysely';
import { Pool } from 'pg';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Component } from '../../base/component.ts';
import { isZoetropeError, messageOf, ZoetropeError } from '../../base/errors.ts';
import type { IdSource } from '../../base/ids.ts';
import type { Logger } from '../../base/logger.ts';
import { TransactionQueue } from '../../base/transaction-queue.ts';
import type { Catalog, CatalogChange } from '../catalog.ts';
import { migrate } from '../migrations/migrate.ts';
import type { SqlBackend, WriteScope } from '../sql/backend.ts';
import { catalogOver } from '../sql/catalog-over.ts';
import { ChangeFeed, ChangeSet } from '../sql/change-feed.ts';
import type { CatalogDb, CatalogSchema } from '../sql/schema.ts';
import { CHANGE_CHANNEL, ChangeListener } from './change-listener.ts';
import { connectionConfig } from './connection-config.ts';
import { postgresDialect } from './postgres-dialect.ts';
import { isUniqueViolation, toStoreError } from './postgres-errors.ts';
import { PostgresTransactions } from './postgres-transactions.ts';

/** Where the catalog lives. */
export interface PostgresCatalogOptions {
  /** `postgres://user@host:port/database?sslmode=verify-full`. With the password, if there is one. */
  readonly url: string;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
}

/** Connections of this process: one writes, one listens, the others read. */
const MAX_CONNECTIONS = 10;
/** How often the feed is looked at beside what the database tells, which a lost connection does not tell. */
const LOOK_EVERY_MS = 1000;
/** How often a start tries to reach a database that is not there yet. */
const START_RETRY_MS = 500;
/** Tells our processes' migrations from each other's other locks: any number that nobody else takes. */
const MIGRATION_LOCK = 7_306_145_203;

/** A {@link Catalog} in a PostgreSQL database, for any number of processes on any number of machines. @throws invalid_configuration */
export function createPostgresCatalog(options: PostgresCatalogOptions): Catalog {
  // A URL that is none is told when it is given, not when it is used.
  connectionConfig(options.url);
  return catalogOver(new PostgresBackend(options));
}

interface Opened {
  readonly pool: Pool;
  readonly writer: CatalogDb;
  readonly reader: CatalogDb;
  readonly queue: TransactionQueue;
  readonly listener: ChangeListener;
}

/** Connections, locking and the change feed: what is PostgreSQL's own about the catalog. */
class PostgresBackend implements SqlBackend, Component {
  readonly name = 'catalog (postgres)';
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly #url: string;
  readonly #logger: Logger;
  readonly #feed: ChangeFeed;
  #opened: Opened | undefined;
  #closing: Promise<void> | undefined;
  #lookTimer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #isToldAgain = false;

  constructor({ url, clock, ids, logger }: PostgresCatalogOptions) {
    this.clock = clock;
    this.ids = ids;
    this.#url = url;
    this.#logger = logger;
    this.#feed = new ChangeFeed(logger, { locksRow: true });
  }

  async start(signal: AbortSignal): Promise<void> {
    const pool = new Pool({ ...connectionConfig(this.#url), max: MAX_CONNECTIONS });
    // Connections that are lost while nobody uses them; whoever uses one is told by its query.
    pool.on('error', (error) => this.#logger.warn({ error: messageOf(error) }, 'a connection to the catalog was lost'));
    pool.on('connect', (client) => client.on('error', () => undefined));
    try {
      const transactions = new PostgresTransactions({ connect: () => pool.connect() });
      const writer = kyselyOver(postgresDialect(transactions.connections));
      const reader = kyselyOver(
        postgresDialect({ acquire: () => pool.connect(), release: (client) => releaseTo(client) }),
      );
      const setup = new TransactionQueue(transactions, { begun: () => lockForMigration(transactions) });
      await this.#whenReachable(() => setup.run(() => migrate(writer, { bytes: 'bytea' }, this.clock.nowMs())), signal);
      await this.#feed.start(reader);
      const queue = new TransactionQueue(transactions, {
        begun: () => this.#feed.begin(writer),
        ending: () => this.#endTransaction(writer, transactions),
        committed: () => this.#feed.committed(),
        failed: () => this.#feed.failed(),
      });
      const listener = new ChangeListener({
        url: this.#url,
        clock: this.clock,
        logger: this.#logger,
        onChange: () => this.#look(),
      });
      this.#opened = { pool, writer, reader, queue, listener };
      await listener.start();
      this.#schedule();
    } catch (error) {
      this.#opened = undefined;
      await pool.end();
      throw toStoreError(error, 'open the catalog');
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
      return await this.#open().reader.transaction().setIsolationLevel('repeatable read').execute(work);
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
    return query; // One transaction writes at a time.
  }

  isUniqueViolation(error: unknown): boolean {
    return isUniqueViolation(error);
  }

  #open(): Opened {
    if (this.#opened !== undefined && this.#closing === undefined) return this.#opened;
    throw new ZoetropeError('unavailable', 'The catalog is not open. Start it first, and use it before it is closed.');
  }

  async #close(): Promise<void> {
    this.#lookTimer?.cancel();
    const opened = this.#opened;
    await opened?.listener.close();
    await opened?.queue.close();
    await this.#looking;
    this.#opened = undefined;
    await opened?.pool.end();
  }

  async #endTransaction(writer: CatalogDb, transactions: PostgresTransactions): Promise<void> {
    if (!(await this.#feed.end(writer, this.clock.nowMs()))) return;
    const client = await transactions.connections.acquire();
    await client.query(`notify ${CHANGE_CHANNEL}`);
  }

  async #whenReachable(action: () => Promise<void>, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await action();
        return;
      } catch (error) {
        if (!isZoetropeError(error, 'unavailable') || signal.aborted) throw error;
        this.#logger.warn({ error: messageOf(error) }, 'the catalog cannot be reached yet; it is tried again');
      }
      await this.clock.wait(START_RETRY_MS, signal);
    }
  }

  #schedule(): void {
    this.#lookTimer = this.clock.schedule(LOOK_EVERY_MS, () => {
      this.#schedule();
      this.#look();
    });
  }

  /** Finds out what other processes changed, in step with our own writes. */
  #look(): void {
    if (this.#closing !== undefined) return;
    this.#isToldAgain = true;
    this.#looking ??= this.#lookOn()
      .catch((error: unknown) => {
        const text = 'looking for changes by other processes failed; it is tried again';
        this.#logger.warn({ error: messageOf(error) }, text);
      })
      .finally(() => {
        this.#looking = undefined;
      });
  }

  async #lookOn(): Promise<void> {
    while (this.#isToldAgain && this.#closing === undefined) {
      this.#isToldAgain = false;
      const { queue, reader } = this.#open();
      if (await this.#feed.isBehind(reader)) await queue.run(() => undefined);
    }
  }
}

/** SQLite takes an empty list, PostgreSQL does not. */
function kyselyOver(dialect: Dialect): CatalogDb {
  const strategy = replaceWithNoncontingentExpression;
  return new Kysely<CatalogSchema>({ dialect, plugins: [new HandleEmptyInListsPlugin({ strategy })] });
}

async function lockForMigration({ connections }: PostgresTransactions): Promise<void> {
  const client = await connections.acquire();
  await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
}

function releaseTo(client: unknown): void {
  (client as { release(): void }).release();
}
