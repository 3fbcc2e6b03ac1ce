import { sql, type Kysely } from 'kysely';
import type { DialectTypes, Migration } from './migration.ts';

/** Streams, timelines, holds, markers, access, change feed. What each column means stands in sql/schema.ts. */
export const foundation: Migration = {
  name: '0001-foundation',
  async up(db, types) {
    await streams(db);
    await timelines(db, types);
    await segments(db);
    await annotations(db);
    await access(db, types);
    await changeFeed(db);
  },
};

async function streams(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('stream')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('device_id', 'text')
    .addColumn('search_text', 'text', (column) => column.notNull())
    .addColumn('settings', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'double precision', (column) => column.notNull())
    .addColumn('last_captured_at_ms', 'double precision')
    .addColumn('last_received_at_ms', 'double precision')
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('stream_device', ['tenant', 'device_id'])
    .execute();
  await db.schema.createIndex('stream_by_name').on('stream').columns(['name', 'id']).execute();
  await db.schema.createIndex('stream_by_revision').on('stream').column('revision').execute();
}

async function timelines(db: Kysely<unknown>, types: DialectTypes): Promise<void> {
  await db.schema
    .createTable('rendition')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('stream_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('fence', 'bigint', (column) => column.notNull())
    .addColumn('next_sequence', 'bigint', (column) => column.notNull())
    .addColumn('next_late_sequence', 'bigint', (column) => column.notNull())
    .addColumn('next_epoch_ordinal', 'bigint', (column) => column.notNull())
    .addColumn('dvr_media_sequence', 'bigint', (column) => column.notNull())
    .addColumn('dvr_discontinuity_sequence', 'bigint', (column) => column.notNull())
    .addColumn('window_count', 'bigint', (column) => column.notNull())
    .addColumn('window_tags', 'bigint', (column) => column.notNull())
    .addColumn('window_bytes', 'bigint', (column) => column.notNull())
    .addColumn('retired_count', 'bigint', (column) => column.notNull())
    .addColumn('retired_bytes', 'bigint', (column) => column.notNull())
    .addColumn('newest_end_ms', 'double precision')
    .addColumn('max_span_ms', 'double precision', (column) => column.notNull())
    .addUniqueConstraint('rendition_of_stream', ['stream_id', 'name'])
    .execute();
  await db.schema
    .createTable('epoch')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('rendition_id', 'text', (column) => column.notNull())
    .addColumn('is_late', 'smallint', (column) => column.notNull())
    .addColumn('ordinal', 'bigint', (column) => column.notNull())
    .addColumn('anchor_ms', 'double precision', (column) => column.notNull())
    .addColumn('init', types.bytes, (column) => column.notNull())
    .addColumn('init_sha256', 'text', (column) => column.notNull())
    .addColumn('codecs', 'text', (column) => column.notNull())
    .addColumn('width', 'integer', (column) => column.notNull())
    .addColumn('height', 'integer', (column) => column.notNull())
    .addColumn('created_at_ms', 'double precision', (column) => column.notNull())
    .addColumn('segment_count', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('epoch_of_rendition')
    .on('epoch')
    .columns(['rendition_id', 'is_late', 'ordinal'])
    .execute();
}

async function segments(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('segment')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('rendition_id', 'text', (column) => column.notNull())
    .addColumn('epoch_id', 'text', (column) => column.notNull())
    .addColumn('is_late', 'smallint', (column) => column.notNull())
    .addColumn('sequence', 'bigint', (column) => column.notNull())
    .addColumn('start_ms', 'double precision', (column) => column.notNull())
    .addColumn('end_ms', 'double precision', (column) => column.notNull())
    .addColumn('media_start_90k', 'bigint', (column) => column.notNull())
    .addColumn('duration_90k', 'bigint', (column) => column.notNull())
    .addColumn('frame_times', 'text', (column) => column.notNull())
    .addColumn('frame_count', 'integer', (column) => column.notNull())
    .addColumn('object_key', 'text', (column) => column.notNull())
    .addColumn('size_bytes', 'bigint', (column) => column.notNull())
    .addColumn('sha256', 'text', (column) => column.notNull())
    .addColumn('discontinuity', 'smallint', (column) => column.notNull())
    .addColumn('dvr_discontinuity', 'smallint', (column) => column.notNull())
    .addColumn('lost', 'smallint', (column) => column.notNull())
    .addColumn('created_at_ms', 'double precision', (column) => column.notNull())
    .addColumn('retired_at_ms', 'double precision')
    .addColumn('held', 'smallint', (column) => column.notNull())
    .addUniqueConstraint('segment_sequence', ['rendition_id', 'is_late', 'sequence'])
    .execute();
  // Ranges and archives, retired segments included.
  await db.schema
    .createIndex('segment_by_wall')
    .on('segment')
    .columns(['rendition_id', 'start_ms', 'is_late', 'sequence'])
    .execute();
  // The window in wall order: archives keep many times as many retired segments, which it must not step over.
  await db.schema
    .createIndex('segment_in_window')
    .on('segment')
    .columns(['rendition_id', 'start_ms', 'is_late', 'sequence'])
    .where(sql<boolean>`retired_at_ms is null`)
    .execute();
  // The oldest of all streams, for the ceilings on bytes and disk.
  await db.schema
    .createIndex('segment_oldest')
    .on('segment')
    .column('start_ms')
    .where(sql<boolean>`retired_at_ms is null`)
    .execute();
  // What may be swept; held ones, which are most, are not in it.
  await db.schema
    .createIndex('segment_sweepable')
    .on('segment')
    .columns(['retired_at_ms', 'start_ms', 'id'])
    .where(sql<boolean>`retired_at_ms is not null and held = 0`)
    .execute();
}

async function annotations(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('session')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('stream_id', 'text', (column) => column.notNull())
    .addColumn('start_ms', 'double precision', (column) => column.notNull())
    .addColumn('end_ms', 'double precision', (column) => column.notNull())
    .addColumn('ended_by', 'text')
    .addColumn('closed_at_ms', 'double precision')
    .addColumn('settled', 'smallint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('session_of_stream').on('session').columns(['stream_id', 'start_ms']).execute();
  await db.schema
    .createIndex('session_open')
    .on('session')
    .column('stream_id')
    .unique()
    .where(sql<boolean>`closed_at_ms is null`)
    .execute();
  await db.schema
    .createIndex('session_unsettled')
    .on('session')
    .columns(['closed_at_ms', 'id'])
    .where(sql<boolean>`settled = 0 and closed_at_ms is not null`)
    .execute();
  await db.schema
    .createTable('hold')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('stream_id', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('from_ms', 'double precision', (column) => column.notNull())
    .addColumn('to_ms', 'double precision')
    .addColumn('session_id', 'text')
    .addColumn('created_at_ms', 'double precision', (column) => column.notNull())
    .addColumn('expires_at_ms', 'double precision')
    .addColumn('released_at_ms', 'double precision')
    .execute();
  await db.schema.createIndex('hold_of_stream').on('hold').columns(['stream_id', 'from_ms']).execute();
  await db.schema.createIndex('hold_by_making').on('hold').columns(['created_at_ms', 'id']).execute();
  await db.schema
    .createIndex('hold_released')
    .on('hold')
    .column('released_at_ms')
    .where(sql<boolean>`released_at_ms is not null`)
    .execute();
  await db.schema
    .createTable('marker')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('stream_id', 'text', (column) => column.notNull())
    .addColumn('at_ms', 'double precision', (column) => column.notNull())
    .addColumn('until_ms', 'double precision')
    .addColumn('label', 'text', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('data', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'double precision', (column) => column.notNull())
    .addColumn('made_at_revision', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('marker_by_time').on('marker').columns(['stream_id', 'at_ms', 'id']).execute();
  await db.schema.createIndex('marker_by_making').on('marker').columns(['stream_id', 'made_at_revision']).execute();
}

async function access(db: Kysely<unknown>, types: DialectTypes): Promise<void> {
  await db.schema
    .createTable('api_key')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('tenant', 'text')
    .addColumn('scopes', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('secret_sha256', 'text', (column) => column.notNull().unique())
    .addColumn('created_at_ms', 'double precision', (column) => column.notNull())
    .addColumn('revoked_at_ms', 'double precision')
    .execute();
  await db.schema
    .createTable('server_secret')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('value', types.bytes, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('idempotent_answer')
    .addColumn('scope', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('request_sha256', 'text', (column) => column.notNull())
    .addColumn('status', 'integer')
    .addColumn('body', 'text')
    .addColumn('created_at_ms', 'double precision', (column) => column.notNull())
    .addPrimaryKeyConstraint('idempotent_answer_key', ['scope', 'key'])
    .execute();
  await db.schema.createIndex('idempotent_by_age').on('idempotent_answer').column('created_at_ms').execute();
}

async function changeFeed(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('feed')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .execute();
  await sql`insert into feed (id, revision) values (1, 0)`.execute(db);
  await db.schema
    .createTable('removed_stream')
    .addColumn('stream_id', 'text', (column) => column.primaryKey())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .addColumn('removed_at_ms', 'double precision', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('removed_by_revision').on('removed_stream').column('revision').execute();
}
