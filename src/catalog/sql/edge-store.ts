import { ZoetropeError } from '../../base/errors.ts';
import { wallMs } from '../../base/time.ts';
import type { Edge, EdgeReport } from '../../timeline/edge.ts';
import type { EdgeSession, EdgeStore, RowCursor } from '../edge-store.ts';
import type { SqlBackend } from './backend.ts';
import { pageLimit, readCursor, toPage } from './cursor.ts';
import { demandOn, remoteOfHold, wantSegment, watchStream } from './edge-demand.ts';
import { appendEdgeRows, putEdgeStream } from './edge-rows.ts';
import { noteArrived, noteGone, orphanStreams } from './edge-segments.ts';
import type { EdgeCursorTable, EdgeTable } from './edge-schema.ts';
import { found, type Row, toStream } from './rows.ts';
import type { CatalogDb } from './schema.ts';
import { touchStream } from './stream-store.ts';

const IDS_AT_ONCE = 500;

/** Makes the {@link EdgeStore} of a SQL database. */
export function sqlEdgeStore(backend: SqlBackend): EdgeStore {
  return {
    registerEdge: ({ id, tenant, name, version }) =>
      backend.write(async (scope) => {
        const { db } = scope;
        const nowMs = backend.clock.nowMs();
        const known = await db.selectFrom('edge').selectAll().where('id', '=', id).executeTakeFirst();
        if (known !== undefined && known.tenant !== tenant) {
          throw new ZoetropeError('conflict', `There is an edge ${id} of another tenant. Use the key of its tenant.`);
        }
        const row: Row<EdgeTable> = {
          id,
          tenant,
          name,
          version,
          // Above those of a row that was removed or restored from a copy too.
          session: Math.max((known?.session ?? 0) + 1, Math.floor(nowMs)),
          created_at_ms: known?.created_at_ms ?? nowMs,
          registered_at_ms: nowMs,
          seen_at_ms: nowMs,
          away_at_ms: null,
          report: null,
          revision: known?.revision ?? 0,
        };
        const { id: _, ...changed } = row;
        await db
          .insertInto('edge')
          .values(row)
          .onConflict((conflict) => conflict.column('id').doUpdateSet(changed))
          .execute();
        const cursors = await db.selectFrom('edge_cursor').selectAll().where('edge_id', '=', id).execute();
        scope.changed(id);
        return { edge: toEdge(row), cursors: cursors.map(toCursor) };
      }),

    async getEdge(id) {
      const row = await backend.reader().selectFrom('edge').selectAll().where('id', '=', id).executeTakeFirst();
      return toEdge(found(row, 'edge', id));
    },

    async listEdges(filter, page) {
      const after = readCursor(page.cursor, ['string', 'string']);
      let query = backend.reader().selectFrom('edge').selectAll();
      if (filter.tenant !== undefined) query = query.where('tenant', '=', filter.tenant);
      if (after !== null) {
        const [name, id] = [String(after[0]), String(after[1])];
        query = query.where((eb) => eb.or([eb('name', '>', name), eb.and([eb('name', '=', name), eb('id', '>', id)])]));
      }
      const rows = await query.orderBy('name').orderBy('id').limit(pageLimit(page)).execute();
      return toPage(rows, page, toEdge, (row) => [row.name, row.id]);
    },

    async edgesOf(ids) {
      const edges = new Map<string, Edge>();
      for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
        const some = ids.slice(at, at + IDS_AT_ONCE);
        const rows = await backend.reader().selectFrom('edge').selectAll().where('id', 'in', some).execute();
        for (const row of rows) edges.set(row.id, toEdge(row));
      }
      return edges;
    },

    async streamsOfEdge(id) {
      const rows = await backend
        .reader()
        .selectFrom('stream')
        .selectAll()
        .where('edge_id', '=', id)
        .orderBy('name')
        .orderBy('id')
        .execute();
      return rows.map(toStream);
    },

    noteEdge: (by, { report, streams }) =>
      backend.write(async ({ db }) => {
        await requireSession(db, by);
        const seen = { seen_at_ms: backend.clock.nowMs(), away_at_ms: null, report: JSON.stringify(report) };
        await db.updateTable('edge').set(seen).where('id', '=', by.edgeId).execute();
        const own = await db.selectFrom('stream').select('id').where('edge_id', '=', by.edgeId).execute();
        const ids = new Set(own.map(({ id }) => id));
        for (const { streamId, lastCapturedAtMs, lastReceivedAtMs } of streams) {
          if (!ids.has(streamId) || lastCapturedAtMs === null || lastReceivedAtMs === null) continue;
          await touchStream(db, { streamId, lastCapturedAtMs, lastReceivedAtMs });
        }
      }),

    noteEdgeAway: ({ edgeId, session }) =>
      backend.write(async (scope) => {
        await scope.db
          .updateTable('edge')
          .set({ away_at_ms: backend.clock.nowMs() })
          .where('id', '=', edgeId)
          .where('session', '=', session)
          .where('away_at_ms', 'is', null)
          .execute();
      }),

    removeEdge: (id) =>
      backend.write(async (scope) => {
        await orphanStreams(scope, { edgeId: id });
        await scope.db.deleteFrom('edge_want').where('edge_id', '=', id).execute();
        await scope.db.deleteFrom('edge').where('id', '=', id).execute();
        scope.changed(id);
      }),

    putEdgeStream: (by, stream) =>
      backend.write(async (scope) => {
        const edge = await requireSession(scope.db, by);
        return putEdgeStream(backend, scope, edge, stream);
      }),

    dropEdgeStream: (by, streamId) =>
      backend.write(async (scope) => {
        await requireSession(scope.db, by);
        await orphanStreams(scope, { edgeId: by.edgeId, streamId });
        await scope.db
          .deleteFrom('edge_cursor')
          .where('stream_id', '=', streamId)
          .where('edge_id', '=', by.edgeId)
          .execute();
        scope.changed(by.edgeId);
      }),

    appendEdgeRows: (by, batch) =>
      backend.write(async (scope) => {
        await requireSession(scope.db, by);
        return appendEdgeRows(backend, scope, by, batch);
      }),

    noteArrived: (segmentId) => backend.write((scope) => noteArrived(scope, segmentId)),

    noteGone: (by, ids) =>
      backend.write(async (scope) => {
        await requireSession(scope.db, by);
        await noteGone(scope, by.edgeId, ids);
      }),

    watchStream: (streamId, idleAfterMs) =>
      backend.write((scope) => watchStream(scope, { streamId, nowMs: backend.clock.nowMs(), idleAfterMs })),

    wantSegment: (segmentId) => backend.write((scope) => wantSegment(scope, segmentId, backend.clock.nowMs())),

    demandOn: (edgeId, request) =>
      backend.snapshot((db) => demandOn(db, edgeId, { ...request, nowMs: backend.clock.nowMs() })),

    remoteOfHold: (hold) => backend.snapshot((db) => remoteOfHold(db, hold)),
  };
}

