import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { AssetShape, type AssetJson } from '../../src/api/rest/asset-shapes.ts';
import { pageOf } from '../../src/api/rest/shapes.ts';
import type { AssetChange } from '../../src/catalog/asset-store.ts';
import { vodApi } from '../fixtures/vod-api.ts';
import { ApiHarness, assertShape, type EventReader } from './api-harness.ts';

interface AssetPage {
  readonly items: readonly AssetJson[];
  readonly nextCursor: string | null;
}

const VIDEO = {
  kind: 'video',
  codec: 'h264',
  width: 640,
  height: 360,
  crf: 23,
  bitsPerS: null,
  maxBitsPerS: null,
  preset: 'veryfast',
  frameRate: 25,
} as const;
const MEDIA = { container: 'mp4', sizeBytes: 4, durationMs: 60_000, video: [], audio: [], subtitles: [] };

let api: ApiHarness;
const readers: EventReader[] = [];
before(async () => {
  api = await ApiHarness.start({ deps: (store) => ({ vod: vodApi(store) }) });
});
afterEach(async () => {
  for (const reader of readers.splice(0)) {
    reader.close();
    await reader.ended;
  }
});
after(() => api[Symbol.asyncDispose]());

async function make(body: object = {}, key?: string): Promise<AssetJson> {
  const request = { source: { url: 'https://media.example.org/a%20film.mp4?sig=1' }, ...body };
  const reply = await api.call<AssetJson>('/v1/assets', { body: request, key });
  assert.equal(reply.status, 202, reply.text);
  assert.equal(reply.headers.get('location'), `/v1/assets/${reply.json.id}`);
  return reply.json;
}

/** What the settler would do. */
async function settle(id: string, change: AssetChange): Promise<void> {
  const { catalog } = api.store.stores;
  const { version } = await catalog.getAsset(id);
  assert.ok(await catalog.settleAsset(id, version, change));
}

async function follow(path: string, headers: Readonly<Record<string, string>> = {}): Promise<EventReader> {
  const reader = await api.follow(path, headers);
  readers.push(reader);
  return reader;
}

test('an asset is made, shown complete, listed, changed and removed', async () => {
  const made = await make({
    referenceId: 'ref-1',
    priority: 3,
    outputs: { video: [{ heightPx: 360 }], poster: false },
  });
  assertShape(AssetShape, made);
  assert.deepEqual(
    [made.state, made.name, made.referenceId, made.priority, made.progress, made.playback, made.outputs],
    ['queued', 'a film.mp4', 'ref-1', 3, 0, null, []],
  );
  assert.deepEqual(made.source, { kind: 'url', url: 'https://media.example.org/a%20film.mp4?sig=1' });
  assert.deepEqual(made.request['video'], [{ heightPx: 360 }]);
  const path = `/v1/assets/${made.id}`;
  assert.deepEqual((await api.call(path)).json, made);

  const { json: page } = await api.call<AssetPage>('/v1/assets?state=queued,failed&referenceId=ref-1&q=FILM');
  assertShape(pageOf(AssetShape), page);
  assert.deepEqual(page.items, [made]);
  assert.deepEqual((await api.call<AssetPage>('/v1/assets?state=ready')).json.items, []);

  const changed = await api.call<AssetJson>(path, { method: 'PATCH', body: { name: 'Film', priority: -2 } });
  assert.deepEqual([changed.json.name, changed.json.priority], ['Film', -2]);
  assert.equal((await api.call(path, { method: 'DELETE' })).status, 204);
  await api.refused(404, 'not_found', path);
});

