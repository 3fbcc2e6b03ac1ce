import type { Kysely } from 'kysely';
import { ZoetropeError } from '../../base/errors.ts';
import type { CatalogDb } from '../sql/schema.ts';
import { foundation } from './0001-foundation.ts';
import { assets } from './0002-assets.ts';
import { turns } from './0003-turns.ts';
import { recordings } from './0004-recordings.ts';
import { clips } from './0005-clips.ts';
import { push } from './0006-push.ts';
import { chunks } from './0007-chunks.ts';
import { edges } from './0008-edges.ts';
import { ladder } from './0009-ladder.ts';
import { streamKeys } from './0010-stream-keys.ts';
import type { DialectTypes, Migration } from './migration.ts';

const MIGRATIONS: readonly Migration[] = [
  foundation,
  assets,
  turns,
  recordings,
  clips,
  push,
  chunks,
  edges,
  ladder,
  streamKeys,
];

/**
 * Brings the schema up to date. Call within a transaction that keeps other processes from doing the same.
 * @throws invalid_configuration when a newer version made the database
 */
export async function migrate(db: CatalogDb, types: DialectTypes, nowMs: number): Promise<void> {
  await db.schema
    .createTable('migration')
    .ifNotExists()
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('applied_at_ms', 'double precision', (column) => column.notNull())
    .execute();
  const rows = await db.selectFrom('migration').select('name').execute();
  const applied = new Set(rows.map(({ name }) => name));
  const unknown = [...applied].filter((name) => !MIGRATIONS.some((migration) => migration.name === name));
  if (unknown.length > 0) {
    throw new ZoetropeError(
      'invalid_configuration',
      `The catalog was made by a newer Zoetrope: it has ${unknown.join(', ')}. Start the newer version, or restore an older catalog.`,
    );
  }
  for (const migration of MIGRATIONS.filter(({ name }) => !applied.has(name))) {
    await migration.up(db as unknown as Kysely<unknown>, types);
    await db.insertInto('migration').values({ name: migration.name, applied_at_ms: nowMs }).execute();
  }
}
