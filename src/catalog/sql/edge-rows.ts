import { ZoetropeError } from '../../base/errors.ts';
import { wallMs } from '../../base/time.ts';
import { MAIN_RENDITION } from '../../timeline/rendition.ts';
import type { Edge } from '../../timeline/edge.ts';
import { segmentEndMs } from '../../timeline/segment.ts';
import type { Stream } from '../../timeline/stream.ts';
import type { NewSegment } from '../catalog.ts';
import type { EdgeRowBatch, EdgeSegment, EdgeSession, EdgeStreamState, RowCursor } from '../edge-store.ts';
import { findEpoch, findRendition } from './append-queries.ts';
import { appendSegment } from './append-segment.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { type Row, toStream } from './rows.ts';
import type { CatalogDb, StreamTable } from './schema.ts';
import { publishEnded } from './session-events.ts';
import { touchStream } from './stream-store.ts';
import { insertStreamRow, makeRendition, searchText } from './stream-rows.ts';

/** As {@link EdgeStore.putEdgeStream}. */
export async function putEdgeStream(
  backend: SqlBackend,
  scope: WriteScope,
  edge: Edge,
  { streamId, kind, name, endedAtMs }: EdgeStreamState,
): Promise<Stream> {
  const { db } = scope;
  let row = await db.selectFrom('stream').selectAll().where('id', '=', streamId).executeTakeFirst();
  if (row === undefined) {
    const made = { id: streamId, tenant: edge.tenant, kind, name, deviceId: null, settings: {} };
    row = (await insertStreamRow(backend, scope, made)) ?? undefined;
    if (row === undefined) throw new ZoetropeError('conflict', `The stream ${streamId} could not be made.`);
    await makeRendition(backend, scope, { streamId, name: MAIN_RENDITION, ofAsset: false });
    await writeCursor(db, edge.id, { streamId, rendition: MAIN_RENDITION, nextSequence: 0, nextLateSequence: 0 });
  } else {
    await requireOwn(db, edge, row);
  }
  if (row.kind !== kind) {
    throw new ZoetropeError('conflict', `The stream ${streamId} is of kind ${row.kind} here. Got ${kind}.`);
  }
  const changed = { edge_id: edge.id, name, search_text: searchText(name, row.device_id), ended_at_ms: endedAtMs };
  if (row.edge_id === edge.id && row.name === name && row.ended_at_ms === endedAtMs) return toStream(row);
  await db.updateTable('stream').set(changed).where('id', '=', streamId).execute();
  scope.changed(streamId);
  scope.changed(edge.id);
  const stream = toStream({ ...row, ...changed });
  if (endedAtMs !== null && row.ended_at_ms === null) await publishEnded(backend, scope, stream, endedAtMs);
  return stream;
}

/** A stream is another's unless it is, or was, this edge's. */
async function requireOwn(db: CatalogDb, edge: Edge, row: Row<StreamTable>): Promise<void> {
  if (row.edge_id === edge.id && row.tenant === edge.tenant) return;
  const was = await db
    .selectFrom('edge_cursor')
    .select('edge_id')
    .where('stream_id', '=', row.id)
    .where('edge_id', '=', edge.id)
    .executeTakeFirst();
  if (row.edge_id === null && row.tenant === edge.tenant && was !== undefined) {
    // Whoever writes here meanwhile claimed it with a fence; their epochs cannot go on together.
    const claimed = await db
      .selectFrom('rendition')
      .select('id')
      .where('stream_id', '=', row.id)
      .where('fence', '>', 0)
      .executeTakeFirst();
    if (claimed === undefined) return;
    throw new ZoetropeError(
      'conflict',
      `The stream ${row.id} was the edge ${edge.id}’s, and has been fed here since the edge was removed. Delete it here to have it from the edge again.`,
    );
  }
  throw new ZoetropeError(
    'conflict',
    `There is a stream ${row.id} here that is not the edge ${edge.id}’s. Two streams cannot have one id: was the edge’s catalog copied from this server or from another edge?`,
  );
}