test('assets are made of objects below the tenant’s inputs alone', async () => {
  const { objects } = api.store.stores;
  await objects.put('inputs/default/films/one.mkv', Buffer.from('film'));
  const made = await make({ source: { objectKey: 'inputs/default/films/one.mkv' } });
  assert.deepEqual(
    [made.name, made.source],
    ['one.mkv', { kind: 'object', objectKey: 'inputs/default/films/one.mkv' }],
  );
  const body = (objectKey: string): object => ({ body: { source: { objectKey } } });
  await api.refused(404, 'missing_input', '/v1/assets', body('inputs/default/none.mkv'));
  const border = await api.refused(400, 'invalid_argument', '/v1/assets', body(`assets/${made.id}/source`));
  assert.match(border.detail, /must begin with "inputs\/default\/"/);
});

test('what would fail for certain is refused at once', async () => {
  const source = { url: 'https://media.example.org/film.mp4' };
  const watermark = { objectKey: 'inputs/default/no-logo.png' };
  await api.refused(404, 'missing_input', '/v1/assets', { body: { source, outputs: { watermark } } });
  const webhookUrl = 'http://10.1.2.3/hook';
  const refused = await api.refused(403, 'permission_denied', '/v1/assets', { body: { source, webhookUrl } });
  assert.match(refused.detail, /ZOETROPE_ALLOWED_NETWORKS/);
});

test('what is wrong with a request is said, field by field', async () => {
  const wrong = async (body: object): Promise<string> =>
    (await api.refused(400, 'invalid_argument', '/v1/assets', { body })).detail;
  const source = { url: 'https://media.example.org/film.mp4' };
  assert.match(await wrong({}), /body: source is missing/);
  assert.match(await wrong({ source: { url: 'file:///etc/passwd' } }), /source\.url must be an http: or https: URL/);
  assert.match(await wrong({ source, outputs: { vidoe: [] } }), /body: outputs\.vidoe is not known here/);
  const both = { video: [{ crf: 20, bitrateKbps: 800 }] };
  assert.match(await wrong({ source, outputs: both }), /outputs\.video\[0\] takes either crf or bitrateKbps/);
  assert.match((await api.refused(400, 'invalid_argument', '/v1/assets?state=done')).detail, /state must be of queued/);
  await api.refused(404, 'not_found', '/v1/assets/str_0123456789');
  await api.refused(400, 'invalid_argument', `/v1/assets/${(await make()).id}`, { method: 'PATCH', body: {} });
});

test('jobs and outputs are cancelled once, and made again', async () => {
  const { id } = await make();
  const output = { id: 'out_0123456789', name: '360p', spec: VIDEO, totalChunks: 5 };
  const other = { id: 'out_9876543210', name: '240p', spec: { ...VIDEO, height: 240 }, totalChunks: 5 };
  const work = {
    id: 'tsk_0123456789',
    kind: 'video',
    rank: 1,
    ordinal: 0,
    outputIds: [output.id, other.id],
    weight: 1,
    input: { chunk: 0 },
    maxAttempts: 3,
  } as const;
  await settle(id, { asset: { state: 'transcoding' }, newOutputs: [output, other], newTasks: [work] });
  const path = `/v1/assets/${id}`;
  const cancelled = await api.call<AssetJson>(`${path}/outputs/${output.id}/cancel`, { method: 'POST' });
  assert.equal(cancelled.status, 200, cancelled.text);
  assert.deepEqual(
    cancelled.json.outputs.map(({ state }) => state),
    ['cancelled', 'queued'],
  );
  await api.refused(409, 'conflict', `${path}/outputs/${output.id}/cancel`, { method: 'POST' });
  await api.refused(404, 'not_found', `${path}/outputs/out_0000000000/cancel`, { method: 'POST' });
  await api.refused(409, 'conflict', `${path}/retry`, { method: 'POST' });

  assert.equal((await api.call<AssetJson>(`${path}/cancel`, { method: 'POST' })).json.state, 'cancelled');
  await api.refused(409, 'conflict', `${path}/cancel`, { method: 'POST' });
  const again = await api.call<AssetJson>(`${path}/retry`, { method: 'POST' });
  assert.deepEqual([again.status, again.json.state, again.json.outputs], [200, 'queued', []]);
});

