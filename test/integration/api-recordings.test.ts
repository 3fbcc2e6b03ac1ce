import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RecordingShape, ShareShape, type RecordingJson } from '../../src/api/rest/recording-shapes.ts';
import type { TimelineJson } from '../../src/api/rest/shapes.ts';
import { wallMs } from '../../src/base/time.ts';
import { ApiHarness, assertShape, iso } from './api-harness.ts';

interface List {
  readonly items: readonly RecordingJson[];
  readonly nextCursor: string | null;
}

let api: ApiHarness;
before(async () => {
  api = await ApiHarness.start();
});
after(() => api[Symbol.asyncDispose]());

let made = 0;
async function filled(count: number): Promise<string> {
  const { id } = await api.store.stream(`camera-${made++}`);
  await api.store.fill(id, count * 30_000, count);
  return id;
}

async function start(streamId: string, body?: object): Promise<RecordingJson> {
  const call = body === undefined ? { method: 'POST' } : { body };
  const reply = await api.call<RecordingJson>(`/v1/streams/${streamId}/recordings`, call);
  assert.equal(reply.status, 201, reply.text);
  assertShape(RecordingShape, reply.json);
  assert.equal(reply.headers.get('location'), `/v1/recordings/${reply.json.id}`);
  return reply.json;
}

async function read(id: string): Promise<RecordingJson> {
  const { json } = await api.call<RecordingJson>(`/v1/recordings/${id}`);
  assertShape(RecordingShape, json);
  return json;
}

test('a recording runs from now until it is stopped', async () => {
  const { store } = api;
  const { id, name } = await store.stream('runs');
  const started = await start(id);
  const from = iso(store.nowMs);
  assert.deepEqual(
    { ...started, id: '', url: '' },
    {
      id: '',
      streamId: id,
      title: `${name} ${from}`,
      metadata: {},
      from,
      to: null,
      until: null,
      state: 'recording',
      durationSeconds: 0,
      coveredSeconds: 0,
      sizeBytes: 0,
      segmentCount: 0,
      gapCount: 0,
      remoteSegments: 0,
      createdAt: from,
      stoppedAt: null,
      url: '',
    },
  );
  assert.equal(started.url, `/play/recordings/${started.id}/index.m3u8`);
  const [first] = await store.fill(id, 0, 2);
  await store.clock.advance(90_000);
  const running = await read(started.id);
  const sizeBytes = 2 * (first?.segment.sizeBytes ?? 0);
  assert.deepEqual([running.durationSeconds, running.coveredSeconds, running.sizeBytes], [90, 60, sizeBytes]);
  const { json: stopped } = await api.call<RecordingJson>(`/v1/recordings/${started.id}/stop`, { method: 'POST' });
  assertShape(RecordingShape, stopped);
  assert.deepEqual(
    [stopped.state, stopped.to, stopped.stoppedAt, stopped.durationSeconds, stopped.coveredSeconds],
    ['stopped', iso(store.nowMs), iso(store.nowMs), 90, 60],
  );
  await store.clock.advance(5000);
  const again = await api.call(`/v1/recordings/${started.id}/stop`, { body: { at: from } });
  assert.deepEqual([again.status, again.json], [200, stopped], 'what was stopped stays as it is');
  assert.deepEqual(await read(started.id), stopped);
});

test('a recording reaches back as far as the timeline goes, and says how far that is', async () => {
  const id = await filled(10);
  const { nowMs } = api.store;
  const path = `/v1/streams/${id}/recordings`;
  const earliest = iso(nowMs - 300_000);
  const { detail } = await api.refused(422, 'out_of_range', path, { body: { from: iso(nowMs - 300_001) } });
  assert.ok(detail.includes(`The earliest possible from is ${earliest}.`), detail);
  const whole = await start(id, { from: earliest, title: 'All of it', metadata: { ticket: 'INC-42' } });
  assert.deepEqual(
    [whole.title, whole.metadata, whole.from, whole.coveredSeconds, whole.segmentCount],
    ['All of it', { ticket: 'INC-42' }, earliest, 300, 10],
  );
  const part = await start(id, { from: iso(nowMs - 100_000) });
  assert.deepEqual([part.coveredSeconds, part.durationSeconds, part.segmentCount], [100, 100, 4]);
  const { json } = await api.call<TimelineJson>(`/v1/streams/${id}/timeline`);
  assert.deepEqual(
    json.holds.map((hold) => [hold.kind, hold.id, hold.from, hold.to]),
    [part, whole].map((one) => ['recording', one.id, one.from, null]),
  );
  const ahead = await api.refused(422, 'out_of_range', path, { body: { from: iso(nowMs + 1) } });
  assert.match(ahead.detail, /starts now or in the past/);
  const { id: empty } = await api.store.stream('empty');
  const none = await api.refused(422, 'out_of_range', `/v1/streams/${empty}/recordings`, {
    body: { from: iso(nowMs - 1) },
  });
  assert.match(none.detail, /is empty.*Leave out from/);
  assert.equal((await start(empty, { from: 'now' })).from, iso(nowMs));
});

