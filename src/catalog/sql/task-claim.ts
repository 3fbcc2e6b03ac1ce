import { type Expression, type SqlBool, sql } from 'kysely';
import type { WallMs } from '../../base/time.ts';
import type { TaskKind } from '../../timeline/task.ts';
import type { TaskTable } from './asset-schema.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { prepare } from './prepared.ts';
import type { Row } from './rows.ts';

const KINDS: Readonly<Record<TaskKind, true>> = {
  fetch: true,
  split: true,
  video: true,
  audio: true,
  subtitles: true,
  pictures: true,
  download: true,
  clip: true,
};
const ALL_KINDS = Object.keys(KINDS) as TaskKind[];

/** Partial indexes are for literals, not for parameters. */
const isWaiting: Expression<SqlBool> = sql<boolean>`task.state = 'waiting'`;

/** A place in the order of claims. */
type Turn = Pick<TaskTable, 'priority' | 'rank'>;

/** Before every other. */
const FIRST: Turn = { priority: 1_000_000, rank: 0 };

/** The foremost turn behind another one in which a task of this kind is due. */
const nextTurn = prepare<Turn & { kind: string; nowMs: number }, Turn>((db, param) =>
  db
    .selectFrom('task')
    .select(['priority', 'rank'])
    .where('kind', '=', param('kind'))
    .where(isWaiting)
    .where('priority', '<=', param('priority'))
    .where((eb) => eb.or([eb('priority', '<', param('priority')), eb('rank', '>', param('rank'))]))
    .where('not_before_ms', '<=', param('nowMs'))
    .orderBy('priority', 'desc')
    .orderBy('rank')
    .limit(1),
);

/**
 * The task that comes next, locked. First which priority and rank that is, then which asset's: so it takes as long with a hundred thousand
 * waiting tasks as with ten, where one sort over all of them would take a tenth of a second.
 */
export async function findClaimable(
  backend: SqlBackend,
  scope: WriteScope,
  kinds: readonly TaskKind[] = ALL_KINDS,
): Promise<Row<TaskTable> | null> {
  const nowMs = backend.clock.nowMs();
  let turn: Turn | null = FIRST;
  for (;;) {
    turn = await turnAfter(scope, turn, kinds, nowMs);
    if (turn === null) return null;
    // Nothing is found when others have locked all of this turn.
    const task = await firstOf(backend, scope, turn, kinds, nowMs);
    if (task !== null) return task;
  }
}

async function turnAfter(
  { db }: WriteScope,
  turn: Turn,
  kinds: readonly TaskKind[],
  nowMs: WallMs,
): Promise<Turn | null> {
  let first: Turn | null = null;
  for (const kind of kinds) {
    const [next] = await nextTurn(db, { ...turn, kind, nowMs });
    if (next !== undefined && (first === null || isBefore(next, first))) first = next;
  }
  return first;
}

function isBefore(a: Turn, b: Turn): boolean {
  return a.priority === b.priority ? a.rank < b.rank : a.priority > b.priority;
}

/** Clips before assets. Walks the assets of a priority in their order, and takes the first task of the first that has one. A cross join keeps SQLite from turning that around. */
async function firstOf(
  backend: SqlBackend,
  { db }: WriteScope,
  turn: Turn,
  kinds: readonly TaskKind[],
  nowMs: WallMs,
): Promise<Row<TaskTable> | null> {
  const clip = kinds.includes('clip') ? await firstClip(backend, db, turn, nowMs) : null;
  if (clip !== null) return clip;
  const ofAssets = kinds.filter((kind) => kind !== 'clip');
  if (ofAssets.length === 0) return null;
  const query = db
    .selectFrom('asset')
    .crossJoin('task')
    .selectAll('task')
    .where('asset.priority', '=', turn.priority)
    .where(sql<boolean>`asset.waiting_tasks > 0`)
    .whereRef('task.owner_id', '=', 'asset.id')
    .where(isWaiting)
    .where('task.rank', '=', turn.rank)
    .where('task.kind', 'in', ofAssets)
    .where('task.not_before_ms', '<=', nowMs)
    .orderBy('asset.running_tasks')
    .orderBy('asset.served_at_revision')
    .orderBy('asset.created_at_ms')
    .orderBy('asset.id')
    .orderBy('task.ordinal')
    .orderBy('task.id')
    .limit(1);
  return (await backend.claiming(query, 'task').executeTakeFirst()) ?? null;
}

/** The clip that has waited longest. A clip is one task: it never had a turn and runs nothing yet, so by the order of owners it goes before every asset. */
async function firstClip(
  backend: SqlBackend,
  db: WriteScope['db'],
  turn: Turn,
  nowMs: WallMs,
): Promise<Row<TaskTable> | null> {
  const query = db
    .selectFrom('task')
    .selectAll('task')
    .where('task.kind', '=', 'clip')
    .where(isWaiting)
    .where('task.priority', '=', turn.priority)
    .where('task.rank', '=', turn.rank)
    .where('task.not_before_ms', '<=', nowMs)
    .orderBy('task.not_before_ms')
    .limit(1);
  return (await backend.claiming(query, 'task').executeTakeFirst()) ?? null;
}
