import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isZoetropeError, type ErrorCode } from '../../src/base/errors.ts';
import { FakeClock } from '../../src/base/fake-clock.ts';
import type { RunOptions, Transcoder } from '../../src/engine/transcoder.ts';
import { makeMedia } from '../fixtures/media-files.ts';
import { descendantsOf, eventually, isRunning } from '../fixtures/processes.ts';
import { ROOMY_LIMITS, startTranscoder } from '../fixtures/transcoder.ts';

const MISBEHAVING = new URL('../fixtures/misbehaving-transcode-process.ts', import.meta.url);

test('a run without an owner has a fresh process, which ends with it', async () => {
  await using bench = await startTranscoder({ entryUrl: MISBEHAVING });
  const first = await run(bench.transcoder, 'answer');
  const second = await run(bench.transcoder, 'answer');
  assert.notEqual(first.value, second.value);
  await untilGone(Number(first.value));
  assert.deepEqual(bench.transcoder.stats(), { running: 0, pids: [], idle: 0 });
});

test('a process that did well does the next run of its owner, and of nobody else', async () => {
  await using bench = await startTranscoder({ entryUrl: MISBEHAVING });
  const first = await run(bench.transcoder, 'answer', { owner: 'a' });
  assert.equal(bench.transcoder.stats().idle, 1);
  const others = await run(bench.transcoder, 'answer', { owner: 'b' });
  assert.notEqual(others.value, first.value);
  const again = await run(bench.transcoder, 'answer', { owner: 'a' });
  assert.equal(again.value, first.value);
  const atOnce = await Promise.all([1, 2].map(() => run(bench.transcoder, 'answer', { owner: 'a' })));
  assert.equal(new Set(atOnce.map(({ value }) => value)).size, 2, 'one run at a time');
});

test('a process that failed does nothing more, nor does one that died while it waited', async () => {
  await using bench = await startTranscoder({ entryUrl: MISBEHAVING });
  const first = await run(bench.transcoder, 'answer', { owner: 'a' });
  await failure(run(bench.transcoder, 'fail', { owner: 'a' }), 'corrupt_media');
  await untilGone(Number(first.value));
  const second = await run(bench.transcoder, 'answer', { owner: 'a' });
  assert.notEqual(second.value, first.value);
  process.kill(Number(second.value), 'SIGKILL');
  await eventually('it is noticed', () => (bench.transcoder.stats().idle === 0 ? true : undefined), {
    timeoutMs: 10_000,
    everyMs: 10,
  });
  const third = await run(bench.transcoder, 'answer', { owner: 'a' });
  assert.notEqual(third.value, second.value);
});

test('a process that holds much, or has waited for long, is not kept', async () => {
  const clock = new FakeClock();
  await using bench = await startTranscoder({ entryUrl: MISBEHAVING, clock, maxMemoryBytes: 1500 });
  const large = await run(bench.transcoder, 'answer', { owner: 'a' });
  await untilGone(Number(large.value));
  await using roomy = await startTranscoder({ entryUrl: MISBEHAVING, clock });
  const waiting = await run(roomy.transcoder, 'answer', { owner: 'a' });
  await clock.advance(4999);
  assert.equal(roomy.transcoder.stats().idle, 1);
  await clock.advance(1);
  await untilGone(Number(waiting.value));
  assert.equal(roomy.transcoder.stats().idle, 0);
});

test('closing ends the processes that wait', async () => {
  const bench = await startTranscoder({ entryUrl: MISBEHAVING });
  const { value } = await run(bench.transcoder, 'answer', { owner: 'a' });
  await bench[Symbol.asyncDispose]();
  assert.equal(isRunning(Number(value)), false);
});

test('what a run cost is its own, in a process that did others before', async () => {
  await using bench = await startTranscoder();
  const source = await makeMedia(bench.directory, 'source.mp4', [
    '-f lavfi -i testsrc2=size=640x360:rate=25 -t 2 -c:v libx264 -preset ultrafast',
  ]);
  await bench.objects.put('source', await readFile(source));
  const request = {
    ref: { objectKey: 'source' },
    limits: ROOMY_LIMITS,
    video: null,
    audio: [],
    subtitles: [],
    outputPrefix: 'parts/',
  };
  const { video } = await bench.transcoder.describe({ ref: request.ref, limits: ROOMY_LIMITS }, { owner: 'a' });
  const first = await bench.transcoder.split({ ...request, video: video[0] ?? null }, { owner: 'a' });
  const second = await bench.transcoder.split({ ...request, video: video[0] ?? null }, { owner: 'a' });
  const [pid = 0, ...others] = descendantsOf(process.pid);
  assert.deepEqual(others, [], 'one process did all three');
  assert.ok(first.usage.cpuMs > 0 && second.usage.cpuMs > 0);
  const charged = first.usage.cpuMs + second.usage.cpuMs;
  const used = cpuMsOf(pid);
  assert.ok(charged <= used, `${charged} ms were charged of ${used}`);
  assert.ok(second.usage.peakMemoryBytes > 0);
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
    ['GLIBC_TUNABLES'],
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

/** Of a living process, from proc(5). Linux counts in hundredths of a second; one more is under way. */
function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system + 2) * 10;
}

async function untilGone(pid: number): Promise<void> {
  await eventually('it ends', () => (isRunning(pid) ? undefined : true), { timeoutMs: 10_000, everyMs: 10 });
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