test('what is asked is refused in words where it cannot be', async () => {
  const id = await filled(1);
  const { nowMs } = api.store;
  const path = `/v1/streams/${id}/recordings`;
  const many = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`k${index}`, 'x']));
  for (const body of [
    { title: '' },
    { title: 'a\nb' },
    { from: 'yesterday' },
    { metadata: { 'a b': 'x' } },
    { metadata: { a: 1 } },
    { metadata: { a: 'x'.repeat(501) } },
    { metadata: many },
    { unknown: 1 },
    { until: iso(nowMs) },
    { until: iso(nowMs - 1) },
  ]) {
    await api.refused(400, 'invalid_argument', path, { body });
  }
  const { id: recording } = await start(id);
  await api.refused(400, 'invalid_argument', `/v1/recordings/${recording}/stop`, { body: { at: iso(nowMs) } });
  await api.refused(400, 'invalid_argument', `/v1/recordings/${recording}/share`, { body: {} });
  await api.refused(400, 'invalid_argument', `/v1/recordings/${recording}/share`, { body: { expiresIn: 604_801 } });
  await api.refused(404, 'not_found', '/v1/recordings/rec_0000000000000000');
  await api.refused(404, 'not_found', '/v1/recordings/..%2F..%2Fetc/stop', { method: 'POST' });
  await api.refused(404, 'not_found', '/v1/streams/str_0000000000000000/recordings', { method: 'POST' });
});

test('a recording that is to stop by itself does', async () => {
  const { store } = api;
  const { id } = await store.stream('until');
  const until = iso(store.nowMs + 60_000);
  const started = await start(id, { until });
  assert.deepEqual([started.state, started.to, started.until], ['recording', null, until]);
  await store.clock.advance(60_000);
  const ended = await read(started.id);
  assert.deepEqual([ended.state, ended.to, ended.until, ended.stoppedAt], ['stopped', until, null, until]);
  await store.fill(id, 0, 2);
  assert.equal((await read(started.id)).segmentCount, 0);
  await store.upkeep.recordingEnds.runOnce({ signal: AbortSignal.timeout(5000) });
  assert.equal((await store.stores.catalog.getHold(started.id)).stoppedAtMs, store.nowMs);
});

test('a source whose clock is behind is recorded from what is seen', async () => {
  const { store } = api;
  const { id } = await store.stream('behind');
  await store.touch(id, store.nowMs, store.nowMs - 600_000);
  await store.clock.advance(10_000);
  const started = await start(id);
  assert.equal(started.from, iso(store.nowMs - 600_000));
  await store.touch(id, store.nowMs, store.nowMs - 600_000);
  await store.clock.advance(20_000);
  const { json } = await api.call<RecordingJson>(`/v1/recordings/${started.id}/stop`, { method: 'POST' });
  assert.equal(json.to, iso(store.nowMs - 600_000));
  // A silent one has no clock to go by.
  await store.clock.advance(60_000);
  assert.equal((await start(id)).from, iso(store.nowMs));
});

