import { sql } from 'kysely';
import { ZoetropeError } from '../../base/errors.ts';
import { wallMs, type WallMs } from '../../base/time.ts';
import type { FailureCause } from '../../timeline/asset.ts';
import { hasEnded, type Clip, type ClipFile, type ClipSpec, type ClipState } from '../../timeline/clip.ts';
import type { TaskState } from '../../timeline/task.ts';
import type { ClipStore } from '../clip-store.ts';
import type { TaskTable } from './asset-schema.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import type { ClipTable } from './clip-schema.ts';
import { pageLimit, readCursor, toPage } from './cursor.ts';
import { insertHold } from './hold-store.ts';
import { makeTasks } from './make-tasks.ts';
import { found, type Row } from './rows.ts';
import type { CatalogDb } from './schema.ts';
import { getStream } from './stream-store.ts';
import { changeTask } from './task-change.ts';
import { findTask } from './task-queries.ts';

/** Makes the {@link ClipStore} of a SQL database. */
export function sqlClipStore(backend: SqlBackend): ClipStore {
  return {
    createClip: (clip, task) =>
      backend.write(async (scope) => {
        await getStream(scope.db, clip.streamId);
        const { id, holdId, streamId, name, spec } = clip;
        const { fromMs, toMs } = spec;
        await insertHold(backend, scope, {
          id: holdId,
          streamId,
          kind: 'clip',
          name,
          fromMs,
          toMs,
          sessionId: null,
          expiresAtMs: null,
        });
        const row: Row<ClipTable> = {
          id,
          tenant: clip.tenant,
          stream_id: streamId,
          source_hold_id: clip.sourceHoldId,
          name,
          spec: JSON.stringify(spec),
          hold_id: holdId,
          task_id: task.id,
          created_at_ms: backend.clock.nowMs(),
          ended_at_ms: null,
          expires_at_ms: clip.expiresAtMs,
        };
        try {
          await scope.db.insertInto('clip').values(row).execute();
        } catch (error) {
          if (!backend.isUniqueViolation(error)) throw error;
          throw new ZoetropeError('conflict', `There is a clip ${id} already. Give each a fresh id.`, { cause: error });
        }
        await makeTasks(backend, scope, { id, priority: 0, round: 0 }, [task]);
        scope.changed(id);
        return findClip(scope.db, id);
      }),

    getClip: (id) => findClip(backend.reader(), id),

    async listClips(filter, page) {
      const after = readCursor(page.cursor, ['number', 'string']);
      let query = clipRows(backend.reader());
      if (filter.tenant !== undefined) query = query.where('clip.tenant', '=', filter.tenant);
      if (filter.streamId !== undefined) query = query.where('clip.stream_id', '=', filter.streamId);
      if (filter.expiredByMs !== undefined) query = query.where('clip.expires_at_ms', '<', filter.expiredByMs);
      if (after !== null) {
        const [createdAtMs, id] = [Number(after[0]), String(after[1])];
        query = query.where((eb) =>
          eb.or([
            eb('clip.created_at_ms', '<', createdAtMs),
            eb.and([eb('clip.created_at_ms', '=', createdAtMs), eb('clip.id', '<', id)]),
          ]),
        );
      }
      const rows = await query
        .orderBy('clip.created_at_ms', 'desc')
        .orderBy('clip.id', 'desc')
        .limit(pageLimit(page))
        .execute();
      return toPage(rows, page, toClip, (row) => [row.created_at_ms, row.id]);
    },

    async countOpenClips(tenant) {
      const { count } = await backend
        .reader()
        .selectFrom('clip')
        .select(sql<number>`count(*)`.as('count'))
        .where('tenant', '=', tenant)
        .where(sql<boolean>`ended_at_ms is null`)
        .executeTakeFirstOrThrow();
      return count;
    },

    cancelClip: (id) =>
      backend.write(async (scope) => {
        const clip = await findClip(scope.db, id);
        if (hasEnded(clip.state)) {
          throw new ZoetropeError('conflict', `The clip ${id} is ${clip.state}: there is nothing left to cancel.`);
        }
        const task = await taskOf(scope.db, id);
        const ended = { ...task, state: 'cancelled', worker_id: null, lease_until_ms: null, progress: 0 };
        await changeTask(scope, task, ended);
        await endClip(backend, scope, id);
        scope.changed(id);
        return findClip(scope.db, id);
      }),

    deleteClip: (id) =>
      backend.write(async (scope) => {
        await findClip(scope.db, id);
        await endClip(backend, scope, id);
        await removeClipRows(scope, [id]);
        scope.changed(id);
      }),
  };
}

