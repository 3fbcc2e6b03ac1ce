import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, test } from 'node:test';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import { randomIds } from '../../src/base/ids.ts';
import { wallMs } from '../../src/base/time.ts';
import type { Scope } from '../../src/catalog/catalog.ts';
import { deadLetterTopic } from '../../src/events/event-log.ts';
import { FRAMES_TOPIC } from '../../src/ingest/frames/frame-event.ts';
import { ROUTES, type Own, type Route } from './access-matrix.ts';
import { ApiHarness, assertProblem, iso, type Reply } from './api-harness.ts';

let api: ApiHarness;
const keys = new Map<string, string>();
before(async () => {
  api = await ApiHarness.start();
  for (const scope of ['ingest', 'read', 'manage', 'admin'] as const) {
    keys.set(`acme ${scope}`, await api.key('acme', scope));
    keys.set(`other ${scope}`, await api.key('other', scope));
  }
  api.pictures.picture = { jpeg: Buffer.from('x'), capturedAtMs: wallMs(0), etag: 'x' };
});
after(() => api[Symbol.asyncDispose]());

let made = 0;
async function makeOwn(): Promise<Own> {
  const { catalog } = api.store.stores;
  const stream = await api.store.stream(`own-${made++}`);
  await api.store.append(stream.id, { startMs: api.store.nowMs - 60_000 });
  const at = { fromMs: wallMs(0), toMs: wallMs(1), sessionId: null, expiresAtMs: null };
  const archive = randomIds.next('archive');
  await catalog.createHold({ id: archive, streamId: stream.id, kind: 'archive', name: 'x', ...at });
  const marker = randomIds.next('marker');
  const mark = { streamId: stream.id, atMs: wallMs(0), untilMs: null, label: 'x', type: 'note', data: {} };
  await catalog.addMarker({ id: marker, ...mark });
  const recording = randomIds.next('recording');
  await catalog.createHold({ id: recording, streamId: stream.id, kind: 'recording', name: 'x', ...at });
  return { stream: stream.id, archive, recording, marker };
}

async function ask(route: Route, own: Own, key: string | undefined): Promise<Reply> {
  return api.call(route.path(own), { ...route.call?.(own), key });
}

test('the matrix holds every route there is', async () => {
  const document = (await api.call<{ paths: Record<string, Record<string, unknown>> }>('/openapi.json')).json;
  const documented = Object.entries(document.paths)
    .filter(([path]) => path.startsWith('/v1/'))
    .flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    );
  assert.deepEqual(documented.toSorted(), Object.keys(ROUTES).toSorted());
});

for (const [name, route] of Object.entries(ROUTES)) {
  test(`${name} opens to ${route.scopes.join(' or ')} and admin, and to nobody else`, async () => {
    for (const [holder, key] of keys) {
      const [tenant, scope] = holder.split(' ') as [string, Scope];
      const reply = await ask(route, await makeOwn(), key);
      const may = scope === 'admin' || route.scopes.includes(scope);
      const isHome = tenant === 'acme' || scope === 'admin';
      const expected = !may ? 403 : isHome ? route.ok : (route.foreign ?? route.ok);
      assert.equal(reply.status, expected, `${holder}: ${reply.text}`);
      if (reply.status >= 400 && route.call?.({ stream: '', archive: '', recording: '', marker: '' }).method !== 'HEAD')
        assertProblem(reply);
    }
    const own = await makeOwn();
    const bound = await ask(route, own, await api.boundKey(own.stream));
    const isOfStream = route.path(own).startsWith(`/v1/streams/${own.stream}`);
    const mayBound = isOfStream && route.scopes.includes('ingest');
    assert.equal(bound.status, mayBound ? route.ok : 403, `a key for this stream: ${bound.text}`);
    const elsewhere = await ask(route, own, await api.boundKey((await makeOwn()).stream));
    assert.equal(elsewhere.status, 403, `a key for another stream: ${elsewhere.text}`);
    for (const wrong of [undefined, 'zk_', `zk_${'x'.repeat(43)}`]) {
      const reply = await ask(route, await makeOwn(), wrong);
      assert.equal(reply.status, 401);
      assert.equal(reply.headers.get('www-authenticate'), 'Bearer realm="zoetrope"');
    }
  });
}

test('another tenant’s thing and one that never was are refused in the same words', async () => {
  const { stream, archive, recording } = await makeOwn();
  const key = keys.get('other read');
  for (const [there, never] of [
    [`/v1/streams/${stream}`, '/v1/streams/str_0000000000000000'],
    [`/v1/archives/${archive}`, '/v1/archives/arc_0000000000000000'],
    [`/v1/recordings/${recording}`, '/v1/recordings/rec_0000000000000000'],
  ] as const) {
    const a = await api.refused(404, 'not_found', there, { key });
    const b = await api.refused(404, 'not_found', never, { key });
    assert.equal(a.detail.replace(/"\w+"/, ''), b.detail.replace(/"\w+"/, ''));
  }
});

