import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { LiveSummary } from '../../src/simulator/encoder/live-tally.ts';
import { eventually } from '../fixtures/processes.ts';
import { PushReceiver } from '../fixtures/push-receiver.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/zoetrope.js', import.meta.url));
const SMALL = ['--size', '160x120', '--fps', '10', '--segment-seconds', '0.5'];

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function simulate(...args: readonly string[]): { readonly ended: Promise<Ended>; interrupt(): void } {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [LAUNCHER, 'simulate', ...args], {
    cwd: tmpdir(),
    env: { PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => void (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => void (stderr += data.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { ended, interrupt: () => void child.kill('SIGINT') };
}

test('simulate encoder pushes for as long as asked, and sums up', async () => {
  await using receiver = await PushReceiver.start();
  const faults = ['--drop-every', '3', '--method', 'POST', '--no-program-date-time', '--container', 'fmp4'];
  const target = ['--url', receiver.url, '--streams', '2', '--name', 'gate', '--key', 'zk_1'];
  const { code, stdout, stderr } = await simulate(
    'encoder',
    ...SMALL,
    ...faults,
    ...target,
    '--duration',
    '1.5',
    '--json',
  ).ended;
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  const summary = JSON.parse(stdout) as LiveSummary;
  // The second one begins a quarter of a second later, so its last segment is a short one.
  assert.deepEqual(
    { streams: summary.streams, segments: summary.segments, accepted: summary.accepted, dropped: summary.dropped },
    { streams: ['str_1', 'str_2'], segments: 6, accepted: 4, dropped: 2 },
  );
  assert.deepEqual(
    receiver.below('/v1/streams').map(({ body }) => JSON.parse(body.toString()) as unknown),
    ['gate-1', 'gate-2'].map((name) => ({ kind: 'push', name })),
  );
  const pushed = receiver.below('/ingest/hls/str_2/');
  assert.ok(pushed.every(({ method, key }) => method === 'POST' && key === 'Bearer zk_1'));
  assert.ok(pushed.some(({ path }) => path === 'init.mp4'));
  assert.ok(!pushed.some(({ body }) => body.includes('PROGRAM-DATE-TIME')));
});

test('simulate chunks ends on SIGINT, with its stream ended', async () => {
  await using receiver = await PushReceiver.start((request, { url }) => {
    if (!request.path.endsWith('/chunk-urls')) return undefined;
    const item = { method: 'PUT', headers: {}, expiresAt: '2100-01-01T00:00:00Z' };
    const items = Array.from({ length: 60 }, (_, chunkIndex) => {
      return { ...item, chunkIndex, objectKey: `c/${chunkIndex}`, url: `${url}/store/${chunkIndex}` };
    });
    return { status: 200, body: { items } };
  });
  const simulation = simulate('chunks', ...SMALL, '--url', receiver.url, '--stream', 'str_9');
  await eventually('a chunk is announced', () => receiver.below('/v1/events/chunks')[0], { timeoutMs: 30_000 });
  simulation.interrupt();
  const { code, stdout, stderr } = await simulation.ended;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^1 streams: str_9$/m);
  assert.match(stdout, /^\d+ segments: \d+ accepted \([^)]+\), 0 refused, 0 dropped on purpose, 0 lost$/m);
  assert.equal(receiver.requests.at(-1)?.path, '/v1/streams/str_9/end');
});

test('options that cannot be are refused', async () => {
  for (const args of [
    ['encoder', '--container', 'avi'],
    ['encoder', '--method', 'GET'],
    ['chunks', '--checksum', 'crc'],
    ['encoder', '--fps', '500'],
  ]) {
    const { code, stderr } = await simulate(...args).ended;
    assert.equal(code, 2, stderr);
    assert.match(stderr, /It must be/);
  }
});