/** The edge whose request it is. @throws fenced */
async function requireSession(db: CatalogDb, { edgeId, session }: EdgeSession): Promise<Edge> {
  const row = await db.selectFrom('edge').selectAll().where('id', '=', edgeId).executeTakeFirst();
  if (row === undefined) {
    throw new ZoetropeError('fenced', `The edge ${edgeId} is not registered here, or was removed. Register it again.`);
  }
  if (row.session === session) return toEdge(row);
  throw new ZoetropeError(
    'fenced',
    `The edge ${edgeId} was registered again: its session is ${row.session}; this request has ${session}. Register again, unless another process of this edge runs.`,
  );
}

function toEdge(row: Row<EdgeTable>): Edge {
  return {
    id: row.id,
    tenant: row.tenant,
    name: row.name,
    version: row.version,
    session: row.session,
    createdAtMs: wallMs(row.created_at_ms),
    registeredAtMs: wallMs(row.registered_at_ms),
    seenAtMs: wallMs(row.seen_at_ms),
    awayAtMs: row.away_at_ms === null ? null : wallMs(row.away_at_ms),
    report: row.report === null ? null : (JSON.parse(row.report) as EdgeReport),
  };
}

function toCursor(row: Row<EdgeCursorTable>): RowCursor {
  return {
    streamId: row.stream_id,
    rendition: row.rendition,
    nextSequence: row.next_sequence,
    nextLateSequence: row.next_late_sequence,
  };
}