test('lists hold what the key can see and nothing else', async () => {
  await makeOwn();
  const events = ['acme', 'other'].map((clientId) => ({ key: clientId, value: { code: 'x', event: { clientId } } }));
  await api.store.stores.events.publish(deadLetterTopic(FRAMES_TOPIC), events);
  const count = async (path: string, holder: string): Promise<number> =>
    (await api.call<{ items: readonly unknown[] }>(path, { key: keys.get(holder) })).json.items.length;
  assert.equal(await count('/v1/streams', 'other read'), 0);
  assert.equal(await count('/v1/streams?tenant=acme', 'other read'), 0);
  assert.ok((await count('/v1/streams', 'acme read')) > 0);
  assert.ok((await count('/v1/streams', 'other admin')) > 0);
  assert.equal(await count('/v1/archives', 'other read'), 0);
  assert.ok((await count('/v1/archives', 'acme read')) > 0);
  assert.equal(await count('/v1/recordings', 'other read'), 0);
  assert.ok((await count('/v1/recordings', 'acme read')) > 0);
  assert.equal(await count('/v1/dead-letters', 'other read'), 1);
  assert.equal(await count('/v1/dead-letters', 'other admin'), 2);
});

test('followers of streams are told of their tenant’s alone', async () => {
  const headers = { authorization: `Bearer ${keys.get('other read')}` };
  const mine = await api.call<StreamJson>('/v1/streams', { body: { name: 'theirs' }, key: keys.get('other manage') });
  assert.deepEqual([mine.status, mine.json.tenant], [201, 'other'], 'a key makes what is its tenant’s');
  const reader = await api.follow('/v1/streams/events', headers);
  await makeOwn();
  await api.store.clock.advance(1000);
  assert.equal((await reader.next(() => true)).data['id'], mine.json.id);
  await api.call(`/v1/streams/${mine.json.id}`, { method: 'DELETE', key: keys.get('other manage') });
  let isTold = false;
  void reader.next((event) => event.event === 'removed').then(() => (isTold = true));
  await api.advanceUntil(() => isTold, 'the removal');
  assert.deepEqual(reader.events, []);
  reader.close();
  await reader.ended;
});

test('a playback token opens pictures of its stream until it expires, and nothing else', async () => {
  const [own, another] = [await makeOwn(), await makeOwn()];
  const key = keys.get('acme read');
  const minted = await api.call<{ token: string; expiresAt: string; url: string }>(`/v1/streams/${own.stream}/tokens`, {
    body: { ttlSeconds: 60 },
    key,
  });
  const { token, expiresAt, url } = minted.json;
  assert.equal(url, `/play/streams/${own.stream}/master.m3u8?token=${token}`);
  const seconds = (Date.parse(expiresAt) - api.store.nowMs) / 1000;
  assert.ok(seconds > 58 && seconds <= 60, String(seconds));
  assert.equal((await api.call(`/v1/streams/${own.stream}/latest.jpg?token=${token}`)).status, 200);
  const at = iso(api.store.nowMs);
  assert.equal((await api.call(`/v1/streams/${own.stream}/frame.jpg?at=${at}&token=${token}`)).status, 200);
  await api.refused(401, 'unauthenticated', `/v1/streams/${another.stream}/latest.jpg?token=${token}`);
  await api.refused(401, 'unauthenticated', `/v1/streams/${own.stream}/latest.jpg?token=x`);
  await api.refused(401, 'unauthenticated', `/v1/streams/${own.stream}/latest.jpg?token=${token}&token=${token}`);
  await api.refused(401, 'unauthenticated', `/v1/streams/${own.stream}/timeline?token=${token}`);
  await api.refused(400, 'invalid_argument', `/v1/streams/${own.stream}/tokens`, { body: { ttlSeconds: 0 }, key });
  await api.store.clock.advance(60_000);
  await api.refused(401, 'unauthenticated', `/v1/streams/${own.stream}/latest.jpg?token=${token}`);
});

test('what needs no key: health, the description, preflights', async () => {
  for (const path of ['/healthz', '/readyz', '/openapi.json', '/docs/']) {
    assert.equal((await api.call(path)).status, 200, path);
  }
  const preflight = await api.call('/v1/streams', {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example.org', 'access-control-request-method': 'POST' },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get('access-control-allow-origin'), 'https://app.example.org');
});

test('with keys every host name is served, for a browser sends no key by itself', async () => {
  assert.equal(await statusFor(api.url, { host: 'cams.example.org' }, keys.get('acme read')), 200);
});

test('an open server answers to names of this machine alone, and changes nothing for foreign pages', async () => {
  const own = await ApiHarness.start({ settings: { publicUrl: 'https://cams.example.org' } });
  try {
    assert.equal(await statusFor(own.url, { host: 'localhost' }), 200);
    assert.equal(await statusFor(own.url, { host: 'cams.example.org' }), 200);
    assert.equal(await statusFor(own.url, { host: 'rebound.example' }), 421);
    assert.equal(await statusFor(own.url, { host: 'rebound.example' }, undefined, '/healthz'), 421);
    const body = { name: 'x' };
    const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    await own.refused(403, 'permission_denied', '/v1/streams', { body, headers: foreign });
    const named = { origin: 'https://app.example.org', 'sec-fetch-site': 'cross-site' };
    assert.equal((await own.call('/v1/streams', { body, headers: named })).status, 201);
    assert.equal((await own.call('/v1/streams', { body, headers: { origin: own.url } })).status, 201);
  } finally {
    await own[Symbol.asyncDispose]();
  }
});

/** `fetch` sets Host itself. */
async function statusFor(
  url: string,
  headers: Record<string, string>,
  key?: string,
  path = '/v1/streams',
): Promise<number> {
  const { hostname, port } = new URL(url);
  const all = key === undefined ? headers : { ...headers, authorization: `Bearer ${key}` };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path, headers: all }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', reject);
    request.end();
  });
}
