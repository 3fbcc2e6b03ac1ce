import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { streamDefaults } from '../../src/app/stream-defaults.ts';
import { randomIds } from '../../src/base/ids.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { wallMs } from '../../src/base/time.ts';
import type { PlaylistEntry, PushRecord } from '../../src/ingest/push/push-event.ts';
import { noPushMetrics } from '../../src/ingest/push/push-metrics.ts';
import { PushWriter } from '../../src/ingest/push/push-writer.ts';
import { makeHls } from '../fixtures/pushed-hls.ts';
import { TimelineStore } from '../fixtures/timeline-store.ts';

const SEGMENT_MS = 2000;

describe('a writer of what an encoder pushes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-writer-'));
  type Made = Awaited<ReturnType<typeof makeHls>>['files'];
  const media: { large: Made; small: Made; fmp4: Made; smallFmp4: Made } = {
    large: new Map(),
    small: new Map(),
    fmp4: new Map(),
    smallFmp4: new Map(),
  };
  before(async () => {
    const [large, small] = ['320x180', '160x90'];
    for (const [name, wish] of [
      ['large', { container: 'ts', seconds: 8, size: large }],
      ['small', { container: 'ts', seconds: 8, size: small }],
      ['fmp4', { container: 'fmp4', seconds: 8, size: large }],
      ['smallFmp4', { container: 'fmp4', seconds: 8, size: small }],
    ] as const) {
      const own = join(directory, name);
      await mkdir(own);
      media[name] = (await makeHls(wish, own)).files;
    }
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  async function world() {
    const store = await TimelineStore.open();
    const { catalog, objects } = store.stores;
    const streamId = randomIds.next('stream');
    await catalog.createStream({ id: streamId, tenant: 'acme', kind: 'push', name: 'x', deviceId: null, settings: {} });
    const persistence = { clock: store.clock, logger: silentLogger, signal: new AbortController().signal };
    const deps = { catalog, objects, ids: randomIds, metrics: noPushMetrics, persistence, seen: () => undefined };
    const startMs = store.clock.nowMs();
    let open = 0;
    const makeWriter = (): PushWriter =>
      new PushWriter(streamId, 1, { ...deps, defaults: streamDefaults(store.config) }, () => undefined);
    let writer = makeWriter();
    async function take(record: PushRecord): Promise<void> {
      open += 1;
      await writer.take({ record, done: () => void (open -= 1), bury: (_code, cause) => assert.fail(cause) });
    }
    return {
      store,
      /** Events that are not done. */
      open: (): number => open,
      async send(name: string, bytes: Buffer | undefined, kind: 'segment' | 'init' = 'segment'): Promise<void> {
        assert.ok(bytes !== undefined, name);
        const id = randomIds.next('segment');
        const objectKey = `pushes/${streamId}/${id}`;
        await objects.put(objectKey, bytes);
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        const container = bytes[0] === 0x47 ? 'ts' : 'fmp4';
        const common = { streamId, name, id, objectKey, sizeBytes: bytes.length, sha256 };
        await take({ kind, ...common, container, receivedAtMs: store.clock.nowMs() });
      },
      async list(name: string, segments: readonly (readonly [number, string])[], initName: string | null = null) {
        const entries = segments.map(([sequence, file]): PlaylistEntry => {
          const programDateTimeMs = wallMs(startMs + SEGMENT_MS * sequence);
          return { name: file, sequence, durationMs: SEGMENT_MS, programDateTimeMs, discontinuity: false, initName };
        });
        const receivedAtMs = store.clock.nowMs();
        const playlist = { streamId, name, targetDurationMs: SEGMENT_MS, isEnded: false, entries, receivedAtMs };
        await take({ kind: 'playlist', ...playlist });
      },
      async offer(names: readonly string[]): Promise<void> {
        const playlists = names.map((name) => {
          return { name, kind: 'pictures', language: null, label: null, isDefault: false } as const;
        });
        await take({ kind: 'multivariant', streamId, name: 'master.m3u8', playlists, receivedAtMs: 0 });
      },
      async pass(ms: number): Promise<void> {
        await store.clock.advance(ms);
        await writer.advance();
      },
      async window(rendition: string) {
        const { segments, epochs } = await catalog.dvrWindow(streamId, rendition);
        return segments.map((segment) => {
          const epoch = epochs.find(({ id }) => id === segment.epochId);
          return [(segment.startMs - startMs) / SEGMENT_MS, epoch?.height, segment.placement];
        });
      },
      source: async () => (await catalog.getStream(streamId)).source,
      takeOver(): void {
        writer.stop();
        writer = makeWriter();
      },
      [Symbol.asyncDispose]: async () => {
        writer.stop();
        await store[Symbol.asyncDispose]();
      },
    };
  }

  const onTime = (places: readonly number[], height: number): unknown =>
    places.map((place) => [place, height, 'onTime']);

  test('a file that no playlist names is its rendition’s by its name, and nobody’s where that says nothing', async () => {
    await using w = await world();
    await w.offer(['v0/live.m3u8', 'v1/live.m3u8']);
    for (const [folder, files] of [
      ['v0', media.large],
      ['v1', media.small],
    ] as const) {
      for (const index of [0, 1]) await w.send(`${folder}/live${index}.ts`, files.get(`live${index}.ts`));
      await w.list(
        `${folder}/live.m3u8`,
        [0, 1].map((index) => [index, `${folder}/live${index}.ts`]),
      );
    }
    await w.send('v1/live2.ts', media.small.get('live2.ts'));
    await w.send('other.ts', media.large.get('live3.ts'));
    assert.equal(w.open(), 2);
    await w.pass(20_000);
    assert.equal(w.open(), 0);
    await w.pass(1000);
    assert.deepEqual(await w.window('main'), onTime([0, 1], 180));
    assert.deepEqual(await w.window('v1'), onTime([0, 1, 2], 90));
    assert.match((await w.source())?.lastRejection?.message ?? '', /No playlist named the segment other\.ts/);
  });

  test('what comes late in one rendition is not covered by another', async () => {
    await using w = await world();
    await w.offer(['v0/live.m3u8', 'v1/live.m3u8']);
    const list = (folder: string): Promise<void> =>
      w.list(
        `${folder}/live.m3u8`,
        [0, 1, 2].map((index) => [index, `${folder}/live${index}.ts`]),
      );
    for (const index of [0, 1, 2]) await w.send(`v0/live${index}.ts`, media.large.get(`live${index}.ts`));
    await list('v0');
    for (const index of [0, 2]) await w.send(`v1/live${index}.ts`, media.small.get(`live${index}.ts`));
    await list('v1');
    await w.pass(SEGMENT_MS);
    assert.deepEqual(await w.window('v1'), onTime([0, 2], 90));
    await w.send('v1/live1.ts', media.small.get('live1.ts'));
    assert.deepEqual((await w.window('v1'))[1], [1, 90, 'late']);
  });

  test('segments that wait are those of the init segment that came before them', async () => {
    await using w = await world();
    const segment = (index: number): string => `live${index}.m4s`;
    await w.send('init.mp4', media.fmp4.get('init.mp4'), 'init');
    for (const index of [0, 2]) await w.send(segment(index), media.fmp4.get(segment(index)));
    const list = (first: number): Promise<void> =>
      w.list(
        'live.m3u8',
        [0, 1, 2].map((index) => [first + index, segment(index)]),
        'init.mp4',
      );
    await list(0);
    await w.pass(1000);
    assert.deepEqual(await w.window('main'), onTime([0], 180), 'the next is missed, and waited for');
    await w.send('init.mp4', media.smallFmp4.get('init.mp4'), 'init');
    assert.deepEqual(await w.window('main'), onTime([0, 2], 180));
    for (const index of [0, 1, 2]) await w.send(segment(index), media.smallFmp4.get(segment(index)));
    await list(10);
    await w.pass(SEGMENT_MS);
    assert.deepEqual(await w.window('main'), [
      ...(onTime([0, 2], 180) as readonly unknown[]),
      ...(onTime([10, 11, 12], 90) as readonly unknown[]),
    ]);
    assert.equal(w.open(), 0);
  });

  test('names and init segments without end leave nothing behind', async () => {
    await using w = await world();
    for (let run = 0; run < 40; run++) {
      const init = `init-${run}.mp4`;
      await w.send(init, media.fmp4.get('init.mp4'), 'init');
      await w.send(`run-${run}/live0.m4s`, media.fmp4.get('live0.m4s'));
      await w.list(`live-${run}.m3u8`, [[3 * run, `run-${run}/live0.m4s`]], init);
      await w.pass(3 * SEGMENT_MS);
    }
    assert.equal((await w.window('main')).length, 40);
    const { memory } = (await w.source()) ?? {};
    assert.deepEqual([Object.keys(memory?.renditions ?? {}).length, memory?.taken.length], [1, 16]);
    const { objects } = w.store.stores;
    const left: string[] = [];
    for await (const { key } of objects.list('pushes/')) left.push(key);
    assert.ok(left.length <= 32 && left.length === Object.keys(memory?.inits ?? {}).length, `${left.length} files`);
  });

  test('files without end that nobody names wait in bounds', async () => {
    await using w = await world();
    const bytes = Buffer.alloc(188, 0x47);
    for (let index = 0; index < 1100; index++) await w.send(`junk-${index}.ts`, bytes);
    assert.equal(w.open(), 1000);
    await w.pass(20_000);
    assert.equal(w.open(), 0);
    await w.pass(1000);
    assert.equal((await w.source())?.rejected, 1100);
  });
});
