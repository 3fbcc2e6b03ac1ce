import { ZoetropeError } from '../../base/errors.ts';
import type { AssetChange, NewOutput, OutputChange } from '../asset-store.ts';
import { assetSearchText, toJson } from './asset-rows.ts';
import { appendAssetSegments } from './asset-segments.ts';
import type { AssetTable, OutputTable } from './asset-schema.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { findRendition } from './append-queries.ts';
import { makeTasks } from './make-tasks.ts';
import { publishEvents } from './publish-events.ts';
import { found, type Row } from './rows.ts';
import { removeRenditionRows, searchText } from './stream-rows.ts';
import { changeTask } from './task-change.ts';

/** Applies a decision about an asset that is still as it was when it was decided upon. Answers its new row. */
export async function settleAsset(
  backend: SqlBackend,
  scope: WriteScope,
  asset: Row<AssetTable>,
  change: AssetChange,
): Promise<Row<AssetTable>> {
  const after: Row<AssetTable> = { ...changedAsset(asset, change), version: asset.version + 1 };
  const { id, waiting_tasks: _waiting, running_tasks: _running, served_at_revision: _served, ...columns } = after;
  await scope.db.updateTable('asset').set(columns).where('id', '=', id).execute();
  scope.changed(id);
  if (after.name !== asset.name) await rename(scope, after);
  if (after.priority !== asset.priority) await prioritize(scope, after);
  if (after.round !== asset.round) await beginRound(scope, after);
  for (const outputId of change.removeOutputs ?? []) await removeOutput(scope, id, outputId);
  for (const outputId of change.removeRenditions ?? []) await removeRendition(scope, id, outputId);
  await makeOutputs(backend, scope, id, change.newOutputs ?? []);
  for (const output of change.outputs ?? []) await changeOutput(scope, id, output);
  await cancelTasks(scope, id, change.cancelTasks ?? []);
  await takeIn(scope, id, change.takenIn ?? []);
  await makeTasks(backend, scope, after, change.newTasks ?? []);
  await appendAssetSegments(backend, scope, id, change.segments ?? []);
  await publishEvents(backend, scope, change.events ?? []);
  return after;
}

function changedAsset(asset: Row<AssetTable>, change: AssetChange): Row<AssetTable> {
  const { asset: to = {} } = change;
  const name = to.name ?? asset.name;
  return {
    ...asset,
    name,
    search_text: assetSearchText(name, asset.reference_id),
    priority: to.priority ?? asset.priority,
    state: to.state ?? asset.state,
    cause: to.cause === undefined ? asset.cause : toJson(to.cause),
    media: to.media === undefined ? asset.media : toJson(to.media),
    round: to.round ?? asset.round,
    started_at_ms: to.startedAtMs === undefined ? asset.started_at_ms : to.startedAtMs,
    playable_at_ms: to.playableAtMs === undefined ? asset.playable_at_ms : to.playableAtMs,
    ended_at_ms: to.endedAtMs === undefined ? asset.ended_at_ms : to.endedAtMs,
    unsettled: Number(change.isUnfinished ?? false),
  };
}

/** The stream bears the asset's name. */
async function rename({ db }: WriteScope, asset: Row<AssetTable>): Promise<void> {
  await db
    .updateTable('stream')
    .set({ name: asset.name, search_text: searchText(asset.name, null) })
    .where('id', '=', asset.id)
    .execute();
}

async function prioritize({ db }: WriteScope, asset: Row<AssetTable>): Promise<void> {
  await db
    .updateTable('task')
    .set({ priority: asset.priority })
    .where('owner_id', '=', asset.id)
    .where('state', 'in', ['waiting', 'running'])
    .execute();
}