/** Notes that a clip's task has ended for good: what it protected is let go. */
export async function endClip(backend: SqlBackend, scope: WriteScope, clipId: string): Promise<void> {
  const endedAtMs = backend.clock.nowMs();
  const row = await scope.db
    .updateTable('clip')
    .set({ ended_at_ms: endedAtMs })
    .where('id', '=', clipId)
    .where('ended_at_ms', 'is', null)
    .returning(['hold_id', 'stream_id'])
    .executeTakeFirst();
  if (row === undefined) return;
  await scope.db
    .updateTable('hold')
    .set({ released_at_ms: endedAtMs })
    .where('id', '=', row.hold_id)
    .where('released_at_ms', 'is', null)
    .execute();
  scope.changed(row.stream_id);
}

/** Removes clips with their tasks; their holds are another matter. */
export async function removeClipRows({ db }: WriteScope, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await db.deleteFrom('task').where('owner_id', '=', id).execute();
    await db.deleteFrom('clip').where('id', '=', id).execute();
  }
}

/** A clip as of now. @throws not_found */
export async function findClip(db: CatalogDb, id: string): Promise<Clip> {
  return toClip(found(await clipRows(db).where('clip.id', '=', id).executeTakeFirst(), 'clip', id));
}

/** Keys of the files of a stream's clips. */
export async function clipKeysOf(db: CatalogDb, streamId: string): Promise<readonly string[]> {
  const rows = await clipRows(db).where('clip.stream_id', '=', streamId).execute();
  return rows.flatMap((row) => toClip(row).file?.objectKey ?? []);
}

type ClipRow = Row<ClipTable> & {
  readonly task_state: string;
  readonly attempt: number;
  readonly progress: number;
  readonly result: string | null;
  readonly cause: string | null;
};

function clipRows(db: CatalogDb) {
  return db
    .selectFrom('clip')
    .innerJoin('task', 'task.id', 'clip.task_id')
    .selectAll('clip')
    .select(['task.state as task_state', 'task.attempt', 'task.progress', 'task.result', 'task.cause']);
}

function toClip(row: ClipRow): Clip {
  const state = STATES[row.task_state as TaskState];
  return {
    id: row.id,
    tenant: row.tenant,
    streamId: row.stream_id,
    sourceHoldId: row.source_hold_id,
    name: row.name,
    spec: JSON.parse(row.spec) as ClipSpec,
    holdId: row.hold_id,
    state,
    progress: row.progress,
    cause: row.cause === null || state === 'ready' ? null : (JSON.parse(row.cause) as FailureCause),
    file: row.result === null ? null : (JSON.parse(row.result) as ClipFile),
    createdAtMs: wallMs(row.created_at_ms),
    endedAtMs: orNull(row.ended_at_ms),
    expiresAtMs: orNull(row.expires_at_ms),
  };
}

const STATES: Readonly<Record<TaskState, ClipState>> = {
  waiting: 'queued',
  running: 'working',
  done: 'ready',
  failed: 'failed',
  cancelled: 'cancelled',
};

async function taskOf(db: CatalogDb, clipId: string): Promise<Row<TaskTable>> {
  const { task_id } = await db.selectFrom('clip').select('task_id').where('id', '=', clipId).executeTakeFirstOrThrow();
  const [row] = await findTask(db, { id: task_id });
  return found(row, 'task', task_id);
}

function orNull(value: number | null): WallMs | null {
  return value === null ? null : wallMs(value);
}
