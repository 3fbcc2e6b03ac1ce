import { ZoetropeError } from '../../base/errors.ts';
import type { NewTask } from '../asset-store.ts';
import type { AssetTable, TaskTable } from './asset-schema.ts';
import { toJson } from './asset-rows.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import type { Row } from './rows.ts';
import { countTask } from './task-change.ts';
import { insertTask } from './task-queries.ts';

/** Makes tasks of an asset's round, or a clip's one: waiting, never tried. @throws conflict when an id is taken */
export async function makeTasks(
  backend: SqlBackend,
  scope: WriteScope,
  owner: Pick<Row<AssetTable>, 'id' | 'priority' | 'round'>,
  tasks: readonly NewTask[],
): Promise<void> {
  const nowMs = backend.clock.nowMs();
  for (const task of tasks) {
    const row: Row<TaskTable> = {
      id: task.id,
      owner_id: owner.id,
      kind: task.kind,
      round: owner.round,
      priority: owner.priority,
      rank: task.rank,
      ordinal: task.ordinal,
      output_ids: JSON.stringify(task.outputIds),
      weight: task.weight,
      input: toJson(task.input) ?? 'null',
      state: 'waiting',
      attempt: 0,
      returned_tries: 0,
      max_attempts: task.maxAttempts,
      not_before_ms: nowMs,
      worker_id: null,
      lease_until_ms: null,
      progress: 0,
      result: null,
      cause: null,
      cpu_ms: 0,
      peak_memory_bytes: 0,
      wall_ms: 0,
      shares: null,
      taken_in: 0,
    };
    try {
      await insertTask(scope.db, row);
    } catch (error) {
      if (!backend.isUniqueViolation(error)) throw error;
      throw new ZoetropeError('conflict', `There is a task ${task.id} already. Give each a fresh id.`, {
        cause: error,
      });
    }
    await countTask(scope, null, row);
  }
}