/** As {@link EdgeStore.appendEdgeRows}, for a session that is the newest. */
export async function appendEdgeRows(
  backend: SqlBackend,
  scope: WriteScope,
  by: EdgeSession,
  batch: EdgeRowBatch,
): Promise<RowCursor> {
  const { db } = scope;
  const { streamId, rendition: name } = batch;
  const stream = await db.selectFrom('stream').select('edge_id').where('id', '=', streamId).executeTakeFirst();
  if (stream?.edge_id !== by.edgeId) {
    throw new ZoetropeError(
      'not_found',
      `The edge ${by.edgeId} has no stream ${streamId} here. Make it first: PUT /v1/edges/${by.edgeId}/streams/${streamId}.`,
    );
  }
  const [known] = await findRendition(db, { streamId, name });
  const rendition = known ?? (await makeRendition(backend, scope, { streamId, name, ofAsset: false }));
  const cursor = await readRowCursor(db, streamId, name);
  let { nextSequence, nextLateSequence } = cursor;
  for (const row of batch.rows) {
    const isLate = row.placement === 'late';
    if (row.sequence < (isLate ? nextLateSequence : nextSequence)) continue;
    const fence = Math.max(rendition.fence, by.session);
    await appendSegment(backend, scope, await newSegmentOf(db, rendition.id, row, { ...batch, fence }));
    if (isLate) nextLateSequence = row.sequence + 1;
    else nextSequence = row.sequence + 1;
  }
  const capturedMs = Math.max(...batch.rows.map((row) => row.frameTimesMs.at(-1) ?? segmentEndMs(row)));
  if (Number.isFinite(capturedMs)) {
    // When it arrived at the edge only the edge knows, and says soon.
    const lastReceivedAtMs = wallMs(Math.min(capturedMs, backend.clock.nowMs()));
    await touchStream(db, { streamId, lastCapturedAtMs: wallMs(capturedMs), lastReceivedAtMs });
  }
  const moved = { streamId, rendition: name, nextSequence, nextLateSequence };
  await writeCursor(db, by.edgeId, moved);
  return moved;
}

async function newSegmentOf(
  db: CatalogDb,
  renditionId: string,
  row: EdgeSegment,
  batch: EdgeRowBatch & { readonly fence: number },
): Promise<NewSegment> {
  const { epochId, sequence: _, ...segment } = row;
  const { streamId, rendition, fence, offlineAfterMs } = batch;
  const common = { ...segment, streamId, rendition, fence, offlineAfterMs, remote: true };
  const [known] = await findEpoch(db, { id: epochId });
  if (known !== undefined) {
    if (known.rendition_id !== renditionId) {
      throw new ZoetropeError('conflict', `There is an epoch ${epochId} already, of another rendition.`);
    }
    return { ...common, epoch: { existingId: epochId } };
  }
  const begin = batch.epochs.find(({ id }) => id === epochId);
  if (begin === undefined) {
    throw new ZoetropeError(
      'invalid_argument',
      `The row ${row.id} names the epoch ${epochId}, which is not here. Send it among the epochs.`,
    );
  }
  return { ...common, epoch: { begin } };
}

async function readRowCursor(db: CatalogDb, streamId: string, rendition: string): Promise<RowCursor> {
  const row = await db
    .selectFrom('edge_cursor')
    .selectAll()
    .where('stream_id', '=', streamId)
    .where('rendition', '=', rendition)
    .executeTakeFirst();
  const [nextSequence, nextLateSequence] = [row?.next_sequence ?? 0, row?.next_late_sequence ?? 0];
  return { streamId, rendition, nextSequence, nextLateSequence };
}

async function writeCursor(db: CatalogDb, edgeId: string, cursor: RowCursor): Promise<void> {
  const { streamId, rendition, nextSequence, nextLateSequence } = cursor;
  const moved = { edge_id: edgeId, next_sequence: nextSequence, next_late_sequence: nextLateSequence };
  await db
    .insertInto('edge_cursor')
    .values({ stream_id: streamId, rendition, ...moved })
    .onConflict((conflict) => conflict.columns(['stream_id', 'rendition']).doUpdateSet(moved))
    .execute();
}
