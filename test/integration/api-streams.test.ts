import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { pageOf, StreamShape, type StreamJson } from '../../src/api/rest/shapes.ts';
import { ApiHarness, assertShape } from './api-harness.ts';

interface StreamPage {
  readonly items: readonly StreamJson[];
  readonly nextCursor: string | null;
}

let api: ApiHarness;
before(async () => {
  api = await ApiHarness.start();
});
after(() => api[Symbol.asyncDispose]());

async function make(body: object): Promise<StreamJson> {
  const reply = await api.call<StreamJson>('/v1/streams', { body });
  assert.equal(reply.status, 201, reply.text);
  assertShape(StreamShape, reply.json);
  assert.equal(reply.headers.get('location'), `/v1/streams/${reply.json.id}`);
  return reply.json;
}

test('a stream is made, read, changed and removed', async () => {
  const made = await make({ name: 'Nordtor 北', deviceId: 'camera/../1', settings: { retentionHours: 48 } });
  assert.deepEqual(
    [made.tenant, made.kind, made.state, made.lastCapturedAt, made.clockSkewMs],
    ['default', 'frames', 'new', null, null],
  );
  assert.deepEqual(made.settings, { retentionHours: 48 });
  assert.equal(made.effective.retentionHours, 48);
  assert.equal(made.effective.framesPerSegment, 6);
  assert.equal(made.urls.live, `/play/streams/${made.id}/live.m3u8`);

  const path = `/v1/streams/${made.id}`;
  assert.deepEqual((await api.call(path)).json, made);

  const settings = { crf: 20, overlay: { position: 'top-left', sizePx: 12, timeZone: 'Europe/Berlin' } };
  const changed = await api.call<StreamJson>(path, { method: 'PATCH', body: { name: 'Südtor', settings } });
  assertShape(StreamShape, changed.json);
  assert.equal(changed.json.name, 'Südtor');
  assert.deepEqual(changed.json.settings, { retentionHours: 48, ...settings });

  const clearing = { settings: { retentionHours: null, crf: null, overlay: null, gapToleranceSeconds: null } };
  const cleared = await api.call<StreamJson>(path, { method: 'PATCH', body: clearing });
  assert.deepEqual(cleared.json.settings, { overlay: null, gapToleranceSeconds: null }, 'null is a value of these two');
  assert.equal(cleared.json.effective.retentionHours, 24);

  assert.equal((await api.call(path, { method: 'DELETE' })).status, 204);
  await api.refused(404, 'not_found', path);
  await api.refused(404, 'not_found', path, { method: 'DELETE' });
});

test('removing a stream removes its rows and its objects', async () => {
  const { id } = await make({ name: 'short-lived' });
  await api.store.append(id, { startMs: api.store.nowMs - 60_000 });
  assert.equal((await api.store.objectKeys(`media/${id}/`)).length, 1);
  assert.equal((await api.call(`/v1/streams/${id}`, { method: 'DELETE' })).status, 204);
  assert.deepEqual(await api.store.objectKeys(`media/${id}/`), []);
});

test('a device has one stream', async () => {
  await make({ name: 'a', deviceId: 'twin' });
  await api.refused(409, 'conflict', '/v1/streams', { body: { name: 'b', deviceId: 'twin' } });
  await make({ name: 'b', deviceId: 'twin', tenant: 'another' });
});

test('streams are listed by name, in pages, by kind, tenant and part of the name', async () => {
  for (const name of ['list-3', 'list-1', 'list-2']) await make({ name, tenant: 'lister' });
  await make({ name: 'list-4', tenant: 'lister', kind: 'push', deviceId: 'ENCODER' });
  const names: string[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await api.call<StreamPage>(`/v1/streams?tenant=lister&limit=3${query}`);
    assert.equal(page.status, 200);
    assertShape(pageOf(StreamShape), page.json);
    names.push(...page.json.items.map((stream) => stream.name));
    cursor = page.json.nextCursor;
  } while (cursor !== null);
  assert.deepEqual(names, ['list-1', 'list-2', 'list-3', 'list-4']);
  const listed = async (query: string): Promise<readonly string[]> =>
    (await api.call<StreamPage>(`/v1/streams?${query}`)).json.items.map((stream) => stream.name);
  assert.deepEqual(await listed('tenant=lister&kind=push'), ['list-4']);
  assert.deepEqual(await listed('tenant=lister&query=LIST-2'), ['list-2']);
  assert.deepEqual(await listed('query=encod'), ['list-4']);
  assert.deepEqual(await listed('query=%25'), [], 'a percent sign is no wildcard');
  await api.refused(400, 'invalid_argument', '/v1/streams?cursor=nonsense');
});

test('what cannot be is refused with its reasons', async () => {
  const problem = await api.refused(400, 'invalid_argument', '/v1/streams', {
    body: { name: '', kind: 'film', settings: { crf: 99, retentionHours: 0 }, colour: 'red' },
  });
  assert.equal(problem.errors?.length, 5, problem.detail);
  for (const wrong of [{ name: 'x', settings: { crf: null } }, {}, [], 'x', null]) {
    await api.refused(400, 'invalid_argument', '/v1/streams', { body: wrong });
  }
  const overlay = { position: 'top-left', sizePx: 12, timeZone: 'Mars' };
  await api.refused(400, 'invalid_argument', '/v1/streams', { body: { name: 'x', settings: { overlay } } });
  for (const id of ['str_unknown00000000', 'x', 'arc_0123456789abcdef', '..%2f..%2fetc', '%00']) {
    await api.refused(404, 'not_found', `/v1/streams/${id}`);
    await api.refused(404, 'not_found', `/v1/streams/${id}`, { method: 'PATCH', body: { name: 'x' } });
  }
});

test('the state follows arrivals', async () => {
  const { id } = await make({ name: 'watched' });
  const { clock } = api.store;
  await api.store.touch(id, clock.nowMs() - 500);
  const online = (await api.call<StreamJson>(`/v1/streams/${id}`)).json;
  assert.deepEqual([online.state, online.clockSkewMs], ['online', 0]);
  await clock.advance(61_000);
  assert.equal((await api.call<StreamJson>(`/v1/streams/${id}`)).json.state, 'offline');
});
