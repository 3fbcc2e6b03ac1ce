import { ZoetropeError } from '../../base/errors.ts';
import type { MarkerStore } from '../catalog.ts';
import type { SqlBackend } from './backend.ts';
import { pageLimit, readCursor, toPage } from './cursor.ts';
import { found, toMarker } from './rows.ts';
import { getStream } from './stream-store.ts';

/** Makes the {@link MarkerStore} of a SQL database. */
export function sqlMarkerStore(backend: SqlBackend): MarkerStore {
  return {
    addMarker: (marker) =>
      backend.write(async (scope) => {
        await getStream(scope.db, marker.streamId);
        if (marker.untilMs !== null && marker.untilMs < marker.atMs) {
          throw new ZoetropeError(
            'invalid_argument',
            `A marker does not end before it begins. Got ${marker.atMs} until ${marker.untilMs}.`,
          );
        }
        const row = {
          id: marker.id,
          stream_id: marker.streamId,
          at_ms: marker.atMs,
          until_ms: marker.untilMs,
          label: marker.label,
          type: marker.type,
          data: JSON.stringify(marker.data),
          created_at_ms: backend.clock.nowMs(),
          made_at_revision: scope.changed(marker.streamId),
        };
        try {
          await scope.db.insertInto('marker').values(row).execute();
        } catch (error) {
          if (!backend.isUniqueViolation(error)) throw error;
          throw new ZoetropeError('conflict', `There is a marker ${marker.id} already. Give each a fresh id.`, {
            cause: error,
          });
        }
        return toMarker(row);
      }),

    async listMarkers(streamId, filter, page) {
      const byMaking = filter.after !== undefined;
      const after = readCursor(page.cursor, byMaking ? ['number'] : ['number', 'string']);
      let query = backend.reader().selectFrom('marker').selectAll().where('stream_id', '=', streamId);
      if (filter.toMs !== undefined) query = query.where('at_ms', '<', filter.toMs);
      if (filter.fromMs !== undefined) {
        const { fromMs } = filter;
        query = query.where((eb) => eb.or([eb('at_ms', '>=', fromMs), eb('until_ms', '>', fromMs)]));
      }
      if (filter.after !== undefined) {
        const known = await backend
          .reader()
          .selectFrom('marker')
          .select('made_at_revision')
          .where('stream_id', '=', streamId)
          .where('id', '=', filter.after)
          .executeTakeFirst();
        const since = Number(after?.[0] ?? found(known, 'marker', filter.after).made_at_revision);
        query = query.where('made_at_revision', '>', since).orderBy('made_at_revision');
      } else {
        if (after !== null) {
          const [atMs, id] = [Number(after[0]), String(after[1])];
          query = query.where((eb) =>
            eb.or([eb('at_ms', '>', atMs), eb.and([eb('at_ms', '=', atMs), eb('id', '>', id)])]),
          );
        }
        query = query.orderBy('at_ms').orderBy('id');
      }
      const rows = await query.limit(pageLimit(page)).execute();
      return toPage(rows, page, toMarker, (row) => (byMaking ? [row.made_at_revision] : [row.at_ms, row.id]));
    },

    deleteMarker: (streamId, id) =>
      backend.write(async (scope) => {
        const deleted = await scope.db
          .deleteFrom('marker')
          .where('stream_id', '=', streamId)
          .where('id', '=', id)
          .returning('id')
          .executeTakeFirst();
        found(deleted, 'marker', id);
        scope.changed(streamId);
      }),
  };
}
