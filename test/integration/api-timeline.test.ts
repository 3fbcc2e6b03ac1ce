import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  ArchiveShape,
  ClockShape,
  DeadLetterShape,
  MarkerShape,
  pageOf,
  ServerShape,
  TimelineShape,
  type ArchiveJson,
  type MarkerJson,
  type TimelineJson,
} from '../../src/api/rest/shapes.ts';
import type { ClockJson } from '../../src/api/rest/clock-answer.ts';
import { randomIds } from '../../src/base/ids.ts';
import { wallMs } from '../../src/base/time.ts';
import { deadLetterTopic } from '../../src/events/event-log.ts';
import { FRAMES_TOPIC } from '../../src/ingest/frames/frame-event.ts';
import { ApiHarness, assertShape, iso } from './api-harness.ts';

let api: ApiHarness;
before(async () => {
  api = await ApiHarness.start();
});
after(() => api[Symbol.asyncDispose]());

interface PageOf<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

async function timeline(id: string, fromMs: number, toMs: number): Promise<TimelineJson> {
  const reply = await api.call<TimelineJson>(`/v1/streams/${id}/timeline?from=${iso(fromMs)}&to=${iso(toMs)}`);
  assert.equal(reply.status, 200, reply.text);
  assertShape(TimelineShape, reply.json);
  return reply.json;
}

test('a timeline tells stretches, gaps, sessions, markers and holds', async () => {
  const { store } = api;
  const { catalog } = store.stores;
  const stream = await store.stream('timeline');
  const t0 = store.nowMs - 600_000;
  for (const startMs of [t0, t0 + 30_000, t0 + 300_000]) await store.append(stream.id, { startMs });
  await store.touch(stream.id, t0 + 330_000);
  const marker = { id: randomIds.next('marker'), streamId: stream.id, label: 'x', type: 'note', data: {} };
  await catalog.addMarker({ ...marker, atMs: wallMs(t0 + 5000), untilMs: null });
  const archiveId = randomIds.next('archive');
  await catalog.createHold({
    id: archiveId,
    streamId: stream.id,
    kind: 'archive',
    name: 'kept',
    fromMs: wallMs(t0),
    toMs: wallMs(t0 + 60_000),
    sessionId: null,
    expiresAtMs: null,
  });

  const all = await timeline(stream.id, t0 - 60_000, store.nowMs);
  assert.deepEqual(
    all.stretches.map((stretch) => [stretch.from, stretch.to, stretch.segmentCount, stretch.frameCount]),
    [
      [iso(t0), iso(t0 + 60_000), 2, 12],
      [iso(t0 + 300_000), iso(t0 + 330_000), 1, 6],
    ],
  );
  assert.deepEqual(all.gaps, [
    { from: iso(t0 + 60_000), to: iso(t0 + 300_000) },
    { from: iso(t0 + 330_000), to: iso(store.nowMs) },
  ]);
  assert.equal(all.liveEdge, iso(t0 + 330_000));
  assert.equal(all.sessions.length, 2);
  assert.deepEqual(
    all.sessions.map((session) => session.open),
    [false, true],
  );
  assert.equal(all.markers.length, 1);
  assert.deepEqual(
    all.holds.map((hold) => hold.id),
    [archiveId],
  );

  const inGap = await timeline(stream.id, t0 + 100_000, t0 + 200_000);
  assert.deepEqual([inGap.stretches, inGap.gaps], [[], [{ from: iso(t0 + 100_000), to: iso(t0 + 200_000) }]]);

  const whole = await api.call<TimelineJson>(`/v1/streams/${stream.id}/timeline`);
  assert.equal(Date.parse(whole.json.to) - Date.parse(whole.json.from), 86_400_000);
  await store.touch(stream.id, store.nowMs);
  const sending = await timeline(stream.id, t0, store.nowMs);
  assert.equal(sending.gaps.length, 1, 'a source that sends has no gap at its live edge');
});

