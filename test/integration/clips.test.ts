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

describe('what is not there', () => {
  test('a gap is skipped, or black for as long as it lasts', async () => {
    const [fromMs, toMs] = [(times[20] ?? 0) + 10, (times[27] ?? 0) + 5];
    const body = { from: iso(fromMs), to: iso(toMs) };
    const [skipped, black] = await Promise.all(
      ['skip', 'black'].map(async (gaps) => await ended((await makeClip({ ...body, gaps })).id)),
    );
    assert.deepEqual([skipped?.state, black?.state], ['ready', 'ready']);
    assert.equal(black?.durationSeconds, (toMs - fromMs) / 1000);
    assert.ok((skipped?.durationSeconds ?? 0) < 12);
    const shown = await picturesOf(black?.id ?? '');
    assert.deepEqual(
      shown.filter(({ clockMs }) => clockMs !== null),
      times.slice(20, 28).map((clockMs) => ({ clockMs, atMs: Math.max(0, clockMs - fromMs) })),
    );
  });

  test('faster', async () => {
    const [fromMs, toMs] = [times[0] ?? 0, times[12] ?? 0];
    const { id } = await makeClip({ from: iso(fromMs), to: iso(toMs), speed: 4 });
    const clip = await ended(id);
    assert.equal(clip.durationSeconds, (toMs - fromMs) / 4000);
    assert.equal(clip.encodedPictures, 0);
  });
});

describe('what is refused, with its cause', () => {
  const now = Date.now();
  const hour = 3_600_000;
  for (const [name, body, status, code, said] of [
    [
      'the end before the start',
      { from: iso(now - 1000), to: iso(now - 2000) },
      400,
      'invalid_argument',
      /ends after it begins/,
    ],
    ['no length', { from: iso(now - 1000), to: iso(now - 1000) }, 400, 'invalid_argument', /ends after it begins/],
    ['the future', { from: iso(now - 1000), to: iso(now + hour) }, 422, 'out_of_range', /has been/],
    ['ten years', { from: iso(now - 87_600 * hour), to: iso(now - hour) }, 422, 'out_of_range', /24 hours at most/],
    ['nothing there', { from: iso(now - 9 * hour), to: iso(now - 8 * hour) }, 422, 'out_of_range', /has nothing from/],
    ['no range', {}, 400, 'invalid_argument', /needs from and to/],
    ['no time', { from: 'yesterday', to: iso(now) }, 400, 'invalid_argument', /from/],
    ['slower', { from: iso(now - 2000), to: iso(now - 1000), speed: 0.5 }, 400, 'invalid_argument', /speed/],
    ['another mode', { from: iso(now - 2000), to: iso(now - 1000), mode: 'fast' }, 400, 'invalid_argument', /mode/],
    [
      'two expiries',
      { from: iso(now - 2000), to: iso(now - 1000), expiresIn: 5, expiresAt: iso(now) },
      400,
      'invalid_argument',
      /not both/,
    ],
    [
      'gone before it is made',
      { from: iso(now - 2000), to: iso(now - 1000), expiresAt: iso(now - hour) },
      422,
      'out_of_range',
      /later than/,
    ],
    ['a hold that is none', { holdId: 'arc_0000000000000000' }, 404, 'not_found', /recording or archive/],
    ['a hold of no shape', { holdId: '../../etc' }, 404, 'not_found', /recording or archive/],
    [
      'a name with a line break',
      { from: iso(now - 2000), to: iso(now - 1000), name: 'a\nb' },
      400,
      'invalid_argument',
      /name/,
    ],
    [
      'something unknown',
      { from: iso(now - 2000), to: iso(now - 1000), path: '/etc' },
      400,
      'invalid_argument',
      /path/,
    ],
  ] as const) {
    test(name, async () => {
      const { status: got, json } = await call('POST', `/v1/streams/${streamId}/clips`, body);
      const problem = json as { readonly code: string; readonly detail: string };
      assert.deepEqual([got, problem.code], [status, code], problem.detail);
      assert.match(problem.detail, said);
    });
  }

  test('no stream, no clip', async () => {
    const body = { from: iso(now - 2000), to: iso(now - 1000) };
    assert.equal((await call('POST', '/v1/streams/str_0000000000000000/clips', body)).status, 404);
    for (const id of ['clp_0000000000000000', 'x', streamId]) {
      assert.equal((await call('GET', `/v1/clips/${id}`)).status, 404);
      assert.equal((await call('GET', `/v1/clips/${id}/file`)).status, 404);
      assert.equal((await call('DELETE', `/v1/clips/${id}`)).status, 404);
      assert.equal((await call('POST', `/v1/clips/${id}/share`, { expiresIn: 60 })).status, 404);
    }
  });

  test('nothing of it stays: neither clips nor what they held', async () => {
    const { json } = await call('GET', `/v1/streams/${streamId}/clips?limit=1000`);
    const { items } = json as { readonly items: readonly ClipJson[] };
    const all = (await call('GET', '/v1/clips?limit=1000')).json as { readonly items: readonly ClipJson[] };
    assert.deepEqual(all.items, items);
    assert.ok(
      items.every(({ state }) => state === 'ready'),
      JSON.stringify(items),
    );
    const doctor = await server.command(['doctor', '--deep', '--json']);
    assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
  });
});

