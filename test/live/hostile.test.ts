/**
 * Hostile pushes, beside an encoder that does nothing wrong and must not notice: each is refused with a cause, none is answered 5xx, nothing outside the
 * data directory is touched, and who sends slowly is cut off.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { after, afterEach, before, describe, test } from 'node:test';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import { problemOf } from '../fixtures/api-client.ts';
import { run } from '../fixtures/media-judge.ts';
import { eventually, openHandles, residentBytes } from '../fixtures/processes.ts';
import { makePushStream, push } from '../fixtures/pushed-hls.ts';
import { trickle, type RawAnswer } from '../fixtures/raw-http.ts';
import { TestServer } from '../fixtures/server.ts';
import { SimulatedEncoder } from '../fixtures/simulated-encoder.ts';
import { parseMediaPlaylist } from '../fixtures/strict-hls.ts';

const HEADER_S = 2;
const BODY_S = 4;
const MIB = 1024 * 1024;
const ENV = {
  ZOETROPE_HEADER_TIMEOUT_SECONDS: `${HEADER_S}`,
  ZOETROPE_BODY_TIMEOUT_SECONDS: `${BODY_S}`,
  ZOETROPE_PUSH_MAX_BODIES_MB: '96',
};

describe('hostile pushes', () => {
  const place = mkdtempSync(join(tmpdir(), 'zoetrope-hostile-live-'));
  const dataDir = join(place, 'data');
  let server: TestServer;
  let encoder: SimulatedEncoder;
  let healthyId: string;
  let taken = 0;
  before(async () => {
    mkdirSync(dataDir);
    server = await TestServer.start({ env: ENV, dataDir });
    healthyId = await makePushStream(server.api, 'healthy');
    encoder = new SimulatedEncoder(server.url, [
      '--stream',
      healthyId,
      '--size',
      '160x120',
      '--fps',
      '10',
      '--segment-seconds',
      '0.5',
    ]);
    await moreThan(0);
  });
  after(async () => {
    await encoder?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    rmSync(place, { recursive: true, force: true });
  });
  afterEach(async () => {
    await moreThan(taken);
  });

  /** The healthy encoder goes on. */
  async function moreThan(count: number): Promise<void> {
    taken = await eventually(
      'the healthy encoder goes on',
      async () => {
        const { source } = await server.api.json<StreamJson>(`/v1/streams/${healthyId}`);
        return (source?.segments ?? 0) > count ? source?.segments : undefined;
      },
      { timeoutMs: 20_000, describe: () => server.logs },
    );
  }

  const reportOf = async (id: string): Promise<NonNullable<StreamJson['source']>> =>
    eventually(
      'the segment was judged',
      async () => {
        const { source } = await server.api.json<StreamJson>(`/v1/streams/${id}`);
        return source !== null && source.segments + source.rejected > 0 ? source : undefined;
      },
      { timeoutMs: 20_000, describe: () => server.logs },
    );

  /** A head whose path nothing has cleaned. */
  const head = (path: string, more: string, method = 'PUT'): string =>
    `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${more}\r\n`;

  test('names that lead elsewhere', async () => {
    const [id, other] = [await makePushStream(server.api, 'a'), await makePushStream(server.api, 'b')];
    const base = `/ingest/hls/${id}`;
    const plain = '/../x.ts /../../../../etc/x.ts /a/../x.ts //x.ts /./x.ts /a//x.ts /x.ts/ / /..';
    const escaped =
      '/%2e%2e/x.ts /%2e%2e%2f%2e%2e%2fx.ts /a/..%2fx.ts /%2e /..%5cx.ts /%5c%5chost%5cx.ts /%00.ts /x%0d%0aSet-Cookie:%20a.ts /%ff%fe.ts /% /%zz';
    const names = `${plain} ${escaped} /../${other}/x.ts /..%2f${other}%2fx.ts /${'x'.repeat(600)}.ts`.split(' ');
    const paths = names.map((name) => base + name);
    const odd = [
      `/ingest/hls/../${id}/x.ts`,
      `/ingest/hls/${id}%2f..%2f${other}/x.ts`,
      '/ingest/hls//x.ts',
      '/ingest/hls',
    ];
    const segment = await transportStream();
    for (const path of [...paths, ...odd]) {
      const body = `Content-Length: ${segment.length}\r\nConnection: close\r\n`;
      const answer = await trickle(server.url, [head(path, body), segment], 10_000);
      assertRefused(answer, path);
    }
    for (const stream of [id, other]) {
      const { source } = await server.api.json<StreamJson>(`/v1/streams/${stream}`);
      assert.equal(source, null, 'nothing came of it');
    }
    assert.deepEqual(readdirSync(place), ['data']);
  });

  test('playlists that name what is not theirs', async () => {
    const id = await makePushStream(server.api, 'names');
    const other = await makePushStream(server.api, 'theirs');
    for (const uri of [
      '../x.ts',
      `../${other}/live0.ts`,
      '/etc/passwd',
      'file:///etc/passwd',
      '..%2fx.ts',
      'a/%2e%2e/../../x.ts',
      `/ingest/hls/${other}/live0.ts`,
      'data:video/mp2t,x',
      'javascript:1',
      '%',
      '..%5cx.ts',
      `${'y'.repeat(900)}.ts`,
    ]) {
      for (const lines of [`#EXTINF:1,\n${uri}`, `#EXT-X-MAP:URI="${uri}"\n#EXTINF:1,\nx.m4s`]) {
        const text = `#EXTM3U\n#EXT-X-TARGETDURATION:1\n${lines}\n`;
        const answer = await push(server.api, id, 'live.m3u8', text);
        assert.equal(answer.status, 400, `${lines}: ${answer.bytes.toString()}`);
        problemOf(answer);
      }
    }
  });

  test('a playlist that never ends, and one of a million entries', async () => {
    const id = await makePushStream(server.api, 'endless');
    const path = `/ingest/hls/${id}/live.m3u8`;
    const memory = residentBytes([server.pid]);
    function* endless(): Generator<string> {
      yield head(path, 'Transfer-Encoding: chunked\r\n');
      const lines = '#EXTINF:2.0,\nlive0123456789.ts\n'.repeat(500);
      for (let part = 0; ; part++) {
        const text = part === 0 ? `#EXTM3U\n${lines}` : lines;
        yield `${text.length.toString(16)}\r\n${text}\r\n`;
      }
    }
    const answer = await trickle(server.url, endless(), 30_000);
    assertRefused(answer, 'endless');
    assert.ok(answer.status === 413 || answer.status === null, answer.text);
    const million = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n${'#EXTINF:2.0,\nx.ts\n'.repeat(1e6)}`;
    const entries = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n${'#EXTINF:2.0,\nx.ts\n'.repeat(20_001)}`;
    for (const text of [million, entries]) {
      const problem = problemOf(await push(server.api, id, 'live.m3u8', text));
      assert.equal(problem.status, 413, problem.detail);
    }
    const grownBytes = residentBytes([server.pid]) - memory;
    assert.ok(grownBytes < 256 * MIB, `the server grew by ${grownBytes} bytes`);
  });

  test('segments that lie about their duration', async (t) => {
    const honest = await transportStream();
    for (const [said, durationMs] of [
      ['0.001', 1000],
      ['0', 1000],
      ['599', 1000],
    ] as const) {
      const id = await makePushStream(server.api, `EXTINF ${said}`);
      await push(server.api, id, 'live0.ts', honest);
      await push(server.api, id, 'live.m3u8', `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:${said},\nlive0.ts\n`);
      assert.equal((await reportOf(id)).segments, 1);
      const { segments } = parseMediaPlaylist(await server.api.text(`/play/streams/${id}/dvr.m3u8`));
      assert.equal((segments[0]?.duration ?? 0) * 1000, durationMs, 'the media counts, not what is said of it');
    }
    for (const said of ['1e9', '601', '-1', 'NaN', 'Infinity']) {
      const id = await makePushStream(server.api, `EXTINF ${said}`);
      const text = `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:${said},\nlive0.ts\n`;
      const answer = await push(server.api, id, 'live.m3u8', text);
      t.diagnostic(`EXTINF:${said}: ${answer.status}`);
      if (answer.status !== 201) assert.ok(problemOf(answer).status < 500);
    }
    for (const [name, apartS] of [
      ['twenty minutes', 1200],
      ['two hours', 7200],
    ] as const) {
      const id = await makePushStream(server.api, name);
      await push(server.api, id, 'live0.ts', await transportStream(apartS));
      await push(server.api, id, 'live.m3u8', '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nlive0.ts\n');
      const { rejected, segments, lastRejection } = await reportOf(id);
      assert.deepEqual([rejected, segments, lastRejection?.code], [1, 0, 'corrupt_media'], name);
      t.diagnostic(`pictures ${name} apart: ${lastRejection?.message}`);
    }
  });

  test('who sends slowly is cut off, and holds neither connection nor memory', async () => {
    const id = await makePushStream(server.api, 'slow');
    const path = `/ingest/hls/${id}/live0.ts`;
    const handles = openHandles(server.pid);
    const slowly = async function* (first: string, then: string): AsyncGenerator<string> {
      if (first !== '') yield first;
      for (;;) {
        await delay(100);
        yield then;
      }
    };
    const never = async function* (): AsyncGenerator<string> {};
    const ways = [
      { name: 'says nothing', make: never, withinS: HEADER_S },
      {
        name: 'a header byte by byte',
        make: () => slowly(`PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX: `, 'x'),
        withinS: HEADER_S,
      },
      {
        name: 'headers without end',
        make: () => slowly(`PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n`, 'X: y\r\n'),
        withinS: HEADER_S,
      },
      {
        name: 'a body byte by byte',
        make: () => slowly(head(path, 'Content-Length: 1000000\r\n'), 'G'),
        withinS: BODY_S,
      },
      {
        name: 'chunks without end',
        make: () => slowly(head(path, 'Transfer-Encoding: chunked\r\n'), '1\r\nG\r\n'),
        withinS: BODY_S,
      },
      {
        name: 'half a body',
        make: () => [head(path, 'Content-Length: 1000000\r\n'), 'G'.repeat(500_000)],
        withinS: BODY_S,
      },
    ];
    const outcomes = await Promise.all(
      ways.flatMap(({ name, make, withinS }) =>
        // The server looks at headers twice within the time that they have.
        Array.from({ length: 10 }, async () => ({
          name,
          answer: await trickle(server.url, make(), withinS * 1000 + 15_000),
        })),
      ),
    );
    for (const { name, answer } of outcomes) assert.equal(answer.status, 408, `${name}: ${answer.text}`);
    await eventually('all connections are gone', () => (openHandles(server.pid) <= handles + 8 ? true : undefined), {
      timeoutMs: 10_000,
      describe: () => `${openHandles(server.pid)} handles, ${handles} before`,
    });
  });

  test('bodies that come in together are bounded: some are told to come back', async () => {
    const id = await makePushStream(server.api, 'many');
    const size = 20 * MIB;
    const half = Buffer.alloc(size - 1, 0x47);
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () =>
        trickle(server.url, [head(`/ingest/hls/${id}/x.ts`, `Content-Length: ${size}\r\n`), half], 30_000),
      ),
    );
    const statuses = outcomes.map(({ status }) => status);
    assert.ok(statuses.includes(429) && statuses.includes(408), statuses.join());
    for (const answer of outcomes) assertRefused(answer, 'one of many');
  });

  test('in the end nothing was 5xx, and the healthy encoder lost nothing', async () => {
    const { accepted, refused, lost, retries, causes } = await encoder.stop();
    assert.deepEqual([refused, lost, causes], [0, 0, []]);
    const { rejected } = (await server.api.json<StreamJson>(`/v1/streams/${healthyId}`)).source ?? assert.fail();
    assert.equal(rejected, 0);
    assert.ok(accepted > taken - 2, `${accepted} accepted, ${retries} retries`);
    const metrics = await (await fetch(`${server.metricsUrl}/metrics`)).text();
    const failures = metrics.split('\n').filter((line) => /^zoetrope_http_requests_total\{.*status="5/.test(line));
    assert.deepEqual(failures, []);
  });
});

