import type { WriteScope } from './backend.ts';
import { forgetExtents } from './hold-extent.ts';
import type { CatalogDb } from './schema.ts';

const IDS_AT_ONCE = 500;
const FAR_MS = 8_640_000_000_000_000;

/** As {@link EdgeStore.noteArrived}. */
export async function noteArrived(scope: WriteScope, segmentId: string): Promise<boolean> {
  const { db } = scope;
  const [row] = await findSegments(db, [segmentId]);
  if (row === undefined || (row.retired_at_ms ?? 0) < 0) return false;
  await db.deleteFrom('edge_want').where('segment_id', '=', segmentId).execute();
  if (row.remote === 0 && row.lost === 0) return true;
  await db.updateTable('segment').set({ remote: 0, lost: 0 }).where('id', '=', segmentId).execute();
  if (row.remote === 1) await takeRemoteBytes(db, row.rendition_id, row.size_bytes);
  if (row.lost === 1) {
    await forgetExtents(db, row.stream_id, { startMs: row.start_ms, endMs: row.end_ms });
    scope.changed(row.stream_id);
  }
  if (row.edge_id !== null) scope.changed(row.edge_id);
  return true;
}

/** As {@link EdgeStore.noteGone}, for a session that is the newest. */
export async function noteGone(scope: WriteScope, edgeId: string, ids: readonly string[]): Promise<void> {
  const { db } = scope;
  for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
    for (const row of await findSegments(db, ids.slice(at, at + IDS_AT_ONCE))) {
      if (row.edge_id !== edgeId || row.remote === 0) continue;
      await db.updateTable('segment').set({ remote: 0, lost: 1 }).where('id', '=', row.id).execute();
      await takeRemoteBytes(db, row.rendition_id, row.size_bytes);
      await db.deleteFrom('edge_want').where('segment_id', '=', row.id).execute();
      await forgetExtents(db, row.stream_id, { startMs: row.start_ms, endMs: row.end_ms });
      scope.changed(row.stream_id);
    }
  }
  scope.changed(edgeId);
}

/** Lets the streams of an edge, or one of them, go on without it: what is remote is lost, and whoever feeds them now begins anew. */
export async function orphanStreams(
  scope: WriteScope,
  which: { readonly edgeId: string; readonly streamId?: string },
): Promise<void> {
  const { db } = scope;
  let query = db.selectFrom('stream').select('id').where('edge_id', '=', which.edgeId);
  if (which.streamId !== undefined) query = query.where('id', '=', which.streamId);
  const streams = await query.execute();
  for (const { id } of streams) {
    const renditions = await db.selectFrom('rendition').select('id').where('stream_id', '=', id).execute();
    for (const rendition of renditions) {
      await db
        .updateTable('segment')
        .set({ remote: 0, lost: 1 })
        .where('rendition_id', '=', rendition.id)
        .where('remote', '=', 1)
        .execute();
      await db.updateTable('rendition').set({ remote_bytes: 0, fence: 0 }).where('id', '=', rendition.id).execute();
    }
    await db.updateTable('stream').set({ edge_id: null, watched_at_ms: null }).where('id', '=', id).execute();
    await forgetExtents(db, id, { startMs: -FAR_MS, endMs: FAR_MS });
    scope.changed(id);
  }
}

async function findSegments(db: CatalogDb, ids: readonly string[]) {
  return db
    .selectFrom('segment')
    .innerJoin('rendition', 'rendition.id', 'segment.rendition_id')
    .innerJoin('stream', 'stream.id', 'rendition.stream_id')
    .select([
      'segment.id',
      'segment.rendition_id',
      'segment.start_ms',
      'segment.end_ms',
      'segment.size_bytes',
      'segment.remote',
      'segment.lost',
      'segment.retired_at_ms',
      'rendition.stream_id',
      'stream.edge_id',
    ])
    .where('segment.id', 'in', ids)
    .execute();
}

async function takeRemoteBytes(db: CatalogDb, renditionId: string, bytes: number): Promise<void> {
  await db
    .updateTable('rendition')
    .set((eb) => ({ remote_bytes: eb('remote_bytes', '-', bytes) }))
    .where('id', '=', renditionId)
    .execute();
}
