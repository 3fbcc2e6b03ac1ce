import { sql } from 'kysely';
import { wallMs } from '../../base/time.ts';
import type { EdgeReport } from '../../timeline/edge.ts';
import { MAIN_RENDITION } from '../../timeline/rendition.ts';
import type { EdgeDemand, KeptStretch } from '../edge-store.ts';
import type { WriteScope } from './backend.ts';
import type { Row } from './rows.ts';
import type { CatalogDb, HoldTable, RenditionTable } from './schema.ts';

/** Most that wait to be sent to one edge's askers: beyond, the oldest are forgotten. Each is a request that waits. */
const MOST_ASKED = 1000;
/** A stream counts as watched for so many of its longest segments, where they are longer than the idle time. */
const IDLE_SEGMENTS = 3;
const LONGEST_PATIENCE_MS = 600_000;
/** A stretch is known to be whole when the edge said after its end, by so much, that all its rows are here: clocks differ, and segments wait to be closed. */
const SETTLED_AFTER_MS = 300_000;

/** As {@link EdgeStore.watchStream}. */
export async function watchStream(
  scope: WriteScope,
  { streamId, nowMs, idleAfterMs }: { readonly streamId: string; readonly nowMs: number; readonly idleAfterMs: number },
): Promise<void> {
  const [row] = await watchedStreams(scope.db).where('stream.id', '=', streamId).execute();
  const edgeId = row?.edge_id ?? null;
  if (edgeId === null) return;
  await scope.db.updateTable('stream').set({ watched_at_ms: nowMs }).where('id', '=', streamId).execute();
  if (row === undefined || watchedUntil(row, idleAfterMs) <= nowMs) scope.changed(edgeId);
}

/** As {@link EdgeStore.wantSegment}. */
export async function wantSegment(scope: WriteScope, segmentId: string, nowMs: number): Promise<void> {
  const { db } = scope;
  const row = await db
    .selectFrom('segment')
    .innerJoin('rendition', 'rendition.id', 'segment.rendition_id')
    .innerJoin('stream', 'stream.id', 'rendition.stream_id')
    .select('stream.edge_id')
    .where('segment.id', '=', segmentId)
    .where('segment.remote', '=', 1)
    .executeTakeFirst();
  const edgeId = row?.edge_id ?? null;
  if (edgeId === null) return;
  await db
    .insertInto('edge_want')
    .values({ segment_id: segmentId, edge_id: edgeId, asked_at_ms: nowMs })
    .onConflict((conflict) => conflict.column('segment_id').doUpdateSet({ asked_at_ms: nowMs }))
    .execute();
  const kept = db
    .selectFrom('edge_want')
    .select('segment_id')
    .where('edge_id', '=', edgeId)
    .orderBy('asked_at_ms', 'desc')
    .limit(MOST_ASKED);
  await db.deleteFrom('edge_want').where('edge_id', '=', edgeId).where('segment_id', 'not in', kept).execute();
  scope.changed(edgeId);
}

/** As {@link EdgeStore.demandOn}. */
export async function demandOn(
  db: CatalogDb,
  edgeId: string,
  request: {
    readonly nowMs: number;
    readonly idleAfterMs: number;
    readonly askedForMs: number;
    readonly limit: number;
  },
): Promise<EdgeDemand> {
  const { nowMs, idleAfterMs, askedForMs, limit } = request;
  const streams = await watchedStreams(db).where('stream.edge_id', '=', edgeId).orderBy('stream.id').execute();
  const changes: number[] = [];
  const live = new Set<string>();
  for (const stream of streams) {
    const untilMs = watchedUntil(stream, idleAfterMs);
    if (untilMs <= nowMs) continue;
    live.add(stream.id);
    changes.push(untilMs);
  }
  const asked = await askedFor(db, edgeId, { sinceMs: nowMs - askedForMs, limit });
  const seen = new Set(asked.map(({ id }) => id));
  const missing: { readonly id: string; readonly streamId: string }[] = [];
  const keep: KeptStretch[] = [];
  const settledMs = await settledUntil(db, edgeId);
  const renditions = await renditionsOf(db, edgeId);
  for (const hold of await holdsOn(db, edgeId)) {
    const own = renditions.get(hold.stream_id) ?? [];
    const left = limit - seen.size;
    const lacking = await remoteWithin(db, own, hold, Math.max(1, left));
    const isRunning = hold.to_ms === null || hold.to_ms > nowMs;
    if (hold.to_ms !== null && hold.to_ms > nowMs) changes.push(hold.to_ms);
    if (isRunning && hold.from_ms <= nowMs) live.add(hold.stream_id);
    if (isRunning || lacking.length > 0 || !hasAllRows(own, hold, settledMs)) keep.push(toKept(hold));
    for (const id of lacking.slice(0, Math.max(0, left))) {
      if (seen.has(id)) continue;
      seen.add(id);
      missing.push({ id, streamId: hold.stream_id });
    }
  }
  return {
    streamIds: streams.map(({ id }) => id),
    live: [...live].sort(),
    keep,
    asked: asked.map(({ id, stream_id }) => ({ id, streamId: stream_id })),
    missing,
    changesAtMs: changes.length === 0 ? null : wallMs(Math.min(...changes)),
  };
}

