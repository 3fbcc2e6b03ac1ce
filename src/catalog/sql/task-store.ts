import { sql } from 'kysely';
import type { FailureCause, Usage } from '../../timeline/asset.ts';
import type { AssetStore, TaskOutcome } from '../asset-store.ts';
import { toAsset, toJson, toTask } from './asset-rows.ts';
import type { TaskTable } from './asset-schema.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { endClip, findClip } from './clip-store.ts';
import { readOutputs } from './output-queries.ts';
import { found, type Row } from './rows.ts';
import { changeTask } from './task-change.ts';
import { findClaimable } from './task-claim.ts';
import { findTask, noteServed, unsettle } from './task-queries.ts';

type TaskRow = Row<TaskTable>;

/** Tasks taken back in one transaction. */
const EXPIRED_AT_ONCE = 500;

const LOST_WORKER: FailureCause = {
  code: 'engine_failed',
  message:
    'The worker that had it was not heard of any more, each time it was tried. Retry; if it repeats, look at the workers’ logs.',
};

/** Makes the part of {@link AssetStore} that hands tasks out and takes them back. */
export function sqlTaskStore(
  backend: SqlBackend,
): Pick<AssetStore, 'claimTask' | 'renewTask' | 'finishTask' | 'expireTasks' | 'taskCounts'> {
  return {
    claimTask: ({ workerId, leaseMs, kinds }) =>
      backend.write(async (scope) => {
        const row = await findClaimable(backend, scope, kinds);
        if (row === null) return null;
        const claimed: TaskRow = {
          ...row,
          state: 'running',
          attempt: row.attempt + 1,
          worker_id: workerId,
          lease_until_ms: backend.clock.nowMs() + leaseMs,
          progress: 0,
        };
        await changeTask(scope, row, claimed);
        await noteServed(scope.db, { id: row.owner_id, revision: scope.changed(row.owner_id) });
        const task = toTask(claimed);
        if (task.kind === 'clip') return { task, clip: await findClip(scope.db, row.owner_id) };
        const asset = await scope.db.selectFrom('asset').selectAll().where('id', '=', row.owner_id).executeTakeFirst();
        const outputs = (await readOutputs(scope.db, [row.owner_id])).get(row.owner_id) ?? [];
        return {
          task,
          asset: toAsset(found(asset, 'asset', row.owner_id)),
          outputs: outputs.filter(({ id }) => task.outputIds.includes(id)),
        };
      }),

    renewTask: (lease, { leaseMs, progress }) =>
      backend.write(async (scope) => {
        const row = await heldTask(scope, lease);
        if (row === null) return 'lost';
        await changeTask(scope, row, { ...row, lease_until_ms: backend.clock.nowMs() + leaseMs, progress });
        if (progress !== row.progress) scope.changed(row.owner_id);
        return 'held';
      }),

    finishTask: (lease, outcome) =>
      backend.write(async (scope) => {
        const [row] = await findTask(scope.db, { id: lease.taskId });
        if (row === undefined) return false;
        if (outcome.kind === 'done' && row.state === 'done' && row.attempt === lease.attempt) return true;
        const paid = { ...row, ...addUsage(row, outcome.usage) };
        const isHeld = row.state === 'running' && row.attempt === lease.attempt;
        const ended = isHeld ? endTry(backend, paid, outcome) : paid;
        await changeTask(scope, row, ended);
        if (isHeld && ended.state !== 'waiting') await taskEnded(backend, scope, ended);
        scope.changed(row.owner_id);
        return isHeld;
      }),

    async expireTasks() {
      let expired = 0;
      for (;;) {
        const count = await backend.write((scope) => expireSome(backend, scope));
        expired += count;
        if (count < EXPIRED_AT_ONCE) return expired;
      }
    },

    taskCounts: () =>
      backend.snapshot(async (db) => {
        const count = sql<number>`count(*)`.as('count');
        const waiting = await db
          .selectFrom('task')
          .select(count)
          .where(sql<boolean>`state = 'waiting'`)
          .executeTakeFirstOrThrow();
        const running = await db
          .selectFrom('task')
          .select(count)
          .where(sql<boolean>`state = 'running'`)
          .executeTakeFirstOrThrow();
        return { waiting: waiting.count, running: running.count };
      }),
  };
}

/** Tells whoever a task worked for that it ended for good: an asset is to be settled, a clip is what its task is. */
async function taskEnded(backend: SqlBackend, scope: WriteScope, { kind, owner_id }: TaskRow): Promise<void> {
  if (kind === 'clip') await endClip(backend, scope, owner_id);
  else await unsettle(scope.db, { id: owner_id });
}

async function heldTask(
  { db }: WriteScope,
  lease: { readonly taskId: string; readonly attempt: number },
): Promise<TaskRow | null> {
  const [row] = await findTask(db, { id: lease.taskId });
  return row?.state === 'running' && row.attempt === lease.attempt ? row : null;
}

function addUsage(row: TaskRow, usage: Usage): Pick<TaskRow, 'cpu_ms' | 'peak_memory_bytes' | 'wall_ms'> {
  return {
    cpu_ms: row.cpu_ms + usage.cpuMs,
    peak_memory_bytes: Math.max(row.peak_memory_bytes, usage.peakMemoryBytes),
    wall_ms: row.wall_ms + usage.wallMs,
  };
}

function endTry(backend: SqlBackend, row: TaskRow, outcome: TaskOutcome): TaskRow {
  const freed: TaskRow = { ...row, worker_id: null, lease_until_ms: null, progress: 0 };
  switch (outcome.kind) {
    case 'done':
      return {
        ...freed,
        state: 'done',
        progress: 1,
        result: toJson(outcome.result),
        shares: toJson(outcome.shares),
      };
    case 'failed': {
      const again = outcome.retryAtMs !== null && hasTryLeft(row);
      return {
        ...freed,
        state: again ? 'waiting' : 'failed',
        cause: toJson(outcome.cause),
        not_before_ms: again ? outcome.retryAtMs : row.not_before_ms,
      };
    }
    case 'returned':
      return {
        ...freed,
        state: 'waiting',
        returned_tries: row.returned_tries + 1,
        not_before_ms: outcome.wait?.untilMs ?? backend.clock.nowMs(),
        cause: outcome.wait === undefined ? row.cause : toJson(outcome.wait.cause),
      };
  }
}

function hasTryLeft(row: TaskRow): boolean {
  return row.attempt - row.returned_tries < row.max_attempts;
}

async function expireSome(backend: SqlBackend, scope: WriteScope): Promise<number> {
  const nowMs = backend.clock.nowMs();
  const query = scope.db
    .selectFrom('task')
    .selectAll()
    .where(sql<boolean>`state = 'running'`)
    .where('lease_until_ms', '<=', nowMs)
    .orderBy('lease_until_ms')
    .limit(EXPIRED_AT_ONCE);
  const rows = await backend.claiming(query, 'task').execute();
  for (const row of rows) {
    const again = hasTryLeft(row);
    await changeTask(scope, row, {
      ...row,
      state: again ? 'waiting' : 'failed',
      worker_id: null,
      lease_until_ms: null,
      progress: 0,
      not_before_ms: again ? nowMs : row.not_before_ms,
      cause: toJson(LOST_WORKER),
    });
    if (!again) await taskEnded(backend, scope, row);
    scope.changed(row.owner_id);
  }
  return rows.length;
}
