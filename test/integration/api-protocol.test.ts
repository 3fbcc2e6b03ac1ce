import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import { ZoetropeError } from '../../src/base/errors.ts';
import { ApiHarness } from './api-harness.ts';

let api: ApiHarness;
before(async () => {
  api = await ApiHarness.start();
});
after(() => api[Symbol.asyncDispose]());

test('a wrong path, a wrong method and a wrong body are told apart', async () => {
  await api.refused(404, 'not_found', '/v1/nothing');
  await api.refused(404, 'not_found', '/v1/streams/str_0123456789abcdef/nothing', { method: 'POST', body: {} });
  await api.refused(404, 'not_found', '/nothing', { headers: { accept: 'application/json' } });
  for (const [method, path, allow] of [
    ['PUT', '/v1/streams', 'GET, HEAD, POST'],
    ['DELETE', '/v1/streams', 'GET, HEAD, POST'],
    ['GET', '/v1/events/frames', 'POST'],
    ['POST', '/v1/streams/str_0123456789abcdef', 'DELETE, GET, HEAD, PATCH'],
    ['POST', '/healthz', 'GET, HEAD'],
  ] as const) {
    const reply = await api.call(path, { method });
    assert.equal(reply.headers.get('allow'), allow, path);
    await api.refused(405, 'method_not_allowed', path, { method });
  }
  await api.refused(400, 'invalid_argument', '/v1/streams/%zz');
  await api.refused(404, 'not_found', `/v1/streams/${'x'.repeat(5000)}`);
  const json = { 'content-type': 'application/json' };
  const broken = await api.refused(400, 'invalid_argument', '/v1/streams', {
    body: Buffer.from('{"name":'),
    headers: json,
  });
  assert.match(broken.detail, /position|end of JSON/i);
  const proto = Buffer.from('{"name":"x","__proto__":{"a":1}}');
  await api.refused(400, 'invalid_argument', '/v1/streams', { body: proto, headers: json });
  await api.refused(400, 'invalid_argument', '/v1/streams', { body: Buffer.from('\xff\xfe', 'latin1'), headers: json });
  const type = await api.refused(415, 'unsupported_media', '/v1/streams', {
    body: Buffer.from('name=x'),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  assert.match(type.detail, /application\/json/);
  await api.refused(415, 'unsupported_media', '/v1/streams', { body: Buffer.from('{}') });
  await api.refused(415, 'unsupported_media', '/v1/streams', {
    body: Buffer.from('x'),
    headers: { ...json, 'content-encoding': 'gzip' },
  });
  await api.refused(413, 'payload_too_large', '/v1/streams', { body: { name: 'x'.repeat(1_100_000) } });
  await api.refused(400, 'invalid_argument', '/v1/streams', { method: 'POST' });
  await api.refused(400, 'invalid_argument', '/v1/streams?form=x');
});

test('every answer carries a request id: the client’s own when it is a plain one', async () => {
  const made = (await api.call('/v1/server')).headers.get('x-request-id');
  assert.match(made ?? '', /^req_/);
  const own = await api.call('/v1/server', { headers: { 'x-request-id': 'my-request.1' } });
  assert.equal(own.headers.get('x-request-id'), 'my-request.1');
  const odd = await api.call('/v1/server', { headers: { 'x-request-id': 'a b"' } });
  assert.match(odd.headers.get('x-request-id') ?? '', /^req_/);
});

test('a mistake of ours says nothing of itself to the client, and everything to the log', async () => {
  const { catalog } = api.store.stores;
  const totals = catalog.totals.bind(catalog);
  Object.assign(catalog, { totals: () => Promise.reject(new TypeError('secret inside /etc')) });
  const problem = await api.refused(500, 'internal', '/v1/server');
  Object.assign(catalog, { totals: () => Promise.reject(new ZoetropeError('unavailable', 'The database is away.')) });
  const away = await api.call<{ detail: string }>('/v1/server');
  assert.deepEqual(
    [away.status, away.json.detail, away.headers.get('retry-after')],
    [503, 'The database is away.', '1'],
  );
  Object.assign(catalog, { totals });
  assert.doesNotMatch(problem.detail, /secret/);
  const logged = JSON.stringify(api.logger.errors.find((line) => JSON.stringify(line).includes(problem.requestId)));
  assert.match(logged, /secret inside/);
  assert.match(logged, /api-protocol/, 'with the stack');
});

test('a repeated POST with one key is done once and answered alike', async () => {
  const call = { body: { name: 'once' }, headers: { 'idempotency-key': 'k-1' } };
  const first = await api.call<StreamJson>('/v1/streams', call);
  const again = await api.call<StreamJson>('/v1/streams', call);
  assert.deepEqual([first.status, again.status], [201, 201]);
  assert.deepEqual(again.json, first.json);
  assert.deepEqual(
    [first, again].map((reply) => reply.headers.get('idempotency-replayed')),
    [null, 'true'],
  );
  await api.refused(409, 'conflict', '/v1/streams', { ...call, body: { name: 'twice' } });
  await api.refused(409, 'conflict', `/v1/streams/${first.json.id}/markers`, {
    ...call,
    body: { at: '2026-11-20T10:30:00Z', label: 'x' },
  });
  await api.refused(400, 'invalid_argument', '/v1/streams', { ...call, headers: { 'idempotency-key': 'ä'.repeat(3) } });
});

test('of duplicates at once, one is done and the others are told', async () => {
  const call = { body: { name: 'raced' }, headers: { 'idempotency-key': 'k-2' } };
  const replies = await Promise.all(Array.from({ length: 10 }, () => api.call('/v1/streams', call)));
  assert.ok(replies.every((reply) => reply.status === 201 || reply.status === 409));
  const list = await api.call<{ items: readonly StreamJson[] }>('/v1/streams?query=raced');
  assert.equal(list.json.items.length, 1);
});

test('a refusal is repeated too, unless it asks for another try', async () => {
  const event = { eventId: 'e', clientId: 'a', deviceId: 'b', timestamp: '2026-11-20T10:30:00Z', framePath: '/x' };
  const call = { body: event, headers: { 'idempotency-key': 'k-3' } };
  api.intake.refusal = new ZoetropeError('too_many', 'Too many frames wait. Try later.');
  await api.refused(429, 'too_many', '/v1/events/frames', call);
  assert.equal((await api.call('/v1/events/frames', call)).status, 202);
  const late = { ...call, headers: { 'idempotency-key': 'k-4' } };
  api.intake.refusal = new ZoetropeError('out_of_range', 'The time lies ahead.');
  await api.refused(422, 'out_of_range', '/v1/events/frames', late);
  const again = await api.call('/v1/events/frames', late);
  assert.deepEqual([again.status, again.headers.get('idempotency-replayed')], [422, 'true']);
  const invalid = { body: {}, headers: { 'idempotency-key': 'k-5' } };
  await api.refused(400, 'invalid_argument', '/v1/streams', invalid);
  assert.equal((await api.call('/v1/streams', { ...invalid, body: { name: 'valid now' } })).status, 201);
});

test('browsers of named origins may read, and see the headers that matter', async () => {
  const named = await api.call('/v1/server', { headers: { origin: 'https://app.example.org' } });
  assert.equal(named.headers.get('access-control-allow-origin'), 'https://app.example.org');
  assert.match(named.headers.get('access-control-expose-headers') ?? '', /X-Captured-At/);
  const other = await api.call('/v1/server', { headers: { origin: 'https://evil.example' } });
  assert.equal(other.headers.get('access-control-allow-origin'), null);
  assert.match(other.headers.get('vary') ?? '', /Origin/i);
});

test('security headers stand on every answer', async () => {
  for (const path of ['/v1/server', '/v1/nothing', '/docs/', '/']) {
    const { headers } = await api.call(path, { headers: { accept: 'text/html' } });
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
    assert.equal(headers.get('referrer-policy'), 'no-referrer', path);
    assert.match(headers.get('content-security-policy') ?? '', /worker-src 'self' blob:.*frame-ancestors 'self'/, path);
  }
});

test('JSON is compressed for those who take it', async () => {
  const plain = await raw('/openapi.json', { 'accept-encoding': 'identity' });
  const br = await raw('/openapi.json', { 'accept-encoding': 'br' });
  const gzip = await raw('/openapi.json', { 'accept-encoding': 'gzip' });
  assert.deepEqual([plain.encoding, br.encoding, gzip.encoding], [undefined, 'br', 'gzip']);
  assert.ok(br.body.length < plain.body.length / 4);
  assert.deepEqual(brotliDecompressSync(br.body), plain.body);
  assert.deepEqual(gunzipSync(gzip.body), plain.body);
});

test('what is not HTTP, or too much of it, is refused with a problem', async () => {
  for (const [sent, status] of [
    ['NONSENSE\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'POST /v1/streams HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1x\r\n\r\n',
      400,
    ],
  ] as const) {
    const answer = await sendRaw(sent);
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), sent.slice(0, 40));
  }
  assert.match(await sendRaw('NONSENSE\r\n\r\n'), /application\/problem\+json[^]*"code":"invalid_argument"/);
});

