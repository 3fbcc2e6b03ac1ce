import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ZoetropeError } from '../../src/base/errors.ts';
import { FakeClock } from '../../src/base/fake-clock.ts';
import { randomIds } from '../../src/base/ids.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { TaskLease } from '../../src/catalog/asset-store.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { createSqliteCatalog } from '../../src/catalog/sqlite/sqlite-catalog.ts';
import { NO_USAGE } from '../../src/timeline/asset.ts';
import { Worker, type TaskRunner, type TryContext, type TryResult, type WorkerDeps } from '../../src/vod/worker.ts';
import { NO_REQUEST } from '../fixtures/asset-request.ts';

/** Tries that the test ends by hand. */
class HandRunner implements TaskRunner {
  readonly begun: { readonly lease: TaskLease; readonly context: TryContext }[] = [];
  readonly discarded: string[] = [];
  readonly #ends: PromiseWithResolvers<TryResult>[] = [];

  run(lease: TaskLease, context: TryContext): Promise<TryResult> {
    const end = Promise.withResolvers<TryResult>();
    this.begun.push({ lease, context });
    this.#ends.push(end);
    context.signal.addEventListener('abort', () => end.reject(context.signal.reason as Error), { once: true });
    return end.promise;
  }

  async discard({ task }: TaskLease): Promise<void> {
    this.discarded.push(`${task.id}.${task.attempt}`);
  }

  succeed(index: number, result: unknown = {}): void {
    this.#ends[index]?.resolve({ result, usage: NO_USAGE });
  }

  fail(index: number, error: Error): void {
    this.#ends[index]?.reject(error);
  }
}

interface World {
  readonly catalog: Catalog;
  readonly clock: FakeClock;
  readonly settled: string[];
  worker(runner: TaskRunner, change?: Partial<WorkerDeps>): Promise<Worker>;
  /** An asset with so many tasks; its id. */
  asset(tasks: number, maxAttempts?: number): Promise<string>;
  until(condition: () => boolean | Promise<boolean>, what: string): Promise<void>;
}

async function makeWorld(t: TestContext): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-worker-'));
  const clock = new FakeClock();
  const deps = { clock, ids: randomIds, logger: silentLogger };
  const catalog = createSqliteCatalog({ path: join(directory, 'catalog.db'), ...deps });
  await catalog.start(AbortSignal.timeout(30_000));
  const workers: Worker[] = [];
  const settled: string[] = [];
  t.after(async () => {
    for (const worker of workers) await worker.close();
    await catalog.close();
    rmSync(directory, { recursive: true });
  });
  return {
    catalog,
    clock,
    settled,
    async worker(runner, change = {}) {
      const worker = new Worker({
        catalog,
        runner,
        settler: { settle: async (id) => void settled.push(id) },
        metrics: { taskEnded: () => undefined },
        workerId: 'one',
        slots: 2,
        leaseMs: 20_000,
        ...deps,
        ...change,
      });
      workers.push(worker);
      await worker.start();
      return worker;
    },
    async asset(tasks, maxAttempts = 3) {
      const id = randomIds.next('asset');
      const source = { kind: 'upload', filename: null, sizeBytes: 1 } as const;
      await catalog.createAsset(
        { id, tenant: 't', name: 'film', referenceId: null, source, request: NO_REQUEST, priority: 0 },
        Array.from({ length: tasks }, (_, ordinal) => ({
          id: randomIds.next('task'),
          kind: 'video' as const,
          rank: 0,
          ordinal,
          outputIds: [],
          weight: 1,
          input: null,
          maxAttempts,
        })),
        [],
      );
      return id;
    },
    async until(condition, what) {
      for (let round = 0; round < 200; round++) {
        if (await condition()) return;
        await clock.advance(50);
      }
      assert.fail(`never happened: ${what}`);
    },
  };
}

const states = async ({ catalog }: World, id: string): Promise<readonly string[]> =>
  (await catalog.assetJob(id)).tasks.map(({ state, attempt }) => `${state} ${attempt}`);

test('takes as many tasks as it has slots, and the next when one ends', async (t) => {
  const world = await makeWorld(t);
  const runner = new HandRunner();
  await world.worker(runner);
  const id = await world.asset(3);
  await world.until(() => runner.begun.length === 2, 'two are begun');
  await world.clock.advance(3000);
  assert.equal(runner.begun.length, 2, 'no third slot');
  runner.succeed(0, { chunk: 'a' });
  await world.until(() => runner.begun.length === 3, 'the third is begun');
  assert.deepEqual(await states(world, id), ['done 1', 'running 1', 'running 1']);
  assert.deepEqual(world.settled, [id], 'who ends a task settles');
  assert.deepEqual(runner.discarded, []);
});

