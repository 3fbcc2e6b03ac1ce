import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { FakeClock } from '../../src/base/fake-clock.ts';
import type { EngineOptions } from '../../src/engine/create-engine.ts';
import { REAL_ENTRY, startEngine, type EngineBench } from '../fixtures/engine.ts';
import { makeJpeg } from '../fixtures/pictures.ts';

const T0 = Date.UTC(2026, 10, 20, 10);
const LIMITS = { maxBytes: 1, maxPixels: 1 };
const MISBEHAVING = new URL('../fixtures/misbehaving-engine-process.ts', import.meta.url);

const startMisbehaving = (change: Partial<EngineOptions> = {}): Promise<EngineBench> =>
  startEngine({ entryUrl: MISBEHAVING, ...change });
const ask = (bench: EngineBench, path: string, signal?: AbortSignal): Promise<unknown> =>
  bench.engine.probe({ ref: { path }, limits: LIMITS }, signal);

test('a child that is killed under its task: the task is done by the next process', async () => {
  await using bench = await startEngine();
  const jpeg = makeJpeg({ width: 1280, height: 720 });
  const frames = await Promise.all(Array.from({ length: 40 }, (_, index) => bench.frame(T0 + index * 1000, jpeg)));
  const [pid] = bench.engine.stats().pids;
  const result = bench.engine.encodeFrames(bench.request(frames));
  await turn();
  assert.equal(bench.engine.stats().running, 1);
  process.kill(pid ?? 0, 'SIGKILL');
  const { segments, rejected } = await result;
  assert.deepEqual(rejected, []);
  assert.equal(segments[0]?.frameTimesMs.length, 40);
  assert.notEqual(bench.engine.stats().pids[0], pid);
  assert.equal(bench.engine.stats().restarts, 1);
});

test('a crash costs its task one try and leaves those behind it alone', async () => {
  await using bench = await startMisbehaving();
  const [before] = bench.engine.stats().pids;
  const results = await Promise.all([
    ask(bench, `die-once:${join(bench.directory, 'died')}`),
    ask(bench, 'answer'),
    ask(bench, 'answer'),
  ]);
  assert.ok(results.every((pid) => pid === results[0] && pid !== before));
});

test('a task that always takes its process with it fails with the cause after its tries', async () => {
  await using bench = await startMisbehaving();
  await assert.rejects(ask(bench, 'die'), {
    code: 'engine_failed',
    retryable: false,
    message: /probe ended its engine process 3 times; the last time it was ended by SIGABRT/,
  });
  await assert.rejects(ask(bench, 'exit'), {
    code: 'engine_failed',
    message: /exited with code 7 \(out of patience\)/,
  });
  assert.equal(typeof (await ask(bench, 'answer')), 'number');
});

test('a child that hangs is ended at the deadline; its task is not tried again', async () => {
  await using bench = await startMisbehaving({ taskTimeoutMs: 300 });
  const [pid] = bench.engine.stats().pids;
  const hanging = ask(bench, 'hang');
  const behind = ask(bench, 'answer');
  await assert.rejects(hanging, {
    code: 'deadline_exceeded',
    retryable: true,
    message: /probe did not end within 300 ms/,
  });
  assert.notEqual(await behind, pid);
  assert.ok(!isAlive(pid ?? 0));
});

test('a child above the memory ceiling is replaced between tasks', async () => {
  await using bench = await startMisbehaving({ maxMemoryBytes: 1 << 30 });
  const first = await ask(bench, 'grow');
  const second = await ask(bench, 'answer');
  assert.notEqual(second, first);
  assert.equal(await ask(bench, 'answer'), second);
});

test('processes that keep dying come back ever more slowly; one that works resets that', async () => {
  const clock = new FakeClock();
  await using bench = await startMisbehaving({ clock, maxTries: 100 });
  let delayMs = 100;
  let pid = bench.engine.stats().pids[0] ?? 0;
  for (let round = 0; round < 9; round++) {
    process.kill(pid, 'SIGKILL');
    await until(() => bench.engine.stats().pids.length === 0);
    await clock.advance(delayMs - 1);
    assert.deepEqual(bench.engine.stats().pids, [], `round ${round}`);
    await clock.advance(1);
    await until(() => bench.engine.stats().ready === 1);
    pid = bench.engine.stats().pids[0] ?? 0;
    delayMs = Math.min(delayMs * 2, 10_000);
  }
  assert.equal(delayMs, 10_000);
  await ask(bench, 'answer');
  process.kill(pid, 'SIGKILL');
  await until(() => bench.engine.stats().pids.length === 0);
  await clock.advance(100);
  await until(() => bench.engine.stats().ready === 1);
});

test('the queue is bounded', async () => {
  await using bench = await startMisbehaving({ maxQueued: 2 });
  const flag = join(bench.directory, 'go');
  const running = ask(bench, `wait-for:${flag}`);
  const waiting = [ask(bench, 'answer'), ask(bench, 'answer')];
  assert.equal(bench.engine.stats().queued, 2);
  await assert.rejects(ask(bench, 'answer'), { code: 'too_many', retryable: true });
  writeFileSync(flag, '');
  await Promise.all([running, ...waiting]);
});

