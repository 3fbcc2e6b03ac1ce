import type { NewStream } from '../catalog.ts';
import { insertRendition } from './append-queries.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import type { Row } from './rows.ts';
import type { RenditionTable, StreamTable } from './schema.ts';

/** Writes a stream's row. Null when its id or its tenant's device is taken. */
export async function insertStreamRow(
  backend: SqlBackend,
  scope: WriteScope,
  stream: NewStream,
): Promise<Row<StreamTable> | null> {
  const row: Row<StreamTable> = {
    id: stream.id,
    tenant: stream.tenant,
    kind: stream.kind,
    name: stream.name,
    device_id: stream.deviceId,
    search_text: searchText(stream.name, stream.deviceId),
    settings: JSON.stringify(stream.settings),
    created_at_ms: backend.clock.nowMs(),
    last_captured_at_ms: null,
    last_received_at_ms: null,
    ended_at_ms: null,
    source: null,
    revision: 0,
  };
  const inserted = await scope.db
    .insertInto('stream')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted === undefined) return null;
  scope.changed(stream.id);
  return row;
}

/** Makes an empty rendition. */
export async function makeRendition(
  backend: SqlBackend,
  scope: WriteScope,
  rendition: { readonly streamId: string; readonly name: string; readonly ofAsset: boolean },
): Promise<Row<RenditionTable>> {
  const row: Row<RenditionTable> = {
    id: backend.ids.next('rendition'),
    stream_id: rendition.streamId,
    name: rendition.name,
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
    of_asset: Number(rendition.ofAsset),
  };
  await insertRendition(scope.db, row);
  return row;
}

/** Removes a stream's row and all rows that hang from it. */
export async function removeStreamRows(scope: WriteScope, streamId: string): Promise<void> {
  const renditions = await scope.db.selectFrom('rendition').select('id').where('stream_id', '=', streamId).execute();
  for (const { id } of renditions) await removeRenditionRows(scope, id);
  await scope.db
    .deleteFrom('task')
    .where('owner_id', 'in', (eb) => eb.selectFrom('clip').select('clip.id').where('stream_id', '=', streamId))
    .execute();
  const hanging = ['session', 'hold', 'marker', 'clip', 'chunk_run', 'chunk_rejection', 'ladder'] as const;
  for (const table of hanging) {
    await scope.db.deleteFrom(table).where('stream_id', '=', streamId).execute();
  }
  await scope.db.deleteFrom('stream').where('id', '=', streamId).execute();
  scope.removed(streamId);
}

/** Removes a rendition with its epochs and segments. */
export async function removeRenditionRows(scope: WriteScope, renditionId: string): Promise<void> {
  await scope.db.deleteFrom('segment').where('rendition_id', '=', renditionId).execute();
  await scope.db.deleteFrom('epoch').where('rendition_id', '=', renditionId).execute();
  await scope.db.deleteFrom('rendition').where('id', '=', renditionId).execute();
}

/** Name and device, for searching. */
export function searchText(name: string, deviceId: string | null): string {
  return `${name}\n${deviceId ?? ''}`.toLowerCase();
}