describe('the file', () => {
  let clip: ClipJson;
  before(async () => {
    const made = await makeClip({ from: iso(times[0] ?? 0), to: iso(times[9] ?? 0), name: 'Tür "3"/a' });
    clip = await ended(made.id);
  });

  test('has a name, and comes in ranges', async () => {
    const url = `${server.url}/v1/clips/${clip.id}/file`;
    const whole = await fetch(url);
    assert.equal(whole.headers.get('content-type'), 'video/mp4');
    assert.equal(whole.headers.get('accept-ranges'), 'bytes');
    const name = `attachment; filename="T_r _3__a.mp4"; filename*=UTF-8''T%C3%BCr%20%223%22%2Fa.mp4`;
    assert.equal(whole.headers.get('content-disposition'), name);
    const bytes = Buffer.from(await whole.arrayBuffer());
    assert.equal(bytes.length, clip.sizeBytes);
    // The tables come first, so that it plays while it arrives.
    assert.ok(bytes.indexOf('moov') < bytes.indexOf('mdat'));
    const part = await fetch(url, { headers: { range: 'bytes=10-19' } });
    assert.deepEqual([part.status, part.headers.get('content-range')], [206, `bytes 10-19/${bytes.length}`]);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(10, 20));
    const beyond = await fetch(url, { headers: { range: `bytes=${bytes.length}-` } });
    assert.equal(beyond.status, 416);
    const head = await fetch(url, { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(bytes.length)]);
  });

  test('a link lives no longer than the clip', async () => {
    const { status, json } = await call('POST', `/v1/clips/${clip.id}/share`, { expiresIn: 604_800 });
    const { url, expiresAt } = json as { readonly url: string; readonly expiresAt: string };
    assert.equal(status, 201);
    assert.ok(Date.parse(expiresAt) <= Date.parse(clip.expiresAt ?? '') + 1000);
    assert.equal((await fetch(`${server.url}${url}`)).status, 200);
    assert.equal((await call('POST', `/v1/clips/${clip.id}/share`, { expiresIn: 604_801 })).status, 400);
    assert.equal((await call('POST', `/v1/clips/${clip.id}/share`, {})).status, 400);
  });

  test('goes with the clip', async () => {
    assert.equal((await call('DELETE', `/v1/clips/${clip.id}`)).status, 204);
    assert.equal((await call('GET', `/v1/clips/${clip.id}`)).status, 404);
    assert.equal((await call('GET', `/v1/clips/${clip.id}/file`)).status, 404);
  });
});

// The last: from here on the server asks for keys.
describe('who may have it', () => {
  const keyOf = async (tenant: string, scopes: string): Promise<Readonly<Record<string, string>>> => {
    const { stdout, stderr } = await server.command([
      'keys',
      'create',
      '--name',
      scopes,
      '--tenant',
      tenant,
      '--scopes',
      scopes,
      '--json',
    ]);
    assert.match(stdout, /zk_/, stderr);
    return { authorization: `Bearer ${/zk_[\w-]+/.exec(stdout)?.[0] ?? ''}` };
  };

  test('whoever has a key of the tenant, or a link to this clip', async () => {
    const body = { from: iso(times[0] ?? 0), to: iso(times[9] ?? 0) };
    const [clip, other] = await Promise.all([ended((await makeClip(body)).id), ended((await makeClip(body)).id)]);
    const { tenant } = (await call('GET', `/v1/streams/${streamId}`)).json as { readonly tenant: string };
    const own = await keyOf(tenant, 'read');
    const stranger = await keyOf('another', 'read,manage');
    const url = `${server.url}/v1/clips/${clip.id}`;
    const statusOf = async (
      at: string,
      headers: Readonly<Record<string, string>> = {},
      method = 'GET',
    ): Promise<number> => {
      const answer = await fetch(at, { method, headers });
      await answer.arrayBuffer();
      return answer.status;
    };
    await eventually('keys are asked for', async () => ((await statusOf(url)) === 401 ? true : undefined), {
      timeoutMs: 10_000,
    });
    assert.deepEqual(
      [await statusOf(url, own), await statusOf(`${url}/file`, own), await statusOf(`${url}/file`)],
      [200, 200, 401],
    );
    assert.deepEqual(
      [await statusOf(url, stranger), await statusOf(`${url}/file`, stranger), await statusOf(url, stranger, 'DELETE')],
      [404, 404, 404],
    );
    assert.equal(await statusOf(url, own, 'DELETE'), 403);
    const shared = await fetch(`${url}/share`, {
      method: 'POST',
      headers: { ...own, 'content-type': 'application/json' },
      body: JSON.stringify({ expiresIn: 60 }),
    });
    const link = `${server.url}${((await shared.json()) as { readonly url: string }).url}`;
    assert.equal(await statusOf(link), 200);
    assert.equal(await statusOf(link.replace(clip.id, other.id)), 401);
    assert.equal(await statusOf(`${link}x`), 401);
    // It opens the file and nothing else.
    assert.equal(await statusOf(link.replace('/file', '')), 401);
  });
});