test('a timeline of nothing is empty, and a range must be one', async () => {
  const { id } = await api.store.stream('empty');
  const empty = await timeline(id, api.store.nowMs - 1000, api.store.nowMs);
  assert.deepEqual([empty.stretches, empty.gaps, empty.liveEdge], [[], [], null]);
  const at = (ms: number): string => iso(api.store.nowMs + ms);
  await api.refused(400, 'invalid_argument', `/v1/streams/${id}/timeline?from=${at(0)}&to=${at(0)}`);
  await api.refused(422, 'out_of_range', `/v1/streams/${id}/timeline?from=${at(-33 * 86_400_000)}&to=${at(0)}`);
  await api.refused(400, 'invalid_argument', `/v1/streams/${id}/timeline?from=today`);
  await api.refused(404, 'not_found', `/v1/streams/${id}/clock?at=${at(0)}`);
  await api.refused(404, 'not_found', `/v1/streams/${id}/clock?pts90k=0`);
});

test('wall time and media time map onto each other to the tick', async () => {
  const { store } = api;
  const stream = await store.stream('clock');
  const other = await store.stream('clock-of-another');
  const t0 = store.nowMs - 600_000;
  await store.append(stream.id, { startMs: t0 });
  const second = await store.append(stream.id, { startMs: t0 + 30_000 });
  const third = await store.append(stream.id, { startMs: t0 + 300_000 });
  const elsewhere = await store.append(other.id, { startMs: t0 });
  const clock = async (query: string): Promise<ClockJson> => {
    const reply = await api.call<ClockJson>(`/v1/streams/${stream.id}/clock?${query}`);
    assert.equal(reply.status, 200, reply.text);
    assertShape(ClockShape, reply.json);
    assert.ok(reply.json.errorMs <= 0.006);
    return reply.json;
  };
  const inside = await clock(`at=${iso(t0 + 37_123)}`);
  assert.deepEqual(
    [inside.pts90k, inside.epochId, inside.segmentId, inside.sequence, inside.frameAt, inside.anchorAt],
    [37_123 * 90, second.epoch.id, second.segment.id, 1, iso(t0 + 35_000), iso(t0)],
  );
  assert.deepEqual(await clock(`pts90k=${inside.pts90k}&epochId=${inside.epochId}`), inside);
  const newest = await clock('pts90k=0');
  assert.deepEqual([newest.at, newest.epochId, newest.sequence], [iso(t0 + 300_000), third.epoch.id, 2]);
  const gap = await clock(`at=${iso(t0 + 100_000)}`);
  assert.deepEqual([gap.epochId, gap.segmentId, gap.pts90k, gap.frameAt], [second.epoch.id, null, 9_000_000, null]);
  const before = await clock(`at=${iso(t0 - 1000)}`);
  assert.deepEqual([before.epochId, before.pts90k], [second.epoch.id, -90_000]);
  for (const query of ['', `at=${iso(t0)}&pts90k=0`, 'at=noon', 'pts90k=1.5', 'pts90k=1e15']) {
    await api.refused(400, 'invalid_argument', `/v1/streams/${stream.id}/clock?${query}`);
  }
  for (const epochId of [elsewhere.epoch.id, 'epo_0123456789abcdef', 'x']) {
    await api.refused(404, 'not_found', `/v1/streams/${stream.id}/clock?pts90k=0&epochId=${epochId}`);
  }
});

test('markers are made, listed by time and in the order of their making, and removed', async () => {
  const stream = await api.store.stream('marked');
  const path = `/v1/streams/${stream.id}/markers`;
  const t0 = api.store.nowMs;
  const make = async (body: object): Promise<MarkerJson> => {
    const reply = await api.call<MarkerJson>(path, { body });
    assert.equal(reply.status, 201, reply.text);
    assertShape(MarkerShape, reply.json);
    return reply.json;
  };
  const late = await make({
    at: iso(t0 + 5000),
    label: 'late',
    type: 'motion',
    data: { score: 0.5, deep: { a: [1] } },
  });
  assert.deepEqual(late.data, { score: 0.5, deep: { a: [1] } });
  const range = await make({ at: iso(t0), until: iso(t0 + 2000), label: 'range' });
  assert.deepEqual([range.type, range.until], ['note', iso(t0 + 2000)]);
  const list = async (query: string): Promise<readonly string[]> => {
    const reply = await api.call<PageOf<MarkerJson>>(`${path}?${query}`);
    assertShape(pageOf(MarkerShape), reply.json);
    return reply.json.items.map((marker) => marker.label);
  };
  assert.deepEqual(await list(''), ['range', 'late']);
  assert.deepEqual(await list(`from=${iso(t0 + 1000)}`), ['range', 'late']);
  assert.deepEqual(await list(`from=${iso(t0 + 3000)}`), ['late']);
  assert.deepEqual(await list(`to=${iso(t0 + 5000)}`), ['range']);
  assert.deepEqual(await list(`after=${late.id}`), ['range']);
  await api.refused(400, 'invalid_argument', `${path}?after=x`);
  await api.refused(400, 'invalid_argument', path, { body: { at: iso(t0), until: iso(t0 - 1), label: 'x' } });
  await api.refused(400, 'invalid_argument', path, { body: { at: iso(t0), label: '', type: 'Motion!' } });
  await api.refused(413, 'payload_too_large', path, {
    body: { at: iso(t0), label: 'x', data: { a: 'x'.repeat(4096) } },
  });
  assert.equal((await api.call(`${path}/${late.id}`, { method: 'DELETE' })).status, 204);
  await api.refused(404, 'not_found', `${path}/${late.id}`, { method: 'DELETE' });
  await api.refused(404, 'not_found', `${path}/x`, { method: 'DELETE' });
  assert.deepEqual(await list(''), ['range']);
});

