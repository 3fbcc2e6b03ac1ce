import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import type { MarkerJson } from '../../src/api/rest/shapes.ts';
import { SseHub } from '../../src/api/rest/sse.ts';
import { FakeClock } from '../../src/base/fake-clock.ts';
import { ApiHarness, CountingMetrics, iso, type EventReader } from './api-harness.ts';

let api: ApiHarness;
const readers: EventReader[] = [];
before(async () => {
  api = await ApiHarness.start();
});
afterEach(async () => {
  for (const reader of readers.splice(0)) {
    reader.close();
    await reader.ended;
  }
});
after(() => api[Symbol.asyncDispose]());

async function follow(path: string, headers: Readonly<Record<string, string>> = {}): Promise<EventReader> {
  const reader = await api.follow(path, headers);
  readers.push(reader);
  return reader;
}

async function mark(streamId: string, label: string): Promise<MarkerJson> {
  const body = { at: iso(api.store.nowMs), label };
  return (await api.call<MarkerJson>(`/v1/streams/${streamId}/markers`, { body })).json;
}

test('followers of streams get every state at first, then what changes, once a second', async () => {
  const { store } = api;
  const first = await store.stream('sse-1');
  const reader = await follow('/v1/streams/events');
  const known = await reader.next((event) => event.data['id'] === first.id);
  assert.deepEqual([known.event, known.data['state']], ['stream', 'new']);

  for (let frame = 1; frame <= 5; frame++) await store.touch(first.id, store.nowMs + frame);
  await store.clock.advance(1000);
  const online = await reader.next((event) => event.data['id'] === first.id);
  assert.deepEqual(online.data, {
    id: first.id,
    state: 'online',
    lastCapturedAt: iso(store.nowMs - 1000 + 5),
    lastReceivedAt: iso(store.nowMs - 1000 + 5),
  });
  assert.deepEqual(
    reader.events.filter((event) => event.data['id'] === first.id),
    [],
    'five frames, one event',
  );

  let offline = false;
  void reader.next((event) => event.data['state'] === 'offline').then(() => (offline = true));
  await api.advanceUntil(() => offline, 'offline');

  await api.call(`/v1/streams/${first.id}`, { method: 'DELETE' });
  let removed = false;
  void reader.next((event) => event.event === 'removed' && event.data['id'] === first.id).then(() => (removed = true));
  await api.advanceUntil(() => removed, 'removed');
});

test('the catalog is read once however many follow, and not at all for none', async () => {
  const { catalog } = api.store.stores;
  const list = catalog.listStreams.bind(catalog);
  let reads = 0;
  Object.assign(catalog, { listStreams: (...request: Parameters<typeof list>) => (reads++, list(...request)) });
  await api.store.clock.advance(5000);
  assert.equal(reads, 0);
  const many = await Promise.all(Array.from({ length: 20 }, () => follow('/v1/streams/events')));
  assert.equal(api.metrics.subscribers, 20);
  const afterJoining = reads;
  for (let second = 0; second < 3; second++) await api.store.clock.advance(1000);
  assert.ok(reads - afterJoining <= 3, `${reads - afterJoining} reads in 3 s`);
  for (const reader of many) reader.close();
  await Promise.all(many.map((reader) => reader.ended));
  await api.advanceUntil(() => api.metrics.subscribers === 0, 'all gone');
  await api.store.clock.advance(1000);
  const afterLeaving = reads;
  await api.store.clock.advance(5000);
  assert.equal(reads, afterLeaving);
  Object.assign(catalog, { listStreams: list });
});

test('markers come as they are made and removed, to every follower of their stream alone', async () => {
  const [mine, other] = [await api.store.stream('sse-m1'), await api.store.stream('sse-m2')];
  const old = await mark(mine.id, 'before');
  const followers = [
    await follow(`/v1/streams/${mine.id}/markers/events`),
    await follow(`/v1/streams/${mine.id}/markers/events`),
  ];
  const stranger = await follow(`/v1/streams/${other.id}/markers/events`);
  const made = await mark(mine.id, 'now');
  await api.call(`/v1/streams/${mine.id}/markers/${old.id}`, { method: 'DELETE' });
  for (const reader of followers) {
    const event = await reader.next(({ event: name }) => name === 'marker');
    assert.deepEqual([event.id, event.data], [made.id, made]);
    assert.deepEqual((await reader.next(({ event: name }) => name === 'removed')).data, { id: old.id });
  }
  await mark(other.id, 'elsewhere');
  assert.equal((await stranger.next(() => true)).data['label'], 'elsewhere');
});

