import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomIds } from '../../src/base/ids.ts';
import { isZoetropeError } from '../../src/base/errors.ts';
import type { NewRecording } from '../../src/catalog/recording-store.ts';
import type { Hold } from '../../src/timeline/hold.ts';
import {
  appendRun,
  at,
  makeWorld,
  type MakeCatalog,
  newHold,
  newSegment,
  starts,
  T0,
  throwsCode,
  type World,
} from './catalog-world.ts';

/** Registers the contract of {@link RecordingStore}. */
export function recordingsContract(adapter: string, make: MakeCatalog): void {
  describe(`catalog contract, recordings: ${adapter}`, () => {
    test('a recording starts where the timeline has something, or ahead of all of it', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await throwsCode(w.catalog.startRecording(recording(id, 0, { isPast: true })), 'out_of_range');
      const empty = await w.catalog.startRecording(recording(id, 0, { name: 'now', metadata: { a: 'b' } }));
      assert.deepEqual(
        [empty.kind, empty.name, empty.metadata, empty.toMs, empty.stoppedAtMs],
        ['recording', 'now', { a: 'b' }, null, null],
      );
      assert.deepEqual(empty.extent, { segmentCount: 0, sizeBytes: 0, coveredMs: 0, gapCount: 0 });
      assert.deepEqual(await w.catalog.getHold(empty.id), empty);
      await w.catalog.releaseHold(empty.id);
      await appendRun(w.catalog, id, 0, 6);
      await retire(w, id, 30);
      await assert.rejects(w.catalog.startRecording(recording(id, 29.999, { isPast: true })), (error) => {
        assert.ok(isZoetropeError(error, 'out_of_range'));
        assert.match(error.message, new RegExp(`earliest possible from is ${new Date(at(30)).toISOString()}`));
        return true;
      });
      await w.catalog.startRecording(recording(id, 30, { isPast: true }));
      await throwsCode(w.catalog.startRecording(recording('str_missing', 0)), 'not_found');
    });

    test('what an archive keeps of the past can be recorded, what is on its way out cannot', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 6);
      const archive = await w.catalog.createHold(newHold(id, 10, 30));
      await retire(w, id, 60);
      await throwsCode(w.catalog.startRecording(recording(id, 9, { isPast: true })), 'out_of_range');
      const sweepable = await w.catalog.sweepableSegments({ retiredByMs: w.clock.nowMs(), limit: 9 });
      assert.deepEqual(starts(sweepable), [0, 30, 40, 50]);
      const ids = sweepable.map((segment) => segment.id);
      assert.deepEqual(await w.catalog.takeSweepable(ids.slice(1)), new Set(ids.slice(1)));
      const made = await w.catalog.startRecording(recording(id, 10, { isPast: true }));
      const wide = await w.catalog.createHold(newHold(id, 0, 60));
      const shown = starts((await w.catalog.segmentsBetween(id, at(0), at(99), 9)).segments);
      assert.deepEqual(shown, [0, 10, 20], 'what was not taken is kept by the next hold; what was taken is gone');
      assert.equal((await w.catalog.measureHold(made.id)).extent?.segmentCount, 2);
      assert.deepEqual(await w.catalog.takeSweepable(ids), new Set(ids.slice(1)), 'what is held meanwhile stays');
      assert.deepEqual(
        starts(await w.catalog.sweepableSegments({ retiredByMs: w.clock.nowMs(), limit: 9 })),
        [30, 40, 50],
      );
      await w.catalog.removeSegments(ids.slice(1));
      for (const hold of [archive, wide]) await w.catalog.releaseHold(hold.id);
      await w.pass(10);
      assert.deepEqual(starts(await w.catalog.sweepableSegments({ retiredByMs: w.clock.nowMs(), limit: 9 })), [0]);
    });

    test('the extent follows what is appended, and equals what measuring anew gives', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 2);
      const now = await w.catalog.startRecording(recording(id, 20));
      const past = await w.catalog.startRecording(recording(id, 5, { isPast: true }));
      const until = await w.catalog.startRecording(recording(id, 20, { toMs: at(34) }));
      assert.equal(past.extent, null, 'it reaches back: it is to be measured');
      await w.catalog.measureHold(past.id);
      await appendRun(w.catalog, id, 20, 2);
      await appendRun(w.catalog, id, 100, 3);
      const extent = async (hold: Hold): Promise<Hold['extent']> => (await w.catalog.getHold(hold.id)).extent;
      assert.deepEqual(await extent(now), { segmentCount: 5, sizeBytes: 5_000, coveredMs: 50_000, gapCount: 1 });
      assert.deepEqual(await extent(past), { segmentCount: 7, sizeBytes: 7_000, coveredMs: 65_000, gapCount: 1 });
      assert.deepEqual(await extent(until), { segmentCount: 2, sizeBytes: 2_000, coveredMs: 14_000, gapCount: 0 });
      // A late segment makes them measure anew: it lies in the gap.
      await w.catalog.appendSegment(newSegment(id, { at: 60, late: true }));
      assert.equal(await extent(now), null);
      assert.notEqual(await extent(until), null, 'it lies behind its end');
      const measured = await w.catalog.measureHold(now.id);
      assert.deepEqual(measured.extent, { segmentCount: 6, sizeBytes: 6_000, coveredMs: 60_000, gapCount: 2 });
      assert.deepEqual(await extent(now), measured.extent, 'it is kept');
      await appendRun(w.catalog, id, 130, 1);
      assert.deepEqual(await extent(now), { segmentCount: 7, sizeBytes: 7_000, coveredMs: 70_000, gapCount: 2 });
      const [first] = (await w.catalog.segmentsBetween(id, at(20), at(21), 1)).segments;
      await w.catalog.setSegmentLost(String(first?.id), true);
      assert.equal((await w.catalog.measureHold(now.id)).extent?.segmentCount, 6);
      assert.equal((await w.catalog.measureHold(until.id)).extent?.coveredMs, 4_000);
      await throwsCode(w.catalog.measureHold('rec_missing'), 'not_found');
    });

    test('recordings survive retention, each for as long as it is there', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 3);
      const first = await w.catalog.startRecording(recording(id, 10, { isPast: true }));
      const second = await w.catalog.startRecording(recording(id, 20, { isPast: true }));
      await appendRun(w.catalog, id, 30, 3);
      await retire(w, id, 1000);
      assert.deepEqual(await sweep(w), [0]);
      assert.deepEqual(starts((await w.catalog.segmentsBetween(id, at(0), at(99), 9)).segments), [10, 20, 30, 40, 50]);
      await w.catalog.stopRecording(second.id, at(40));
      await w.catalog.releaseHold(first.id);
      await w.pass(10);
      assert.deepEqual(await sweep(w), [10, 40, 50]);
      assert.deepEqual(starts((await w.catalog.segmentsBetween(id, at(0), at(99), 9)).segments), [20, 30]);
      const { retiredSegments } = await w.catalog.totals();
      assert.equal(retiredSegments, 2);
      await w.catalog.releaseHold(second.id);
      await w.pass(10);
      assert.deepEqual(await sweep(w), [20, 30]);
    });

    test('what a stop in the past cuts off goes a grace later', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      const s = (w.clock.nowMs() - T0) / 1000 - 100;
      await appendRun(w.catalog, id, s, 4);
      const made = await w.catalog.startRecording(recording(id, s, { isPast: true }));
      await retire(w, id, 1000);
      await w.pass(10);
      const retiredByMs = w.clock.nowMs();
      await w.pass(10);
      const stopped = await w.catalog.stopRecording(made.id, at(s + 20));
      assert.deepEqual([stopped.toMs, stopped.stoppedAtMs, stopped.extent], [at(s + 20), w.clock.nowMs(), null]);
      assert.equal((await w.catalog.listHolds({ streamId: id }, { limit: 9 })).items.length, 1);
      assert.deepEqual(starts(await w.catalog.sweepableSegments({ retiredByMs, limit: 9 })), []);
      await w.pass(10);
      assert.deepEqual(await sweep(w), [s + 20, s + 30]);
      await w.pass(10);
      assert.deepEqual(await w.catalog.stopRecording(made.id, at(s + 10)), stopped, 'what was stopped stays as it is');
      await throwsCode(w.catalog.stopRecording('rec_missing', at(1)), 'not_found');
      const other = await w.catalog.startRecording(recording(id, 100));
      await throwsCode(w.catalog.stopRecording(other.id, at(100)), 'invalid_argument');
    });

    test('a recording that is to stop by itself does, and takes nothing more', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      const nowS = (w.clock.nowMs() - T0) / 1000;
      const one = await w.catalog.startRecording(recording(id, nowS, { toMs: at(nowS + 60) }));
      const other = await w.catalog.startRecording(recording(id, nowS));
      assert.equal((await w.catalog.stopRecording(other.id, at(nowS + 30))).stoppedAtMs, null, 'it lies ahead');
      await w.pass(29_999);
      assert.equal(await w.catalog.stopDueRecordings(), 0);
      await w.pass(1);
      assert.equal(await w.catalog.stopDueRecordings(), 1);
      await w.pass(40_000);
      assert.equal(await w.catalog.stopDueRecordings(), 1);
      assert.equal(await w.catalog.stopDueRecordings(), 0);
      const stopped = await w.catalog.getHold(one.id);
      assert.deepEqual([stopped.toMs, stopped.stoppedAtMs], [at(nowS + 60), w.clock.nowMs()]);
    });

    test('recordings tell of their start and their end, once', async (t) => {
      const w = await makeWorld(t, make);
      const stream = await w.stream({ deviceId: 'cam' });
      await w.catalog.createEndpoint({
        id: randomIds.next('endpoint'),
        tenant: 'tenant',
        url: 'https://a/',
        types: ['recording.started', 'recording.stopped'],
        description: '',
        secret: 'whsec_1',
      });
      const nowS = (w.clock.nowMs() - T0) / 1000;
      const told = async (): Promise<readonly Record<string, unknown>[]> => {
        const { items } = await w.catalog.listDeliveries({ subjectId: stream.id }, { limit: 99 });
        return items.toReversed().map(({ payload }) => {
          const { type, data } = JSON.parse(payload) as { type: string; data: object };
          return { type, ...data };
        });
      };
      const from = new Date(at(nowS)).toISOString();
      const to = new Date(at(nowS + 1)).toISOString();
      const begun = [];
      for (const name of ['call', 'until', 'deleted', 'streamDeleted']) {
        begun.push(
          await w.catalog.startRecording(
            recording(stream.id, nowS, { name, toMs: name === 'until' ? at(nowS + 1) : null }),
          ),
        );
      }
      await w.pass(1000);
      for (const _ of [1, 2]) {
        await w.catalog.stopRecording(String(begun[0]?.id), at(nowS + 1));
        await w.catalog.stopDueRecordings();
        await w.catalog.releaseHold(String(begun[2]?.id));
      }
      await w.catalog.releaseHold(String(begun[0]?.id));
      await w.catalog.deleteStream(stream.id);
      const about = begun.map(({ id, name }) => ({
        recordingId: id,
        streamId: stream.id,
        deviceId: 'cam',
        title: name,
        from,
      }));
      assert.deepEqual(await told(), [
        ...about.map((one) => ({ type: 'recording.started', ...one })),
        ...about.map((one) => ({ type: 'recording.stopped', ...one, to, endedBy: one.title })),
      ]);
    });
  });
}

function recording(streamId: string, from: number, fields: Partial<NewRecording> = {}): NewRecording {
  return {
    id: randomIds.next('recording'),
    streamId,
    name: 'kept',
    metadata: {},
    fromMs: at(from),
    toMs: null,
    isPast: false,
    ...fields,
  };
}

async function retire(w: World, streamId: string, beforeS: number): Promise<void> {
  await w.catalog.retireSegments({ streamId, beforeMs: at(beforeS), limit: 100, dryRun: false });
}

/** Starts of what a sweep takes and removes now, oldest first. */
async function sweep(w: World): Promise<number[]> {
  const swept = await w.catalog.sweepableSegments({ retiredByMs: w.clock.nowMs(), limit: 100 });
  const taken = await w.catalog.takeSweepable(swept.map(({ id }) => id));
  assert.equal(taken.size, swept.length);
  await w.catalog.removeSegments([...taken]);
  return starts(swept).toSorted((a, b) => a - b);
}
