import type { Migration } from './migration.ts';

/** Pushed streams end, and their encoders are known. What each column means stands in sql/schema.ts. */
export const push: Migration = {
  name: '0006-push',
  async up(db) {
    await db.schema.alterTable('stream').addColumn('ended_at_ms', 'double precision').execute();
    await db.schema.alterTable('stream').addColumn('source', 'text').execute();
  },
};
