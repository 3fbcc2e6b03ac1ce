import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Edges. What each column means stands in sql/edge-schema.ts and sql/schema.ts. */
export const edges: Migration = {
  name: '0008-edges',
  async up(db) {
    await db.schema
      .createTable('edge')
      .addColumn('id', 'text', (column) => column.notNull().primaryKey())
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('version', 'text', (column) => column.notNull())
      .addColumn('session', 'double precision', (column) => column.notNull())
      .addColumn('created_at_ms', 'double precision', (column) => column.notNull())
      .addColumn('registered_at_ms', 'double precision', (column) => column.notNull())
      .addColumn('seen_at_ms', 'double precision', (column) => column.notNull())
      .addColumn('away_at_ms', 'double precision')
      .addColumn('report', 'text')
      .addColumn('revision', 'double precision', (column) => column.notNull().defaultTo(0))
      .execute();
    await db.schema.createIndex('edge_by_name').on('edge').columns(['name', 'id']).execute();
    await db.schema.createIndex('edge_by_revision').on('edge').column('revision').execute();
    await db.schema
      .createTable('edge_cursor')
      .addColumn('stream_id', 'text', (column) => column.notNull())
      .addColumn('rendition', 'text', (column) => column.notNull())
      .addColumn('edge_id', 'text', (column) => column.notNull())
      .addColumn('next_sequence', 'double precision', (column) => column.notNull())
      .addColumn('next_late_sequence', 'double precision', (column) => column.notNull())
      .addPrimaryKeyConstraint('edge_cursor_key', ['stream_id', 'rendition'])
      .execute();
    await db.schema.createIndex('edge_cursor_of_edge').on('edge_cursor').column('edge_id').execute();
    await db.schema
      .createTable('edge_want')
      .addColumn('segment_id', 'text', (column) => column.notNull().primaryKey())
      .addColumn('edge_id', 'text', (column) => column.notNull())
      .addColumn('asked_at_ms', 'double precision', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('edge_want_of_edge').on('edge_want').columns(['edge_id', 'asked_at_ms']).execute();
    await db.schema.alterTable('stream').addColumn('edge_id', 'text').execute();
    await db.schema.alterTable('stream').addColumn('watched_at_ms', 'double precision').execute();
    await db.schema
      .createIndex('stream_of_edge')
      .on('stream')
      .column('edge_id')
      .where(sql<boolean>`edge_id is not null`)
      .execute();
    await db.schema
      .alterTable('segment')
      .addColumn('remote', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
    await db.schema
      .createIndex('segment_remote')
      .on('segment')
      .columns(['rendition_id', 'start_ms'])
      .where(sql<boolean>`remote = 1`)
      .execute();
    await db.schema
      .alterTable('rendition')
      .addColumn('remote_bytes', 'double precision', (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
