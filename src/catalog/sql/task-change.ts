import type { WriteScope } from './backend.ts';
import type { TaskTable } from './asset-schema.ts';
import type { Row } from './rows.ts';
import { addToOutput, countTasks, type OutputSums, updateTask } from './task-queries.ts';

type TaskRow = Row<TaskTable>;

/** Writes a task's new row, and brings the sums of its asset and its outputs in line: none of them is ever counted anew. */
export async function changeTask(scope: WriteScope, before: TaskRow, after: TaskRow): Promise<void> {
  await updateTask(scope.db, after);
  await countTask(scope, before, after);
}

/** Brings sums in line with a task that changed; null before it is made. */
export async function countTask(scope: WriteScope, before: TaskRow | null, after: TaskRow): Promise<void> {
  const { db } = scope;
  const waiting = Number(after.state === 'waiting') - Number(before?.state === 'waiting');
  const running = Number(after.state === 'running') - Number(before?.state === 'running');
  if (waiting !== 0 || running !== 0) await countTasks(db, { id: after.owner_id, waiting, running });
  const old = before === null ? new Map<string, OutputSums>() : sumsOf(before);
  for (const [id, sums] of sumsOf(after)) {
    const was = old.get(id);
    const added: OutputSums = {
      id,
      cpu_ms: sums.cpu_ms - (was?.cpu_ms ?? 0),
      wall_ms: sums.wall_ms - (was?.wall_ms ?? 0),
      total_weight: sums.total_weight - (was?.total_weight ?? 0),
      done_weight: sums.done_weight - (was?.done_weight ?? 0),
      peak_memory_bytes: sums.peak_memory_bytes,
    };
    const isNothing =
      added.cpu_ms === 0 &&
      added.wall_ms === 0 &&
      added.total_weight === 0 &&
      added.done_weight === 0 &&
      sums.peak_memory_bytes === was?.peak_memory_bytes;
    if (!isNothing) await addToOutput(db, added);
  }
}

/** What a task counts for in each of its outputs: its cost by share (evenly where none is known), and its weight unless it is cancelled. */
function sumsOf(task: TaskRow): ReadonlyMap<string, OutputSums> {
  const ids = JSON.parse(task.output_ids) as string[];
  const shares = task.shares === null ? null : (JSON.parse(task.shares) as Record<string, number>);
  return new Map(
    ids.map((id) => {
      const share = shares === null ? 1 / ids.length : (shares[id] ?? 0);
      return [
        id,
        {
          id,
          cpu_ms: task.cpu_ms * share,
          wall_ms: task.wall_ms * share,
          peak_memory_bytes: task.peak_memory_bytes,
          total_weight: task.state === 'cancelled' ? 0 : task.weight,
          done_weight: task.state === 'done' ? task.weight : 0,
        },
      ];
    }),
  );
}
