import { sql } from 'kysely';
import type { WallMs } from '../../base/time.ts';
import { retireFromWindow } from '../../timeline/numbering.ts';
import type { SegmentRef } from '../catalog.ts';
import { updateRendition } from './append-queries.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { isCovered, isHeldBy, settleHeld } from './hold-cover.ts';
import { prepare } from './prepared.ts';
import { type Row, SEGMENT_REF_COLUMNS, toHold, toSegmentRef } from './rows.ts';
import type { CatalogDb, RenditionTable, SegmentTable } from './schema.ts';

const IDS_AT_ONCE = 500;
const HOLDS_AT_ONCE = 100;
/** When a segment was retired whose object is being deleted. */
const TAKEN = -1;

/** A request to take segments out of a stream's windows. */
export interface RetireRequest {
  readonly streamId: string;
  readonly beforeMs: WallMs;
  readonly limit: number;
}

interface Retiring {
  readonly rendition: Row<RenditionTable>;
  readonly segments: readonly Row<SegmentTable>[];
}

const retire = prepare<{ id: string; atMs: number; held: number }>((db, param) =>
  db
    .updateTable('segment')
    .set({ retired_at_ms: param('atMs'), held: param('held') })
    .where('id', '=', param('id')),
);

/** What {@link retireSegments} would take out: for each rendition the start of its window, up to the first segment that ends later. */
export async function findRetiring(db: CatalogDb, request: RetireRequest): Promise<readonly Retiring[]> {
  const renditions = await db
    .selectFrom('rendition')
    .selectAll()
    .where('stream_id', '=', request.streamId)
    .where('of_asset', '=', 0)
    .orderBy('id')
    .execute();
  const found: Retiring[] = [];
  let left = request.limit;
  for (const rendition of renditions) {
    if (left <= 0) break;
    const rows = await db
      .selectFrom('segment')
      .selectAll()
      .where('rendition_id', '=', rendition.id)
      .where('retired_at_ms', 'is', null)
      .where('start_ms', '<', request.beforeMs)
      .orderBy('start_ms')
      .orderBy('is_late')
      .orderBy('sequence')
      .limit(left)
      .execute();
    // Only a prefix of the window may leave it, or a playlist would lose a segment from its middle.
    const staying = rows.findIndex((row) => row.end_ms > request.beforeMs);
    const segments = staying === -1 ? rows : rows.slice(0, staying);
    left -= segments.length;
    if (segments.length > 0) found.push({ rendition, segments });
  }
  return found;
}

/** The segments of a {@link findRetiring} as references. */
export function refsOf(retiring: readonly Retiring[]): readonly SegmentRef[] {
  return retiring.flatMap(({ rendition, segments }) =>
    segments.map((row) => toSegmentRef({ ...row, stream_id: rendition.stream_id })),
  );
}

/** Takes segments out of the window and moves its numbers along. */
export async function retireSegments(
  backend: SqlBackend,
  scope: WriteScope,
  request: RetireRequest,
): Promise<readonly SegmentRef[]> {
  const retiring = await findRetiring(scope.db, request);
  if (retiring.length === 0) return [];
  const atMs = backend.clock.nowMs();
  const holds = (
    await scope.db
      .selectFrom('hold')
      .selectAll()
      .where('stream_id', '=', request.streamId)
      .where('from_ms', '<', request.beforeMs)
      .execute()
  ).map(toHold);
  for (const { rendition, segments } of retiring) {
    for (const row of segments) {
      const held = isHeldBy(holds, { startMs: row.start_ms, endMs: row.end_ms });
      await retire(scope.db, { id: row.id, atMs, held: Number(held) });
    }
    const tags = segments.reduce((sum, row) => sum + row.dvr_discontinuity, 0);
    const bytes = segments.reduce((sum, row) => sum + row.size_bytes, 0);
    const window = retireFromWindow(
      {
        mediaSequence: rendition.dvr_media_sequence,
        discontinuitySequence: rendition.dvr_discontinuity_sequence,
        length: rendition.window_count,
        tags: rendition.window_tags,
      },
      { count: segments.length, tags },
    );
    await updateRendition(scope.db, {
      ...rendition,
      dvr_media_sequence: window.mediaSequence,
      dvr_discontinuity_sequence: window.discontinuitySequence,
      window_count: window.length,
      window_tags: window.tags,
      window_bytes: rendition.window_bytes - bytes,
      retired_count: rendition.retired_count + segments.length,
      retired_bytes: rendition.retired_bytes + bytes,
    });
  }
  scope.changed(request.streamId);
  return refsOf(retiring);
}

