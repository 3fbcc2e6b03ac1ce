import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Who makes which live ladder. What each column means stands in sql/ladder-schema.ts. */
export const ladder: Migration = {
  name: '0009-ladder',
  async up(db) {
    await db.schema
      .createTable('ladder')
      .addColumn('stream_id', 'text', (column) => column.notNull().primaryKey())
      .addColumn('wanted', 'smallint', (column) => column.notNull())
      .addColumn('fence', 'bigint', (column) => column.notNull())
      .addColumn('owner', 'text')
      .addColumn('until_ms', 'double precision', (column) => column.notNull())
      .addColumn('report', 'text')
      .execute();
    await db.schema
      .createIndex('ladder_wanted')
      .on('ladder')
      .columns(['until_ms', 'stream_id'])
      .where(sql<boolean>`wanted = 1`)
      .execute();
  },
};