test('the console is served: assets for a year, the page fresh and for every path', async () => {
  const directory = join(api.store.directory, 'console');
  const own = await ApiHarness.start({ consoleDir: directory });
  try {
    const html = { headers: { accept: 'text/html' } };
    const missing = await own.call('/', html);
    assert.equal(missing.status, 503);
    assert.match(missing.text, /npm run prepare/);
    await mkdir(join(directory, 'assets'), { recursive: true });
    await writeFile(join(directory, 'index.html'), '<!doctype html>console');
    await writeFile(join(directory, 'assets', 'app-1a2b.js'), 'export {};');
    await writeFile(join(api.store.directory, 'secret.txt'), 'secret');
    for (const path of ['/', '/cameras/str_1?at=2', '/index.html', '/a/b/c']) {
      const page = await own.call(path, html);
      assert.deepEqual(
        [page.status, page.text, page.headers.get('cache-control')],
        [200, '<!doctype html>console', 'no-cache'],
        path,
      );
      assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
    }
    const asCurl = await own.call('/', { headers: { accept: '*/*' } });
    assert.equal(asCurl.status, 200, 'the console answers at its address whoever asks');
    const asset = await own.call('/assets/app-1a2b.js');
    assert.equal(asset.headers.get('cache-control'), 'public, max-age=31536000, immutable');
    assert.match(asset.headers.get('content-type') ?? '', /javascript/);
    for (const path of ['/v1/nope', '/play/nope', '/docs/nope.html', '/healthz/x']) {
      assert.equal((await own.call(path, html)).status, 404, path);
    }
    for (const path of [
      '/..%2fsecret.txt',
      '/%2e%2e/secret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/assets',
      '/assets/nope.js',
    ]) {
      await own.refused(404, 'not_found', path, { headers: { accept: '*/*' } });
    }
    await own.refused(405, 'method_not_allowed', '/v1/streams', { method: 'PUT' });
    await own.refused(404, 'not_found', '/cameras', { method: 'POST', body: {} });
  } finally {
    await own[Symbol.asyncDispose]();
  }
});