test('Last-Event-ID resumes behind the marker it names, without loss or repeat, even when that was removed', async () => {
  const { id } = await api.store.stream('sse-resume');
  const path = `/v1/streams/${id}/markers/events`;
  const seen = await mark(id, 'seen');
  const missed = [await mark(id, 'missed 1'), await mark(id, 'missed 2')];
  const labels = async (reader: EventReader, count: number): Promise<unknown[]> => {
    const found: unknown[] = [];
    while (found.length < count) found.push((await reader.next((event) => event.event === 'marker')).data['label']);
    return found;
  };
  const resumed = await follow(path, { 'last-event-id': seen.id });
  const made = await Promise.all([mark(id, 'a'), mark(id, 'b')]);
  assert.equal(made.length, 2);
  const all = await labels(resumed, 4);
  assert.deepEqual(all.slice(0, 2), ['missed 1', 'missed 2']);
  assert.deepEqual(new Set(all.slice(2)), new Set(['a', 'b']));

  await api.call(`/v1/streams/${id}/markers/${missed[0]?.id}`, { method: 'DELETE' });
  const fromRemoved = await follow(path, { 'last-event-id': missed[0]?.id ?? '' });
  assert.equal((await labels(fromRemoved, 1))[0], 'missed 2');
  await api.refused(400, 'invalid_argument', path, { headers: { 'last-event-id': 'x' } });
});

test('markers that another process removes are noticed', async () => {
  const { id } = await api.store.stream('sse-remote');
  const marker = await mark(id, 'doomed');
  const reader = await follow(`/v1/streams/${id}/markers/events`);
  const { openStores } = await import('../../src/app/stores.ts');
  const { clock, config } = api.store;
  const { randomIds } = await import('../../src/base/ids.ts');
  const { catalog } = await openStores(config, { clock, ids: randomIds, logger: api.logger });
  await catalog.start(AbortSignal.timeout(10_000));
  await catalog.deleteMarker(id, marker.id);
  await catalog.close();
  let removed = false;
  void reader.next((event) => event.event === 'removed' && event.data['id'] === marker.id).then(() => (removed = true));
  await api.advanceUntil(() => removed, 'removed');
});

test('a heartbeat keeps connections warm', async () => {
  const reader = await follow('/v1/streams/events');
  await api.store.clock.advance(15_000);
  await api.advanceUntil(() => reader.comments.includes('still here'), 'a heartbeat');
});

test('who reads too slowly is cut off and counted; HEAD subscribes nobody', async () => {
  const metrics = new CountingMetrics();
  const { fastify } = await import('fastify');
  const hub = new SseHub({ clock: new FakeClock(), metrics });
  const app = fastify();
  let send: (() => boolean) | undefined;
  app.get('/', (request, reply) =>
    hub.open(request, reply, async (connection) => {
      send = () => connection.send('x', { text: 'y'.repeat(100_000) });
      return () => undefined;
    }),
  );
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as { readonly port: number };
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'readable');
  const sendOne = send ?? assert.fail('the subscription did not begin');
  let sent = 0;
  while (sendOne() && sent < 10_000) sent += 1;
  assert.ok(sent > 10 && sent < 1000, `cut off after ${sent} events`);
  assert.equal(metrics.dropped, 1);
  socket.resume();
  await once(socket, 'close');
  const head = await fetch(`http://127.0.0.1:${port}/`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  while (metrics.subscribers !== 0) await new Promise((resolve) => setImmediate(resolve));
  hub.close();
  await app.close();
});

test('shutdown ends followers at once and lets requests under way finish', async () => {
  const arrived = Promise.withResolvers<void>();
  const mayGoOn = Promise.withResolvers<void>();
  const answer = { eventId: 'e', streamId: 's' };
  const acceptDeviceFrame = async (): Promise<typeof answer> => {
    arrived.resolve();
    await mayGoOn.promise;
    return answer;
  };
  const unused = (): never => assert.fail('not asked for');
  const own = await ApiHarness.start({
    deps: () => ({ intake: { acceptDeviceFrame, acceptFrame: unused, acceptEvents: unused } }),
  });
  const reader = await own.follow('/v1/streams/events');
  const running = own.call('/v1/devices/a/b/frames', {
    body: Buffer.from('x'),
    headers: { 'content-type': 'image/jpeg', 'x-captured-at': iso(own.store.nowMs) },
  });
  await arrived.promise;
  const closing = own[Symbol.asyncDispose]();
  await reader.ended;
  mayGoOn.resolve();
  const reply = await running;
  assert.deepEqual([reply.status, reply.headers.get('connection')], [202, 'close']);
  await closing;
  assert.deepEqual([own.metrics.subscribers, own.metrics.dropped], [0, 0]);
});
