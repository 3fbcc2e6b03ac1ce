import { sql } from 'kysely';
import type { Session } from '../../timeline/session.ts';
import type { Stream } from '../../timeline/stream.ts';
import type { UpkeepStore } from '../catalog.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { forgetExtents } from './hold-extent.ts';
import { insertHold } from './hold-store.ts';
import {
  findRetiring,
  findSweepable,
  refsOf,
  removeSegments,
  retireSegments,
  settleReleasedHolds,
  takeSweepable,
} from './retention.ts';
import { found, SEGMENT_REF_COLUMNS, toEpoch, toSegment, toSegmentRef, toSession, toStream } from './rows.ts';
import type { CatalogDb } from './schema.ts';
import { publishOffline } from './session-events.ts';

const PAGE = 1_000;
const UNARCHIVED_AT_ONCE = 1_000;

/** Makes the {@link UpkeepStore} of a SQL database. */
export function sqlUpkeepStore(backend: SqlBackend): UpkeepStore {
  return {
    async retireSegments({ dryRun, ...request }) {
      if (dryRun) return refsOf(await backend.snapshot((db) => findRetiring(db, request)));
      return backend.write((scope) => retireSegments(backend, scope, request));
    },

    async sweepableSegments(request) {
      const releasedByMs = request.releasedByMs ?? request.retiredByMs;
      while (await backend.write((scope) => settleReleasedHolds(scope, releasedByMs)));
      return findSweepable(backend.reader(), { ...request, releasedByMs });
    },

    takeSweepable: (ids) => backend.write((scope) => takeSweepable(scope, ids)),

    removeSegments: (ids) => backend.write((scope) => removeSegments(scope, ids)),

    setSegmentLost: (id, lost) =>
      backend.write(async (scope) => {
        const row = await scope.db
          .selectFrom('segment')
          .innerJoin('rendition', 'rendition.id', 'segment.rendition_id')
          .innerJoin('stream', 'stream.id', 'rendition.stream_id')
          .select([
            'segment.rendition_id',
            'rendition.stream_id',
            'stream.edge_id',
            'segment.lost',
            'segment.remote',
            'segment.size_bytes',
            'segment.start_ms',
            'segment.end_ms',
          ])
          .where('segment.id', '=', id)
          .executeTakeFirst();
        const segment = found(row, 'segment', id);
        if (segment.lost === Number(lost)) return;
        if (lost && segment.remote === 1) return;
        if (lost && segment.edge_id !== null) return sendBackToEdge(scope, id, segment);
        await scope.db
          .updateTable('segment')
          .set({ lost: Number(lost) })
          .where('id', '=', id)
          .execute();
        await forgetExtents(scope.db, segment.stream_id, { startMs: segment.start_ms, endMs: segment.end_ms });
        scope.changed(segment.stream_id);
      }),

    async oldestSegments(limit) {
      const rows = await backend
        .reader()
        .selectFrom('segment')
        .innerJoin('rendition', 'rendition.id', 'segment.rendition_id')
        .select(SEGMENT_REF_COLUMNS)
        .where('segment.retired_at_ms', 'is', null)
        .where(sql<boolean>`segment.of_asset = 0`)
        .where('segment.remote', '=', 0)
        .orderBy('segment.start_ms')
        .limit(limit)
        .execute();
      return rows.map(toSegmentRef);
    },

    totals: () =>
      backend.snapshot(async (db) => {
        const streams = await db
          .selectFrom('stream')
          .select(sql<number>`count(*)`.as('count'))
          .where('kind', '<>', 'asset')
          .executeTakeFirstOrThrow();
        const sessions = await db
          .selectFrom('session')
          .select(sql<number>`count(*)`.as('count'))
          .where('closed_at_ms', 'is', null)
          .executeTakeFirstOrThrow();
        // Counters, kept by every write: counting tens of millions of rows would take seconds.
        const sums = await db
          .selectFrom('rendition')
          .select([
            sql<number | null>`sum(case when of_asset = 0 then window_count end)`.as('segments'),
            sql<number | null>`sum(case when of_asset = 0 then window_bytes end)`.as('bytes'),
            sql<number | null>`sum(retired_count)`.as('retired'),
            sql<number | null>`sum(retired_bytes)`.as('retired_bytes'),
            sql<number | null>`sum(case when of_asset = 1 then window_bytes end)`.as('asset_bytes'),
            sql<number | null>`sum(remote_bytes)`.as('remote_bytes'),
          ])
          .executeTakeFirstOrThrow();
        return {
          streams: streams.count,
          segments: sums.segments ?? 0,
          segmentBytes: sums.bytes ?? 0,
          retiredSegments: sums.retired ?? 0,
          retiredBytes: sums.retired_bytes ?? 0,
          openSessions: sessions.count,
          assetSegmentBytes: sums.asset_bytes ?? 0,
          remoteBytes: sums.remote_bytes ?? 0,
        };
      }),

    openSessions: () =>
      backend.snapshot(async (db) => {
        const rows = await db
          .selectFrom('session')
          .selectAll()
          .where('closed_at_ms', 'is', null)
          .orderBy('stream_id')
          .execute();
        return withStreams(db, rows.map(toSession));
      }),

    endSession: (request) =>
      backend.write(async (scope) => {
        const ended = await scope.db
          .updateTable('session')
          .set({ ended_by: request.by, closed_at_ms: backend.clock.nowMs(), settled: 1 })
          .where('id', '=', request.sessionId)
          .where('closed_at_ms', 'is', null)
          .returningAll()
          .executeTakeFirst();
        if (ended === undefined) return false;
        if (request.archive !== null) await insertHold(backend, scope, request.archive);
        await publishOffline(backend, scope, toSession(ended), request.by);
        scope.changed(ended.stream_id);
        return true;
      }),

    unarchivedSessions: () =>
      backend.snapshot(async (db) => {
        const rows = await db
          .selectFrom('session')
          .selectAll()
          .where('settled', '=', 0)
          .where('closed_at_ms', 'is not', null)
          .orderBy('closed_at_ms')
          .orderBy('id')
          .limit(UNARCHIVED_AT_ONCE)
          .execute();
        return withStreams(db, rows.map(toSession));
      }),

    settleSession: (sessionId, archive) =>
      backend.write(async (scope) => {
        const settled = await scope.db
          .updateTable('session')
          .set({ settled: 1 })
          .where('id', '=', sessionId)
          .where('closed_at_ms', 'is not', null)
          .where('settled', '=', 0)
          .returning('stream_id')
          .executeTakeFirst();
        if (settled === undefined) return false;
        if (archive !== null) await insertHold(backend, scope, archive);
        return true;
      }),

    async *allSegments(options = {}) {
      for (const rendition of await renditions(backend.reader(), options.streamId)) {
        let after = { start_ms: Number.NEGATIVE_INFINITY, is_late: 0, sequence: 0 };
        for (;;) {
          const rows = await backend
            .reader()
            .selectFrom('segment')
            .selectAll()
            .where('rendition_id', '=', rendition.id)
            .where(
              sql<boolean>`(start_ms, is_late, sequence) > (${after.start_ms}, ${after.is_late}, ${after.sequence})`,
            )
            .orderBy('start_ms')
            .orderBy('is_late')
            .orderBy('sequence')
            .limit(PAGE)
            .execute();
          for (const row of rows) yield toSegment(row, rendition.stream_id);
          const last = rows.at(-1);
          if (last === undefined || rows.length < PAGE) break;
          after = last;
        }
      }
    },

    async *allEpochs(options = {}) {
      for (const rendition of await renditions(backend.reader(), options.streamId)) {
        let after = '';
        for (;;) {
          const rows = await backend
            .reader()
            .selectFrom('epoch')
            .selectAll()
            .where('rendition_id', '=', rendition.id)
            .where('id', '>', after)
            .orderBy('id')
            .limit(PAGE)
            .execute();
          for (const row of rows) yield toEpoch(row);
          const last = rows.at(-1);
          if (last === undefined || rows.length < PAGE) break;
          after = last.id;
        }
      }
    },
  };
}

