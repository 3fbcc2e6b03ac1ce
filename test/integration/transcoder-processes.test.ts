import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isZoetropeError, type ErrorCode } from '../../src/base/errors.ts';
import { FakeClock } from '../../src/base/fake-clock.ts';
import type { RunOptions, Transcoder } from '../../src/engine/transcoder.ts';
import { eventually, isRunning } from '../fixtures/processes.ts';
import { startTranscoder } from '../fixtures/transcoder.ts';

const MISBEHAVING = new URL('../fixtures/misbehaving-transcode-process.ts', import.meta.url);

test('each run has a fresh process, gone when its result is told', async () => {
  await using bench = await startTranscoder({ entryUrl: MISBEHAVING });
  const first = await run(bench.transcoder, 'answer');
  const second = await run(bench.transcoder, 'answer');
  assert.notEqual(first.value, second.value);
  assert.equal(isRunning(Number(first.value)), false);
  assert.deepEqual(bench.transcoder.stats(), { running: 0, pids: [] });
});

test('a result says what it cost', async () => {
  await using bench = await startTranscoder({ entryUrl: MISBEHAVING });
  const { usage } = await run(bench.transcoder, 'answer');
  assert.equal(usage.cpuMs, 30);
  assert.equal(usage.peakMemoryBytes, 2000);
  assert.ok(usage.wallMs > 0);
});

test('a failure says what it cost, and keeps its code', async () => {
  await using bench = await startTranscoder({ entryUrl: MISBEHAVING });
  const error = await failure(run(bench.transcoder, 'fail'), 'corrupt_media');
  assert.equal(error.message, 'It is damaged.');
  assert.equal((error.details['usage'] as { readonly cpuMs: number }).cpuMs, 30);
});

test('a process that dies fails its run with the cause', async () => {
  await using bench = await startTranscoder({ entryUrl: MISBEHAVING });
  assert.match((await failure(run(bench.transcoder, 'die'), 'engine_failed')).message, /SIGSEGV/);
  const exited = await failure(run(bench.transcoder, 'exit'), 'engine_failed');
  assert.match(exited.message, /code 7 \(out of patience\)/);
});

test('a process inherits nothing and runs at low priority', async () => {
  await using bench = await startTranscoder({ entryUrl: MISBEHAVING });
  const { value } = await run(bench.transcoder, 'env');
  const { env, argv, priority } = value as unknown as { env: string[]; argv: string[]; priority: number };
  assert.deepEqual(
    env.filter((name) => !name.startsWith('NODE_CHANNEL')),
    [],
  );
  assert.deepEqual(argv, []);
  assert.equal(priority, 10);
});

for (const what of ['hang', 'hang-busy']) {
  test(`aborting ends a process at once: ${what}`, async () => {
    await using bench = await startTranscoder({ entryUrl: MISBEHAVING });
    const abort = new AbortController();
    const reached = Promise.withResolvers<void>();
    const running = run(bench.transcoder, what, { signal: abort.signal, onProgress: () => reached.resolve() });
    await reached.promise;
    const [pid] = bench.transcoder.stats().pids;
    assert.ok(pid !== undefined && isRunning(pid));
    abort.abort(new Error('no longer wanted'));
    await failure(running, 'cancelled');
    assert.equal(isRunning(pid), false);
  });
}

test('a process that stands still is ended', async () => {
  const clock = new FakeClock();
  await using bench = await startTranscoder({ entryUrl: MISBEHAVING, clock, stallTimeoutMs: 1000 });
  const reached = Promise.withResolvers<void>();
  const running = run(bench.transcoder, 'hang-busy', { onProgress: () => reached.resolve() });
  await reached.promise;
  const [pid] = bench.transcoder.stats().pids;
  assert.ok(pid !== undefined && isRunning(pid));
  const ended = failure(running, 'deadline_exceeded');
  await clock.advance(1001);
  assert.match((await ended).message, /no sign of life for 1000 ms/);
  assert.equal(isRunning(pid), false);
});

