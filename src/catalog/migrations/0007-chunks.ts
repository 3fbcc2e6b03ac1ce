import type { Migration } from './migration.ts';

/** Chunks that encoders announce. What each column means stands in sql/chunk-schema.ts. */
export const chunks: Migration = {
  name: '0007-chunks',
  async up(db) {
    await db.schema
      .createTable('chunk_run')
      .addColumn('stream_id', 'text', (column) => column.notNull())
      .addColumn('first_index', 'bigint', (column) => column.notNull())
      .addColumn('last_index', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('chunk_run_key', ['stream_id', 'first_index'])
      .execute();
    await db.schema
      .createTable('chunk_rejection')
      .addColumn('stream_id', 'text', (column) => column.notNull())
      .addColumn('chunk_index', 'bigint', (column) => column.notNull())
      .addColumn('object_key', 'text', (column) => column.notNull())
      .addColumn('checksum', 'text', (column) => column.notNull())
      .addColumn('code', 'text', (column) => column.notNull())
      .addColumn('message', 'text', (column) => column.notNull())
      .addColumn('at_ms', 'double precision', (column) => column.notNull())
      .addPrimaryKeyConstraint('chunk_rejection_key', ['stream_id', 'chunk_index'])
      .execute();
    await db.schema
      .createIndex('chunk_rejection_by_time')
      .on('chunk_rejection')
      .columns(['stream_id', 'at_ms', 'chunk_index'])
      .execute();
  },
};
