import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { StreamTouch } from '../../src/catalog/catalog.ts';
import type { SourceReport } from '../../src/timeline/source-report.ts';
import type { StreamSettings } from '../../src/timeline/stream.ts';
import {
  allPages,
  appendRun,
  at,
  makeWorld,
  type MakeCatalog,
  newHold,
  newSegment,
  newStream,
  throwsCode,
} from './catalog-world.ts';

const SOURCE: SourceReport = {
  container: 'ts',
  codecs: 'avc1.42C01E,mp4a.40.2',
  width: 640,
  height: 360,
  frameRate: 25,
  bitsPerS: 800_000,
  clock: 'arrival',
  driftMs: -3.5,
  epochs: 2,
  segments: 7,
  gaps: 1,
  late: 0,
  duplicates: 3,
  rejected: 1,
  lastRejection: { atMs: at(3), name: 'a/seg3.ts', code: 'corrupt_media', message: 'It is cut off.' },
  memory: {
    inits: { 'init.mp4': 'media/x/init' },
    taken: [{ sha256: 'ab', programDateTimeMs: null, receivedAtMs: at(2) }],
    clocks: { main: { epochId: 'epo_1', originPts90k: 126_000, audioGridSamples: null, clock: 'arrival' } },
    renditions: { 'live.m3u8': 'main' },
  },
};