/** What is damaged here may be whole at its edge, which says so if it is not. */
async function sendBackToEdge(
  { db }: WriteScope,
  id: string,
  segment: { readonly rendition_id: string; readonly size_bytes: number },
): Promise<void> {
  await db.updateTable('segment').set({ remote: 1 }).where('id', '=', id).execute();
  await db
    .updateTable('rendition')
    .set((eb) => ({ remote_bytes: eb('remote_bytes', '+', segment.size_bytes) }))
    .where('id', '=', segment.rendition_id)
    .execute();
}

async function renditions(
  db: CatalogDb,
  streamId: string | undefined,
): Promise<readonly { readonly id: string; readonly stream_id: string }[]> {
  const query = db.selectFrom('rendition').select(['id', 'stream_id']).orderBy('id');
  return (streamId === undefined ? query : query.where('stream_id', '=', streamId)).execute();
}

async function withStreams(
  db: CatalogDb,
  sessions: readonly Session[],
): Promise<readonly { readonly session: Session; readonly stream: Stream }[]> {
  const ids = [...new Set(sessions.map((session) => session.streamId))];
  const streams = new Map<string, Stream>();
  for (let at = 0; at < ids.length; at += PAGE) {
    const rows = await db
      .selectFrom('stream')
      .selectAll()
      .where('id', 'in', ids.slice(at, at + PAGE))
      .execute();
    for (const row of rows) streams.set(row.id, toStream(row));
  }
  return sessions.flatMap((session) => {
    const stream = streams.get(session.streamId);
    return stream === undefined ? [] : [{ session, stream }];
  });
}