test('a repeated request with the same Idempotency-Key makes one asset', async () => {
  const request = {
    body: { source: { url: 'https://media.example.org/once.mp4' } },
    headers: { 'idempotency-key': 'once' },
  };
  const first = await api.call<AssetJson>('/v1/assets', request);
  const second = await api.call<AssetJson>('/v1/assets', request);
  assert.deepEqual([first.json.id, second.status], [second.json.id, 202]);
});

test('progress, speed and remaining time follow from what is done since it began', async () => {
  const { clock } = api.store;
  const { id } = await make();
  const small = { ...VIDEO, width: 320, height: 180 };
  await settle(id, {
    asset: { state: 'transcoding', media: MEDIA, startedAtMs: clock.nowMs(), playableAtMs: clock.nowMs() },
    newOutputs: [
      { id: 'out_00000000a1', name: '360p', spec: VIDEO, totalChunks: 5 },
      { id: 'out_00000000a2', name: '180p', spec: small, totalChunks: 5 },
    ],
    outputs: [{ id: 'out_00000000a2', state: 'ready', publishedChunks: 5 }],
  });
  await clock.advance(6000);
  const { json } = await api.call<AssetJson>(`/v1/assets/${id}`);
  // A quarter of the pixels is done: a fifth of all, 12 of 60 seconds, in 6.
  assert.deepEqual([json.progress, json.speed, json.etaSeconds], [0.2, 2, 24]);
  assert.deepEqual(json.playback, {
    hls: `/play/assets/${id}/master.m3u8`,
    dash: `/play/assets/${id}/manifest.mpd`,
    poster: null,
    storyboardVtt: null,
    storyboardJson: null,
    download: null,
  });
});

test('files of outputs have addresses that never move', async () => {
  const { id } = await make({ outputs: { encryption: 'aes-128' } });
  const file = (name: string): object => ({ name, objectKey: `x/${name}`, sizeBytes: 5, contentType: 'image/jpeg' });
  const pictures = (...timesMs: number[]): object => ({ kind: 'thumbnails', timesMs, widthPx: 160, heightPx: 90 });
  const specs = [pictures(0), pictures(0, 1000), pictures(2000)];
  const names = ['poster', 'thumbnails', 'thumbnails-2'];
  const files = [[file('0.jpg')], [file('0.jpg'), file('1.jpg')], [file('0.jpg')]];
  await settle(id, {
    asset: { state: 'transcoding', playableAtMs: api.store.nowMs },
    newOutputs: names.map((name, at) => ({ id: `out_00000000b${at}`, name, spec: specs[at], totalChunks: null })),
    outputs: files.map((some, at) => ({ id: `out_00000000b${at}`, state: 'ready', files: some })),
  } as AssetChange);
  const { json } = await api.call<AssetJson>(`/v1/assets/${id}`);
  const urls = json.outputs.flatMap((output) => output.files.map(({ url }) => url.replace(`/play/assets/${id}/`, '')));
  assert.deepEqual(urls, ['poster.jpg', 'thumbnails/0.jpg', 'thumbnails/1.jpg', 'thumbnails/2.jpg']);
  assert.deepEqual([json.playback?.poster, json.playback?.dash], [`/play/assets/${id}/poster.jpg`, null]);
});

test('followers of an asset get its state at once, changes coalesced, and its removal', async () => {
  const { store } = api;
  const { id } = await make();
  const reader = await follow(`/v1/assets/${id}/events`, { 'last-event-id': 'not one of ours' });
  const first = await reader.next(() => true);
  assert.deepEqual([first.event, first.data['id'], first.data['state']], ['asset', id, 'queued']);
  for (const state of ['probing', 'transcoding', 'packaging'] as const) await settle(id, { asset: { state } });
  await store.clock.advance(250);
  const next = await reader.next(() => true);
  assert.deepEqual([next.data['state'], reader.events], ['packaging', []], 'three changes, one event');
  await api.call(`/v1/assets/${id}`, { method: 'DELETE' });
  assert.deepEqual((await reader.next(({ event }) => event === 'removed')).data, { id });
  await api.refused(404, 'not_found', `/v1/assets/${id}/events`);
});