/** Removes holds whose grace has passed, at most 100, and frees what they alone covered. Answers whether there may be more. */
export async function settleReleasedHolds(scope: WriteScope, releasedByMs: WallMs): Promise<boolean> {
  const released = await scope.db
    .selectFrom('hold')
    .selectAll()
    .where('released_at_ms', 'is not', null)
    .where('released_at_ms', '<=', releasedByMs)
    .limit(HOLDS_AT_ONCE)
    .execute();
  for (const hold of released) {
    await scope.db.deleteFrom('hold').where('id', '=', hold.id).execute();
    await settleHeld(scope.db, hold.stream_id, { fromMs: hold.from_ms, toMs: hold.to_ms });
    scope.changed(hold.stream_id);
  }
  return released.length === HOLDS_AT_ONCE;
}

/** Retired segments that nothing protects, longest retired first. */
export async function findSweepable(
  db: CatalogDb,
  request: {
    readonly retiredByMs: WallMs;
    readonly releasedByMs: WallMs;
    readonly limit: number;
    readonly streamId?: string;
  },
): Promise<readonly SegmentRef[]> {
  let query = db
    .selectFrom('segment')
    .innerJoin('rendition', 'rendition.id', 'segment.rendition_id')
    .select(SEGMENT_REF_COLUMNS)
    .where('segment.retired_at_ms', 'is not', null)
    .where('segment.held', '=', 0)
    .where('segment.retired_at_ms', '<=', request.retiredByMs)
    .where((eb) =>
      eb.or([
        eb('segment.retired_at_ms', '<', 0),
        eb.not(
          isCovered(eb, eb.ref('rendition.stream_id'), (hold) =>
            hold.or([hold('hold.released_at_ms', 'is', null), hold('hold.released_at_ms', '>', request.releasedByMs)]),
          ),
        ),
      ]),
    );
  if (request.streamId !== undefined) query = query.where('rendition.stream_id', '=', request.streamId);
  const rows = await query
    .orderBy('segment.retired_at_ms')
    .orderBy('segment.start_ms')
    .orderBy('segment.id')
    .limit(request.limit)
    .execute();
  return rows.map(toSegmentRef);
}

/** As {@link UpkeepStore.takeSweepable}. */
export async function takeSweepable({ db }: WriteScope, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const taken = new Set<string>();
  for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
    const rows = await db
      .updateTable('segment')
      .set({ retired_at_ms: TAKEN })
      .where('id', 'in', ids.slice(at, at + IDS_AT_ONCE))
      .where('retired_at_ms', 'is not', null)
      .where('held', '=', 0)
      .where((eb) =>
        eb.or([
          eb('retired_at_ms', '<', 0),
          eb.not(
            isCovered(eb, sql<string>`(select stream_id from rendition where rendition.id = segment.rendition_id)`),
          ),
        ]),
      )
      .returning('id')
      .execute();
    for (const { id } of rows) taken.add(id);
  }
  return taken;
}

