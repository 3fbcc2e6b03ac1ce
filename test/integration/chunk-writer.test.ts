import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { streamDefaults } from '../../src/app/stream-defaults.ts';
import { randomIds } from '../../src/base/ids.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { wallMs } from '../../src/base/time.ts';
import { chunkKey, type AnnouncedChunk, type ChunkRecord } from '../../src/ingest/chunks/chunk-event.ts';
import { noChunkMetrics } from '../../src/ingest/chunks/chunk-metrics.ts';
import { ChunkWriter } from '../../src/ingest/chunks/chunk-writer.ts';
import { segmentEndMs } from '../../src/timeline/segment.ts';
import { makeChunks } from '../fixtures/chunk-encoder.ts';
import { TimelineStore } from '../fixtures/timeline-store.ts';

describe('a writer of chunks', () => {
  let media: readonly Buffer[];
  before(async () => {
    media = await makeChunks('ts', 4);
  });
  const stores: TimelineStore[] = [];
  after(async () => {
    for (const store of stores) await store[Symbol.asyncDispose]();
  });

  async function world() {
    const store = await TimelineStore.open();
    stores.push(store);
    const { catalog, objects } = store.stores;
    const { clock } = store;
    const streamId = randomIds.next('stream');
    const row = { id: streamId, tenant: 'acme', kind: 'chunks', name: 'x', deviceId: null, settings: {} } as const;
    await catalog.createStream(row);
    const startMs = clock.nowMs() - 10_000;
    const ended = new Map<number | 'end', string>();
    const signal = new AbortController().signal;
    const open = (): ChunkWriter => {
      const persistence = { clock, logger: silentLogger, signal };
      const shared = { catalog, objects, ids: randomIds, metrics: noChunkMetrics, persistence };
      const rest = { seen: () => undefined, defaults: streamDefaults(store.config), maxChunkBytes: 10_000_000 };
      const writer = new ChunkWriter(
        streamId,
        1,
        { ...shared, ...rest },
        () => void (turn = turn.then(() => writer.advance())),
      );
      return writer;
    };
    let turn = Promise.resolve();
    let writer = open();
    return {
      store,
      streamId,
      ended,
      chunk(index: number): AnnouncedChunk {
        const bytes = media[index] ?? Buffer.of();
        return {
          kind: 'chunk',
          streamId,
          index,
          startMs: wallMs(startMs + index * 2000),
          durationMs: 2000,
          sizeBytes: bytes.length,
          checksum: { algorithm: 'sha256', hex: createHash('sha256').update(bytes).digest('hex') },
          objectKey: chunkKey(streamId, index, 'chk_0000000000'),
          receivedAtMs: clock.nowMs(),
        };
      },
      async put(...indexes: readonly number[]): Promise<void> {
        for (const index of indexes)
          await objects.put(chunkKey(streamId, index, 'chk_0000000000'), media[index] ?? Buffer.of());
      },
      async take(...records: readonly ChunkRecord[]): Promise<void> {
        for (const record of records) {
          const at = record.kind === 'end' ? 'end' : record.index;
          const done = (): void => void ended.set(at, 'done');
          const bury = (code: string): void => void ended.set(at, code);
          turn = turn.then(() => writer.take({ record, done, bury }));
        }
        await turn;
      },
      /** Lets time pass, and the writer do what is due. */
      async pass(ms: number): Promise<void> {
        await clock.advance(ms);
        await turn;
      },
      /** Another process goes on. */
      takeOver(): void {
        writer.stop();
        writer = open();
      },
      end: (): ChunkRecord => ({ kind: 'end', streamId, receivedAtMs: clock.nowMs() }),
      async shown(): Promise<readonly number[]> {
        const { segments } = await catalog.dvrWindow(streamId);
        return segments.map((segment) => (segment.startMs - startMs) / 2000);
      },
      isEnded: async () => (await catalog.getStream(streamId)).endedAtMs !== null,
    };
  }

  test('looks for an object for 20 s; what follows waits no longer than for one that never came', async () => {
    const w = await world();
    await w.put(0, 2);
    await w.take(w.chunk(0), w.chunk(1), w.chunk(2));
    assert.deepEqual(await w.shown(), [0]);
    await w.pass(2500);
    assert.deepEqual(await w.shown(), [0, 2]);
    for (let seconds = 0; seconds < 20; seconds++) await w.pass(1000);
    assert.equal(w.ended.get(1), 'missing_input');
    const [rejection] = await w.store.stores.catalog.rejectedChunks(w.streamId, 0, 9);
    assert.deepEqual([rejection?.chunkIndex, rejection?.code], [1, 'missing_input']);
    await w.put(1);
    await w.take(w.chunk(1));
    assert.deepEqual(await w.shown(), [0, 1, 2], 'announced anew, it is taken');
    assert.deepEqual(await w.store.stores.catalog.rejectedChunks(w.streamId, 0, 9), []);
  });

  test('that takes over knows what was taken, at whatever distance, and goes on without a break', async () => {
    const w = await world();
    await w.put(0, 1, 2);
    await w.take(w.chunk(0), w.chunk(1));
    w.takeOver();
    w.ended.clear();
    // The object of one that was taken is gone; it is not looked for.
    await w.take(w.chunk(0), w.chunk(1), w.chunk(2));
    assert.deepEqual(
      [...w.ended],
      [0, 1, 2].map((index) => [index, 'done']),
    );
    assert.deepEqual(await w.shown(), [0, 1, 2]);
    const { segments, epochs } = await w.store.stores.catalog.dvrWindow(w.streamId);
    const joins = segments.map(
      (segment, at) => segment.startMs - (at === 0 ? segment.startMs : segmentEndMs(segments[at - 1] ?? segment)),
    );
    assert.deepEqual([epochs.length, joins], [1, [0, 0, 0]]);
    const { objects } = w.store.stores;
    for await (const { key } of objects.list('chunks/')) assert.fail(`${key} was left`);
  });

  test('ends behind what was announced before, once, and does not end again what went on since', async () => {
    const w = await world();
    await w.put(0, 1);
    const end = w.end();
    await w.take(w.chunk(0), w.chunk(1), end);
    assert.deepEqual([w.ended.get('end'), await w.isEnded()], ['done', true]);
    await w.pass(1000);
    await w.put(2);
    await w.take(w.chunk(2));
    assert.equal(await w.isEnded(), false);
    w.takeOver();
    await w.take(w.chunk(0), w.chunk(1), end, w.chunk(2));
    assert.equal(await w.isEnded(), false, 'its events are read again after a crash');
    await w.take(w.end());
    assert.equal(await w.isEnded(), true);
  });

  test('what is put right after the end stays behind it', async () => {
    const w = await world();
    await w.put(0, 1);
    const wrong = { ...w.chunk(1), sizeBytes: 7 };
    await w.take(w.chunk(0), wrong, w.end());
    assert.deepEqual([w.ended.get(1), await w.isEnded()], ['corrupt_media', true]);
    await w.take(w.chunk(1));
    assert.deepEqual([await w.shown(), await w.isEnded()], [[0, 1], true]);
  });

  test('an end waits for an object that was announced before it, not for a chunk that was not', async () => {
    const w = await world();
    await w.put(0, 3);
    await w.take(w.chunk(0), w.chunk(1), w.chunk(3), w.end(), w.chunk(2));
    assert.equal(await w.isEnded(), false);
    await w.put(1);
    await w.pass(500);
    assert.deepEqual([await w.shown(), await w.isEnded()], [[0, 1, 3], true]);
    await w.put(2);
    await w.pass(1000);
    assert.deepEqual([await w.shown(), await w.isEnded()], [[0, 1, 2, 3], true]);
  });

  test('an index that is a mistake is refused: it would make all that follow late', async () => {
    const w = await world();
    await w.put(0, 1);
    const far = { ...w.chunk(1), index: 2_000_000 };
    await w.take(w.chunk(0), far);
    await w.pass(3000);
    assert.equal(w.ended.get(2_000_000), 'out_of_range');
    await w.take(w.chunk(1));
    assert.deepEqual((await w.store.stores.catalog.liveWindow(w.streamId, 9)).segments.length, 2);
  });

  test('gives up what waits when its stream is gone, and what is for a stream of another kind', async () => {
    const w = await world();
    await w.put(1);
    await w.take(w.chunk(1));
    await w.store.stores.catalog.deleteStream(w.streamId);
    await w.pass(3000);
    assert.equal(w.ended.get(1), 'not_found');
    await w.take(w.chunk(0));
    assert.equal(w.ended.get(0), 'not_found');
    const gone = await world();
    await gone.put(0);
    await gone.take(gone.chunk(0), gone.chunk(1));
    await gone.pass(19_000);
    await gone.store.stores.catalog.deleteStream(gone.streamId);
    await gone.pass(2000);
    assert.equal(gone.ended.get(1), 'not_found', 'it could not be rejected any more');
    const row = { id: w.streamId, tenant: 'acme', kind: 'push', name: 'x', deviceId: null, settings: {} } as const;
    await w.store.stores.catalog.createStream(row);
    await w.take(w.chunk(2));
    assert.equal(w.ended.get(2), 'precondition_failed');
  });
});
