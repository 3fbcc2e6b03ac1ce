import { sql } from 'kysely';
import { ZoetropeError } from '../../base/errors.ts';
import type { AssetJob, AssetStore } from '../asset-store.ts';
import { assetSearchText, toAsset, toTask } from './asset-rows.ts';
import type { AssetTable, TaskTable } from './asset-schema.ts';
import type { SqlBackend } from './backend.ts';
import { pageLimit, readCursor, toPage } from './cursor.ts';
import { makeTasks } from './make-tasks.ts';
import { readOutputs } from './output-queries.ts';
import { publishEvents } from './publish-events.ts';
import { found, type Row } from './rows.ts';
import type { CatalogDb } from './schema.ts';
import { settleAsset } from './settle-asset.ts';
import { insertStreamRow, removeStreamRows } from './stream-rows.ts';
import { unsettle } from './task-queries.ts';

/** Makes the part of {@link AssetStore} that is about assets; tasks are handed out by `sqlTaskStore`. */
export function sqlAssetStore(
  backend: SqlBackend,
): Omit<AssetStore, 'claimTask' | 'renewTask' | 'finishTask' | 'expireTasks' | 'taskCounts'> {
  return {
    createAsset: (asset, tasks, events) =>
      backend.write(async (scope) => {
        const { id, tenant, name } = asset;
        const stream = await insertStreamRow(backend, scope, {
          id,
          tenant,
          kind: 'asset',
          name,
          deviceId: null,
          settings: {},
        });
        if (stream === null) {
          throw new ZoetropeError('conflict', `There is an asset or a stream ${id} already. Give each a fresh id.`);
        }
        const row: Row<AssetTable> = {
          id,
          tenant,
          name,
          reference_id: asset.referenceId,
          search_text: assetSearchText(name, asset.referenceId),
          source: JSON.stringify(asset.source),
          request: JSON.stringify(asset.request),
          priority: asset.priority,
          state: 'queued',
          cause: null,
          media: null,
          version: 0,
          round: 0,
          created_at_ms: backend.clock.nowMs(),
          started_at_ms: null,
          playable_at_ms: null,
          ended_at_ms: null,
          unsettled: 1,
          waiting_tasks: 0,
          running_tasks: 0,
          served_at_revision: 0,
        };
        await scope.db.insertInto('asset').values(row).execute();
        await makeTasks(backend, scope, row, tasks);
        await publishEvents(backend, scope, events);
        return toAsset(row);
      }),

    getAsset: async (id) => toAsset(await findAsset(backend.reader(), id)),

    async listAssets(filter, page) {
      const after = readCursor(page.cursor, ['number', 'string']);
      let query = backend.reader().selectFrom('asset').selectAll();
      if (filter.tenant !== undefined) query = query.where('tenant', '=', filter.tenant);
      if (filter.referenceId !== undefined) query = query.where('reference_id', '=', filter.referenceId);
      if (filter.states !== undefined) query = query.where('state', 'in', filter.states);
      if (filter.query !== undefined) {
        const pattern = `%${filter.query.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
        query = query.where(sql<boolean>`search_text like ${pattern} escape '\\'`);
      }
      if (after !== null) {
        const [createdAtMs, id] = [Number(after[0]), String(after[1])];
        query = query.where((eb) =>
          eb.or([
            eb('created_at_ms', '<', createdAtMs),
            eb.and([eb('created_at_ms', '=', createdAtMs), eb('id', '<', id)]),
          ]),
        );
      }
      const rows = await query.orderBy('created_at_ms', 'desc').orderBy('id', 'desc').limit(pageLimit(page)).execute();
      return toPage(rows, page, toAsset, (row) => [row.created_at_ms, row.id]);
    },

    outputsOf: (assetIds) =>
      assetIds.length === 0 ? Promise.resolve(new Map()) : backend.snapshot((db) => readOutputs(db, assetIds)),

    assetJob: (id) => readJob(backend, id, allTasks),

    jobToSettle: (id) => readJob(backend, id, openTasks),

    settleAsset: (id, version, change) =>
      backend.write(async (scope) => {
        const asset = await findAsset(scope.db, id);
        if (asset.version !== version) return null;
        return toAsset(await settleAsset(backend, scope, asset, change));
      }),

    async unsettledAssets(limit) {
      const rows = await backend
        .reader()
        .selectFrom('asset')
        .select('id')
        .where(sql<boolean>`unsettled = 1`)
        .orderBy('created_at_ms')
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map(({ id }) => id);
    },

    unsettleAsset: (id) =>
      backend.write(async (scope) => {
        await findAsset(scope.db, id);
        await unsettle(scope.db, { id });
        scope.changed(id);
      }),

    deleteAsset: (id, events) =>
      backend.write(async (scope) => {
        await findAsset(scope.db, id);
        await publishEvents(backend, scope, events);
        await scope.db.deleteFrom('task').where('owner_id', '=', id).execute();
        await scope.db.deleteFrom('output').where('asset_id', '=', id).execute();
        await scope.db.deleteFrom('asset').where('id', '=', id).execute();
        await removeStreamRows(scope, id);
      }),
  };
}

type FindTasks = (db: CatalogDb, asset: Row<AssetTable>) => Promise<readonly Row<TaskTable>[]>;

function readJob(backend: SqlBackend, id: string, findTasks: FindTasks): Promise<AssetJob> {
  return backend.snapshot(async (db) => {
    const asset = await findAsset(db, id);
    const tasks = await findTasks(db, asset);
    return { asset: toAsset(asset), outputs: (await readOutputs(db, [id])).get(id) ?? [], tasks: tasks.map(toTask) };
  });
}

const allTasks: FindTasks = (db, { id, round }) =>
  db
    .selectFrom('task')
    .selectAll()
    .where('owner_id', '=', id)
    .where('round', '=', round)
    .orderBy('rank')
    .orderBy('ordinal')
    .orderBy('id')
    .execute();

/** All but the input, which may be long. */
const SMALL_TASK_COLUMNS = [
  'id',
  'owner_id',
  'kind',
  'round',
  'priority',
  'rank',
  'ordinal',
  'output_ids',
  'weight',
  'state',
  'attempt',
  'returned_tries',
  'max_attempts',
  'not_before_ms',
  'worker_id',
  'lease_until_ms',
  'progress',
  'result',
  'cause',
  'cpu_ms',
  'peak_memory_bytes',
  'wall_ms',
  'shares',
  'taken_in',
] as const;

const openTasks: FindTasks = (db, { id, round }) =>
  db
    .selectFrom('task')
    .select(SMALL_TASK_COLUMNS)
    .select(sql<string>`case when state = 'done' then input else 'null' end`.as('input'))
    .where('owner_id', '=', id)
    .where('round', '=', round)
    .where(sql<boolean>`taken_in = 0`)
    .orderBy('rank')
    .orderBy('ordinal')
    .orderBy('id')
    .execute();

async function findAsset(db: CatalogDb, id: string): Promise<Row<AssetTable>> {
  const row = await db.selectFrom('asset').selectAll().where('id', '=', id).executeTakeFirst();
  return found(row, 'asset', id);
}
