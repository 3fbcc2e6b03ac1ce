import { prepare } from './prepared.ts';
import type { Row } from './rows.ts';
import type { OutputTable, TaskTable } from './asset-schema.ts';

/** A task by its id. */
export const findTask = prepare<{ id: string }, Row<TaskTable>>((db, param) =>
  db.selectFrom('task').selectAll().where('id', '=', param('id')),
);

/** Writes a task's row. */
export const insertTask = prepare<Row<TaskTable>>((db, param) =>
  db.insertInto('task').values({
    id: param('id'),
    owner_id: param('owner_id'),
    kind: param('kind'),
    round: param('round'),
    priority: param('priority'),
    rank: param('rank'),
    ordinal: param('ordinal'),
    output_ids: param('output_ids'),
    weight: param('weight'),
    input: param('input'),
    state: param('state'),
    attempt: param('attempt'),
    returned_tries: param('returned_tries'),
    max_attempts: param('max_attempts'),
    not_before_ms: param('not_before_ms'),
    worker_id: param('worker_id'),
    lease_until_ms: param('lease_until_ms'),
    progress: param('progress'),
    result: param('result'),
    cause: param('cause'),
    cpu_ms: param('cpu_ms'),
    peak_memory_bytes: param('peak_memory_bytes'),
    wall_ms: param('wall_ms'),
    shares: param('shares'),
    taken_in: param('taken_in'),
  }),
);

/** Writes back what the life of a task changes. */
export const updateTask = prepare<Row<TaskTable>>((db, param) =>
  db
    .updateTable('task')
    .set({
      state: param('state'),
      attempt: param('attempt'),
      returned_tries: param('returned_tries'),
      not_before_ms: param('not_before_ms'),
      worker_id: param('worker_id'),
      lease_until_ms: param('lease_until_ms'),
      progress: param('progress'),
      result: param('result'),
      cause: param('cause'),
      cpu_ms: param('cpu_ms'),
      peak_memory_bytes: param('peak_memory_bytes'),
      wall_ms: param('wall_ms'),
      shares: param('shares'),
    })
    .where('id', '=', param('id')),
);

/** Counts an asset's waiting and running tasks up or down. */
export const countTasks = prepare<{ id: string; waiting: number; running: number }>((db, param) =>
  db
    .updateTable('asset')
    .set((eb) => ({
      waiting_tasks: eb('waiting_tasks', '+', param('waiting')),
      running_tasks: eb('running_tasks', '+', param('running')),
    }))
    .where('id', '=', param('id')),
);

/** Notes that an asset had its turn. */
export const noteServed = prepare<{ id: string; revision: number }>((db, param) =>
  db
    .updateTable('asset')
    .set({ served_at_revision: param('revision') })
    .where('id', '=', param('id')),
);

/** Says that something is to be decided about an asset, and that decisions made before are out of date. */
export const unsettle = prepare<{ id: string }>((db, param) =>
  db
    .updateTable('asset')
    .set((eb) => ({ version: eb('version', '+', 1), unsettled: 1 }))
    .where('id', '=', param('id')),
);

/** What {@link addToOutput} adds. */
export interface OutputSums extends Pick<OutputTable, 'cpu_ms' | 'wall_ms' | 'total_weight' | 'done_weight'> {
  readonly id: string;
  /** The sum becomes no less than this. */
  readonly peak_memory_bytes: number;
}

/** Adds to the sums of an output. */
export const addToOutput = prepare<OutputSums>((db, param) =>
  db
    .updateTable('output')
    .set((eb) => ({
      cpu_ms: eb('cpu_ms', '+', param('cpu_ms')),
      wall_ms: eb('wall_ms', '+', param('wall_ms')),
      total_weight: eb('total_weight', '+', param('total_weight')),
      done_weight: eb('done_weight', '+', param('done_weight')),
      peak_memory_bytes: eb
        .case()
        .when(eb('peak_memory_bytes', '<', param('peak_memory_bytes')))
        .then(param('peak_memory_bytes'))
        .else(eb.ref('peak_memory_bytes'))
        .end(),
    }))
    .where('id', '=', param('id')),
);