/** A retry: whatever still waits or runs of the round before is cancelled, and progress counts from nothing. */
async function beginRound(scope: WriteScope, asset: Row<AssetTable>): Promise<void> {
  const left = await scope.db
    .selectFrom('task')
    .select('id')
    .where('owner_id', '=', asset.id)
    .where('round', '<', asset.round)
    .where('state', 'in', ['waiting', 'running'])
    .execute();
  await cancelTasks(
    scope,
    asset.id,
    left.map(({ id }) => id),
  );
  await scope.db
    .updateTable('output')
    .set({ total_weight: 0, done_weight: 0 })
    .where('asset_id', '=', asset.id)
    .execute();
}

async function cancelTasks(scope: WriteScope, assetId: string, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const row = await scope.db
      .selectFrom('task')
      .selectAll()
      .where('id', '=', id)
      .where('owner_id', '=', assetId)
      .where('state', 'in', ['waiting', 'running'])
      .executeTakeFirst();
    if (row === undefined) continue;
    await changeTask(scope, row, {
      ...row,
      state: 'cancelled',
      worker_id: null,
      lease_until_ms: null,
      progress: 0,
    });
  }
}

async function takeIn({ db }: WriteScope, assetId: string, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await db.updateTable('task').set({ taken_in: 1 }).where('id', '=', id).where('owner_id', '=', assetId).execute();
  }
}

async function removeOutput(scope: WriteScope, assetId: string, outputId: string): Promise<void> {
  await scope.db.deleteFrom('output').where('id', '=', outputId).where('asset_id', '=', assetId).execute();
  await removeRendition(scope, assetId, outputId);
}

async function removeRendition(scope: WriteScope, assetId: string, outputId: string): Promise<void> {
  const [rendition] = await findRendition(scope.db, { streamId: assetId, name: outputId });
  if (rendition !== undefined) await removeRenditionRows(scope, rendition.id);
}

async function makeOutputs(
  backend: SqlBackend,
  { db }: WriteScope,
  assetId: string,
  outputs: readonly NewOutput[],
): Promise<void> {
  if (outputs.length === 0) return;
  const last = await db
    .selectFrom('output')
    .select('ordinal')
    .where('asset_id', '=', assetId)
    .orderBy('ordinal', 'desc')
    .limit(1)
    .executeTakeFirst();
  const rows = outputs.map((output, index): Row<OutputTable> => ({
    id: output.id,
    asset_id: assetId,
    ordinal: (last?.ordinal ?? -1) + 1 + index,
    name: output.name,
    spec: JSON.stringify(output.spec),
    state: 'queued',
    cause: null,
    published_chunks: 0,
    total_chunks: output.totalChunks,
    files: '[]',
    started_at_ms: null,
    ended_at_ms: null,
    cpu_ms: 0,
    peak_memory_bytes: 0,
    wall_ms: 0,
    total_weight: 0,
    done_weight: 0,
  }));
  try {
    await db.insertInto('output').values(rows).execute();
  } catch (error) {
    if (!backend.isUniqueViolation(error)) throw error;
    const names = outputs.map(({ id, name }) => `${name} (${id})`).join(', ');
    throw new ZoetropeError(
      'conflict',
      `Of the outputs ${names} of asset ${assetId} one has a name or an id that is taken. Give each its own.`,
      { cause: error },
    );
  }
}

async function changeOutput({ db }: WriteScope, assetId: string, change: OutputChange): Promise<void> {
  const row = await db
    .selectFrom('output')
    .selectAll()
    .where('id', '=', change.id)
    .where('asset_id', '=', assetId)
    .executeTakeFirst();
  const output = found(row, `output of asset ${assetId}`, change.id);
  await db
    .updateTable('output')
    .set({
      state: change.state ?? output.state,
      cause: change.cause === undefined ? output.cause : toJson(change.cause),
      published_chunks: change.publishedChunks ?? output.published_chunks,
      total_chunks: change.totalChunks === undefined ? output.total_chunks : change.totalChunks,
      files: change.files === undefined ? output.files : JSON.stringify(change.files),
      started_at_ms: change.startedAtMs === undefined ? output.started_at_ms : change.startedAtMs,
      ended_at_ms: change.endedAtMs === undefined ? output.ended_at_ms : change.endedAtMs,
    })
    .where('id', '=', change.id)
    .execute();
}