/** Removes rows of retired segments, and what only they were the reason for. */
export async function removeSegments(scope: WriteScope, ids: readonly string[]): Promise<void> {
  const { db } = scope;
  const streams = new Map<string, number>();
  for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
    const rows = await db
      .selectFrom('segment')
      .innerJoin('rendition', 'rendition.id', 'segment.rendition_id')
      .select([...SEGMENT_REF_COLUMNS, 'segment.epoch_id'])
      .where('segment.id', 'in', ids.slice(at, at + IDS_AT_ONCE))
      .where('segment.retired_at_ms', 'is not', null)
      .execute();
    await db
      .deleteFrom('segment')
      .where(
        'id',
        'in',
        rows.map((row) => row.id),
      )
      .execute();
    for (const [renditionId, gone] of Map.groupBy(rows, (row) => row.rendition_id)) {
      const bytes = gone.reduce((sum, row) => sum + row.size_bytes, 0);
      const remoteBytes = gone.reduce((sum, row) => sum + row.remote * row.size_bytes, 0);
      await db
        .updateTable('rendition')
        .set((eb) => ({
          retired_count: eb('retired_count', '-', gone.length),
          retired_bytes: eb('retired_bytes', '-', bytes),
          remote_bytes: eb('remote_bytes', '-', remoteBytes),
        }))
        .where('id', '=', renditionId)
        .execute();
      await removeEmptyEpochs(
        db,
        renditionId,
        Map.groupBy(gone, (row) => row.epoch_id),
      );
    }
    for (const row of rows) streams.set(row.stream_id, Math.max(streams.get(row.stream_id) ?? 0, row.end_ms));
  }
  for (const [streamId, removedEndMs] of streams) {
    await removePast(db, streamId, removedEndMs);
    scope.changed(streamId);
  }
}

/** The newest on-time epoch stays even without segments: the writer goes on with it, and its number must not come again. */
async function removeEmptyEpochs(
  db: CatalogDb,
  renditionId: string,
  gone: ReadonlyMap<string, readonly unknown[]>,
): Promise<void> {
  for (const [epochId, segments] of gone) {
    await db
      .updateTable('epoch')
      .set((eb) => ({ segment_count: eb('segment_count', '-', segments.length) }))
      .where('id', '=', epochId)
      .execute();
    await db
      .deleteFrom('epoch')
      .where('id', '=', epochId)
      .where('segment_count', '<=', 0)
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('rendition')
              .select('rendition.id')
              .where('rendition.id', '=', renditionId)
              .whereRef('rendition.next_epoch_ordinal', '=', eb('epoch.ordinal', '+', 1))
              .where('epoch.is_late', '=', 0),
          ),
        ),
      )
      .execute();
  }
}

/** Removes markers and settled sessions that lie before everything that is left of a stream and in no hold. */
async function removePast(db: CatalogDb, streamId: string, removedEndMs: number): Promise<void> {
  const oldest = await db
    .selectFrom('rendition')
    .select((eb) =>
      eb
        .selectFrom('segment')
        .select('segment.start_ms')
        .whereRef('segment.rendition_id', '=', 'rendition.id')
        .orderBy('segment.start_ms')
        .limit(1)
        .as('start_ms'),
    )
    .where('stream_id', '=', streamId)
    .execute();
  const starts = oldest.map((row) => row.start_ms).filter((start) => start !== null);
  const beforeMs = starts.length > 0 ? Math.min(...starts) : removedEndMs;
  await db
    .deleteFrom('marker')
    .where('stream_id', '=', streamId)
    .where('at_ms', '<', beforeMs)
    .where((eb) => eb.or([eb('until_ms', 'is', null), eb('until_ms', '<=', beforeMs)]))
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('hold')
            .select('hold.id')
            .where('hold.stream_id', '=', streamId)
            .where((hold) => hold('hold.from_ms', '<=', hold.fn.coalesce('marker.until_ms', 'marker.at_ms')))
            .where((hold) =>
              hold.or([hold('hold.to_ms', 'is', null), hold('hold.to_ms', '>', hold.ref('marker.at_ms'))]),
            ),
        ),
      ),
    )
    .execute();
  await db
    .deleteFrom('session')
    .where('stream_id', '=', streamId)
    .where('settled', '=', 1)
    .where('closed_at_ms', 'is not', null)
    .where('end_ms', '<=', beforeMs)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('hold')
            .select('hold.id')
            .where('hold.stream_id', '=', streamId)
            .whereRef('hold.from_ms', '<', 'session.end_ms')
            .where((hold) =>
              hold.or([hold('hold.to_ms', 'is', null), hold('hold.to_ms', '>', hold.ref('session.start_ms'))]),
            ),
        ),
      ),
    )
    .execute();
}