test('a process that grows beyond its ceiling is ended', async () => {
  await using bench = await startTranscoder({ entryUrl: MISBEHAVING });
  assert.match((await failure(run(bench.transcoder, 'grow'), 'payload_too_large')).message, /grew beyond/);
});

test('a process that grows beyond its ceiling without a word is ended', async () => {
  await using bench = await startTranscoder({ entryUrl: MISBEHAVING, maxMemoryBytes: 512 << 20 });
  assert.match((await failure(run(bench.transcoder, 'grow-busy'), 'payload_too_large')).message, /grew beyond/);
});

test('closing ends what runs and refuses what comes', async () => {
  await using bench = await startTranscoder({ entryUrl: MISBEHAVING });
  const reached = Promise.withResolvers<void>();
  const running = failure(run(bench.transcoder, 'hang', { onProgress: () => reached.resolve() }), 'cancelled');
  await reached.promise;
  const [pid] = bench.transcoder.stats().pids;
  await bench.transcoder.close();
  await running;
  assert.ok(pid !== undefined && !isRunning(pid));
  await failure(run(bench.transcoder, 'answer'), 'unavailable');
});

test('an entry that does not start fails the run', async () => {
  await using bench = await startTranscoder({ entryUrl: new URL('file:///nowhere/entry.ts') });
  await failure(run(bench.transcoder, 'answer'), 'engine_failed');
});

test('a worker that is killed leaves no process behind, busy as it may be', async () => {
  await using bench = await startTranscoder();
  const scratch = join(bench.directory, 'owned');
  const owner = fork(
    new URL('../fixtures/transcoder-owner.ts', import.meta.url),
    [`file:${bench.objectsDirectory}`, scratch],
    { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
  );
  assert.ok(owner.stdout);
  const [line] = (await once(owner.stdout.setEncoding('utf8'), 'data')) as [string];
  const [pid = 0] = JSON.parse(line) as readonly number[];
  assert.ok(isRunning(pid));
  process.kill(pid, 'SIGTERM');
  owner.kill('SIGKILL');
  await eventually('the orphan ends', () => (isRunning(pid) ? undefined : true), { timeoutMs: 10_000, everyMs: 20 });
});

test('what a run made on the way is removed, however it ended; so is what a dead process left', async () => {
  const root = mkdtempSync(join(tmpdir(), 'zoetrope-scratch-'));
  const abandoned = join(root, `${hostname().replaceAll(/[^A-Za-z0-9]/g, '_')}-4194999-0123456789ab`);
  mkdirSync(abandoned);
  writeFileSync(join(abandoned, '1'), 'left');
  mkdirSync(join(root, 'somebody-elses'));
  {
    await using bench = await startTranscoder({ entryUrl: MISBEHAVING, scratchDirectory: root });
    assert.equal(existsSync(abandoned), false);
    for (const what of ['scratch-die', 'scratch-hang']) {
      const abort = new AbortController();
      const running = run(bench.transcoder, what, { signal: abort.signal, onProgress: () => abort.abort() });
      await assert.rejects(running);
      const [own = ''] = readdirSync(root).filter((name) => name !== 'somebody-elses');
      assert.deepEqual(readdirSync(join(root, own)), []);
    }
  }
  assert.deepEqual(readdirSync(root), ['somebody-elses']);
  rmSync(root, { recursive: true });
});

function run(transcoder: Transcoder, what: string, options: RunOptions = {}): ReturnType<Transcoder['writeMovie']> {
  return transcoder.writeMovie({ tracks: [], outputKey: what }, options);
}

async function failure(
  running: Promise<unknown>,
  code: ErrorCode,
): Promise<{ readonly message: string; readonly details: Readonly<Record<string, unknown>> }> {
  try {
    await running;
  } catch (error) {
    if (isZoetropeError(error, code)) return error;
    throw error;
  }
  assert.fail(`It should have failed with ${code}.`);
}
