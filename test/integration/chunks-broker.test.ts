import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStores } from '../../src/app/stores.ts';
import { streamDefaults } from '../../src/app/stream-defaults.ts';
import { systemClock } from '../../src/base/clock.ts';
import { randomIds } from '../../src/base/ids.ts';
import { Lifecycle } from '../../src/base/lifecycle.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { deadLetterTopic, type DeadLetter } from '../../src/events/event-log.ts';
import { CHUNK_GROUP, chunkKey, CHUNKS_TOPIC, type ChunkEventValue } from '../../src/ingest/chunks/chunk-event.ts';
import { createChunkIngest } from '../../src/ingest/chunks/chunk-ingest.ts';
import { noChunkMetrics } from '../../src/ingest/chunks/chunk-metrics.ts';
import { LastSeen } from '../../src/ingest/frames/last-seen.ts';
import { makeChunks } from '../fixtures/chunk-encoder.ts';
import { eventually } from '../fixtures/processes.ts';

test('events that come through the broker are judged as those at the door; what is wrong goes to the dead letters', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'zoetrope-broker-'));
  t.after(() => rm(directory, { recursive: true }));
  const { config } = await loadConfig({ environment: { ZOETROPE_DATA_DIR: directory } });
  const deps = { clock: systemClock, ids: randomIds, logger: silentLogger };
  const { catalog, objects, events } = await openStores(config, deps);
  const lastSeen = new LastSeen({ ...deps, catalog });
  const shared = { ...deps, catalog, objects, events, lastSeen, metrics: noChunkMetrics };
  const ingest = createChunkIngest({ ...shared, defaults: streamDefaults(config), maxChunkBytes: 10_000_000 });
  const lifecycle = new Lifecycle('test', [objects, events, catalog, lastSeen, ingest], deps);
  await lifecycle.start(AbortSignal.timeout(20_000));
  t.after(() => lifecycle.close());
  const make = async (kind: 'chunks' | 'push'): Promise<string> => {
    const id = randomIds.next('stream');
    await catalog.createStream({ id, tenant: 'acme', kind, name: kind, deviceId: null, settings: {} });
    return id;
  };
  const [own, other, pushed] = [await make('chunks'), await make('chunks'), await make('push')];
  const media = await makeChunks('fmp4', 2);
  const startMs = Date.now() - 10_000;
  const event = async (streamId: string, index: number): Promise<ChunkEventValue> => {
    const bytes = media[index] ?? Buffer.of();
    const key = chunkKey(streamId, index, randomIds.next('chunk'));
    await objects.put(key, bytes);
    return {
      stream_id: streamId,
      chunk_index: index,
      sequence_number: index,
      timestamp: new Date(startMs + index * 2000).toISOString(),
      size_bytes: bytes.length,
      duration_ms: 2000,
      keyframe_aligned: true,
      checksum: `md5:${createHash('md5').update(bytes).digest('hex')}`,
      object_key: key,
    };
  };
  const [first, second, foreign] = [await event(own, 0), await event(own, 1), await event(other, 0)];
  const missing = randomIds.next('stream');
  await events.publish(CHUNKS_TOPIC, [
    { key: own, value: { ...first, stream_type: 'LIVE', match_home: 'x' } },
    { key: own, value: 'nonsense' },
    { key: '', value: second },
    { key: own, value: { ...second, object_key: foreign.object_key } },
    { key: own, value: { ...second, object_key: `media/${own}/x.m4s` } },
    { key: own, value: second },
    { key: missing, value: await event(missing, 0) },
    { key: pushed, value: await event(pushed, 0) },
    { key: other, value: { ...foreign, checksum: `md5:${'0'.repeat(32)}` } },
    { key: own, value: { stream_id: own, type: 'end' } },
  ]);
  await eventually(
    'all is worked through',
    async () => ((await events.lag(CHUNKS_TOPIC, CHUNK_GROUP)) === 0 ? true : undefined),
    { timeoutMs: 20_000, everyMs: 20 },
  );
  assert.deepEqual(await catalog.takenChunks(own), [{ firstIndex: 0, lastIndex: 1 }]);
  assert.ok((await catalog.getStream(own)).endedAtMs !== null);
  assert.deepEqual(await catalog.takenChunks(other), []);
  const letters = await events.peek(deadLetterTopic(CHUNKS_TOPIC), { limit: 100 });
  const causes = letters.map(({ key, value }) => {
    const { code, cause } = value as DeadLetter;
    return `${key} ${code}: ${cause}`;
  });
  const expected: readonly RegExp[] = [
    new RegExp(`^${own} invalid_argument: A chunk event must be a JSON object`),
    /^ invalid_argument: .* needs its stream_id as its key/,
    new RegExp(`^${own} invalid_argument: "object_key" .* Got "chunks/${other}`),
    new RegExp(`^${own} invalid_argument: "object_key" .* Got "media/`),
    new RegExp(`^${missing} not_found: `),
    new RegExp(`^${pushed} precondition_failed: .* of kind push`),
    new RegExp(`^${other} corrupt_media: .* announced was 0{32}`),
  ];
  assert.equal(causes.length, expected.length, causes.join('\n'));
  for (const pattern of expected)
    assert.ok(
      causes.some((cause) => pattern.test(cause)),
      `${pattern}\n${causes.join('\n')}`,
    );
  // What was named by an event that was refused is still there; what was taken is not.
  assert.equal((await objects.head(foreign.object_key)).sizeBytes, media[0]?.length);
  await assert.rejects(objects.head(first.object_key));
});
