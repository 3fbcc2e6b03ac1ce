import { ZoetropeError } from '../../base/errors.ts';
import type { Hold, NewHold } from '../../timeline/hold.ts';
import type { HoldStore } from '../catalog.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { pageLimit, readCursor, toPage } from './cursor.ts';
import { settleHeld } from './hold-cover.ts';
import { forgetExtent, unknownExtent } from './hold-extent.ts';
import { publishStopped } from './recording-events.ts';
import { found, toHold } from './rows.ts';
import type { CatalogDb } from './schema.ts';
import { getStream } from './stream-store.ts';

/** Makes the {@link HoldStore} of a SQL database. */
export function sqlHoldStore(backend: SqlBackend): HoldStore {
  return {
    createHold: (hold) =>
      backend.write(async (scope) => {
        await getStream(scope.db, hold.streamId);
        return insertHold(backend, scope, hold);
      }),

    getHold: (id) => getHold(backend.reader(), id),

    async listHolds(filter, page) {
      const after = readCursor(page.cursor, ['number', 'string']);
      let query = backend.reader().selectFrom('hold').selectAll('hold').where('hold.released_at_ms', 'is', null);
      if (filter.tenant !== undefined) {
        const { tenant } = filter;
        query = query.where((eb) =>
          eb.exists(
            eb
              .selectFrom('stream')
              .select('stream.id')
              .whereRef('stream.id', '=', 'hold.stream_id')
              .where('stream.tenant', '=', tenant),
          ),
        );
      }
      if (filter.streamId !== undefined) query = query.where('hold.stream_id', '=', filter.streamId);
      if (filter.kind !== undefined) query = query.where('hold.kind', '=', filter.kind);
      if (filter.toMs !== undefined) query = query.where('hold.from_ms', '<', filter.toMs);
      if (filter.fromMs !== undefined) {
        const { fromMs } = filter;
        query = query.where((eb) => eb.or([eb('hold.to_ms', 'is', null), eb('hold.to_ms', '>', fromMs)]));
      }
      if (filter.expiredByMs !== undefined) query = query.where('hold.expires_at_ms', '<', filter.expiredByMs);
      if (after !== null) {
        const [createdAtMs, id] = [Number(after[0]), String(after[1])];
        query = query.where((eb) =>
          eb.or([
            eb('hold.created_at_ms', '<', createdAtMs),
            eb.and([eb('hold.created_at_ms', '=', createdAtMs), eb('hold.id', '<', id)]),
          ]),
        );
      }
      const rows = await query
        .orderBy('hold.created_at_ms', 'desc')
        .orderBy('hold.id', 'desc')
        .limit(pageLimit(page))
        .execute();
      return toPage(rows, page, toHold, (row) => [row.created_at_ms, row.id]);
    },

    updateHold: (id, change) =>
      backend.write(async (scope) => {
        const hold = await getHold(scope.db, id);
        const changed = {
          ...hold,
          name: change.name ?? hold.name,
          metadata: change.metadata ?? hold.metadata,
          toMs: change.toMs ?? hold.toMs,
        };
        checkRange(changed);
        await scope.db
          .updateTable('hold')
          .set({ name: changed.name, metadata: JSON.stringify(changed.metadata), to_ms: changed.toMs })
          .where('id', '=', id)
          .execute();
        const hasShrunk = changed.toMs !== null && (hold.toMs === null || changed.toMs < hold.toMs);
        if (hasShrunk) {
          await settleHeld(scope.db, hold.streamId, { fromMs: changed.toMs ?? hold.fromMs, toMs: hold.toMs });
        }
        scope.changed(hold.streamId);
        if (changed.toMs === hold.toMs) return changed;
        await forgetExtent(scope.db, id);
        return { ...changed, extent: null };
      }),

    releaseHold: (id) =>
      backend.write(async (scope) => {
        const hold = await getHold(scope.db, id);
        if (hold.releasedAtMs !== null) return;
        const isRunning = hold.kind === 'recording' && hold.stoppedAtMs === null;
        if (isRunning) await publishStopped(backend, scope, hold, 'deleted');
        await scope.db
          .updateTable('hold')
          .set({ released_at_ms: backend.clock.nowMs() })
          .where('id', '=', id)
          .execute();
        scope.changed(hold.streamId);
      }),
  };
}

/** Makes a hold within a transaction. @throws conflict when its id is taken */
export async function insertHold(
  backend: SqlBackend,
  scope: WriteScope,
  hold: NewHold,
  extent = unknownExtent(),
): Promise<Hold> {
  checkRange(hold);
  const row = {
    id: hold.id,
    stream_id: hold.streamId,
    kind: hold.kind,
    name: hold.name,
    from_ms: hold.fromMs,
    to_ms: hold.toMs,
    session_id: hold.sessionId,
    created_at_ms: backend.clock.nowMs(),
    expires_at_ms: hold.expiresAtMs,
    released_at_ms: null,
    metadata: JSON.stringify(hold.metadata ?? {}),
    stopped_at_ms: null,
    ...extent,
  };
  try {
    await scope.db.insertInto('hold').values(row).execute();
  } catch (error) {
    if (!backend.isUniqueViolation(error)) throw error;
    throw new ZoetropeError('conflict', `There is a hold ${hold.id} already. Give each a fresh id.`, { cause: error });
  }
  scope.changed(hold.streamId);
  return toHold(row);
}

/** The hold of an id, let go or not. @throws not_found */
export async function getHold(db: CatalogDb, id: string): Promise<Hold> {
  const row = await db.selectFrom('hold').selectAll().where('id', '=', id).executeTakeFirst();
  return toHold(found(row, 'hold', id));
}

/** Refuses a range that does not end after it begins. @throws invalid_argument */
export function checkRange({ fromMs, toMs }: Pick<Hold, 'fromMs' | 'toMs'>): void {
  if (toMs === null || toMs > fromMs) return;
  throw new ZoetropeError('invalid_argument', `A hold ends after it begins. Got ${fromMs} to ${toMs}.`);
}