test('recordings are listed newest first, by stream and by time, a page at a time, and are changed', async () => {
  const { store } = api;
  const [a, b] = [await filled(4), await filled(4)];
  const ids: string[] = [];
  for (const [stream, fromMs] of [
    [a, store.nowMs - 100_000],
    [b, store.nowMs - 60_000],
    [a, store.nowMs - 30_000],
  ] as const) {
    ids.push((await start(stream, { from: iso(fromMs) })).id);
    await store.clock.advance(1);
  }
  await api.call(`/v1/recordings/${ids[0]}/stop`, { body: { at: iso(store.nowMs - 50_000) } });
  const list = async (path: string): Promise<number[]> =>
    (await api.call<List>(path)).json.items.map(({ id }) => ids.indexOf(id)).filter((index) => index >= 0);
  assert.deepEqual(await list('/v1/recordings?limit=1000'), [2, 1, 0]);
  assert.deepEqual(await list(`/v1/recordings?streamId=${a}`), [2, 0]);
  assert.deepEqual(await list(`/v1/streams/${a}/recordings`), [2, 0]);
  assert.deepEqual(await list(`/v1/streams/${a}/recordings?to=${iso(store.nowMs - 40_000)}`), [0]);
  assert.deepEqual(await list(`/v1/streams/${a}/recordings?from=${iso(store.nowMs - 40_000)}`), [2]);
  const first = (await api.call<List>(`/v1/streams/${a}/recordings?limit=1`)).json;
  assert.deepEqual(await list(`/v1/streams/${a}/recordings?limit=1&cursor=${first.nextCursor}`), [0]);
  const path = `/v1/recordings/${ids[2]}`;
  const renamed = await api.call<RecordingJson>(path, { method: 'PATCH', body: { title: 'Renamed' } });
  assert.deepEqual([renamed.json.title, renamed.json.metadata], ['Renamed', {}]);
  await api.call(path, { method: 'PATCH', body: { metadata: { a: 'b' } } });
  const { title, metadata } = await read(String(ids[2]));
  assert.deepEqual([title, metadata], ['Renamed', { a: 'b' }]);
  await api.refused(400, 'invalid_argument', path, { method: 'PATCH', body: { from: iso(0) } });
  assert.equal((await api.call(path, { method: 'DELETE' })).status, 204);
  await api.refused(410, 'gone', path);
  assert.deepEqual(await list(`/v1/streams/${a}/recordings`), [0]);
});

test('a stream with recordings is not removed in passing', async () => {
  const id = await filled(2);
  const { id: recording } = await start(id, { title: 'Kept' });
  const { detail } = await api.refused(409, 'conflict', `/v1/streams/${id}`, { method: 'DELETE' });
  assert.ok(detail.includes(`${recording} ("Kept")`) && detail.includes('force=true'), detail);
  assert.equal((await api.call(`/v1/streams/${id}?force=true`, { method: 'DELETE' })).status, 204);
  await api.refused(404, 'not_found', `/v1/recordings/${recording}`);
  const other = await filled(1);
  await api.call(`/v1/recordings/${(await start(other)).id}`, { method: 'DELETE' });
  assert.equal((await api.call(`/v1/streams/${other}`, { method: 'DELETE' })).status, 204);
});

test('a link opens what it was made for, for as long as it says', async () => {
  const id = await filled(2);
  const { id: recording } = await start(id, { from: iso(api.store.nowMs - 60_000) });
  const archive = await api.store.stores.catalog.createHold({
    id: 'arc_0123456789abcdef',
    streamId: id,
    kind: 'archive',
    name: 'x',
    fromMs: wallMs(0),
    toMs: wallMs(1),
    sessionId: null,
    expiresAtMs: null,
  });
  for (const [path, playlist, resource] of [
    [`streams/${id}`, 'master', { kind: 'stream', id }],
    [`archives/${archive.id}`, 'index', { kind: 'hold', id: archive.id }],
    [`recordings/${recording}`, 'index', { kind: 'hold', id: recording }],
  ] as const) {
    const { status, json } = await api.call<{ url: string; expiresAt: string }>(`/v1/${path}/share`, {
      body: { expiresIn: 60 },
    });
    assert.equal(status, 201);
    assertShape(ShareShape, json);
    const [url, token] = json.url.split('?token=');
    assert.equal(url, `/play/${path}/${playlist}.m3u8`);
    await api.access.verifyPlaybackToken(String(token), resource);
    await assert.rejects(api.access.verifyPlaybackToken(String(token), { ...resource, id: 'rec_other' }));
    assert.equal(Date.parse(json.expiresAt), Math.floor(api.store.nowMs / 1000) * 1000 + 60_000);
  }
});
