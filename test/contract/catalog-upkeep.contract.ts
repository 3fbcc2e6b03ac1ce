import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SegmentRef } from '../../src/catalog/catalog.ts';
import {
  allPages,
  appendRun,
  at,
  collect,
  makeWorld,
  type MakeCatalog,
  newHold,
  newSegment,
  starts,
  T0,
  throwsCode,
  type World,
} from './catalog-world.ts';

/** Registers the contract of {@link UpkeepStore} and {@link HoldStore}. */
export function upkeepContract(adapter: string, make: MakeCatalog): void {
  describe(`catalog contract, holds and upkeep: ${adapter}`, () => {
    test('retiring takes the oldest out of the window and moves its numbers along', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 3);
      await appendRun(w.catalog, id, 30, 3);
      const request = { streamId: id, beforeMs: at(45), limit: 100, dryRun: false };
      const wouldRetire = await w.catalog.retireSegments({ ...request, dryRun: true });
      assert.equal((await w.catalog.dvrWindow(id)).segments.length, 6);
      const retired = await w.catalog.retireSegments(request);
      assert.deepEqual(retired, wouldRetire);
      assert.deepEqual(starts(retired), [0, 10, 20, 30]);
      const { segments, rendition } = await w.catalog.dvrWindow(id);
      assert.deepEqual(starts(segments), [40, 50]);
      assert.deepEqual([rendition.dvrMediaSequence, rendition.dvrDiscontinuitySequence], [4, 1]);
      assert.deepEqual(starts((await w.catalog.liveWindow(id, 10)).segments), [40, 50]);
      assert.notEqual((await w.catalog.getSegment(String(retired[0]?.id))).retiredAtMs, null);
      assert.deepEqual(await w.catalog.retireSegments(request), []);
      assert.deepEqual(await w.catalog.retireSegments({ ...request, streamId: 'str_missing' }), []);
    });

    test('retiring keeps its limit, and takes nothing from behind a segment that stays', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 4);
      await w.catalog.appendSegment(newSegment(id, { at: 40, lasts: 100, frames: [40] }));
      await w.catalog.appendSegment(newSegment(id, { at: 50, lasts: 1, frames: [50], late: true }));
      const retire = (beforeMs: number, limit: number): Promise<readonly SegmentRef[]> =>
        w.catalog.retireSegments({ streamId: id, beforeMs: at(beforeMs), limit, dryRun: false });
      assert.deepEqual(starts(await retire(60, 3)), [0, 10, 20]);
      assert.deepEqual(starts(await retire(60, 3)), [30]);
      assert.deepEqual(starts(await retire(140, 9)), [40, 50]);
    });

    test('the timeline goes on behind an emptied window', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      const [first] = await appendRun(w.catalog, id, 0, 2);
      await empty(w, id, 1000);
      const state = await w.catalog.claimRendition(id, 'main', 1);
      assert.equal(state.last, null);
      const next = await w.catalog.appendSegment(newSegment(id, { at: 20, epochId: first?.epoch.id, fence: 1 }));
      assert.deepEqual(
        [next.segment.sequence, next.rendition.dvrMediaSequence, next.segment.dvrDiscontinuity],
        [2, 2, false],
      );
      await empty(w, id, 1000);
      const [later] = await appendRun(w.catalog, id, 100, 1).catch(() => [undefined]);
      assert.equal(later, undefined, 'an old fence stays fenced');
      const reborn = await w.catalog.appendSegment(newSegment(id, { at: 100, fence: 1 }));
      assert.deepEqual([reborn.epoch.ordinal, reborn.segment.sequence, reborn.segment.dvrDiscontinuity], [1, 3, true]);
    });

    test('retired segments are swept when their grace is over, unless a hold covers them', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 6);
      const early = await w.catalog.createHold(newHold(id, 5, 10.001));
      await w.catalog.retireSegments({ streamId: id, beforeMs: at(1000), limit: 100, dryRun: false });
      const retiredAt = w.clock.nowMs();
      const lateHold = await w.catalog.createHold(newHold(id, 45, null));
      const other = await w.stream();
      await w.catalog.createHold(newHold(other.id, 0, 1000));
      const sweepable = async (retiredByMs = w.clock.nowMs(), limit = 100, streamId?: string): Promise<number[]> =>
        starts(await w.catalog.sweepableSegments({ retiredByMs, limit, ...(streamId !== undefined && { streamId }) }));
      await w.pass(1_000);
      assert.deepEqual(await sweepable(), [20, 30]);
      assert.deepEqual(await sweepable(w.clock.nowMs(), 1), [20]);
      assert.deepEqual(await sweepable(w.clock.nowMs(), 9, other.id), []);
      const before = (retiredAt - 1) as typeof retiredAt;
      assert.deepEqual(await sweepable(before), []);
      await w.catalog.releaseHold(early.id);
      await w.catalog.releaseHold(early.id);
      const releasedAt = w.clock.nowMs();
      await w.pass(500);
      assert.deepEqual(await sweepable((releasedAt - 1) as typeof releasedAt), [20, 30], 'its grace goes on');
      assert.deepEqual(
        (await sweepable(releasedAt)).toSorted((a, b) => a - b),
        [0, 10, 20, 30],
      );
      await w.catalog.updateHold(lateHold.id, { toMs: at(50) });
      assert.deepEqual(
        (await sweepable()).toSorted((a, b) => a - b),
        [0, 10, 20, 30, 50],
      );
    });

    test('segments under two holds are swept when the last of them is gone', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 3);
      const holds = [await w.catalog.createHold(newHold(id, 0, 30)), await w.catalog.createHold(newHold(id, 10, 20))];
      await w.catalog.retireSegments({ streamId: id, beforeMs: at(100), limit: 100, dryRun: false });
      const swept: number[] = [];
      for (const hold of holds) {
        await w.catalog.releaseHold(hold.id);
        await w.pass(10);
        swept.push((await w.catalog.sweepableSegments({ retiredByMs: w.clock.nowMs(), limit: 9 })).length);
      }
      assert.deepEqual(swept, [2, 3]);
    });

    test('shrinking a hold frees what it no longer covers', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 4);
      const hold = await w.catalog.createHold(newHold(id, 0, null, { kind: 'recording' }));
      await w.catalog.retireSegments({ streamId: id, beforeMs: at(100), limit: 100, dryRun: false });
      await w.catalog.updateHold(hold.id, { toMs: at(20) });
      const sweepable = await w.catalog.sweepableSegments({ retiredByMs: w.clock.nowMs(), limit: 9 });
      assert.deepEqual(starts(sweepable), [20, 30]);
    });

    test('removing segments removes what only they were the reason for, and nothing else', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      const [first] = await appendRun(w.catalog, id, 0, 2);
      const late = await w.catalog.appendSegment(newSegment(id, { at: 15.1, lasts: 1, frames: [15.1], late: true }));
      const [second] = await appendRun(w.catalog, id, 200, 2);
      const session = (await w.catalog.sessionsBetween(id, at(0), at(100)))[0];
      await w.catalog.settleSession(String(session?.id), null);
      const mark = (name: string, from: number, until: number | null): Promise<unknown> =>
        w.catalog.addMarker({
          id: `mrk_${name}`,
          streamId: id,
          atMs: at(from),
          untilMs: until === null ? null : at(until),
          label: name,
          type: 'note',
          data: {},
        });
      await mark('past', 5, null);
      await mark('held', 150, null);
      await mark('reaching', 12, 205);
      await mark('inside', 200, null);
      const hold = await w.catalog.createHold(newHold(id, 140, 160));
      const kept = await w.catalog.dvrWindow(id);
      await w.catalog.removeSegments(kept.segments.map((segment) => segment.id));
      assert.equal((await w.catalog.dvrWindow(id)).segments.length, 5, 'what is not retired is not removed');
      await w.catalog.retireSegments({ streamId: id, beforeMs: at(100), limit: 100, dryRun: false });
      const sweepable = await w.catalog.sweepableSegments({ retiredByMs: w.clock.nowMs(), limit: 100 });
      assert.equal(sweepable.length, 3);
      await w.catalog.removeSegments([...sweepable.map((ref) => ref.id), 'seg_missing']);
      await w.catalog.removeSegments([]);
      await throwsCode(w.catalog.getSegment(String(first?.segment.id)), 'not_found');
      await throwsCode(w.catalog.getEpoch(String(first?.epoch.id)), 'not_found');
      await throwsCode(w.catalog.getEpoch(late.epoch.id), 'not_found');
      await w.catalog.getEpoch(String(second?.epoch.id));
      const labels = (await w.catalog.listMarkers(id, {}, { limit: 9 })).items.map(({ label }) => label);
      assert.deepEqual(labels, ['reaching', 'held', 'inside']);
      const sessions = await w.catalog.sessionsBetween(id, at(-100), at(1000));
      assert.deepEqual(
        sessions.map(({ startMs }) => (startMs - T0) / 1000),
        [200],
      );
      assert.equal((await w.catalog.getHold(hold.id)).id, hold.id);
      const totals = await w.catalog.totals();
      assert.deepEqual(
        [totals.segments, totals.segmentBytes, totals.retiredSegments, totals.retiredBytes],
        [2, 2_000, 0, 0],
      );
    });

    test('totals follow every write', async (t) => {
      const w = await makeWorld(t, make);
      assert.deepEqual(await w.catalog.totals(), {
        streams: 0,
        segments: 0,
        segmentBytes: 0,
        retiredSegments: 0,
        retiredBytes: 0,
        openSessions: 0,
        assetSegmentBytes: 0,
        remoteBytes: 0,
      });
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 4);
      await w.catalog.appendSegment(newSegment(id, { at: 1, lasts: 1, frames: [1], late: true, sizeBytes: 7 }));
      await w.catalog.retireSegments({ streamId: id, beforeMs: at(20), limit: 100, dryRun: false });
      assert.deepEqual(await w.catalog.totals(), {
        streams: 1,
        segments: 2,
        segmentBytes: 2_000,
        retiredSegments: 3,
        retiredBytes: 2_007,
        openSessions: 1,
        assetSegmentBytes: 0,
        remoteBytes: 0,
      });
    });

    test('the oldest segments of all streams come first', async (t) => {
      const w = await makeWorld(t, make);
      const [a, b] = [await w.stream(), await w.stream()];
      await appendRun(w.catalog, a.id, 0, 3);
      await appendRun(w.catalog, b.id, 5, 3);
      await w.catalog.retireSegments({ streamId: a.id, beforeMs: at(10), limit: 1, dryRun: false });
      const oldest = await w.catalog.oldestSegments(3);
      assert.deepEqual(starts(oldest), [5, 10, 15]);
      assert.deepEqual(
        oldest.map(({ streamId }) => streamId),
        [b.id, a.id, b.id],
      );
    });

    test('a session ends once, with its archive in the same commit', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 2);
      const [open] = await w.catalog.openSessions();
      const sessionId = String(open?.session.id);
      const archive = newHold(id, 0, 20, { sessionId });
      const answers = await Promise.all([
        w.catalog.endSession({ sessionId, by: 'offline', archive }),
        (await w.another()).endSession({ sessionId, by: 'maxDuration', archive: newHold(id, 0, 20, { sessionId }) }),
      ]);
      assert.deepEqual(
        answers.toSorted((a, b) => Number(a) - Number(b)),
        [false, true],
      );
      assert.equal((await w.catalog.listHolds({ streamId: id }, { limit: 9 })).items.length, 1);
      assert.deepEqual(await w.catalog.openSessions(), []);
      assert.deepEqual(await w.catalog.unarchivedSessions(), []);
      const next = await w.catalog.appendSegment(newSegment(id, { at: 20 }));
      assert.notEqual(next.session?.id, sessionId);
      const taken = newHold(id, 0, 20, { id: archive.id });
      await w.catalog.createHold(taken).catch(() => undefined);
      await throwsCode(
        w.catalog.endSession({ sessionId: String(next.session?.id), by: 'reset', archive: taken }),
        'conflict',
      );
      assert.equal((await w.catalog.openSessions()).length, 1, 'no archive, no end');
    });

    test('a session that an append closed waits for its archive, and gets one', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 1);
      await appendRun(w.catalog, id, 1000, 1);
      const [waiting] = await w.catalog.unarchivedSessions();
      const sessionId = String(waiting?.session.id);
      const archive = newHold(id, 0, 10, { sessionId });
      assert.equal(await w.catalog.settleSession(sessionId, archive), true);
      assert.equal(await w.catalog.settleSession(sessionId, newHold(id, 0, 10)), false);
      assert.deepEqual(await w.catalog.unarchivedSessions(), []);
      assert.equal((await w.catalog.listHolds({}, { limit: 9 })).items.length, 1);
      const [open] = await w.catalog.openSessions();
      assert.equal(await w.catalog.settleSession(String(open?.session.id), null), false, 'an open one is not settled');
    });

    test('lost bytes are marked, and found ones again', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      const [appended] = await appendRun(w.catalog, id, 0, 1);
      const segmentId = String(appended?.segment.id);
      await w.catalog.setSegmentLost(segmentId, true);
      assert.equal((await w.catalog.getSegment(segmentId)).lost, true);
      await w.catalog.setSegmentLost(segmentId, false);
      assert.equal((await w.catalog.getSegment(segmentId)).lost, false);
      await throwsCode(w.catalog.setSegmentLost('seg_missing', true), 'not_found');
    });

    test('everything is listed for the doctor, in order', async (t) => {
      const w = await makeWorld(t, make);
      const [a, b] = [await w.stream(), await w.stream()];
      await appendRun(w.catalog, a.id, 0, 3);
      await w.catalog.appendSegment(newSegment(a.id, { at: 1, lasts: 1, frames: [1], late: true }));
      await appendRun(w.catalog, b.id, 0, 2);
      await w.catalog.retireSegments({ streamId: a.id, beforeMs: at(10), limit: 1, dryRun: false });
      assert.deepEqual(starts(await collect(w.catalog.allSegments({ streamId: a.id }))), [0, 1, 10, 20]);
      assert.equal((await collect(w.catalog.allSegments())).length, 6);
      assert.equal((await collect(w.catalog.allEpochs())).length, 3);
      assert.equal((await collect(w.catalog.allEpochs({ streamId: b.id }))).length, 1);
    });

    test('holds are listed newest first, narrowed and paged, released ones left out', async (t) => {
      const w = await makeWorld(t, make);
      const [a, b] = [await w.stream({ tenant: 'a' }), await w.stream({ tenant: 'b' })];
      const ids: string[] = [];
      for (let index = 0; index < 6; index++) {
        const hold = newHold(index % 2 === 0 ? a.id : b.id, index * 10, index === 5 ? null : index * 10 + 10, {
          kind: index < 3 ? 'archive' : 'recording',
          expiresAtMs: index < 2 ? at(1000 + index) : null,
        });
        ids.push((await w.catalog.createHold(hold)).id);
        await w.pass(index < 3 ? 10 : 0);
      }
      const list = async (filter: Parameters<typeof w.catalog.listHolds>[0]): Promise<number[]> =>
        (await w.catalog.listHolds(filter, { limit: 100 })).items.map(({ id }) => ids.indexOf(id));
      const all = await list({});
      assert.deepEqual(all.slice(3), [2, 1, 0]);
      for (const limit of [1, 2, 4, 6]) {
        const paged = await allPages((cursor) => w.catalog.listHolds({}, { limit, ...(cursor && { cursor }) }));
        assert.deepEqual(
          paged.map(({ id }) => ids.indexOf(id)),
          all,
        );
      }
      assert.deepEqual(
        (await list({ tenant: 'a' })).toSorted((a, b) => a - b),
        [0, 2, 4],
      );
      assert.deepEqual(await list({ streamId: b.id, kind: 'archive' }), [1]);
      assert.deepEqual(
        (await list({ fromMs: at(15), toMs: at(30) })).toSorted((a, b) => a - b),
        [1, 2],
      );
      assert.deepEqual(await list({ fromMs: at(5000) }), [5]);
      assert.deepEqual(await list({ expiredByMs: at(1001) }), [0]);
      await w.catalog.releaseHold(String(ids[0]));
      assert.deepEqual(await list({ expiredByMs: at(1001) }), []);
      assert.notEqual((await w.catalog.getHold(String(ids[0]))).releasedAtMs, null);
    });

    test('a hold needs a stream, a range and an id of its own', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      const hold = await w.catalog.createHold(newHold(id, 0, 10));
      assert.equal((await w.catalog.updateHold(hold.id, { name: 'renamed' })).toMs, at(10));
      assert.equal((await w.catalog.getHold(hold.id)).name, 'renamed');
      await throwsCode(w.catalog.createHold(newHold('str_missing', 0, 10)), 'not_found');
      await throwsCode(w.catalog.createHold(newHold(id, 10, 10)), 'invalid_argument');
      await throwsCode(w.catalog.createHold(newHold(id, 0, 10, { id: hold.id })), 'conflict');
      await throwsCode(w.catalog.updateHold(hold.id, { toMs: at(-1) }), 'invalid_argument');
      await throwsCode(w.catalog.updateHold('hld_missing', { name: 'x' }), 'not_found');
      await throwsCode(w.catalog.releaseHold('hld_missing'), 'not_found');
      await throwsCode(w.catalog.getHold('hld_missing'), 'not_found');
    });
  });
}

/** Retires and removes everything of a stream. */
async function empty(w: World, streamId: string, before: number): Promise<void> {
  const refs = await w.catalog.retireSegments({ streamId, beforeMs: at(before), limit: 1000, dryRun: false });
  await w.catalog.removeSegments(refs.map(({ id }) => id));
}