test('health is told truly, at most once a second, and in time', async () => {
  let runs = 0;
  let isWell = true;
  const own = await ApiHarness.start({
    checks: [
      { name: 'process', kind: 'live', run: async () => 'It runs.' },
      {
        name: 'engine',
        kind: 'ready',
        run: async () => {
          runs += 1;
          if (isWell) return '2 of 2 are ready.';
          throw new ZoetropeError('unavailable', 'None is ready.');
        },
      },
      {
        name: 'stuck',
        kind: 'ready',
        run: () => (isWell ? Promise.resolve('') : new Promise<string>(() => undefined)),
      },
    ],
  });
  try {
    assert.equal((await own.call('/readyz')).status, 200);
    assert.equal((await own.call('/readyz')).status, 200);
    assert.equal(runs, 1);
    isWell = false;
    await own.store.clock.advance(1000);
    const failing = own.call('/readyz');
    let isAnswered = false;
    void failing.then(() => (isAnswered = true));
    await own.advanceUntil(() => isAnswered, 'the answer in spite of the stuck check');
    const reply = await failing;
    assert.equal(reply.status, 503);
    assert.deepEqual(reply.json, {
      status: 'failing',
      checks: {
        engine: { ok: false, detail: 'None is ready.' },
        stuck: { ok: false, detail: 'No answer within 2000 ms.' },
      },
    });
    assert.equal((await own.call('/healthz')).status, 200, 'the process itself is alive');
  } finally {
    await own[Symbol.asyncDispose]();
  }
});

test('requests are counted by the pattern of their route', async () => {
  api.metrics.requests.length = 0;
  await api.call('/v1/streams/str_0123456789abcdef');
  await api.call('/v1/nothing', { method: 'POST' });
  await api.call('/whatever.js');
  assert.deepEqual(
    api.metrics.requests.map(({ route, status }) => [route, status]),
    [
      ['/v1/streams/:id', 404],
      ['none', 404],
      ['/*', 404],
    ],
  );
});

test('playback from memory goes first, unless the request must be refused', async () => {
  let asked = 0;
  const own = await ApiHarness.start({
    playback: {
      routes: async (app) => {
        app.get('/play/streams/:id/live.m3u8', async () => 'from the route');
      },
      tryServe: (request, response) => {
        asked += 1;
        if (request.url !== '/play/streams/hot/live.m3u8') return false;
        response.end('from memory');
        return true;
      },
    },
  });
  try {
    const hot = await own.call('/play/streams/hot/live.m3u8', { headers: { origin: 'https://app.example.org' } });
    assert.deepEqual(
      [hot.text, hot.headers.get('access-control-allow-origin')],
      ['from memory', 'https://app.example.org'],
    );
    assert.equal((await own.call('/play/streams/cold/live.m3u8')).text, 'from the route');
    assert.equal(asked, 2);
    const rebound = await raw('/play/streams/hot/live.m3u8', { host: 'rebound.example' }, own.url);
    assert.equal(rebound.status, 421);
    assert.equal(asked, 2);
    assert.deepEqual(own.metrics.requests[0]?.route, '/play (memory)');
  } finally {
    await own[Symbol.asyncDispose]();
  }
});

test('an address that cannot be listened on is told with the remedy', async () => {
  const { port } = api.server.address();
  const starting = ApiHarness.start({ deps: () => ({ listen: { host: '127.0.0.1', port } }) });
  await assert.rejects(starting, { code: 'invalid_configuration', message: /ZOETROPE_PORT/ });
});

interface RawAnswer {
  readonly status: number | undefined;
  readonly encoding: string | undefined;
  readonly body: Buffer;
}

/** A GET as it is: `fetch` decodes bodies and sets Host itself. */
async function raw(path: string, headers: Record<string, string>, url = api.url): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const request = httpRequest({ hostname, port, path, headers });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, encoding: response.headers['content-encoding'], body: Buffer.concat(chunks) };
}

async function sendRaw(text: string): Promise<string> {
  const { host, port } = api.server.address();
  const socket = connect(port, host);
  socket.end(text);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}
