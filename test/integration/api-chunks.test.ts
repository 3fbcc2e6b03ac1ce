import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { streamDefaults } from '../../src/app/stream-defaults.ts';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import { randomIds } from '../../src/base/ids.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { deadLetterTopic } from '../../src/events/event-log.ts';
import { CHUNKS_TOPIC, type ChunkEventValue } from '../../src/ingest/chunks/chunk-event.ts';
import { ChunkIntake } from '../../src/ingest/chunks/chunk-intake.ts';
import { PutDoor } from '../../src/ingest/chunks/put-door.ts';
import { LastSeen } from '../../src/ingest/frames/last-seen.ts';
import type { ChunkTargetJson } from '../fixtures/chunk-encoder.ts';
import { ApiHarness } from './api-harness.ts';

let api: ApiHarness;
let keys: Readonly<Record<'ingest' | 'read' | 'foreign', string>>;
let stream: StreamJson;
before(async () => {
  api = await ApiHarness.start({
    deps: ({ stores, clock, config }) => {
      const { catalog, objects, events, putGrants } = stores;
      const lastSeen = new LastSeen({ catalog, clock, logger: silentLogger });
      const shared = { catalog, objects, events, clock, ids: randomIds, lastSeen, maxChunkBytes: 1000 };
      const intake = new ChunkIntake({ ...shared, defaults: streamDefaults(config) });
      return { chunks: { intake, putDoor: new PutDoor({ objects, grants: putGrants }) } };
    },
  });
  keys = {
    ingest: await api.key('acme', 'ingest'),
    read: await api.key('acme', 'read'),
    foreign: await api.key('other', 'ingest', 'read'),
  };
  const manage = await api.key('acme', 'manage');
  const made = await api.call<StreamJson>('/v1/streams', { body: { kind: 'chunks', name: 'match' }, key: manage });
  assert.equal(made.status, 201, made.text);
  stream = made.json;
});
after(() => api[Symbol.asyncDispose]());

async function target(): Promise<ChunkTargetJson> {
  const path = `/v1/streams/${stream.id}/chunk-urls`;
  const { json, text } = await api.call<{ readonly items: readonly ChunkTargetJson[] }>(path, {
    method: 'POST',
    key: keys.ingest,
  });
  assert.deepEqual([json.items.length, json.items[0]?.chunkIndex], [60, 0], text);
  const [item] = json.items;
  assert.ok(item !== undefined, text);
  return item;
}

function event(objectKey: string): ChunkEventValue {
  return {
    stream_id: stream.id,
    chunk_index: 0,
    sequence_number: 0,
    timestamp: new Date(api.store.nowMs).toISOString(),
    size_bytes: 5,
    duration_ms: 2000,
    keyframe_aligned: true,
    checksum: `md5:${'0'.repeat(32)}`,
    object_key: objectKey,
  };
}

async function logged(): Promise<number> {
  return (await api.store.stores.events.peek(CHUNKS_TOPIC, { limit: 100 })).length;
}

test('places and announcements need a key that may send, of the stream’s own tenant; reading one that may read or send', async () => {
  const { objectKey } = await target();
  const before = await logged();
  const urls = `/v1/streams/${stream.id}/chunk-urls`;
  const calls: readonly (readonly [string, object])[] = [
    [urls, { count: 1 }],
    ['/v1/events/chunks', { events: [event(objectKey)] }],
  ];
  for (const [path, body] of calls) {
    await api.refused(401, 'unauthenticated', path, { body });
    await api.refused(403, 'permission_denied', path, { body, key: keys.read });
    await api.refused(404, 'not_found', path, { body, key: keys.foreign });
  }
  assert.equal(await logged(), before);
  const chunks = `/v1/streams/${stream.id}/chunks`;
  await api.refused(401, 'unauthenticated', chunks);
  await api.refused(404, 'not_found', chunks, { key: keys.foreign });
  for (const key of [keys.read, keys.ingest]) {
    const { status, json } = await api.call(chunks, { key });
    assert.deepEqual([status, json], [200, { nextIndex: 0, taken: [], missing: 0, rejected: [] }]);
  }
  const body = { events: [{ ...event(objectKey), stream_type: 'LIVE', match_home: 'x' }] };
  const taken = await api.call('/v1/events/chunks', { body, key: keys.ingest });
  assert.deepEqual([taken.status, taken.json], [202, { accepted: 1 }]);
  assert.equal(await logged(), before + 1);
  const [newest] = (await api.store.stores.events.peek(CHUNKS_TOPIC, { limit: 1 })).slice(-1);
  assert.deepEqual(
    { ...(newest?.value as object) },
    { ...event(objectKey), audio_track_id: null, video_track_id: null },
    'what is not documented stays out of the log',
  );
});

test('bytes need no key, and no more than the URL that was given; its time is the server’s', async () => {
  const { url, objectKey } = await target();
  const { pathname, origin } = new URL(url);
  assert.equal(origin, api.url, 'it leads to where it was asked for');
  const put = await api.call(pathname, { method: 'PUT', body: Buffer.from('bytes') });
  assert.deepEqual([put.status, put.text], [201, '']);
  const stored = await api.store.stores.objects.get(objectKey);
  assert.equal(Buffer.from(stored).toString(), 'bytes');
  await api.refused(413, 'payload_too_large', pathname, { method: 'PUT', body: Buffer.alloc(1001) });
  const late = new URL((await target()).url).pathname;
  await api.store.clock.advance(3_601_000);
  await api.refused(403, 'permission_denied', late, { method: 'PUT', body: Buffer.from('bytes') });
});

test('what was given up is shown to its stream’s tenant, and what leads nowhere to admins', async () => {
  const admin = await api.key(null, 'admin');
  const letter = { code: 'corrupt_media', cause: 'x', tries: 1, event: event('k'), diedAt: '2026-11-20T10:30:00Z' };
  const topic = deadLetterTopic(CHUNKS_TOPIC);
  const nowhere = randomIds.next('stream');
  await api.store.stores.events.publish(
    topic,
    [stream.id, nowhere, 'nonsense'].map((key) => ({ key, value: letter })),
  );
  const count = async (key: string, query = '?topic=chunks'): Promise<number> =>
    (await api.call<{ readonly items: readonly unknown[] }>(`/v1/dead-letters${query}`, { key })).json.items.length;
  assert.deepEqual([await count(keys.read), await count(keys.foreign), await count(admin)], [1, 0, 3]);
  assert.equal(await count(admin, ''), 0, 'frames unless asked');
  await api.refused(400, 'invalid_argument', '/v1/dead-letters?topic=other', { key: admin });
});

test('the routes are described, with what each answers', async () => {
  const { json } = await api.call<{ readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>> }>(
    '/openapi.json',
  );
  assert.deepEqual(
    Object.keys(json.paths)
      .filter((path) => path.includes('chunk'))
      .toSorted(),
    ['/ingest/chunks/{token}', '/v1/events/chunks', '/v1/streams/{id}/chunk-urls', '/v1/streams/{id}/chunks'],
  );
});