test('followers of all assets get those under way, what changes, and what ended while they were away', async () => {
  const { clock } = api.store;
  const [open, ended] = [await make(), await make()];
  await settle(ended.id, { asset: { state: 'failed', endedAtMs: clock.nowMs() } });
  const fresh = await follow('/v1/assets/events');
  const told = await fresh.next(({ data }) => data['id'] === open.id);
  assert.equal(
    fresh.events.some(({ data }) => data['id'] === ended.id),
    false,
  );
  const late = await make();
  await clock.advance(250);
  await fresh.next(({ data }) => data['id'] === late.id);
  const back = await follow('/v1/assets/events', { 'last-event-id': told.id ?? '' });
  const seen = await back.next(({ data }) => data['id'] === ended.id);
  assert.equal(seen.data['state'], 'failed');
});

test('streams do not show assets unless asked to', async () => {
  const { id } = await make();
  const ids = async (path: string): Promise<readonly string[]> =>
    (await api.call<{ items: { id: string }[] }>(path)).json.items.map((item) => item.id);
  assert.equal((await ids('/v1/streams?limit=1000')).includes(id), false);
  assert.equal((await ids('/v1/streams?limit=1000&kind=asset')).includes(id), true);
  await api.refused(404, 'not_found', `/v1/streams/${id}`);
  await api.refused(404, 'not_found', `/v1/streams/${id}`, { method: 'DELETE' });
  await api.refused(400, 'invalid_argument', '/v1/streams', { body: { name: 'x', kind: 'asset' } });
});

test('keys do what their scopes say, within their tenant', async () => {
  const open = await make();
  const [ingest, read, manage] = [
    await api.key('acme', 'ingest'),
    await api.key('acme', 'read'),
    await api.key('acme', 'manage'),
  ];
  const stranger = await api.key('other', 'ingest', 'read', 'manage');
  const source = { url: 'https://media.example.org/film.mp4' };
  const made = await make({}, ingest);
  assert.equal(made.tenant, 'acme');
  const path = `/v1/assets/${made.id}`;
  await api.refused(403, 'permission_denied', '/v1/assets', { body: { source }, key: read });
  await api.refused(403, 'permission_denied', '/v1/assets', { body: { source, tenant: 'other' }, key: ingest });
  await api.refused(403, 'permission_denied', path, { key: ingest });
  assert.equal((await api.call(path, { key: read })).status, 200);
  await api.refused(404, 'not_found', `/v1/assets/${open.id}`, { key: read });
  for (const name of ['cancel', 'retry']) {
    await api.refused(403, 'permission_denied', `${path}/${name}`, { method: 'POST', key: read });
    await api.refused(404, 'not_found', `${path}/${name}`, { method: 'POST', key: stranger });
  }
  await api.refused(404, 'not_found', path, { method: 'DELETE', key: stranger });
  await api.refused(404, 'not_found', `${path}/tokens`, { method: 'POST', key: stranger });
  const page = await api.call<AssetPage>('/v1/assets', { key: stranger });
  assert.deepEqual(page.json.items, []);
  const token = await api.call<{ token: string; url: string }>(`${path}/tokens`, { method: 'POST', key: read });
  assert.equal(token.json.url, `/play/assets/${made.id}/master.m3u8?token=${token.json.token}`);
  await api.access.verifyPlaybackToken(token.json.token, { kind: 'stream', id: made.id });

  const readerOfOther = await follow('/v1/assets/events', { authorization: `Bearer ${stranger}` });
  const own = await make({}, stranger);
  await make({}, ingest);
  await api.store.clock.advance(250);
  await readerOfOther.next(({ data }) => data['id'] === own.id);
  assert.equal((await api.call(path, { method: 'DELETE', key: manage })).status, 204);
  assert.deepEqual(readerOfOther.events, []);
});