test('archives are listed, read and let go', async () => {
  const { catalog } = api.store.stores;
  const stream = await api.store.stream('archived');
  const [fromMs, toMs] = [wallMs(api.store.nowMs - 60_000), api.store.nowMs];
  const hold = { streamId: stream.id, name: 'kept', fromMs, toMs, sessionId: null, expiresAtMs: null };
  const archive = await catalog.createHold({ ...hold, id: randomIds.next('archive'), kind: 'archive' });
  const recording = await catalog.createHold({ ...hold, id: randomIds.next('recording'), kind: 'recording' });
  const list = async (query: string): Promise<readonly string[]> => {
    const reply = await api.call<PageOf<ArchiveJson>>(`/v1/archives?${query}`);
    assertShape(pageOf(ArchiveShape), reply.json);
    return reply.json.items.map((item) => item.id);
  };
  assert.deepEqual(await list(`streamId=${stream.id}`), [archive.id]);
  assert.deepEqual(await list(`streamId=${stream.id}&to=${iso(fromMs)}`), []);
  const read = await api.call<ArchiveJson>(`/v1/archives/${archive.id}`);
  assertShape(ArchiveShape, read.json);
  assert.equal(read.json.url, `/play/archives/${archive.id}/index.m3u8`);
  await api.refused(404, 'not_found', `/v1/archives/${recording.id}`);
  await api.refused(404, 'not_found', '/v1/archives/arc_0123456789abcdef');
  await api.refused(404, 'not_found', '/v1/archives?streamId=x');
  assert.equal((await api.call(`/v1/archives/${archive.id}`, { method: 'DELETE' })).status, 204);
  await api.refused(410, 'gone', `/v1/archives/${archive.id}`);
  await api.refused(410, 'gone', `/v1/archives/${archive.id}`, { method: 'DELETE' });
  assert.deepEqual(await list(`streamId=${stream.id}`), []);
});

test('the server tells of itself and of what it gave up', async () => {
  const server = await api.call('/v1/server');
  assertShape(ServerShape, server.json);
  const { version, roles } = server.json as { version: string; roles: readonly string[] };
  assert.deepEqual([version, roles], ['1.2.3', ['api']]);

  const letters = ['a', 'b', 'c'].map((clientId) => ({
    key: `${clientId}/cam`,
    value: { code: 'corrupt_media', cause: 'No JPEG.', tries: 1, event: { clientId }, diedAt: iso(api.store.nowMs) },
  }));
  await api.store.stores.events.publish(deadLetterTopic(FRAMES_TOPIC), letters);
  const listed = async (query: string): Promise<readonly string[]> => {
    const reply = await api.call<PageOf<{ event: { clientId: string } }>>(`/v1/dead-letters${query}`);
    assert.equal(reply.status, 200, reply.text);
    assertShape(pageOf(DeadLetterShape), reply.json);
    return reply.json.items.map((item) => item.event.clientId);
  };
  assert.deepEqual((await listed('')).toSorted(), ['a', 'b', 'c']);
  assert.equal((await listed('?limit=2')).length, 2);
  await api.refused(400, 'invalid_argument', '/v1/dead-letters?limit=0');
});
