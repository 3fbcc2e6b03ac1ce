import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { NewTask } from '../../src/catalog/asset-store.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import type { Task } from '../../src/timeline/task.ts';
import { assetWith, claim, done, failed, newTask, settle } from './asset-world.ts';
import { makeWorld, type MakeCatalog } from './catalog-world.ts';

/** Registers the contract of {@link AssetStore.claimTask}: who gets what, and in which order. */
export function claimsContract(adapter: string, make: MakeCatalog): void {
  describe(`catalog contract, claims: ${adapter}`, () => {
    test('of many workers in any process each gets another task', async (t) => {
      const w = await makeWorld(t, make);
      const other = await w.another();
      for (let index = 0; index < 3; index++) {
        await assetWith(w, { newTasks: Array.from({ length: 5 }, (_, ordinal) => newTask({ ordinal })) });
      }
      const leases = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          (index % 2 === 0 ? w.catalog : other).claimTask({ workerId: `w${index}`, leaseMs: 1_000 }),
        ),
      );
      const ids = leases.flatMap((lease) => (lease === null ? [] : [lease.task.id]));
      assert.equal(ids.length, 15);
      assert.equal(new Set(ids).size, 15);
    });

    test('next is by priority, rank, fewest running of the asset, its last turn, its age, ordinal', async (t) => {
      const w = await makeWorld(t, make);
      const tasks = (name: string, plans: readonly (readonly [rank: number, ordinal: number])[]): NewTask[] =>
        plans.map(([rank, ordinal]) => newTask({ rank, ordinal, input: `${name} ${rank}.${ordinal}` }));
      await assetWith(w, {
        newTasks: tasks('old', [
          [1, 2],
          [1, 1],
          [0, 0],
          [1, 3],
          [2, 0],
        ]),
      });
      await w.pass(1);
      await assetWith(w, {
        newTasks: tasks('new', [
          [1, 1],
          [0, 0],
          [1, 2],
        ]),
      });
      await w.pass(1);
      await assetWith(w, {
        newTasks: tasks('urgent', [
          [2, 9],
          [1, 0],
        ]),
        priority: 5,
      });
      await w.pass(1);
      await assetWith(w, { newTasks: tasks('idle', [[0, 0]]), priority: -5 });
      const order: unknown[] = [];
      for (let lease = await claimNext(w.catalog); lease !== null; lease = await claimNext(w.catalog)) {
        order.push(lease.input);
      }
      assert.deepEqual(order, [
        'urgent 1.0',
        'urgent 2.9',
        'old 0.0',
        'new 0.0',
        // From here on both have as many that run: the older one, then the one with fewer.
        'old 1.1',
        'new 1.1',
        'old 1.2',
        'new 1.2',
        'old 1.3',
        'old 2.0',
        'idle 0.0',
      ]);
    });

    test('with one task at a time assets take turns: a long job does not keep a short one waiting, nor short ones a long one', async (t) => {
      const w = await makeWorld(t, make);
      const made = async (name: string, count: number): Promise<void> => {
        await w.pass(1);
        const newTasks = Array.from({ length: count }, (_, ordinal) => newTask({ ordinal, input: name }));
        await assetWith(w, { newTasks });
      };
      const order: unknown[] = [];
      const next = async (): Promise<void> => {
        const task = await claimNext(w.catalog);
        if (task === null) return;
        order.push(task.input);
        await w.catalog.finishTask({ taskId: task.id, attempt: task.attempt }, done());
      };
      await made('long', 6);
      await next();
      await next();
      await made('short', 2);
      await next();
      await made('later', 1);
      for (let count = 0; count < 9; count++) await next();
      assert.deepEqual(order, ['long', 'long', 'short', 'later', 'long', 'short', 'long', 'long', 'long']);
    });

    test('the order of claims is the stated one, whatever happens in between', async (t) => {
      const w = await makeWorld(t, make);
      const assets = new Map<string, Known>();
      let turns = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(fc.nat(5), fc.nat(3), fc.nat(2)), { maxLength: 25 }), async (steps) => {
          const held: Task[] = [];
          for (const [action, x, y] of steps) {
            await w.pass(1);
            if (action < 2) {
              const newTasks = Array.from({ length: x }, (_, ordinal) => newTask({ rank: (ordinal + y) % 3, ordinal }));
              const { asset } = await assetWith(w, { priority: y - 1, newTasks });
              assets.set(asset.id, { priority: asset.priority, at: asset.createdAtMs, turn: 0 });
            } else if (action < 5) {
              const expected = await expectedNext(w.catalog, assets, w.clock.nowMs());
              const task = await claimNext(w.catalog);
              assert.equal(task?.id, expected);
              if (task === null) continue;
              held.push(task);
              const known = assets.get(task.ownerId);
              if (known !== undefined) assets.set(task.ownerId, { ...known, turn: ++turns });
            } else {
              const task = held.shift();
              const outcome = y === 0 ? done() : failed(w.clock.nowMs() + x);
              if (task !== undefined) await w.catalog.finishTask({ taskId: task.id, attempt: task.attempt }, outcome);
            }
          }
          for (const id of assets.keys()) await w.catalog.deleteAsset(id, []);
          assets.clear();
        }),
        { numRuns: 15 },
      );
    });

    test('only kinds that are asked for are claimed', async (t) => {
      const w = await makeWorld(t, make);
      await assetWith(w, { newTasks: [newTask({ kind: 'video', rank: 0 }), newTask({ kind: 'audio', rank: 2 })] });
      assert.equal((await claim(w.catalog, { kinds: ['fetch', 'audio'] })).task.kind, 'audio');
      assert.equal(await w.catalog.claimTask({ workerId: 'w', leaseMs: 1, kinds: ['fetch', 'audio'] }), null);
      assert.equal(await w.catalog.claimTask({ workerId: 'w', leaseMs: 1, kinds: [] }), null);
    });

    test('a changed priority holds for tasks that wait', async (t) => {
      const w = await makeWorld(t, make);
      await assetWith(w, { newTasks: [newTask()] });
      await w.pass(1);
      const late = await assetWith(w, { newTasks: [newTask()] });
      await settle(w.catalog, late.asset, { asset: { priority: 1 } });
      assert.equal((await claim(w.catalog)).asset.id, late.asset.id);
    });
  });
}

/** What the order of claims depends on besides tasks. */
interface Known {
  readonly priority: number;
  readonly at: number;
  /** 0: never had one. */
  readonly turn: number;
}

async function claimNext(catalog: Catalog): Promise<Task | null> {
  return (await catalog.claimTask({ workerId: 'worker', leaseMs: 3_600_000 }))?.task ?? null;
}

/** The order of claims as the contract words it, by looking at everything. */
async function expectedNext(
  catalog: Catalog,
  assets: ReadonlyMap<string, Known>,
  nowMs: number,
): Promise<string | undefined> {
  const all: { readonly key: readonly (number | string)[]; readonly id: string }[] = [];
  for (const [id, { priority, at, turn }] of assets) {
    const { tasks } = await catalog.assetJob(id);
    const running = tasks.filter(({ state }) => state === 'running').length;
    for (const task of tasks) {
      if (task.state !== 'waiting' || task.notBeforeMs > nowMs) continue;
      all.push({ id: task.id, key: [-priority, task.rank, running, turn, at, id, task.ordinal, task.id] });
    }
  }
  return all.toSorted((a, b) => compare(a.key, b.key))[0]?.id;
}

function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] ?? 0;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
