import type { DatabaseSync } from 'node:sqlite';
import { ZoetropeError } from '../../base/errors.ts';

const VERSION = 1;

const TABLES = `
create table topic (
  id integer primary key,
  name text not null unique,
  -- Fixed when the topic is first used: keys must keep their partition.
  partitions integer not null
) strict;

create table head (
  topic_id integer not null,
  partition integer not null,
  -- The offset of the next event.
  next_offset integer not null,
  -- When the newest event was published; times never fall within a partition, so that they can be searched by halving.
  last_published_at_ms integer not null,
  primary key (topic_id, partition)
) strict, without rowid;

create table event (
  topic_id integer not null,
  partition integer not null,
  -- Without holes within a partition, but for what was trimmed from its start.
  "offset" integer not null,
  key text not null,
  -- JSON.
  value text not null,
  published_at_ms integer not null,
  primary key (topic_id, partition, "offset")
) strict, without rowid;

create table member (
  id text primary key,
  topic_id integer not null,
  grp text not null,
  -- See ProcessIdentity: a member whose process has ended is removed at once.
  pid integer not null,
  started text not null,
  -- Moved on by the member's heartbeat; a member that has let it pass is removed.
  expires_at_ms integer not null
) strict, without rowid;

create table ownership (
  topic_id integer not null,
  grp text not null,
  partition integer not null,
  -- Null while nobody owns the partition in this group.
  member_id text,
  -- Goes up by one with each change of owner.
  fence integer not null,
  -- Everything below and including it is done; -1 when nothing is.
  committed integer not null,
  primary key (topic_id, grp, partition)
) strict, without rowid;
`;

/** Makes the tables when they are missing. Call within a writing transaction. @throws invalid_configuration for a newer version's file */
export function migrateLog(database: DatabaseSync): void {
  const row = database.prepare('pragma user_version').get();
  const version = Number(row?.['user_version'] ?? 0);
  if (version === VERSION) return;
  if (version !== 0) {
    throw new ZoetropeError(
      'invalid_configuration',
      `The event log was made by a newer Zoetrope: its format is ${version}, this one knows ${VERSION}. Start the newer version.`,
    );
  }
  database.exec(TABLES);
  database.exec(`pragma user_version = ${VERSION}`);
}
