import type { SelectQueryBuilder } from 'kysely';
import type { Clock } from '../../base/clock.ts';
import type { IdSource } from '../../base/ids.ts';
import type { AppendedSegment } from '../catalog.ts';
import type { CatalogDb, CatalogSchema } from './schema.ts';

/** What the shared queries need of a database. */
export interface SqlBackend {
  readonly clock: Clock;
  readonly ids: IdSource;
  /** For reading with one query. */
  reader(): CatalogDb;
  /** Several queries that see one state. */
  snapshot<T>(work: (db: CatalogDb) => Promise<T>): Promise<T>;
  /** One call's writes: all or nothing, durable when it resolves. The work waits for nothing but its queries. */
  write<T>(work: (scope: WriteScope) => Promise<T>): Promise<T>;
  /**
   * Makes a query within {@link SqlBackend.write} lock the rows of `table` that it finds, and pass over those that another transaction has locked, so
   * that claims of several processes at once neither wait for nor repeat each other. Nothing to do where one transaction writes at a time.
   */
  claiming<T extends keyof CatalogSchema, R>(
    query: SelectQueryBuilder<CatalogSchema, T, R>,
    table: T,
  ): SelectQueryBuilder<CatalogSchema, T, R>;
  /** Whether an insert met a row with the same unique key. */
  isUniqueViolation(error: unknown): boolean;
}

/** A call's part of a transaction. */
export interface WriteScope {
  readonly db: CatalogDb;
  /** Says that what a stream shows has changed. Answers the feed's revision of this change. */
  changed(streamId: string, appended?: AppendedSegment): number;
  /** Says that a stream is no more. */
  removed(streamId: string): void;
}
