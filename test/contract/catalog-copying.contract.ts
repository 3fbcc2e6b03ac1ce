import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomIds } from '../../src/base/ids.ts';
import type { KeptStretch } from '../../src/catalog/edge-store.ts';
import {
  allPages,
  appendRun,
  at,
  makeWorld,
  type MakeCatalog,
  newHold,
  newSegment,
  starts,
  throwsCode,
  type World,
} from './catalog-world.ts';

/** Registers the contract of what an edge needs to have its timelines copied. */
export function copyingContract(adapter: string, make: MakeCatalog): void {
  describe(`catalog contract, copying: ${adapter}`, () => {
    test('segments are copied as they were numbered: on-time ones, then late ones, a batch at a time', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 2);
      await appendRun(w.catalog, id, 100, 3);
      for (const late of [60, 40, 50]) {
        await w.catalog.appendSegment(newSegment(id, { at: late, late: true, frames: [late] }));
      }
      const seen: number[] = [];
      let from = { nextSequence: 0, nextLateSequence: 0 };
      for (;;) {
        const { segments, epochs } = await w.catalog.segmentsFrom(id, 'main', from, 2);
        const last = segments.at(-1);
        if (last === undefined) break;
        assert.deepEqual(new Set(epochs.map((epoch) => epoch.id)), new Set(segments.map((one) => one.epochId)));
        seen.push(...starts(segments));
        for (const { placement, sequence } of segments) {
          if (placement === 'onTime') from = { ...from, nextSequence: sequence + 1 };
          else from = { ...from, nextLateSequence: sequence + 1 };
        }
      }
      assert.deepEqual(seen, [0, 10, 100, 110, 120, 60, 40, 50]);
      const { nextSequence, nextLateSequence } = await w.catalog.getRendition(id, 'main');
      assert.deepEqual(from, { nextSequence, nextLateSequence });
      await throwsCode(w.catalog.segmentsFrom(id, 'other', from, 2), 'not_found');
    });

    test('retired segments are copied while they are there', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 6);
      await w.catalog.createHold(newHold(id, 20, 30));
      await retire(w, id, 50);
      const all = async (): Promise<number[]> =>
        starts((await w.catalog.segmentsFrom(id, 'main', { nextSequence: 1, nextLateSequence: 0 }, 9)).segments);
      assert.deepEqual(await all(), [10, 20, 30, 40, 50]);
      const sweepable = await w.catalog.sweepableSegments({ retiredByMs: w.clock.nowMs(), limit: 9 });
      const ids = sweepable.map((segment) => segment.id);
      await w.catalog.takeSweepable(ids.slice(0, 2));
      assert.deepEqual(await all(), [20, 30, 40, 50], 'what is being deleted is not promised to anybody');
      await w.catalog.removeSegments(ids);
      assert.deepEqual(await all(), [20, 50]);
    });

    test('what is kept for control is what it wants and nothing else, in every process', async (t) => {
      const w = await makeWorld(t, make);
      const [a, b] = [await w.stream(), await w.stream()];
      const own = await w.catalog.createHold(newHold(a.id, 0, 10, { kind: 'recording' }));
      const first = stretch(a.id, 10, null);
      const second = stretch(b.id, 0, 50);
      await w.catalog.keepForControl([first, second, stretch('str_missing', 0, 1)]);
      assert.deepEqual(await kept(w), [first.id, own.id, second.id].toSorted());
      const other = await w.another();
      const hold = await other.getHold(first.id);
      assert.deepEqual([hold.kind, hold.fromMs, hold.toMs, hold.name], ['recording', at(10), null, first.name]);
      await w.catalog.keepForControl([{ ...first, toMs: at(40) }]);
      assert.deepEqual(await kept(w), [first.id, own.id].toSorted());
      assert.equal((await other.getHold(first.id)).toMs, at(40));
      await w.catalog.keepForControl([]);
      assert.deepEqual(await kept(w), [own.id]);
    });

    test('what is kept survives retention, and is swept a grace after control has let it go', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 6);
      const wanted = stretch(id, 20, null);
      await w.catalog.keepForControl([wanted]);
      await retire(w, id, 60);
      assert.deepEqual(await sweepable(w, id), [0, 10]);
      await w.catalog.keepForControl([{ ...wanted, toMs: at(40) }]);
      assert.deepEqual(await sweepable(w, id), [0, 10, 40, 50]);
      await w.catalog.keepForControl([]);
      const releasedAtMs = w.clock.nowMs();
      await w.catalog.keepForControl([{ ...wanted, toMs: at(30) }]);
      assert.deepEqual(await sweepable(w, id), [0, 10, 30, 40, 50], 'it is taken up again under its own id');
      await w.catalog.keepForControl([]);
      await w.pass(1000);
      assert.deepEqual(await sweepable(w, id, releasedAtMs - 1), [0, 10, 30, 40, 50], 'it protects for a grace');
      assert.deepEqual(await sweepable(w, id), [0, 10, 20, 30, 40, 50]);
      await w.catalog.keepForControl([{ ...wanted, toMs: at(30) }]);
      assert.deepEqual(await kept(w), [wanted.id], 'and is made anew when it was forgotten');
    });

    test('to keep what is kept already changes nothing', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      const wanted = [stretch(id, 20, null), stretch(id, 0, 5)];
      await w.catalog.keepForControl(wanted);
      let changes = 0;
      w.catalog.onChange(() => changes++);
      await w.catalog.keepForControl(wanted.toReversed());
      await w.pass(1000);
      assert.equal(changes, 0);
    });
  });
}

function stretch(streamId: string, from: number, to: number | null): KeptStretch {
  const id = randomIds.next('recording');
  return { id, streamId, name: `kept ${id}`, fromMs: at(from), toMs: to === null ? null : at(to) };
}

async function kept(w: World): Promise<string[]> {
  const holds = await allPages((cursor) =>
    w.catalog.listHolds({ kind: 'recording' }, { limit: 1, ...(cursor === undefined ? {} : { cursor }) }),
  );
  return holds.map(({ id }) => id).toSorted();
}

async function retire(w: World, streamId: string, beforeS: number): Promise<void> {
  await w.catalog.retireSegments({ streamId, beforeMs: at(beforeS), limit: 100, dryRun: false });
}

async function sweepable(w: World, streamId: string, releasedByMs?: number): Promise<number[]> {
  const nowMs = w.clock.nowMs();
  const released = releasedByMs === undefined ? {} : { releasedByMs: releasedByMs as typeof nowMs };
  const found = await w.catalog.sweepableSegments({ retiredByMs: nowMs, limit: 99, streamId, ...released });
  return starts(found).toSorted((x, y) => x - y);
}
