import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Clips, and tasks that work for them as well as for assets. What each column means stands in sql/clip-schema.ts. */
export const clips: Migration = {
  name: '0005-clips',
  async up(db) {
    await db.schema.alterTable('task').renameColumn('asset_id', 'owner_id').execute();
    await db.schema
      .createTable('clip')
      .addColumn('id', 'text', (column) => column.notNull().primaryKey())
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('stream_id', 'text', (column) => column.notNull())
      .addColumn('source_hold_id', 'text')
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('spec', 'text', (column) => column.notNull())
      .addColumn('hold_id', 'text', (column) => column.notNull())
      .addColumn('task_id', 'text', (column) => column.notNull())
      .addColumn('created_at_ms', 'double precision', (column) => column.notNull())
      .addColumn('ended_at_ms', 'double precision')
      .addColumn('expires_at_ms', 'double precision')
      .execute();
    await db.schema.createIndex('clip_of_stream').on('clip').columns(['stream_id', 'created_at_ms', 'id']).execute();
    await db.schema.createIndex('clip_of_tenant').on('clip').columns(['tenant', 'created_at_ms', 'id']).execute();
    await db.schema
      .createIndex('clip_expiry')
      .on('clip')
      .column('expires_at_ms')
      .where(sql<boolean>`expires_at_ms is not null`)
      .execute();
    // Those that have not ended are few, however many there were.
    await db.schema
      .createIndex('clip_open')
      .on('clip')
      .column('tenant')
      .where(sql<boolean>`ended_at_ms is null`)
      .execute();
  },
};
