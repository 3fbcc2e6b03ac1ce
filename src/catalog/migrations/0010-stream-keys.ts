import type { Migration } from './migration.ts';

/** Keys that open one stream alone. What each column means stands in sql/schema.ts. */
export const streamKeys: Migration = {
  name: '0010-stream-keys',
  async up(db) {
    await db.schema.alterTable('api_key').addColumn('stream_id', 'text').execute();
  },
};
