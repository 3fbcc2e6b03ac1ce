import { sql } from 'kysely';
import { ZoetropeError } from '../../base/errors.ts';
import type { Stream, StreamSettings } from '../../timeline/stream.ts';
import { MAIN_RENDITION } from '../../timeline/rendition.ts';
import type { NewStream, StreamStore, StreamTouch } from '../catalog.ts';
import { openSession } from './append-queries.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { pageLimit, readCursor, toPage } from './cursor.ts';
import { prepare } from './prepared.ts';
import { publishStoppedOf } from './recording-events.ts';
import { found, toSession, toStream } from './rows.ts';
import type { CatalogDb } from './schema.ts';
import { publishEnded, publishOffline } from './session-events.ts';
import { insertStreamRow, makeRendition, removeStreamRows, searchText } from './stream-rows.ts';
import { wantLadder } from './want-ladder.ts';

/** Settings of which null is a value. */
const NULLABLE_SETTINGS: ReadonlySet<string> = new Set<keyof StreamSettings>(['gapToleranceMs', 'overlay', 'ladder']);

const MAX_SILENT = 1000;

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
      query = filter.kind === undefined ? query.where('kind', '<>', 'asset') : query.where('kind', '=', filter.kind);
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
        checkIsNoAsset(stream);
        const name = change.name ?? stream.name;
        const settings = mergeSettings(stream.settings, change.settings ?? {});
        await scope.db
          .updateTable('stream')
          .set({ name, settings: JSON.stringify(settings), search_text: searchText(name, stream.deviceId) })
          .where('id', '=', id)
          .execute();
        await wantLadder(scope, id, settings);
        scope.changed(id);
        return { ...stream, name, settings };
      }),

    deleteStream: (id) =>
      backend.write(async (scope) => {
        const stream = await getStream(scope.db, id);
        checkIsNoAsset(stream);
        const [open] = await openSession(scope.db, { streamId: id });
        if (open !== undefined) await publishOffline(backend, scope, toSession(open), 'deleted');
        await publishStoppedOf(backend, scope, id);
        await removeStreamRows(scope, id);
      }),

    endStream: (id, atMs, { unlessReceivedSinceMs = null } = {}) =>
      backend.write(async (scope) => {
        const stream = await getStream(scope.db, id);
        checkIsNoAsset(stream);
        if ((stream.endedAtMs === null) === (atMs === null)) return stream;
        if (unlessReceivedSinceMs !== null && (stream.lastReceivedAtMs ?? -Infinity) >= unlessReceivedSinceMs)
          return stream;
        await scope.db.updateTable('stream').set({ ended_at_ms: atMs }).where('id', '=', id).execute();
        scope.changed(id);
        if (atMs !== null) await publishEnded(backend, scope, stream, atMs);
        return { ...stream, endedAtMs: atMs };
      }),

    noteSource: (id, source) =>
      backend.write(async ({ db }) => {
        await db
          .updateTable('stream')
          .set({ source: JSON.stringify(source) })
          .where('id', '=', id)
          .execute();
      }),

    async silentEncoderStreams(beforeMs) {
      const rows = await backend
        .reader()
        .selectFrom('stream')
        .selectAll()
        .where('kind', 'in', ['push', 'chunks'])
        .where('ended_at_ms', 'is', null)
        .where('last_received_at_ms', '<', beforeMs)
        .orderBy('last_received_at_ms')
        .orderBy('id')
        .limit(MAX_SILENT)
        .execute();
      return rows.map(toStream);
    },

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
  const row = await insertStreamRow(backend, scope, { ...stream, settings: mergeSettings({}, stream.settings) });
  if (row === null) return null;
  await makeRendition(backend, scope, { streamId: stream.id, name: MAIN_RENDITION, ofAsset: false });
  await wantLadder(scope, stream.id, stream.settings);
  return toStream(row);
}

/** What belongs to an asset is changed and removed through it, so that both always agree. @throws conflict */
function checkIsNoAsset(stream: Stream): void {
  if (stream.kind !== 'asset') return;
  throw new ZoetropeError('conflict', `Stream ${stream.id} is an asset. Change or delete the asset instead.`);
}

/** Null clears a setting, unless null is one of its values. */
function mergeSettings(settings: Partial<StreamSettings>, change: Partial<StreamSettings>): Partial<StreamSettings> {
  const merged = Object.entries({ ...settings, ...change }).filter(
    ([key, value]) => value !== undefined && (value !== null || NULLABLE_SETTINGS.has(key)),
  );
  return Object.fromEntries(merged) as Partial<StreamSettings>;
}
