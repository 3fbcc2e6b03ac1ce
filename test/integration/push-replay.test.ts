import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { randomIds } from '../../src/base/ids.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { wallMs } from '../../src/base/time.ts';
import type { PushedFile, PushRecord } from '../../src/ingest/push/push-event.ts';
import { noPushMetrics } from '../../src/ingest/push/push-metrics.ts';
import { PushWriter } from '../../src/ingest/push/push-writer.ts';
import { PushedTimeline } from '../../src/ingest/push/pushed-timeline.ts';
import type { SegmentFacts } from '../../src/ingest/push/sent-segment.ts';
import { SourceNotes } from '../../src/ingest/push/source-notes.ts';
import { streamDefaults } from '../../src/app/stream-defaults.ts';
import { makeHls } from '../fixtures/pushed-hls.ts';
import { TimelineStore } from '../fixtures/timeline-store.ts';

describe('a writer of pushed segments that takes over', () => {
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-replay-'));
  let media: readonly Buffer[];
  before(async () => {
    media = [...(await makeHls({ container: 'ts', seconds: 6 }, directory)).files.values()];
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  async function world(): Promise<{
    readonly store: TimelineStore;
    readonly streamId: string;
    readonly open: () => Promise<{ readonly timeline: PushedTimeline; readonly notes: SourceNotes }>;
    readonly file: (index: number) => Promise<PushedFile>;
    readonly facts: (index: number) => SegmentFacts;
  }> {
    const store = await TimelineStore.open();
    const { catalog, objects } = store.stores;
    const streamId = randomIds.next('stream');
    await catalog.createStream({ id: streamId, tenant: 'acme', kind: 'push', name: 'x', deviceId: null, settings: {} });
    const signal = new AbortController().signal;
    const persistence = { clock: store.clock, logger: silentLogger, signal };
    const startMs = store.clock.nowMs();
    const notes = new SourceNotes(null);
    return {
      store,
      streamId,
      async open() {
        const deps = { catalog, objects, ids: randomIds, metrics: noPushMetrics, persistence, seen: () => undefined };
        // As it was written down: what another process finds.
        const found = new SourceNotes((await catalog.getStream(streamId)).source ?? notes.report);
        return {
          timeline: await PushedTimeline.open(deps, { streamId, rendition: 'main', fence: 1 }, found),
          notes: found,
        };
      },
      async file(index) {
        const bytes = media[index] ?? Buffer.alloc(0);
        const id = `seg_000000000${index}`;
        const objectKey = `pushes/${streamId}/${id}`;
        await objects.put(objectKey, bytes);
        return {
          kind: 'segment',
          streamId,
          name: `live${index}.ts`,
          id,
          objectKey,
          sizeBytes: bytes.length,
          sha256: createHash('sha256').update(bytes).digest('hex'),
          container: 'ts',
          receivedAtMs: startMs + 2000 * (index + 1),
        };
      },
      facts: (index) => ({
        programDateTimeMs: wallMs(startMs + 2000 * index),
        discontinuity: false,
        isOutOfOrder: false,
        durationMs: 2000,
        endedByMs: null,
      }),
    };
  }

  test('knows what was appended before its event was done, leaves its bytes alone, and goes on without a break', async () => {
    const w = await world();
    await using store = w.store;
    const { catalog, objects } = store.stores;
    const settings = streamDefaults(store.config);
    const first = await w.open();
    for (const index of [0, 1]) {
      assert.equal(await first.timeline.take(await w.file(index), null, w.facts(index), settings), 'appended');
      // Of the second, nothing more was written down than of the first.
      if (index === 0) await catalog.noteSource(w.streamId, first.notes.report);
    }
    const stored = await objects.get(`media/${w.streamId}/seg_0000000001.m4s`);
    const second = await w.open();
    assert.equal(await second.timeline.take(await w.file(1), null, w.facts(1), settings), 'duplicate');
    assert.deepEqual(await objects.get(`media/${w.streamId}/seg_0000000001.m4s`), stored);
    assert.equal(await second.timeline.take(await w.file(2), null, w.facts(2), settings), 'appended');
    const { segments, epochs } = await catalog.dvrWindow(w.streamId);
    assert.deepEqual(
      segments.map(({ id, mediaStart90k }) => [id, mediaStart90k]),
      [0, 1, 2].map((index) => [`seg_000000000${index}`, index * 180_000]),
    );
    assert.equal(epochs.length, 1);
  });

  test('lets go of a file that came again and that no playlist names anew', async () => {
    const w = await world();
    await using store = w.store;
    const { catalog, objects } = store.stores;
    const persistence = { clock: store.clock, logger: silentLogger, signal: new AbortController().signal };
    const woken: (() => void)[] = [];
    const deps = { catalog, objects, ids: randomIds, metrics: noPushMetrics, persistence, seen: () => undefined };
    const writer = new PushWriter(w.streamId, 1, { ...deps, defaults: streamDefaults(store.config) }, () =>
      woken.forEach((wake) => wake()),
    );
    let done = 0;
    const take = (record: PushRecord): Promise<void> =>
      writer.take({ record, done: () => void done++, bury: (_code, cause) => assert.fail(cause) });
    const entry = { name: 'live0.ts', sequence: 0, durationMs: 2000, discontinuity: false, initName: null };
    await take(await w.file(0));
    await take({
      kind: 'playlist',
      streamId: w.streamId,
      name: 'live.m3u8',
      targetDurationMs: 2000,
      isEnded: false,
      entries: [{ ...entry, programDateTimeMs: store.clock.nowMs() }],
      receivedAtMs: store.clock.nowMs(),
    });
    await store.clock.advance(1000);
    await writer.advance();
    assert.equal(done, 2);
    const again = await w.file(0);
    await take({ ...again, id: 'seg_000000000again', objectKey: `${again.objectKey}again` });
    assert.equal(done, 2, 'its playlist may still come');
    const wake = new Promise<void>((resolve) => woken.push(resolve));
    await store.clock.advance(60_000);
    await wake;
    await writer.advance();
    assert.equal(done, 3);
    assert.equal((await catalog.dvrWindow(w.streamId)).segments.length, 1);
    writer.stop();
  });

  test('knows it too when its file is gone', async () => {
    const w = await world();
    await using store = w.store;
    const settings = streamDefaults(store.config);
    const file = await w.file(0);
    const first = await w.open();
    assert.equal(await first.timeline.take(file, null, w.facts(0), settings), 'appended');
    await store.stores.objects.delete([file.objectKey]);
    const second = await w.open();
    assert.equal(await second.timeline.take(file, null, w.facts(0), settings), 'duplicate');
    assert.equal(second.notes.report.rejected, 0);
  });
});
