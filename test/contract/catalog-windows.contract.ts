import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { wallMs } from '../../src/base/time.ts';
import { segmentEndMs } from '../../src/timeline/segment.ts';
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
} from './catalog-world.ts';

/** Registers the contract of what {@link TimelineStore} reads. */
export function windowsContract(adapter: string, make: MakeCatalog): void {
  describe(`catalog contract, windows: ${adapter}`, () => {
    test('sessions are found by the range they overlap', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 1);
      await appendRun(w.catalog, id, 100, 1);
      const between = async (from: number, to: number): Promise<number[]> =>
        (await w.catalog.sessionsBetween(id, at(from), at(to))).map(({ startMs }) => (startMs - T0) / 1000);
      assert.deepEqual(await between(0, 1000), [0, 100]);
      assert.deepEqual(await between(9.999, 100.001), [0, 100]);
      assert.deepEqual(await between(10, 100), []);
    });

    test('a range names what overlaps it, in wall order, a page at a time', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await w.catalog.appendSegment(newSegment(id, { at: 0, lasts: 300, frames: [0] }));
      await appendRun(w.catalog, id, 300, 20);
      const between = async (from: number, to: number, limit = 100): Promise<number[]> =>
        starts((await w.catalog.segmentsBetween(id, at(from), at(to), limit)).segments);
      assert.deepEqual(await between(299, 310), [0, 300]);
      assert.deepEqual(await between(300, 310), [300]);
      assert.deepEqual(await between(300, 310.001), [300, 310]);
      assert.deepEqual(await between(499.999, 1000), [490]);
      assert.deepEqual(await between(500, 1000), []);
      assert.deepEqual(await between(-10, 0), []);
      assert.deepEqual(await between(305, 5000, 3), [300, 310, 320]);
      assert.deepEqual(await between(330, 5000, 3), [330, 340, 350]);
      const { epochs } = await w.catalog.segmentsBetween(id, at(290), at(310), 9);
      assert.equal(epochs.length, 2);
    });

    test('retired segments are shown only where an unreleased hold covers them', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 10);
      const hold = await w.catalog.createHold(newHold(id, 15, 30));
      await w.catalog.retireSegments({ streamId: id, beforeMs: at(50), limit: 100, dryRun: false });
      const shown = async (): Promise<number[]> =>
        starts((await w.catalog.segmentsBetween(id, at(0), at(100), 100)).segments);
      assert.deepEqual(await shown(), [10, 20, 50, 60, 70, 80, 90]);
      assert.deepEqual(await coverage(), [
        [10, 30, 2],
        [50, 100, 5],
      ]);
      await w.catalog.releaseHold(hold.id);
      assert.deepEqual(await shown(), [50, 60, 70, 80, 90]);
      assert.deepEqual(await coverage(), [[50, 100, 5]]);

      async function coverage(): Promise<number[][]> {
        const stretches = await w.catalog.coverage(id, at(0), at(100), 0);
        return stretches.map(({ fromMs, toMs, segmentCount }) => [
          (fromMs - T0) / 1000,
          (toMs - T0) / 1000,
          segmentCount,
        ]);
      }
    });

    test('coverage equals what merging the segments one by one gives', async (t) => {
      const w = await makeWorld(t, make);
      const plan = fc.array(
        fc.record({ gap: fc.integer({ min: 0, max: 30 }), lasts: fc.integer({ min: 1, max: 20 }), late: fc.boolean() }),
        { minLength: 1, maxLength: 12 },
      );
      await fc.assert(
        fc.asyncProperty(plan, fc.nat(15), fc.nat(300), fc.nat(300), async (plans, tolerance, one, two) => {
          const { id } = await w.stream();
          let edge = 0;
          for (const { gap, lasts, late } of plans) {
            const place = late ? Math.max(0, edge - gap) + 0.5 : edge + gap;
            await w.catalog.appendSegment(newSegment(id, { at: place, lasts, frames: [], late }));
            if (!late) edge = place + lasts;
          }
          const [from, to] = [Math.min(one, two), Math.max(one, two) + 1];
          const { segments } = await w.catalog.dvrWindow(id);
          const expected: number[][] = [];
          for (const segment of segments) {
            const endMs = segmentEndMs(segment);
            if (segment.startMs >= at(to) || endMs <= at(from)) continue;
            const last = expected.at(-1);
            if (last !== undefined && segment.startMs - Number(last[1]) <= tolerance * 1000) {
              last[1] = Math.max(Number(last[1]), endMs);
              last[2] = Number(last[2]) + 1;
            } else expected.push([segment.startMs, endMs, 1]);
          }
          const found = await w.catalog.coverage(id, at(from), at(to), tolerance * 1000);
          assert.deepEqual(
            found.map(({ fromMs, toMs, segmentCount }) => [fromMs, toMs, segmentCount]),
            expected,
          );
        }),
        { numRuns: 30 },
      );
    });

    test('coverage sums frames and bytes, and lost segments are gaps', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      const appended = await appendRun(w.catalog, id, 0, 5);
      await w.catalog.setSegmentLost(String(appended[2]?.segment.id), true);
      const stretches = await w.catalog.coverage(id, wallMs(0), wallMs(4e12), 9_999);
      assert.deepEqual(stretches, [
        { fromMs: at(0), toMs: at(20), segmentCount: 2, frameCount: 4, sizeBytes: 2_000 },
        { fromMs: at(30), toMs: at(50), segmentCount: 2, frameCount: 4, sizeBytes: 2_000 },
      ]);
    });

    test('renditions have windows of their own', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream({ kind: 'push' });
      for (const name of ['480p', '240p']) await w.catalog.claimRendition(id, name, 0);
      const names = async (): Promise<string[]> => (await w.catalog.renditionsOf(id)).map(({ name }) => name);
      assert.deepEqual(await names(), ['main', '240p', '480p']);
      const [main] = await appendRun(w.catalog, id, 0, 2);
      const other = await w.catalog.appendSegment({ ...newSegment(id, { at: 0 }), rendition: '480p' });
      assert.equal(other.rendition.name, '480p');
      for (const [name, count, first] of [
        [undefined, 2, main],
        ['480p', 1, other],
        ['240p', 0, undefined],
      ] as const) {
        for (const window of [
          await w.catalog.liveWindow(id, 6, name),
          await w.catalog.dvrWindow(id, name),
          await w.catalog.segmentsBetween(id, at(0), at(100), 10, name),
        ]) {
          assert.deepEqual(
            [window.segments.length, window.segments[0]?.id],
            [count, first?.segment.id],
            name ?? 'main',
          );
        }
      }
      await throwsCode(w.catalog.liveWindow(id, 6, '4k'), 'not_found');
      await throwsCode(w.catalog.renditionsOf('str_missing'), 'not_found');
    });

    test('pushed media runs on within its epoch, wherever its segments lie to some milliseconds', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream({ kind: 'push' });
      const append = async (from: number, epochId?: string): Promise<string> =>
        (await w.catalog.appendSegment(newSegment(id, { at: from, frames: [], epochId }))).epoch.id;
      const epochId = await append(0);
      for (const from of [10.3, 20.1, 30.4]) await append(from, epochId);
      const next = await append(40.45);
      await append(50.45, next);
      await append(60.7);
      for (const tolerance of [null, 0, 100]) {
        const stretches = await w.catalog.coverage(id, at(0), at(100), tolerance);
        const expected = tolerance === 0 ? [4, 2, 1] : [6, 1];
        assert.deepEqual(
          stretches.map(({ segmentCount }) => segmentCount),
          expected,
          String(tolerance),
        );
      }
    });

    test('windows of an empty timeline are empty', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      assert.deepEqual((await w.catalog.liveWindow(id, 6)).segments, []);
      assert.deepEqual((await w.catalog.dvrWindow(id)).epochs, []);
      assert.deepEqual(await w.catalog.coverage(id, at(0), at(1), 0), []);
      assert.equal((await w.catalog.knownFrameTimes(id, [at(0)])).size, 0);
      await throwsCode(w.catalog.liveWindow('str_missing', 6), 'not_found');
      await throwsCode(w.catalog.segmentsBetween('str_missing', at(0), at(1), 1), 'not_found');
    });
  });
}
