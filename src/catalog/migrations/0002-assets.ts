import { sql, type Kysely } from 'kysely';
import type { Migration } from './migration.ts';

/** Assets, their outputs and tasks; webhooks. What each column means stands in sql/schema.ts. */
export const assets: Migration = {
  name: '0002-assets',
  async up(db) {
    await segmentsOfAssets(db);
    await assetsAndOutputs(db);
    await tasks(db);
    await webhooks(db);
  },
};

async function segmentsOfAssets(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('segment').addColumn('keyframe_bytes', 'bigint').execute();
  for (const table of ['segment', 'rendition']) {
    await db.schema
      .alterTable(table)
      .addColumn('of_asset', 'smallint', (column) => column.notNull().defaultTo(0))
      .execute();
  }
  // The ceilings must not step over assets, all of which begin at wall time 0.
  await db.schema.dropIndex('segment_oldest').execute();
  await db.schema
    .createIndex('segment_oldest')
    .on('segment')
    .column('start_ms')
    .where(sql<boolean>`retired_at_ms is null and of_asset = 0`)
    .execute();
}

async function assetsAndOutputs(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('asset')
    .addColumn('id', 'text', (column) => column.notNull().primaryKey())
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('reference_id', 'text')
    .addColumn('search_text', 'text', (column) => column.notNull())
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('request', 'text', (column) => column.notNull())
    .addColumn('priority', 'integer', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('cause', 'text')
    .addColumn('media', 'text')
    .addColumn('version', 'bigint', (column) => column.notNull())
    .addColumn('round', 'integer', (column) => column.notNull())
    .addColumn('created_at_ms', 'double precision', (column) => column.notNull())
    .addColumn('started_at_ms', 'double precision')
    .addColumn('playable_at_ms', 'double precision')
    .addColumn('ended_at_ms', 'double precision')
    .addColumn('unsettled', 'smallint', (column) => column.notNull())
    .addColumn('waiting_tasks', 'integer', (column) => column.notNull())
    .addColumn('running_tasks', 'integer', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('asset_by_making').on('asset').columns(['created_at_ms', 'id']).execute();
  await db.schema.createIndex('asset_of_tenant').on('asset').columns(['tenant', 'created_at_ms', 'id']).execute();
  await db.schema
    .createIndex('asset_by_reference')
    .on('asset')
    .columns(['reference_id', 'created_at_ms', 'id'])
    .where(sql<boolean>`reference_id is not null`)
    .execute();
  await db.schema
    .createIndex('asset_unsettled')
    .on('asset')
    .columns(['created_at_ms', 'id'])
    .where(sql<boolean>`unsettled = 1`)
    .execute();
  // The order of claims within a priority. Unique, and of columns that are never null, so that SQLite knows that walking it is the whole order.
  await db.schema
    .createIndex('asset_in_turn')
    .unique()
    .on('asset')
    .columns(['priority', 'running_tasks', 'created_at_ms', 'id'])
    .where(sql<boolean>`waiting_tasks > 0`)
    .execute();
  await db.schema
    .createTable('output')
    .addColumn('id', 'text', (column) => column.notNull().primaryKey())
    .addColumn('asset_id', 'text', (column) => column.notNull())
    .addColumn('ordinal', 'integer', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('spec', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('cause', 'text')
    .addColumn('published_chunks', 'integer', (column) => column.notNull())
    .addColumn('total_chunks', 'integer')
    .addColumn('files', 'text', (column) => column.notNull())
    .addColumn('started_at_ms', 'double precision')
    .addColumn('ended_at_ms', 'double precision')
    .addColumn('cpu_ms', 'double precision', (column) => column.notNull())
    .addColumn('peak_memory_bytes', 'double precision', (column) => column.notNull())
    .addColumn('wall_ms', 'double precision', (column) => column.notNull())
    .addColumn('total_weight', 'double precision', (column) => column.notNull())
    .addColumn('done_weight', 'double precision', (column) => column.notNull())
    .addUniqueConstraint('output_name', ['asset_id', 'name'])
    .execute();
  await db.schema.createIndex('output_of_asset').on('output').columns(['asset_id', 'ordinal']).execute();
}

async function tasks(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('task')
    .addColumn('id', 'text', (column) => column.notNull().primaryKey())
    .addColumn('asset_id', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('round', 'integer', (column) => column.notNull())
    .addColumn('priority', 'integer', (column) => column.notNull())
    .addColumn('rank', 'integer', (column) => column.notNull())
    .addColumn('ordinal', 'integer', (column) => column.notNull())
    .addColumn('output_ids', 'text', (column) => column.notNull())
    .addColumn('weight', 'double precision', (column) => column.notNull())
    .addColumn('input', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('attempt', 'integer', (column) => column.notNull())
    .addColumn('returned_tries', 'integer', (column) => column.notNull())
    .addColumn('max_attempts', 'integer', (column) => column.notNull())
    .addColumn('not_before_ms', 'double precision', (column) => column.notNull())
    .addColumn('worker_id', 'text')
    .addColumn('lease_until_ms', 'double precision')
    .addColumn('progress', 'double precision', (column) => column.notNull())
    .addColumn('result', 'text')
    .addColumn('cause', 'text')
    .addColumn('cpu_ms', 'double precision', (column) => column.notNull())
    .addColumn('peak_memory_bytes', 'double precision', (column) => column.notNull())
    .addColumn('wall_ms', 'double precision', (column) => column.notNull())
    .addColumn('shares', 'text')
    .execute();
  await db.schema
    .createIndex('task_of_asset')
    .on('task')
    .columns(['asset_id', 'round', 'rank', 'ordinal', 'id'])
    .execute();
  // Which priority and rank is next.
  await db.schema
    .createIndex('task_waiting')
    .on('task')
    .columns(['kind', 'priority desc', 'rank', 'not_before_ms'])
    .where(sql<boolean>`state = 'waiting'`)
    .execute();
  // Which of an asset's is next.
  await db.schema
    .createIndex('task_in_turn')
    .unique()
    .on('task')
    .columns(['asset_id', 'rank', 'ordinal', 'id'])
    .where(sql<boolean>`state = 'waiting'`)
    .execute();
  await db.schema
    .createIndex('task_running')
    .on('task')
    .column('lease_until_ms')
    .where(sql<boolean>`state = 'running'`)
    .execute();
  await db.schema
    .createIndex('task_running_of_asset')
    .on('task')
    .column('asset_id')
    .where(sql<boolean>`state = 'running'`)
    .execute();
}

async function webhooks(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('webhook_endpoint')
    .addColumn('id', 'text', (column) => column.notNull().primaryKey())
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('types', 'text', (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('secrets', 'text', (column) => column.notNull())
    .addColumn('enabled', 'smallint', (column) => column.notNull())
    .addColumn('disabled_cause', 'text')
    .addColumn('created_at_ms', 'double precision', (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('webhook_endpoint_of_tenant')
    .on('webhook_endpoint')
    .columns(['tenant', 'created_at_ms', 'id'])
    .execute();
  await db.schema
    .createTable('webhook_delivery')
    .addColumn('id', 'text', (column) => column.notNull().primaryKey())
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('event_id', 'text', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('subject_id', 'text', (column) => column.notNull())
    .addColumn('endpoint_id', 'text')
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('payload', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('tries', 'text', (column) => column.notNull())
    .addColumn('next_try_at_ms', 'double precision')
    .addColumn('due_at_ms', 'double precision')
    .addColumn('created_at_ms', 'double precision', (column) => column.notNull())
    .addColumn('made_at_revision', 'bigint', (column) => column.notNull())
    .addColumn('ended_at_ms', 'double precision')
    .execute();
  await db.schema
    .createIndex('webhook_delivery_due')
    .on('webhook_delivery')
    .columns(['due_at_ms', 'made_at_revision', 'id'])
    .where(sql<boolean>`due_at_ms is not null`)
    .execute();
  await db.schema
    .createIndex('webhook_delivery_ended')
    .on('webhook_delivery')
    .column('ended_at_ms')
    .where(sql<boolean>`ended_at_ms is not null`)
    .execute();
  for (const column of ['tenant', 'endpoint_id', 'subject_id']) {
    await db.schema
      .createIndex(`webhook_delivery_by_${column}`)
      .on('webhook_delivery')
      .columns([column, 'made_at_revision', 'id'])
      .execute();
  }
}