/** Registers the contract of {@link StreamStore}. */
export function streamsContract(adapter: string, make: MakeCatalog): void {
  describe(`catalog contract, streams: ${adapter}`, () => {
    test('a stream is read as it was made, by every process, with its main rendition', async (t) => {
      const w = await makeWorld(t, make);
      const made = await w.stream({ name: 'Tür “A”', deviceId: 'cam/1', settings: { crf: 30, overlay: null } });
      assert.deepEqual(await w.catalog.getStream(made.id), made);
      assert.deepEqual(await (await w.another()).getStream(made.id), made);
      assert.deepEqual(made.settings, { crf: 30, overlay: null });
      assert.equal(made.createdAtMs, w.clock.nowMs());
      assert.equal(made.lastCapturedAtMs, null);
      const rendition = await w.catalog.getRendition(made.id, 'main');
      assert.equal(rendition.nextSequence, 0);
      assert.equal(rendition.dvrMediaSequence, 0);
    });

    test('a device has one stream in its tenant; streams without a device are many', async (t) => {
      const w = await makeWorld(t, make);
      await w.stream({ tenant: 'a', deviceId: 'cam' });
      await throwsCode(w.stream({ tenant: 'a', deviceId: 'cam' }), 'conflict');
      await w.stream({ tenant: 'b', deviceId: 'cam' });
      await w.stream({ tenant: 'a' });
      await w.stream({ tenant: 'a' });
      const taken = await w.stream();
      await throwsCode(w.stream({ id: taken.id }), 'conflict');
    });

    test('any number of callers in any process get the same stream of a device', async (t) => {
      const w = await makeWorld(t, make);
      const other = await w.another();
      const ask = (index: number): Promise<{ readonly id: string }> =>
        (index % 2 === 0 ? w.catalog : other).ensureDeviceStream({ ...newStream(), deviceId: 'cam' });
      const streams = await Promise.all(Array.from({ length: 20 }, (_, index) => ask(index)));
      assert.equal(new Set(streams.map(({ id }) => id)).size, 1);
      assert.equal((await w.catalog.findDeviceStream('tenant', 'cam'))?.id, streams[0]?.id);
      assert.equal(await w.catalog.findDeviceStream('tenant', 'other'), null);
    });

    test('the list is in order of name and id, in pages of any size', async (t) => {
      const w = await makeWorld(t, make);
      for (const name of ['b', 'a', 'c', 'b', 'b', 'a']) await w.stream({ name });
      const all = (await w.catalog.listStreams({}, { limit: 1000 })).items;
      const expected = all.toSorted((a, b) => (a.name === b.name ? (a.id < b.id ? -1 : 1) : a.name < b.name ? -1 : 1));
      assert.deepEqual(all, expected);
      for (const limit of [1, 2, 5, 6]) {
        const paged = await allPages((cursor) => w.catalog.listStreams({}, { limit, ...(cursor && { cursor }) }));
        assert.deepEqual(paged, all);
      }
    });

    test('the list is narrowed by tenant, kind and a text in name or device, whatever its case', async (t) => {
      const w = await makeWorld(t, make);
      await w.stream({ name: 'North ÄCKER', tenant: 'a', deviceId: 'cam-1' });
      await w.stream({ name: '100%_south', tenant: 'b', kind: 'push' });
      const names = async (filter: Parameters<typeof w.catalog.listStreams>[0]): Promise<string[]> =>
        (await w.catalog.listStreams(filter, { limit: 10 })).items.map(({ name }) => name);
      assert.deepEqual(await names({ tenant: 'a' }), ['North ÄCKER']);
      assert.deepEqual(await names({ kind: 'push' }), ['100%_south']);
      assert.deepEqual(await names({ query: 'äcker' }), ['North ÄCKER']);
      assert.deepEqual(await names({ query: 'CAM-1' }), ['North ÄCKER']);
      assert.deepEqual(await names({ query: '%_S' }), ['100%_south']);
      assert.deepEqual(await names({ query: 'o%h' }), []);
      assert.deepEqual(await names({ query: "'; drop table stream; --\\" }), []);
    });

    test('a cursor that this list did not give out is refused, as is a limit outside 1–1000', async (t) => {
      const w = await makeWorld(t, make);
      for (const cursor of [
        '',
        'x',
        '%%%',
        'bnVsbA',
        Buffer.from('[1]').toString('base64url'),
        Buffer.from('[1,2]').toString('base64url'),
      ]) {
        await throwsCode(w.catalog.listStreams({}, { limit: 1, cursor }), 'invalid_argument');
        await throwsCode(
          w.catalog.listHolds({}, { limit: 1, cursor: cursor === '' ? 'x' : cursor + '!' }),
          'invalid_argument',
        );
      }
      for (const limit of [0, -1, 1001, 1.5, Number.NaN]) {
        await throwsCode(w.catalog.listStreams({}, { limit }), 'invalid_argument');
      }
      await fc.assert(
        fc.asyncProperty(fc.string(), async (cursor) => {
          await throwsCode(w.catalog.listStreams({}, { limit: 1, cursor }), 'invalid_argument');
        }),
        { numRuns: 30 },
      );
    });

    test('settings are merged; null clears those of which it is no value', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream({ name: 'old', deviceId: 'cam', settings: { crf: 30, framesPerSegment: 3 } });
      const cleared = { crf: null, gapToleranceMs: null, overlay: null } as unknown as Partial<StreamSettings>;
      const changed = await w.catalog.updateStream(id, { settings: cleared });
      assert.deepEqual(changed.settings, { framesPerSegment: 3, gapToleranceMs: null, overlay: null });
      await w.catalog.updateStream(id, { name: 'new' });
      assert.deepEqual((await w.catalog.getStream(id)).settings, changed.settings);
      assert.equal((await w.catalog.listStreams({ query: 'new' }, { limit: 9 })).items.length, 1);
      assert.equal((await w.catalog.listStreams({ query: 'old' }, { limit: 9 })).items.length, 0);
      await throwsCode(w.catalog.updateStream('str_missing', { name: 'x' }), 'not_found');
    });

    test('touches move times on and never back, pass unknown streams over, and raise no change', async (t) => {
      const w = await makeWorld(t, make);
      const [a, b] = [await w.stream(), await w.stream()];
      const changes: unknown[] = [];
      w.catalog.onChange((change) => changes.push(change));
      const touch = (streamId: string, captured: number, received: number) => ({
        streamId,
        lastCapturedAtMs: at(captured),
        lastReceivedAtMs: at(received),
      });
      await Promise.all([
        w.catalog.touchStreams([touch(a.id, 10, 11), touch('str_missing', 1, 1), touch(b.id, 5, 6)]),
        w.catalog.touchStreams([touch(a.id, 8, 12)]),
        w.catalog.touchStreams([]),
      ]);
      const stream = await w.catalog.getStream(a.id);
      assert.equal(stream.lastCapturedAtMs, at(10));
      assert.equal(stream.lastReceivedAtMs, at(12));
      assert.equal((await w.catalog.getStream(b.id)).lastReceivedAtMs, at(6));
      await w.pass(2_000);
      assert.deepEqual(changes, []);
    });

    test('a stream ends and goes on, and tells so only when it is news', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream({ kind: 'push' });
      const changes: string[] = [];
      w.catalog.onChange(({ streamIds }) => void changes.push(...streamIds));
      assert.equal((await w.catalog.endStream(id, at(5))).endedAtMs, at(5));
      assert.equal((await w.catalog.endStream(id, at(9))).endedAtMs, at(5));
      assert.equal((await (await w.another()).getStream(id)).endedAtMs, at(5));
      assert.equal((await w.catalog.endStream(id, null)).endedAtMs, null);
      assert.equal((await w.catalog.endStream(id, null)).endedAtMs, null);
      assert.deepEqual(changes, [id, id]);
      await throwsCode(w.catalog.endStream('str_missing', at(1)), 'not_found');
    });

    test('a stream that came back just now is not ended for its silence', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream({ kind: 'push' });
      await w.catalog.touchStreams([{ streamId: id, lastCapturedAtMs: at(8), lastReceivedAtMs: at(10) }]);
      const end = async (since: number): Promise<number | null> =>
        (await w.catalog.endStream(id, at(9), { unlessReceivedSinceMs: at(since) })).endedAtMs;
      assert.equal(await end(10), null);
      assert.equal(await end(10.001), at(9));
    });

    test('what is known of an encoder is kept, and raises no change', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream({ kind: 'push' });
      const changes: string[] = [];
      w.catalog.onChange(({ streamIds }) => void changes.push(...streamIds));
      await w.catalog.noteSource(id, SOURCE);
      await w.catalog.noteSource('str_missing', SOURCE);
      assert.deepEqual((await w.catalog.getStream(id)).source, SOURCE);
      await w.pass(2_000);
      assert.deepEqual(changes, []);
    });

    test('streams of encoders that fell silent are found, until they have ended', async (t) => {
      const w = await makeWorld(t, make);
      const [silent, announced, recent, camera, never] = [
        await w.stream({ kind: 'push' }),
        await w.stream({ kind: 'chunks' }),
        await w.stream({ kind: 'push' }),
        await w.stream({ kind: 'frames' }),
        await w.stream({ kind: 'push' }),
      ];
      const touch = (streamId: string, seconds: number): StreamTouch => ({
        streamId,
        lastCapturedAtMs: at(seconds),
        lastReceivedAtMs: at(seconds),
      });
      await w.catalog.touchStreams([
        touch(silent.id, 1),
        touch(announced.id, 2),
        touch(recent.id, 10),
        touch(camera.id, 1),
      ]);
      const ids = async (): Promise<readonly string[]> =>
        (await w.catalog.silentEncoderStreams(at(10))).map((stream) => stream.id);
      assert.deepEqual(await ids(), [silent.id, announced.id]);
      assert.equal((await w.catalog.getStream(never.id)).lastReceivedAtMs, null);
      for (const { id } of [silent, announced]) await w.catalog.endStream(id, at(10));
      assert.deepEqual(await ids(), []);
    });

    test('a deleted stream leaves no row, and its device may come back', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream({ deviceId: 'cam' });
      const kept = await w.stream();
      const [appended] = await appendRun(w.catalog, id, 0, 3);
      await appendRun(w.catalog, kept.id, 0, 1);
      const hold = await w.catalog.createHold(newHold(id, 0, 10));
      await w.catalog.addMarker({
        id: 'mrk_1',
        streamId: id,
        atMs: at(1),
        untilMs: null,
        label: 'x',
        type: 'note',
        data: {},
      });
      assert.equal((await w.catalog.objectKeysOf(id)).length, 3);
      await w.catalog.deleteStream(id);
      await throwsCode(w.catalog.getStream(id), 'not_found');
      await throwsCode(w.catalog.dvrWindow(id), 'not_found');
      await throwsCode(w.catalog.getSegment(String(appended?.segment.id)), 'not_found');
      await throwsCode(w.catalog.getEpoch(String(appended?.epoch.id)), 'not_found');
      await throwsCode(w.catalog.getHold(hold.id), 'not_found');
      await throwsCode(w.catalog.deleteStream(id), 'not_found');
      await throwsCode(w.catalog.appendSegment(newSegment(id, { at: 40 })), 'not_found');
      assert.deepEqual(await w.catalog.objectKeysOf(id), []);
      assert.equal((await w.catalog.listMarkers(id, {}, { limit: 9 })).items.length, 0);
      const totals = await w.catalog.totals();
      assert.deepEqual([totals.streams, totals.segments, totals.openSessions], [1, 1, 1]);
      await w.stream({ deviceId: 'cam' });
    });
  });
}
