import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Assets take turns however few tasks run at once, and tasks whose results were taken in are known. What each column means stands in sql/asset-schema.ts. */
export const turns: Migration = {
  name: '0003-turns',
  async up(db) {
    await db.schema
      .alterTable('asset')
      .addColumn('served_at_revision', 'bigint', (column) => column.notNull().defaultTo(0))
      .execute();
    await db.schema
      .alterTable('task')
      .addColumn('taken_in', 'smallint', (column) => column.notNull().defaultTo(0))
      .execute();
    await db.schema.dropIndex('asset_in_turn').execute();
    // The order of claims within a priority. Unique, and of columns that are never null, so that SQLite knows that walking it is the whole order.
    await db.schema
      .createIndex('asset_in_turn')
      .unique()
      .on('asset')
      .columns(['priority', 'running_tasks', 'served_at_revision', 'created_at_ms', 'id'])
      .where(sql<boolean>`waiting_tasks > 0`)
      .execute();
    // What deciding about an asset reads: a job of many hours has thousands of tasks, most of them long taken in.
    await db.schema
      .createIndex('task_to_settle')
      .on('task')
      .columns(['asset_id', 'round', 'rank', 'ordinal', 'id'])
      .where(sql<boolean>`taken_in = 0`)
      .execute();
  },
};