/** As {@link EdgeStore.remoteOfHold}. */
export async function remoteOfHold(
  db: CatalogDb,
  hold: { readonly streamId: string; readonly fromMs: number; readonly toMs: number | null },
): Promise<number> {
  const renditions = await db
    .selectFrom('rendition')
    .selectAll()
    .where('stream_id', '=', hold.streamId)
    .where('name', '=', MAIN_RENDITION)
    .where('remote_bytes', '>', 0)
    .execute();
  let count = 0;
  for (const rendition of renditions) {
    const row = await within(db, rendition, { from_ms: hold.fromMs, to_ms: hold.toMs })
      .select(sql<number>`count(*)`.as('count'))
      .executeTakeFirstOrThrow();
    count += row.count;
  }
  return count;
}

/** Streams with what says for how long they count as watched. */
function watchedStreams(db: CatalogDb) {
  return db
    .selectFrom('stream')
    .leftJoin('rendition', (join) =>
      join.onRef('rendition.stream_id', '=', 'stream.id').on('rendition.name', '=', MAIN_RENDITION),
    )
    .select(['stream.id', 'stream.edge_id', 'stream.watched_at_ms', 'rendition.max_span_ms']);
}

/** Players ask for a playlist again after a segment's length: of a camera's long segments that is seldom. */
function watchedUntil(
  stream: { readonly watched_at_ms: number | null; readonly max_span_ms: number | null },
  idleAfterMs: number,
): number {
  if (stream.watched_at_ms === null) return Number.NEGATIVE_INFINITY;
  const patienceMs = Math.min(LONGEST_PATIENCE_MS, IDLE_SEGMENTS * (stream.max_span_ms ?? 0));
  return stream.watched_at_ms + Math.max(idleAfterMs, patienceMs);
}

async function askedFor(db: CatalogDb, edgeId: string, request: { readonly sinceMs: number; readonly limit: number }) {
  return db
    .selectFrom('edge_want')
    .innerJoin('segment', 'segment.id', 'edge_want.segment_id')
    .innerJoin('rendition', 'rendition.id', 'segment.rendition_id')
    .select(['segment.id', 'rendition.stream_id'])
    .where('edge_want.edge_id', '=', edgeId)
    .where('edge_want.asked_at_ms', '>', request.sinceMs)
    .where('segment.remote', '=', 1)
    .orderBy('edge_want.asked_at_ms')
    .orderBy('segment.start_ms')
    .limit(request.limit)
    .execute();
}

/** Recordings and sources of clips of an edge's streams, oldest first. Archives pull nothing. */
async function holdsOn(db: CatalogDb, edgeId: string): Promise<readonly Row<HoldTable>[]> {
  return db
    .selectFrom('hold')
    .innerJoin('stream', 'stream.id', 'hold.stream_id')
    .selectAll('hold')
    .where('stream.edge_id', '=', edgeId)
    .where('hold.kind', 'in', ['recording', 'clip'])
    .where('hold.released_at_ms', 'is', null)
    .orderBy('hold.from_ms')
    .orderBy('hold.id')
    .execute();
}

async function renditionsOf(
  db: CatalogDb,
  edgeId: string,
): Promise<ReadonlyMap<string, readonly Row<RenditionTable>[]>> {
  const rows = await db
    .selectFrom('rendition')
    .innerJoin('stream', 'stream.id', 'rendition.stream_id')
    .selectAll('rendition')
    .where('stream.edge_id', '=', edgeId)
    .orderBy('rendition.id')
    .execute();
  return Map.groupBy(rows, (row) => row.stream_id);
}

async function remoteWithin(
  db: CatalogDb,
  renditions: readonly Row<RenditionTable>[],
  hold: Pick<HoldTable, 'from_ms' | 'to_ms'>,
  limit: number,
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const rendition of renditions) {
    if (rendition.remote_bytes <= 0 || ids.length >= limit) continue;
    const rows = await within(db, rendition, hold)
      .select('id')
      .orderBy('start_ms')
      .limit(limit - ids.length)
      .execute();
    ids.push(...rows.map(({ id }) => id));
  }
  return ids;
}

function within(db: CatalogDb, rendition: Row<RenditionTable>, hold: Pick<HoldTable, 'from_ms' | 'to_ms'>) {
  const query = db
    .selectFrom('segment')
    .where('rendition_id', '=', rendition.id)
    .where(sql<boolean>`remote = 1`)
    .where('start_ms', '>', hold.from_ms - rendition.max_span_ms)
    .where('end_ms', '>', hold.from_ms);
  return hold.to_ms === null ? query : query.where('start_ms', '<', hold.to_ms);
}

/** Up to when an edge's rows are surely all here; by its own word. */
async function settledUntil(db: CatalogDb, edgeId: string): Promise<number> {
  const row = await db.selectFrom('edge').select(['seen_at_ms', 'report']).where('id', '=', edgeId).executeTakeFirst();
  if (row === undefined || row.report === null) return Number.NEGATIVE_INFINITY;
  const { backlogRows } = JSON.parse(row.report) as EdgeReport;
  return backlogRows === 0 ? row.seen_at_ms - SETTLED_AFTER_MS : Number.NEGATIVE_INFINITY;
}

function hasAllRows(
  renditions: readonly Row<RenditionTable>[],
  hold: Pick<HoldTable, 'to_ms'>,
  settledMs: number,
): boolean {
  const toMs = hold.to_ms ?? Number.POSITIVE_INFINITY;
  return (
    toMs <= settledMs || renditions.every(({ newest_end_ms }) => (newest_end_ms ?? Number.NEGATIVE_INFINITY) >= toMs)
  );
}

function toKept(hold: Row<HoldTable>): KeptStretch {
  return {
    id: hold.id,
    streamId: hold.stream_id,
    name: hold.name,
    fromMs: wallMs(hold.from_ms),
    toMs: hold.to_ms === null ? null : wallMs(hold.to_ms),
  };
}
