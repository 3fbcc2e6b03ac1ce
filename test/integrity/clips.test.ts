/** A clip is made whatever dies meanwhile; what is cancelled leaves nothing behind. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ClipJson } from '../../src/api/rest/clip-shapes.ts';
import { judgePictures } from '../fixtures/clip-source.ts';
import { descendantsOf, eventually, signalProcess } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';
import { TimedPictures } from '../fixtures/timed-pictures.ts';

const FRAMES = 60;
const STEP_MS = 700;

let server: TestServer;
let streamId = '';
let times: readonly number[] = [];
let directory = '';

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'zoetrope-clip-crash-'));
  const env = { ZOETROPE_VOD_LEASE_SECONDS: '2', ZOETROPE_VOD_MAX_ATTEMPTS: '5' };
  server = await TestServer.start({ env });
  using pictures = new TimedPictures();
  const startMs = Date.now() - 120_000;
  times = Array.from({ length: FRAMES }, (_, index) => startMs + index * STEP_MS);
  for (const atMs of times) {
    const answer = await server.api.postFrame('clips', atMs, pictures.at(atMs));
    ({ streamId } = JSON.parse(answer.bytes.toString()) as { streamId: string });
  }
  await eventually(
    'all segments are there',
    async () => {
      const answer = await server.api.request(`/play/streams/${streamId}/dvr.m3u8`);
      return answer.bytes.toString().split('#EXTINF').length - 1 === FRAMES / 6 ? true : undefined;
    },
    { timeoutMs: 30_000 },
  );
});

after(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

async function makeClip(): Promise<string> {
  const body = {
    from: new Date((times[3] ?? 0) + 123).toISOString(),
    to: new Date((times[50] ?? 0) + 77).toISOString(),
  };
  const answer = await fetch(`${server.url}/v1/streams/${streamId}/clips`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(answer.status, 202);
  return ((await answer.json()) as ClipJson).id;
}

async function read(id: string): Promise<ClipJson> {
  return (await (await fetch(`${server.url}/v1/clips/${id}`)).json()) as ClipJson;
}

function inState(id: string, ...states: readonly ClipJson['state'][]): Promise<ClipJson> {
  return eventually(
    `the clip is ${states.join(' or ')}`,
    async () => {
      const clip = await read(id);
      return states.includes(clip.state) ? clip : undefined;
    },
    { timeoutMs: 60_000, describe: () => server.logs },
  );
}

/** Every picture at its time, and one object alone. */
async function assertWhole(id: string): Promise<void> {
  const clip = await inState(id, 'ready', 'failed', 'cancelled');
  assert.deepEqual([clip.state, clip.cause], ['ready', null]);
  const answer = await fetch(`${server.url}/v1/clips/${id}/file`);
  const path = join(directory, `${id}.mp4`);
  await writeFile(path, Buffer.from(await answer.arrayBuffer()));
  const fromMs = (times[3] ?? 0) + 123;
  assert.deepEqual(
    judgePictures(path).map(({ atMs, clockMs }) => ({ atMs: Math.round(atMs), clockMs })),
    times.slice(3, 51).map((clockMs) => ({ clockMs, atMs: Math.max(0, clockMs - fromMs) })),
  );
  assert.deepEqual((await objectsOf(id)).length, 1);
}

async function objectsOf(id: string): Promise<readonly string[]> {
  try {
    return await readdir(join(server.dataDir, 'objects', 'clips', id));
  } catch {
    return []; // None was ever made.
  }
}

/** Processes that were not there before the clip was begun. */
async function clipProcess(known: ReadonlySet<number>): Promise<number> {
  return await eventually('a process cuts', async () => descendantsOf(server.pid).find((pid) => !known.has(pid)), {
    timeoutMs: 20_000,
    everyMs: 2,
  });
}

test('the process that cuts is killed: it is cut again', async () => {
  const known = new Set(descendantsOf(server.pid));
  const id = await makeClip();
  signalProcess(await clipProcess(known), 'SIGKILL');
  await assertWhole(id);
});

test('the server is killed in mid-cut: the next one cuts it', async () => {
  const known = new Set(descendantsOf(server.pid));
  const id = await makeClip();
  signalProcess(await clipProcess(known), 'SIGSTOP');
  await inState(id, 'working');
  await server.kill();
  await server.restart();
  await assertWhole(id);
});

test('the server is stopped in mid-cut: it hands the task back, and the next one takes it at once', async () => {
  const known = new Set(descendantsOf(server.pid));
  const id = await makeClip();
  signalProcess(await clipProcess(known), 'SIGSTOP');
  await inState(id, 'working');
  await server.restart();
  await assertWhole(id);
});

test('one that is cancelled in mid-cut leaves nothing behind, and its source is let go', async () => {
  const known = new Set(descendantsOf(server.pid));
  const id = await makeClip();
  const pid = await clipProcess(known);
  signalProcess(pid, 'SIGSTOP');
  await inState(id, 'working');
  assert.equal((await fetch(`${server.url}/v1/clips/${id}`, { method: 'DELETE' })).status, 204);
  assert.equal((await read(id)).state, 'cancelled');
  await eventually('its process ends', () => (descendantsOf(server.pid).includes(pid) ? undefined : true), {
    timeoutMs: 20_000,
  });
  assert.deepEqual(await objectsOf(id), []);
  assert.equal((await fetch(`${server.url}/v1/clips/${id}/file`)).status, 410);
  assert.equal((await fetch(`${server.url}/v1/clips/${id}`, { method: 'DELETE' })).status, 204);
  assert.equal((await fetch(`${server.url}/v1/clips/${id}`)).status, 404);
});

test('a stream that is removed takes its clips along, also those under way', async () => {
  const ready = await makeClip();
  await inState(ready, 'ready');
  const known = new Set(descendantsOf(server.pid));
  const open = await makeClip();
  const pid = await clipProcess(known);
  signalProcess(pid, 'SIGSTOP');
  await inState(open, 'working');
  assert.equal((await fetch(`${server.url}/v1/streams/${streamId}`, { method: 'DELETE' })).status, 204);
  for (const id of [ready, open]) assert.equal((await fetch(`${server.url}/v1/clips/${id}`)).status, 404);
  await eventually('its process ends', () => (descendantsOf(server.pid).includes(pid) ? undefined : true), {
    timeoutMs: 20_000,
  });
  assert.deepEqual([await objectsOf(ready), await objectsOf(open)], [[], []]);
  const doctor = await server.command(['doctor', '--deep', '--json']);
  assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
});
