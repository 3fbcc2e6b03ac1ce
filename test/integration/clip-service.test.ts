import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomIds } from '../../src/base/ids.ts';
import { wallMs, type WallMs } from '../../src/base/time.ts';
import { createClipService, type ClipService, type ClipToMake } from '../../src/recordings/clips.ts';
import type { Hold } from '../../src/timeline/hold.ts';
import type { Stream } from '../../src/timeline/stream.ts';
import { TimelineStore } from '../fixtures/timeline-store.ts';

const AGE_MS = 600_000;
const ASKED: ClipToMake = { mode: 'exact', gaps: 'skip', speed: 1, hold: null };

interface World extends AsyncDisposable {
  readonly store: TimelineStore;
  readonly clips: ClipService;
  readonly stream: Stream;
  readonly startMs: WallMs;
}

async function openWorld(): Promise<World> {
  const store = await TimelineStore.open();
  const { catalog, objects } = store.stores;
  const stream = await store.stream('camera');
  await store.fill(stream.id, AGE_MS, 3);
  const limits = { maxDurationMs: 3_600_000, retentionMs: 86_400_000, maxAttempts: 3 };
  const clips = createClipService({ catalog, objects, clock: store.clock, ids: randomIds, ...limits });
  const startMs = wallMs(store.nowMs - AGE_MS);
  return { store, clips, stream, startMs, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

function archiveOf({ store, stream, startMs }: World, toMs: WallMs | null): Promise<Hold> {
  return store.stores.catalog.createHold({
    id: randomIds.next('archive'),
    streamId: stream.id,
    kind: 'archive',
    name: 'session',
    fromMs: startMs,
    toMs,
    sessionId: null,
    expiresAtMs: null,
  });
}

test('of an archive, all of it unless said otherwise, and never more', async () => {
  await using world = await openWorld();
  const { clips, stream, startMs } = world;
  const hold = await archiveOf(world, wallMs(startMs + 20_000));
  const whole = await clips.create(stream, { ...ASKED, hold });
  assert.deepEqual([whole.spec.fromMs, whole.spec.toMs, whole.sourceHoldId], [hold.fromMs, hold.toMs, hold.id]);
  const part = await clips.create(stream, { ...ASKED, hold, fromMs: wallMs(startMs + 5_000) });
  assert.deepEqual([part.spec.fromMs, part.spec.toMs], [startMs + 5_000, hold.toMs]);
  for (const [fromMs, toMs] of [
    [-1, 1000],
    [1000, 20_001],
  ] as const) {
    const asked = { ...ASKED, hold, fromMs: wallMs(startMs + fromMs), toMs: wallMs(startMs + toMs) };
    await assert.rejects(clips.create(stream, asked), { code: 'out_of_range', message: /The archive arc_\w+ covers/ });
  }
});

test('of a hold that still grows, up to now', async () => {
  await using world = await openWorld();
  const hold = await archiveOf(world, null);
  const { spec } = await world.clips.create(world.stream, { ...ASKED, hold });
  assert.deepEqual([spec.fromMs, spec.toMs], [world.startMs, world.store.nowMs]);
});

test('where nothing is, nothing stays of what was asked for', async () => {
  await using world = await openWorld();
  const { clips, store, stream, startMs } = world;
  const asked = { ...ASKED, fromMs: wallMs(startMs - 9_000), toMs: wallMs(startMs - 1_000) };
  await assert.rejects(clips.create(stream, asked), { code: 'out_of_range', message: /has nothing from/ });
  const { catalog } = store.stores;
  assert.deepEqual((await catalog.listClips({}, { limit: 9 })).items, []);
  assert.deepEqual((await catalog.listHolds({ streamId: stream.id }, { limit: 9 })).items, []);
  assert.deepEqual(await catalog.taskCounts(), { waiting: 0, running: 0 });
});

test('segments that were lost are nothing', async () => {
  await using world = await openWorld();
  const { clips, store, stream, startMs } = world;
  const asked = { ...ASKED, fromMs: startMs, toMs: store.nowMs };
  for (const id of await store.segmentIds(stream.id)) await store.stores.catalog.setSegmentLost(id, true);
  await assert.rejects(clips.create(stream, asked), { code: 'out_of_range' });
});

test('a tenant has so many under way and no more', async () => {
  await using world = await openWorld();
  const { clips, store, stream, startMs } = world;
  const asked = { ...ASKED, fromMs: startMs, toMs: store.nowMs };
  const first = await clips.create(stream, asked);
  for (let count = 1; count < 200; count++) await clips.create(stream, asked);
  await assert.rejects(clips.create(stream, asked), { code: 'too_many' });
  await clips.remove(first.id);
  await clips.create(stream, asked);
});
