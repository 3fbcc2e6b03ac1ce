import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Holds that people start and stop, and what is in them. What each column means stands in sql/schema.ts. */
export const recordings: Migration = {
  name: '0004-recordings',
  async up(db) {
    const add = (name: string, type: 'text' | 'bigint' | 'double precision', fallback?: string | number) =>
      db.schema
        .alterTable('hold')
        .addColumn(name, type, (column) => (fallback === undefined ? column : column.notNull().defaultTo(fallback)))
        .execute();
    await add('metadata', 'text', '{}');
    await add('stopped_at_ms', 'double precision');
    await add('segment_count', 'bigint', 0);
    await add('size_bytes', 'bigint', 0);
    await add('covered_ms', 'double precision', 0);
    await add('gap_count', 'bigint', 0);
    await add('measured_to_ms', 'double precision');
    // Lists of one kind: a server has thousands of archives, and recordings are few.
    await db.schema
      .createIndex('hold_of_kind_by_making')
      .on('hold')
      .columns(['kind', 'created_at_ms', 'id'])
      .where(sql<boolean>`released_at_ms is null`)
      .execute();
    await db.schema
      .createIndex('hold_of_stream_by_making')
      .on('hold')
      .columns(['stream_id', 'kind', 'created_at_ms', 'id'])
      .where(sql<boolean>`released_at_ms is null`)
      .execute();
    // What each new segment must be counted in: by its end, for those that have ended before are many.
    await db.schema
      .createIndex('hold_measured')
      .on('hold')
      .column('stream_id')
      .expression(sql`coalesce(to_ms, 8640000000000000)`)
      .where(sql<boolean>`measured_to_ms is not null`)
      .execute();
    await db.schema
      .createIndex('hold_running')
      .on('hold')
      .columns(['to_ms', 'id'])
      .where(sql<boolean>`kind = 'recording' and stopped_at_ms is null and to_ms is not null`)
      .execute();
  },
};
