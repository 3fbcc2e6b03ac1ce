/** The whole way: frames with their time in the picture are posted, clips are cut of them over HTTP, and read back by Debian's ffmpeg. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ClipJson } from '../../src/api/rest/clip-shapes.ts';
import { judgePictures, type JudgedPicture } from '../fixtures/clip-source.ts';
import { eventually } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';
import { TimedPictures } from '../fixtures/timed-pictures.ts';

const FRAMES = 30;

/** Irregular to the millisecond, with a gap of 40 s before the last segment. */
function captureTimes(startMs: number): readonly number[] {
  return Array.from({ length: FRAMES }, (_, index) => {
    const jitterMs = [0, 137, -61, 203, 9, -112][index % 6] ?? 0;
    return startMs + index * 1000 + jitterMs + (index >= FRAMES - 6 ? 40_000 : 0);
  });
}

let server: TestServer;
let streamId = '';
let times: readonly number[] = [];
let directory = '';

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'zoetrope-clips-'));
  server = await TestServer.start();
  using pictures = new TimedPictures();
  times = captureTimes(Date.now() - 180_321);
  for (const atMs of times) {
    const answer = await server.api.postFrame('clips', atMs, pictures.at(atMs));
    assert.equal(answer.status, 202, answer.bytes.toString());
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

async function call(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly json: unknown }> {
  const answer = await fetch(`${server.url}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await answer.text();
  return { status: answer.status, json: (text === '' ? null : JSON.parse(text)) as unknown };
}

async function makeClip(body: Readonly<Record<string, unknown>>): Promise<ClipJson> {
  const { status, json } = await call('POST', `/v1/streams/${streamId}/clips`, body);
  assert.equal(status, 202, JSON.stringify(json));
  return json as ClipJson;
}

async function ended(id: string): Promise<ClipJson> {
  return await eventually(
    `the clip ${id} ends`,
    async () => {
      const clip = (await call('GET', `/v1/clips/${id}`)).json as ClipJson;
      return ['ready', 'failed', 'cancelled'].includes(clip.state) ? clip : undefined;
    },
    { timeoutMs: 30_000, describe: () => server.logs },
  );
}

async function picturesOf(id: string): Promise<readonly JudgedPicture[]> {
  const answer = await fetch(`${server.url}/v1/clips/${id}/file`);
  assert.equal(answer.status, 200);
  const path = join(directory, `${id}.mp4`);
  await writeFile(path, Buffer.from(await answer.arrayBuffer()));
  return judgePictures(path).map(({ atMs, clockMs }) => ({ atMs: Math.round(atMs), clockMs }));
}

const iso = (ms: number): string => new Date(ms).toISOString();

describe('a clip of a stream', () => {
  test('cut to the millisecond: each picture at its time', async () => {
    const [fromMs, toMs] = [(times[3] ?? 0) + 421, (times[15] ?? 0) + 77];
    const { id, state } = await makeClip({ from: iso(fromMs), to: iso(toMs), name: 'Tür 3' });
    assert.ok(state === 'queued' || state === 'working' || state === 'ready');
    const clip = await ended(id);
    assert.deepEqual(
      [clip.state, clip.cause, clip.startsAt, clip.durationSeconds],
      ['ready', null, iso(fromMs), (toMs - fromMs) / 1000],
    );
    assert.deepEqual(
      await picturesOf(id),
      times.slice(3, 16).map((clockMs) => ({ clockMs, atMs: Math.max(0, clockMs - fromMs) })),
    );
    assert.deepEqual([clip.copiedPictures, clip.encodedPictures], [10, 3]);
  });
});