test('a snapshot goes before a backlog, and the backlog still moves under many snapshots', async () => {
  await using bench = await startMisbehaving();
  const flag = join(bench.directory, 'go');
  const running = ask(bench, `wait-for:${flag}`);
  const order: string[] = [];
  const note = (what: string) => (): void => void order.push(what);
  const snapshot = { init: new Uint8Array(), segmentKey: 'x', sampleIndex: 0, widthPx: null };
  const rest = [
    ...Array.from({ length: 3 }, () => ask(bench, 'answer').then(note('n'))),
    ...Array.from({ length: 10 }, () => misused(bench, snapshot).then(note('H'))),
  ];
  writeFileSync(flag, '');
  await Promise.all([running, ...rest]);
  assert.match(order.join(''), /^H+nH+nn$/);
});

test('a caller that gives up is told at once; its task is taken out of the queue or its result dropped', async () => {
  await using bench = await startMisbehaving();
  const flag = join(bench.directory, 'go');
  const abortRunning = new AbortController();
  const abortQueued = new AbortController();
  const running = ask(bench, `wait-for:${flag}`, abortRunning.signal);
  const queued = ask(bench, 'die', abortQueued.signal);
  abortQueued.abort();
  abortRunning.abort();
  await assert.rejects(queued, { code: 'cancelled' });
  await assert.rejects(running, { code: 'cancelled' });
  assert.equal(bench.engine.stats().queued, 0);
  const next = ask(bench, 'answer');
  writeFileSync(flag, '');
  assert.equal(await next, bench.engine.stats().pids[0]);
  await assert.rejects(ask(bench, 'answer', AbortSignal.abort()), { code: 'cancelled' });
});

test('closing lets the running task finish, refuses those that wait, and ends the processes', async () => {
  await using bench = await startMisbehaving();
  const flag = join(bench.directory, 'go');
  const [pid] = bench.engine.stats().pids;
  const running = ask(bench, `wait-for:${flag}`);
  const waiting = ask(bench, 'answer');
  const closed = bench.engine.close();
  await assert.rejects(waiting, { code: 'cancelled', message: /closing/ });
  writeFileSync(flag, '');
  assert.equal(await running, pid);
  await closed;
  assert.ok(!isAlive(pid ?? 0));
  await assert.rejects(ask(bench, 'answer'), { code: 'unavailable' });
});

test('closing while a process is down, or before any start, ends', async () => {
  await using bench = await startMisbehaving({ clock: new FakeClock() });
  process.kill(bench.engine.stats().pids[0] ?? 0, 'SIGKILL');
  await until(() => bench.engine.stats().pids.length === 0);
  await bench.engine.close();
  await bench.engine.close();
});

test('an engine whose processes cannot start says why', async () => {
  await assert.rejects(startMisbehaving({ childArguments: ['refuse'] }), {
    code: 'engine_failed',
    message: /did not start: it exited with code 3\. this store is not there/,
  });
  await assert.rejects(startEngine({ entryUrl: new URL('./none.ts', REAL_ENTRY) }), {
    code: 'engine_failed',
    message: /ERR_MODULE_NOT_FOUND|Cannot find module/,
  });
});

test('processes inherit neither environment nor arguments', async () => {
  await using bench = await startMisbehaving({ childArguments: ['s3://key:secret@host/bucket'] });
  const seen = (await ask(bench, 'env')) as {
    readonly env: readonly string[];
    readonly argv: unknown;
    readonly execArgv: unknown;
  };
  assert.deepEqual(
    seen.env.filter((name) => !name.startsWith('NODE_')),
    [],
  );
  assert.deepEqual([seen.argv, seen.execArgv], [[], []]);
});

test('a server that is killed leaves no engine processes behind', async () => {
  await using bench = await startMisbehaving();
  const objectsUrl = `file:${join(bench.directory, 'owned')}`;
  const owner = fork(new URL('../fixtures/engine-owner.ts', import.meta.url), [objectsUrl], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  assert.ok(owner.stdout);
  const [line] = (await once(owner.stdout.setEncoding('utf8'), 'data')) as [string];
  const pids = JSON.parse(line) as readonly number[];
  assert.equal(pids.length, 2);
  assert.ok(pids.every(isAlive));
  process.kill(pids[0] ?? 0, 'SIGTERM');
  process.kill(pids[1] ?? 0, 'SIGINT');
  assert.ok(pids.every(isAlive), 'they leave signals to the server');
  owner.kill('SIGKILL');
  await until(() => !pids.some(isAlive));
});

/** The misbehaving process takes any task for a probe. */
function misused(bench: EngineBench, request: Parameters<EngineBench['engine']['snapshot']>[0]): Promise<unknown> {
  return bench.engine.snapshot({ ...request, ref: { path: 'answer' } } as typeof request);
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

/** Waits for something that happens outside this process and has no event here. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'it did not happen within 10 s');
    await turn();
  }
}
