import type { KeptStretch } from '../edge-store.ts';
import type { CopyStore } from '../copy-store.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { settleHeld } from './hold-cover.ts';
import { forgetExtent, unknownExtent } from './hold-extent.ts';
import { insertHold } from './hold-store.ts';
import type { Row } from './rows.ts';
import type { CatalogDb, HoldTable } from './schema.ts';
import { windowOf } from './timeline-store.ts';
import { numberedFrom } from './window-queries.ts';

/** Marks the holds that are control's. */
const FOR_CONTROL = { keptFor: 'control' };
const IDS_AT_ONCE = 500;

/** Makes the {@link CopyStore} of a SQL database. */
export function sqlCopyStore(backend: SqlBackend): CopyStore {
  return {
    segmentsFrom: (streamId, name, { nextSequence, nextLateSequence }, limit) =>
      windowOf(
        backend,
        streamId,
        async (db, { id }) => {
          const onTime = { renditionId: id, isLate: 0, fromSequence: nextSequence, limit };
          const rows = await numberedFrom(db, onTime);
          const left = limit - rows.length;
          if (left === 0) return rows;
          const late = { renditionId: id, isLate: 1, fromSequence: nextLateSequence, limit: left };
          return [...rows, ...(await numberedFrom(db, late))];
        },
        name,
      ),

    async keepForControl(stretches) {
      if (await isSo(backend.reader(), stretches)) return;
      await backend.write(async (scope) => {
        for (const row of await keptNow(scope.db)) {
          if (!stretches.some(({ id }) => id === row.id)) await letGo(backend, scope, row);
        }
        for (const stretch of stretches) await keep(backend, scope, stretch);
      });
    },
  };
}

async function isSo(db: CatalogDb, stretches: readonly KeptStretch[]): Promise<boolean> {
  const kept = new Map((await keptNow(db)).map((row) => [row.id, row]));
  const known = await streamsAmong(db, new Set(stretches.map(({ streamId }) => streamId)));
  const wanted = stretches.filter(({ streamId }) => known.has(streamId));
  return (
    kept.size === wanted.length &&
    wanted.every((stretch) => {
      const row = kept.get(stretch.id);
      return row !== undefined && isLike(row, stretch);
    })
  );
}

async function keptNow(db: CatalogDb): Promise<readonly Row<HoldTable>[]> {
  return db
    .selectFrom('hold')
    .selectAll()
    .where('kind', '=', 'recording')
    .where('metadata', '=', JSON.stringify(FOR_CONTROL))
    .where('released_at_ms', 'is', null)
    .execute();
}

async function streamsAmong(db: CatalogDb, streamIds: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const ids = [...streamIds];
  const known = new Set<string>();
  for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
    const rows = await db
      .selectFrom('stream')
      .select('id')
      .where('id', 'in', ids.slice(at, at + IDS_AT_ONCE))
      .execute();
    for (const { id } of rows) known.add(id);
  }
  return known;
}

async function keep(backend: SqlBackend, scope: WriteScope, stretch: KeptStretch): Promise<void> {
  const { db } = scope;
  const { id, streamId, name, fromMs, toMs } = stretch;
  const row = await db.selectFrom('hold').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) {
    if (!(await streamsAmong(db, new Set([streamId]))).has(streamId)) return;
    const hold = { id, streamId, kind: 'recording' as const, name, fromMs, toMs, sessionId: null, expiresAtMs: null };
    await insertHold(backend, scope, { ...hold, metadata: FOR_CONTROL }, unknownExtent());
    return;
  }
  if (row.released_at_ms === null && isLike(row, stretch)) return;
  await db
    .updateTable('hold')
    .set({ name, from_ms: fromMs, to_ms: toMs, released_at_ms: null, stopped_at_ms: null })
    .where('id', '=', id)
    .execute();
  await forgetExtent(db, id);
  if (toMs !== null && (row.to_ms === null || toMs < row.to_ms)) {
    await settleHeld(db, streamId, { fromMs: toMs, toMs: row.to_ms });
  }
  scope.changed(streamId);
}

function isLike(row: Row<HoldTable>, { name, fromMs, toMs }: KeptStretch): boolean {
  return row.name === name && row.from_ms === fromMs && row.to_ms === toMs;
}

async function letGo(backend: SqlBackend, scope: WriteScope, row: Row<HoldTable>): Promise<void> {
  const nowMs = backend.clock.nowMs();
  await scope.db
    .updateTable('hold')
    .set({ released_at_ms: nowMs, stopped_at_ms: row.stopped_at_ms ?? nowMs })
    .where('id', '=', row.id)
    .execute();
  scope.changed(row.stream_id);
}
