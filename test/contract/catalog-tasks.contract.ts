import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Catalog } from '../../src/catalog/catalog.ts';
import type { Task } from '../../src/timeline/task.ts';
import {
  assetWith,
  claim,
  done,
  failed,
  newAsset,
  newAssetSegment,
  newOutput,
  newTask,
  settle,
  tryOf,
  usage,
} from './asset-world.ts';
import { makeWorld, type MakeCatalog, throwsCode } from './catalog-world.ts';

const NEAR = 1e-6;

/** Registers the contract of tasks in {@link AssetStore}: claims, leases, fencing, sums. */
export function tasksContract(adapter: string, make: MakeCatalog): void {
  describe(`catalog contract, tasks: ${adapter}`, () => {
    test('a lease brings the task, its asset and the outputs that it names', async (t) => {
      const w = await makeWorld(t, make);
      const [a, b] = [newOutput(), newOutput()];
      const input = { parts: ['a/b'], ä: 1.5 };
      const { asset } = await assetWith(w, { newOutputs: [a, b], newTasks: [newTask({ outputIds: [b.id], input })] });
      const lease = await claim(w.catalog, { workerId: 'w1', leaseMs: 5_000 });
      assert.deepEqual([lease.asset.id, lease.outputs.map(({ id }) => id)], [asset.id, [b.id]]);
      const { task } = lease;
      assert.deepEqual([task.state, task.attempt, task.workerId, task.input], ['running', 1, 'w1', input]);
      assert.equal(task.leaseUntilMs, w.clock.nowMs() + 5_000);
      assert.deepEqual((await w.catalog.assetJob(asset.id)).tasks, [task]);
      assert.deepEqual(await w.catalog.taskCounts(), { waiting: 0, running: 1 });
      assert.equal(await w.catalog.claimTask({ workerId: 'w2', leaseMs: 1 }), null);
    });

    test('a try that failed is tried again when it may be, until no try is left; then it failed for good', async (t) => {
      const w = await makeWorld(t, make);
      const { asset } = await assetWith(w, { newTasks: [newTask({ maxAttempts: 2 })] });
      const first = await claim(w.catalog);
      assert.equal(await w.catalog.finishTask(tryOf(first), failed(w.clock.nowMs() + 100)), true);
      assert.deepEqual(await w.catalog.unsettledAssets(9), [], 'nothing is to be decided yet');
      const [waiting] = (await w.catalog.assetJob(asset.id)).tasks;
      assert.deepEqual(
        [waiting?.state, waiting?.cause?.message, waiting?.workerId],
        ['waiting', 'It fell over.', null],
      );
      assert.equal(await claimNext(w.catalog), null);
      await w.pass(100);
      const second = await claim(w.catalog);
      assert.equal(second.task.attempt, 2);
      assert.equal(await w.catalog.finishTask(tryOf(second), failed(w.clock.nowMs() + 100)), true);
      const [task] = (await w.catalog.assetJob(asset.id)).tasks;
      assert.deepEqual([task?.state, task?.cause?.code], ['failed', 'engine_failed']);
      assert.deepEqual(await w.catalog.unsettledAssets(9), [asset.id]);
      assert.deepEqual(await w.catalog.taskCounts(), { waiting: 0, running: 0 });
    });

    test('a fault that no retry mends fails at once', async (t) => {
      const w = await makeWorld(t, make);
      const { asset } = await assetWith(w, { newTasks: [newTask()] });
      await w.catalog.finishTask(tryOf(await claim(w.catalog)), failed(null));
      assert.equal((await w.catalog.assetJob(asset.id)).tasks[0]?.state, 'failed');
    });

    test('a try that was handed back does not count, and still fences', async (t) => {
      const w = await makeWorld(t, make);
      const { asset } = await assetWith(w, { newTasks: [newTask({ maxAttempts: 2 })] });
      const attempts: number[] = [];
      for (let index = 0; index < 3; index++) {
        const lease = await claim(w.catalog);
        attempts.push(lease.task.attempt);
        assert.equal(await w.catalog.finishTask(tryOf(lease), { kind: 'returned', usage: usage(5) }), true);
        assert.equal(await w.catalog.finishTask(tryOf(lease), done()), false);
      }
      assert.deepEqual(attempts, [1, 2, 3]);
      for (const state of ['waiting', 'failed']) {
        await w.catalog.finishTask(tryOf(await claim(w.catalog)), failed(w.clock.nowMs()));
        assert.equal((await w.catalog.assetJob(asset.id)).tasks[0]?.state, state);
      }
      const [task] = (await w.catalog.assetJob(asset.id)).tasks;
      assert.deepEqual([task?.attempt, task?.usage.cpuMs], [5, 15]);
    });

    test('that a try is done may be said twice: whoever missed the answer must not take its work for lost', async (t) => {
      const w = await makeWorld(t, make);
      const { asset } = await assetWith(w, { newTasks: [newTask()] });
      const lease = await claim(w.catalog);
      assert.equal(await w.catalog.finishTask(tryOf(lease), done({ result: 'once', usage: usage(5) })), true);
      const before = await w.catalog.assetJob(asset.id);
      assert.equal(await w.catalog.finishTask(tryOf(lease), done({ result: 'once', usage: usage(5) })), true);
      assert.deepEqual(await w.catalog.assetJob(asset.id), before);
      assert.equal(await w.catalog.finishTask(tryOf(lease), failed(null)), false);
    });

    test('a lease that ran out goes to another worker, and of the older try only its cost has effect', async (t) => {
      const w = await makeWorld(t, make);
      const other = await w.another();
      const output = newOutput();
      const { asset } = await assetWith(w, { newOutputs: [output], newTasks: [newTask({ outputIds: [output.id] })] });
      const stale = await claim(w.catalog, { workerId: 'dead', leaseMs: 1_000 });
      assert.equal(await w.catalog.renewTask(tryOf(stale), { leaseMs: 2_000, progress: 0.5 }), 'held');
      await w.pass(1_500);
      assert.equal(await other.expireTasks(), 0, 'a renewed lease holds');
      await w.pass(500);
      assert.equal(await other.expireTasks(), 1);
      assert.equal(await w.catalog.renewTask(tryOf(stale), { leaseMs: 2_000, progress: 0.6 }), 'lost');
      const fresh = await claim(other, { workerId: 'alive' });
      assert.deepEqual([fresh.task.id, fresh.task.attempt, fresh.task.progress], [stale.task.id, 2, 0]);
      assert.equal(await w.catalog.renewTask(tryOf(stale), { leaseMs: 9_000, progress: 0.9 }), 'lost');
      assert.equal(await w.catalog.finishTask(tryOf(stale), done({ result: 'stale', usage: usage(7) })), false);
      const job = await w.catalog.assetJob(asset.id);
      assert.deepEqual(job.tasks, [{ ...fresh.task, usage: usage(7) }]);
      assert.equal(job.outputs[0]?.usage.cpuMs, 7);
      assert.deepEqual(await w.catalog.unsettledAssets(9), []);
      assert.equal(await other.finishTask(tryOf(fresh), done({ result: 'fresh' })), true);
      assert.equal(await other.finishTask(tryOf(stale), done({ result: 'stale' })), false);
      assert.equal((await w.catalog.assetJob(asset.id)).tasks[0]?.result, 'fresh');
    });

    test('a task whose worker dies each time fails when no try is left', async (t) => {
      const w = await makeWorld(t, make);
      const { asset } = await assetWith(w, { newTasks: [newTask({ maxAttempts: 2 })] });
      for (let round = 0; round < 2; round++) {
        await claim(w.catalog, { leaseMs: 10 });
        await w.pass(10);
        assert.equal(await w.catalog.expireTasks(), 1);
      }
      const [task] = (await w.catalog.assetJob(asset.id)).tasks;
      assert.deepEqual([task?.state, task?.cause?.code], ['failed', 'engine_failed']);
      assert.deepEqual(await w.catalog.unsettledAssets(9), [asset.id]);
    });

    test('cancelled tasks are never claimed, and whoever has one loses it', async (t) => {
      const w = await makeWorld(t, make);
      const plans = [newTask({ ordinal: 0 }), newTask({ ordinal: 1 }), newTask({ ordinal: 2 })];
      const { asset } = await assetWith(w, { newTasks: plans });
      const [finished, running] = [await claim(w.catalog), await claim(w.catalog)];
      await w.catalog.finishTask(tryOf(finished), done());
      await settle(w.catalog, asset, { cancelTasks: plans.map(({ id }) => id) });
      const { tasks } = await w.catalog.assetJob(asset.id);
      assert.deepEqual(
        tasks.map(({ state }) => state),
        ['done', 'cancelled', 'cancelled'],
      );
      assert.equal(await w.catalog.renewTask(tryOf(running), { leaseMs: 1, progress: 0 }), 'lost');
      assert.equal(await w.catalog.finishTask(tryOf(running), done({ usage: usage(3) })), false);
      assert.equal(await claimNext(w.catalog), null);
      assert.deepEqual(await w.catalog.taskCounts(), { waiting: 0, running: 0 });
    });

    test('a new round begins with new tasks: what is left of older ones is cancelled and no longer told', async (t) => {
      const w = await makeWorld(t, make);
      const output = newOutput();
      const old = [newTask({ outputIds: [output.id], ordinal: 0 }), newTask({ outputIds: [output.id], ordinal: 1 })];
      const { asset } = await assetWith(w, { newOutputs: [output], newTasks: old });
      const lease = await claim(w.catalog);
      await w.catalog.finishTask(tryOf(lease), done({ usage: usage(10) }));
      assert.equal((await w.catalog.assetJob(asset.id)).outputs[0]?.progress, 0.5);
      const again = newTask({ outputIds: [output.id] });
      await settle(w.catalog, asset, { asset: { round: 1, state: 'queued' }, newTasks: [again] });
      const job = await w.catalog.assetJob(asset.id);
      assert.deepEqual(
        job.tasks.map(({ id, round }) => [id, round]),
        [[again.id, 1]],
      );
      assert.deepEqual(
        [job.outputs[0]?.progress, job.outputs[0]?.usage.cpuMs],
        [0, 10],
        'costs are those of all rounds',
      );
      assert.equal((await claim(w.catalog)).task.id, again.id);
      assert.equal(await claimNext(w.catalog), null);
    });

    test('progress is weighted over tasks that are not cancelled, with what running ones report', async (t) => {
      const w = await makeWorld(t, make);
      const [a, b] = [newOutput(), newOutput()];
      const plans = [
        newTask({ ordinal: 0, weight: 1, outputIds: [a.id, b.id] }),
        newTask({ ordinal: 1, weight: 3, outputIds: [a.id] }),
        newTask({ ordinal: 2, weight: 4, outputIds: [a.id] }),
      ];
      const { asset } = await assetWith(w, { newOutputs: [a, b], newTasks: plans });
      const told = async (): Promise<(number | undefined)[]> => {
        const outputs = (await w.catalog.outputsOf([asset.id])).get(asset.id);
        return [outputs?.[0]?.progress, outputs?.[1]?.progress];
      };
      assert.deepEqual(await told(), [0, 0]);
      const [first, second] = [await claim(w.catalog), await claim(w.catalog)];
      await w.catalog.renewTask(tryOf(second), { leaseMs: 9_000, progress: 0.5 });
      assert.deepEqual(await told(), [1.5 / 8, 0]);
      await w.catalog.finishTask(tryOf(first), done());
      assert.deepEqual(await told(), [2.5 / 8, 1]);
      await settle(w.catalog, asset, { cancelTasks: [String(plans[2]?.id)] });
      assert.deepEqual(await told(), [2.5 / 4, 1]);
      await w.catalog.finishTask(tryOf(second), failed(null));
      assert.deepEqual(await told(), [1 / 4, 1], 'a failed task is not done');
      await settle(w.catalog, asset, { outputs: [{ id: a.id, state: 'ready' }] });
      assert.deepEqual(await told(), [1, 1]);
    });

    test('costs fall to outputs by share, evenly without; memory is the largest of any task', async (t) => {
      const w = await makeWorld(t, make);
      const [a, b] = [newOutput(), newOutput()];
      const outputIds = [a.id, b.id];
      const newTasks = [0, 1].map((ordinal) => newTask({ ordinal, outputIds }));
      const { asset } = await assetWith(w, { newOutputs: [a, b], newTasks });
      const costs = async (): Promise<unknown[]> =>
        ((await w.catalog.outputsOf([asset.id])).get(asset.id) ?? []).map(
          ({ usage: { cpuMs, peakMemoryBytes, wallMs } }) => [
            Math.round(cpuMs / NEAR) * NEAR,
            peakMemoryBytes,
            Math.round(wallMs / NEAR) * NEAR,
          ],
        );
      const lease = await claim(w.catalog);
      await w.catalog.finishTask(tryOf(lease), failed(w.clock.nowMs(), usage(100, 50, 10)));
      assert.deepEqual(await costs(), [
        [50, 50, 5],
        [50, 50, 5],
      ]);
      const again = await claim(w.catalog);
      assert.equal(again.task.id, lease.task.id);
      const shares = { [a.id]: 0.75, [b.id]: 0.25 };
      await w.catalog.finishTask(tryOf(again), done({ usage: usage(300, 40, 30), shares }));
      assert.deepEqual(
        await costs(),
        [
          [300, 50, 30],
          [100, 50, 10],
        ],
        'the share holds for all tries of the task',
      );
      await w.catalog.finishTask(tryOf(await claim(w.catalog)), done({ usage: usage(20, 99, 2) }));
      assert.deepEqual(await costs(), [
        [310, 99, 31],
        [110, 99, 11],
      ]);
      assert.deepEqual((await w.catalog.assetJob(asset.id)).tasks[0]?.shares, shares);
    });

    test('tasks are listed by rank, ordinal and id', async (t) => {
      const w = await makeWorld(t, make);
      const plans = [
        [1, 2],
        [0, 1],
        [1, 0],
        [0, 1],
        [0, 0],
      ].map(([rank = 0, ordinal = 0]) => newTask({ rank, ordinal }));
      const { tasks } = await assetWith(w, { newTasks: plans });
      const sorted = plans.toSorted((a, b) => a.rank - b.rank || a.ordinal - b.ordinal || (a.id < b.id ? -1 : 1));
      assert.deepEqual(
        tasks.map(({ id }) => id),
        sorted.map(({ id }) => id),
      );
      const { asset } = await assetWith(w, {});
      const taken = { newTasks: [newTask({ id: String(tasks[0]?.id) })] };
      await throwsCode(w.catalog.settleAsset(asset.id, asset.version, taken), 'conflict');
    });

    test('calls of one moment share a commit and each succeeds or fails alone', async (t) => {
      const w = await makeWorld(t, make);
      const { asset, outputs } = await assetWith(w, { newOutputs: [newOutput()], newTasks: [newTask(), newTask()] });
      const segments = [newAssetSegment(String(outputs[0]?.id), 0)];
      const results = await Promise.allSettled([
        w.catalog.claimTask({ workerId: 'a', leaseMs: 1 }),
        w.catalog.settleAsset(asset.id, asset.version, { segments }),
        w.catalog.settleAsset(asset.id, asset.version, { segments }),
        w.catalog.createAsset(newAsset({ id: asset.id }), [], []),
        w.catalog.claimTask({ workerId: 'b', leaseMs: 1 }),
      ]);
      assert.deepEqual(
        results.map((result) => (result.status === 'rejected' ? 'rejected' : result.value !== null)),
        [true, true, false, 'rejected', true],
      );
    });
  });
}

async function claimNext(catalog: Catalog): Promise<Task | null> {
  return (await catalog.claimTask({ workerId: 'worker', leaseMs: 3_600_000 }))?.task ?? null;
}
