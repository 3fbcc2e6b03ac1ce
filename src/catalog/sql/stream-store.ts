import { sql } from 'kysely';
import { ZoetropeError } from '../../base/errors.ts';
import type { Stream, StreamSettings } from '../../timeline/stream.ts';
import type { NewStream, StreamStore, StreamTouch } from '../catalog.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { pageLimit, readCursor, toPage } from './cursor.ts';
import { prepare } from './prepared.ts';
import { found, toStream } from './rows.ts';
import type { CatalogDb } from './schema.ts';

/** The rendition of a stream that has one. */
export const MAIN_RENDITION = 'main';

/** Settings of which null is a value. */
const NULLABLE_SETTINGS: ReadonlySet<string> = new Set<keyof StreamSettings>(['gapToleranceMs', 'overlay']);

const touchStream = prepare<StreamTouch>((db, param) =>
  db
    .updateTable('stream')
    .set((eb) => ({
      last_captured_at_ms: eb
        .case()
        .when(eb('last_captured_at_ms', '>', param('lastCapturedAtMs')))
        .then(eb.ref('last_captured_at_ms'))
        .else(sql<number>`${param('lastCapturedAtMs')}`)
        .end(),
      last_received_at_ms: eb
        .case()
        .when(eb('last_received_at_ms', '>', param('lastReceivedAtMs')))
        .then(eb.ref('last_received_at_ms'))
        .else(sql<number>`${param('lastReceivedAtMs')}`)
        .end(),
    }))
    .where('id', '=', param('streamId')),
);

/** Makes the {@link StreamStore} of a SQL database. */
export function sqlStreamStore(backend: SqlBackend): StreamStore {
  return {
    createStream: (stream) =>
      backend.write(async (scope) => {
        const made = await insertStream(backend, scope, stream);
        if (made !== null) return made;
        throw new ZoetropeError(
          'conflict',
          `Tenant ${stream.tenant} has a stream for device ${String(stream.deviceId)}, or a stream ${stream.id} exists. Use that one, or another device id.`,
        );
      }),

    async ensureDeviceStream(stream) {
      const known = await findByDevice(backend.reader(), stream.tenant, stream.deviceId);
      if (known !== null) return known;
      return backend.write(async (scope) => {
        const made = await insertStream(backend, scope, stream);
        const other = made ?? (await findByDevice(scope.db, stream.tenant, stream.deviceId));
        if (other !== null) return other;
        throw new ZoetropeError(
          'conflict',
          `There is a stream ${stream.id} already, of another device. Use a fresh id.`,
        );
      });
    },

    getStream: (id) => getStream(backend.reader(), id),

    findDeviceStream: (tenant, deviceId) => findByDevice(backend.reader(), tenant, deviceId),

    async listStreams(filter, page) {
      const after = readCursor(page.cursor, ['string', 'string']);
      let query = backend.reader().selectFrom('stream').selectAll();
      if (filter.tenant !== undefined) query = query.where('tenant', '=', filter.tenant);
      if (filter.kind !== undefined) query = query.where('kind', '=', filter.kind);
      if (filter.query !== undefined) {
        const pattern = `%${filter.query.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
        query = query.where(sql<boolean>`search_text like ${pattern} escape '\\'`);
      }
      if (after !== null) {
        const [name, id] = [String(after[0]), String(after[1])];
        query = query.where((eb) => eb.or([eb('name', '>', name), eb.and([eb('name', '=', name), eb('id', '>', id)])]));
      }
      const rows = await query.orderBy('name').orderBy('id').limit(pageLimit(page)).execute();
      return toPage(rows, page, toStream, (row) => [row.name, row.id]);
    },

    updateStream: (id, change) =>
      backend.write(async (scope) => {
        const stream = await getStream(scope.db, id);
        const name = change.name ?? stream.name;
        const settings = mergeSettings(stream.settings, change.settings ?? {});
        await scope.db
          .updateTable('stream')
          .set({ name, settings: JSON.stringify(settings), search_text: searchText(name, stream.deviceId) })
          .where('id', '=', id)
          .execute();
        scope.changed(id);
        return { ...stream, name, settings };
      }),

    deleteStream: (id) =>
      backend.write(async (scope) => {
        await getStream(scope.db, id);
        const renditions = scope.db.selectFrom('rendition').select('id').where('stream_id', '=', id);
        await scope.db.deleteFrom('segment').where('rendition_id', 'in', renditions).execute();
        await scope.db.deleteFrom('epoch').where('rendition_id', 'in', renditions).execute();
        for (const table of ['session', 'hold', 'marker', 'rendition'] as const) {
          await scope.db.deleteFrom(table).where('stream_id', '=', id).execute();
        }
        await scope.db.deleteFrom('stream').where('id', '=', id).execute();
        scope.removed(id);
      }),

    async touchStreams(touches) {
      if (touches.length === 0) return;
      await backend.write(async ({ db }) => {
        for (const touch of touches) await touchStream(db, touch);
      });
    },
  };
}

/** The stream of an id. @throws not_found */
export async function getStream(db: CatalogDb, id: string): Promise<Stream> {
  const row = await db.selectFrom('stream').selectAll().where('id', '=', id).executeTakeFirst();
  return toStream(found(row, 'stream', id));
}

async function findByDevice(db: CatalogDb, tenant: string, deviceId: string): Promise<Stream | null> {
  const row = await db
    .selectFrom('stream')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('device_id', '=', deviceId)
    .executeTakeFirst();
  return row === undefined ? null : toStream(row);
}

/** Null when its id or its tenant's device is taken. */
async function insertStream(backend: SqlBackend, scope: WriteScope, stream: NewStream): Promise<Stream | null> {
  const row = {
    id: stream.id,
    tenant: stream.tenant,
    kind: stream.kind,
    name: stream.name,
    device_id: stream.deviceId,
    search_text: searchText(stream.name, stream.deviceId),
    settings: JSON.stringify(mergeSettings({}, stream.settings)),
    created_at_ms: backend.clock.nowMs(),
    last_captured_at_ms: null,
    last_received_at_ms: null,
    revision: 0,
  };
  const inserted = await scope.db
    .insertInto('stream')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted === undefined) return null;
  await scope.db
    .insertInto('rendition')
    .values({
      id: backend.ids.next('rendition'),
      stream_id: stream.id,
      name: MAIN_RENDITION,
      fence: 0,
      next_sequence: 0,
      next_late_sequence: 0,
      next_epoch_ordinal: 0,
      dvr_media_sequence: 0,
      dvr_discontinuity_sequence: 0,
      window_count: 0,
      window_tags: 0,
      window_bytes: 0,
      retired_count: 0,
      retired_bytes: 0,
      newest_end_ms: null,
      max_span_ms: 0,
    })
    .execute();
  scope.changed(stream.id);
  return toStream(row);
}

/** Null clears a setting, unless null is one of its values. */
function mergeSettings(settings: Partial<StreamSettings>, change: Partial<StreamSettings>): Partial<StreamSettings> {
  const merged = Object.entries({ ...settings, ...change }).filter(
    ([key, value]) => value !== undefined && (value !== null || NULLABLE_SETTINGS.has(key)),
  );
  return Object.fromEntries(merged) as Partial<StreamSettings>;
}

function searchText(name: string, deviceId: string | null): string {
  return `${name}\n${deviceId ?? ''}`.toLowerCase();
}