test('a lease is kept as long as the work goes on, and tells its progress', async (t) => {
  const world = await makeWorld(t);
  const runner = new HandRunner();
  await world.worker(runner);
  const id = await world.asset(1);
  await world.until(() => runner.begun.length === 1, 'it is begun');
  runner.begun[0]?.context.onProgress(0.4);
  await world.clock.advance(90_000);
  assert.equal(await world.catalog.expireTasks(), 0);
  assert.equal((await world.catalog.assetJob(id)).tasks[0]?.progress, 0.4);
});

test('a failed try is done again after a pause, and its leavings are removed', async (t) => {
  const world = await makeWorld(t);
  const runner = new HandRunner();
  await world.worker(runner);
  const id = await world.asset(1);
  await world.until(() => runner.begun.length === 1, 'the first try is begun');
  runner.fail(0, new ZoetropeError('engine_failed', 'it was ended by SIGSEGV'));
  await world.until(() => runner.begun.length === 2, 'the second try is begun');
  const [task] = (await world.catalog.assetJob(id)).tasks;
  assert.equal(task?.attempt, 2);
  assert.equal(task?.cause?.message, 'it was ended by SIGSEGV');
  assert.deepEqual(runner.discarded, [`${task?.id}.1`]);
});

test('a fault of the media is final at once, a failing engine after the stated tries', async (t) => {
  const world = await makeWorld(t);
  const runner = new HandRunner();
  await world.worker(runner);
  const bad = await world.asset(1);
  await world.until(() => runner.begun.length === 1, 'it is begun');
  runner.fail(0, new ZoetropeError('corrupt_media', 'no picture'));
  await world.until(async () => (await states(world, bad))[0] === 'failed 1', 'it failed');
  const unlucky = await world.asset(1, 2);
  for (const attempt of [1, 2]) {
    await world.until(() => runner.begun.length === 1 + attempt, `try ${attempt} is begun`);
    runner.fail(attempt, new ZoetropeError('engine_failed', 'died'));
  }
  await world.until(async () => (await states(world, unlucky))[0] === 'failed 2', 'it failed for good');
});

test('a cancelled task is stopped within a heartbeat, and nothing of it is noted', async (t) => {
  const world = await makeWorld(t);
  const runner = new HandRunner();
  await world.worker(runner);
  const id = await world.asset(1);
  await world.until(() => runner.begun.length === 1, 'it is begun');
  const job = await world.catalog.assetJob(id);
  const cancelTasks = job.tasks.map((task) => task.id);
  assert.ok((await world.catalog.settleAsset(id, job.asset.version, { cancelTasks })) !== null);
  await world.until(() => runner.begun[0]?.context.signal.aborted === true, 'it is stopped');
  await world.until(() => runner.discarded.length === 1, 'its leavings are removed');
  assert.deepEqual(await states(world, id), ['cancelled 1']);
});

test('a worker that stood still finds its task taken, and can do no harm', async (t) => {
  const world = await makeWorld(t);
  const [slow, quick] = [new HandRunner(), new HandRunner()];
  // Its heartbeats do not come through.
  const lost = new ZoetropeError('unavailable', 'The catalog cannot be reached.');
  const deaf = { ...world.catalog, renewTask: () => Promise.reject(lost) };
  const id = await world.asset(1);
  await world.worker(slow, { catalog: deaf, slots: 1 });
  await world.until(() => slow.begun.length === 1, 'it is begun');
  await world.clock.advance(21_000);
  assert.equal(await world.catalog.expireTasks(), 1);
  await world.worker(quick, { workerId: 'two', slots: 1 });
  await world.until(() => quick.begun.length + slow.begun.length === 2, 'another has it');
  slow.succeed(0, { from: 'the dead' });
  await world.until(() => slow.discarded.length === 1, 'its leavings are removed');
  assert.deepEqual(await states(world, id), ['running 2']);
  quick.succeed(0, { from: 'the living' });
  await world.until(async () => (await states(world, id))[0] === 'done 2', 'it is done');
  assert.deepEqual((await world.catalog.assetJob(id)).tasks[0]?.result, { from: 'the living' });
});

test('a worker that is asked to end hands its tasks back, and the try does not count', async (t) => {
  const world = await makeWorld(t);
  const [first, second] = [new HandRunner(), new HandRunner()];
  const worker = await world.worker(first);
  const id = await world.asset(1, 1);
  await world.until(() => first.begun.length === 1, 'it is begun');
  await worker.close();
  assert.deepEqual(first.discarded.length, 1);
  assert.deepEqual(await states(world, id), ['waiting 1']);
  await world.worker(second);
  await world.until(() => second.begun.length === 1, 'its only try is done by another');
});