test('a key that is bound to a stream pushes there and nowhere else', async () => {
  await using server = await TestServer.start();
  const [own, other] = [await makePushStream(server.api, 'own'), await makePushStream(server.api, 'other')];
  const create = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await server.command(['keys', 'create', '--json', '--name', 'k', ...args]);
    assert.equal(code, 0, stderr);
    return (JSON.parse(stdout) as { readonly secret: string }).secret;
  };
  const key = await create('--scopes', 'ingest', '--stream', own);
  const segment = await transportStream();
  const send = (path: string, secret: string, init: RequestInit = {}): ReturnType<typeof server.api.request> =>
    server.api.request(path, { method: 'PUT', body: segment, ...init, headers: { authorization: `Bearer ${secret}` } });
  await eventually(
    'the key counts',
    async () => ((await send(`/ingest/hls/${own}/a.ts`, 'none')).status === 401 ? true : undefined),
    {
      timeoutMs: 10_000,
    },
  );
  assert.equal((await send(`/ingest/hls/${own}/a.ts`, key)).status, 201);
  const elsewhere = problemOf(await send(`/ingest/hls/${other}/a.ts`, key));
  assert.equal(elsewhere.status, 403);
  assert.match(elsewhere.detail, new RegExp(`bound to stream ${own}.*--stream`));
  const missing = problemOf(await send(`/ingest/hls/${own.slice(0, -4)}zzzz/a.ts`, key));
  assert.equal(missing.status, 403, 'whether there is such a stream is not told');
  for (const [path, method] of [
    [`/v1/streams/${own}`, 'GET'],
    ['/v1/streams', 'GET'],
    ['/v1/uploads/', 'PUT'],
    [`/v1/streams/${other}/end`, 'POST'],
    [`/play/streams/${own}/live.m3u8`, 'GET'],
  ] as const) {
    const { body, ...bare } = { method, body: segment };
    const answer = await send(path, key, method === 'PUT' ? { method, body } : { ...bare, body: null });
    assert.equal(problemOf(answer).status, 403, path);
  }
  assert.equal((await send(`/v1/streams/${own}/end`, key, { method: 'POST', body: null })).status, 200);
  const wrong = await server.command(['keys', 'create', '--name', 'k', '--scopes', 'read', '--stream', own]);
  assert.equal(wrong.code, 2, wrong.stderr);
});

/** A second of pictures as MPEG-TS, the second half `apartS` later than it should be. */
async function transportStream(apartS = 0): Promise<Buffer> {
  const late = `setpts='if(lt(N,13),N,N+${apartS * 25})/25/TB'`;
  const source = '-f lavfi -i testsrc2=size=160x120:rate=25 -frames:v 25';
  const coding = '-c:v libx264 -preset ultrafast -bf 0 -g 50 -pix_fmt yuv420p -fps_mode passthrough -f mpegts pipe:1';
  return await run('ffmpeg', ['-v', 'error', ...source.split(' '), '-vf', late, ...coding.split(' ')]);
}

/** 4xx with a cause, or hung up on; never 5xx. */
function assertRefused({ status, text }: RawAnswer, what: string): void {
  if (status === null) return;
  assert.ok(status >= 400 && status < 500, `${what}: ${text.slice(0, 500)}`);
  const { detail } = JSON.parse(text.slice(text.indexOf('\r\n\r\n'))) as { readonly detail?: string };
  assert.ok((detail ?? '').length > 10, `${what}: ${text}`);
}
