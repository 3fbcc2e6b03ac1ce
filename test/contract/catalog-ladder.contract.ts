import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomIds } from '../../src/base/ids.ts';
import type { AppendedSegment, Catalog } from '../../src/catalog/catalog.ts';
import type { LadderLease, RungSegment } from '../../src/catalog/ladder-store.ts';
import type { Segment } from '../../src/timeline/segment.ts';
import {
  appendRun,
  at,
  makeWorld,
  newHold,
  newSegment,
  newStream,
  throwsCode,
  type MakeCatalog,
  type World,
} from './catalog-world.ts';

const LEASE = { owner: 'one', leaseMs: 5000, limit: 10 };
const LADDER = { kind: 'push', settings: { ladder: 'auto' } } as const;

/** Live ladders: who makes them, and rungs in step with their source. */
export function ladderContract(adapter: string, make: MakeCatalog): void {
  describe(`catalog contract, ladders: ${adapter}`, () => {
    test('a ladder that is wanted has one owner, until its lease runs out or it is let go', async (t) => {
      const world = await makeWorld(t, make);
      const { catalog } = world;
      await world.stream({ kind: 'push' });
      const { id } = await world.stream(LADDER);
      const [first] = await catalog.claimLadders(LEASE);
      assert.deepEqual([first?.streamId, first?.report], [id, null]);
      assert.deepEqual(await catalog.claimLadders({ ...LEASE, owner: 'two' }), []);
      await world.pass(4000);
      assert.deepEqual(await catalog.claimLadders(LEASE), [first]);
      await world.pass(4000);
      assert.deepEqual(await catalog.claimLadders({ ...LEASE, owner: 'two' }), []);
      await world.pass(1000);
      const [second] = await catalog.claimLadders({ ...LEASE, owner: 'two' });
      assert.ok(second !== undefined && first !== undefined && second.fence > first.fence);
      assert.deepEqual(await catalog.claimLadders(LEASE), []);
      await catalog.releaseLadders('two');
      const [third] = await catalog.claimLadders(LEASE);
      assert.ok(third !== undefined && third.fence > second.fence);
    });

    test('no more than asked for are taken, and several owners share them', async (t) => {
      const world = await makeWorld(t, make);
      const { catalog } = world;
      for (let count = 0; count < 3; count++) await world.stream(LADDER);
      const one = await catalog.claimLadders({ ...LEASE, limit: 2 });
      const two = await catalog.claimLadders({ ...LEASE, owner: 'two' });
      assert.deepEqual([one.length, two.length], [2, 1]);
      assert.deepEqual(await catalog.claimLadders({ ...LEASE, limit: 0 }), one);
    });

    test('the setting decides: turned off, nobody has it and nothing is appended', async (t) => {
      const world = await makeWorld(t, make);
      const { catalog } = world;
      const { id } = await world.stream({ kind: 'push' });
      assert.deepEqual(await catalog.claimLadders(LEASE), []);
      await catalog.updateStream(id, { settings: { ladder: [{ height: 90, videoKbps: null }] } });
      const [lease] = await catalog.claimLadders(LEASE);
      const [main] = await appendRun(catalog, id, 0, 1);
      await catalog.updateStream(id, { settings: { ladder: null } });
      assert.deepEqual(await catalog.claimLadders(LEASE), []);
      await throwsCode(append(catalog, lease, main?.segment), 'fenced');
      await catalog.updateStream(id, { settings: { ladder: 'auto' } });
      const [again] = await catalog.claimLadders(LEASE);
      assert.ok((again?.fence ?? 0) > (lease?.fence ?? 0));
      await catalog.deleteStream(id);
      assert.deepEqual(await catalog.claimLadders(LEASE), []);
    });

    test('a rung has its source’s numbers, times, epochs and breaks, from where it begins', async (t) => {
      const { world, id, lease } = await laddered(t, make);
      const { catalog } = world;
      await appendRun(catalog, id, 0, 2);
      const sources = [...(await appendRun(catalog, id, 100, 2)), ...(await appendRun(catalog, id, 200, 2))];
      for (const { segment } of sources.slice(1)) await append(catalog, lease, segment, ['360p', '180p']);
      for (const name of ['360p', '180p']) {
        const { segments, epochs } = await catalog.liveWindow(id, 10, name);
        assert.deepEqual(
          segments.map(inStep),
          sources.slice(1).map(({ segment }) => inStep(segment)),
        );
        assert.deepEqual(
          segments.map(({ epochId }) => epochs.find((epoch) => epoch.id === epochId)?.ordinal),
          [1, 2, 2],
        );
        assert.deepEqual(
          segments.map(({ lost }) => lost),
          [false, false, false],
        );
        assert.equal((await catalog.getRendition(id, name)).nextSequence, 6);
      }
    });

    test('what a rung lacks is lost in it, over several epochs, so that it stays in step', async (t) => {
      const { world, id, lease } = await laddered(t, make);
      const { catalog } = world;
      const [first] = await appendRun(catalog, id, 0, 2);
      await append(catalog, lease, first?.segment);
      await appendRun(catalog, id, 100, 2);
      const last = await appendRun(catalog, id, 200, 3);
      const { appended, isComplete } = await append(catalog, lease, last[1]?.segment);
      assert.deepEqual([appended, isComplete], [5, true]);
      const main = (await catalog.dvrWindow(id)).segments;
      const rung = await catalog.dvrWindow(id, '360p');
      assert.deepEqual(rung.segments.map(inStep), main.slice(0, -1).map(inStep));
      assert.deepEqual(
        rung.segments.map(({ lost, sizeBytes }) => [lost, sizeBytes]),
        [
          [false, 500],
          [true, 0],
          [true, 0],
          [true, 0],
          [true, 0],
          [false, 500],
        ],
      );
      assert.equal(rung.epochs.length, 3);
      assert.equal(rung.rendition.nextEpochOrdinal, 3);
    });

    test('thousands of gaps are noted a part at a time', async (t) => {
      const { world, id, lease } = await laddered(t, make);
      const { catalog } = world;
      const sources = await appendRun(catalog, id, 0, 250);
      await append(catalog, lease, sources[0]?.segment);
      const rung = made('360p');
      const part = await append(catalog, lease, sources.at(-1)?.segment, [rung]);
      assert.equal(part.isComplete, false);
      const rest = await append(catalog, lease, sources.at(-1)?.segment, [rung]);
      assert.equal(rest.isComplete, true);
      assert.equal(part.appended + rest.appended, 249);
      const { segments } = await catalog.dvrWindow(id, '360p');
      assert.deepEqual(
        segments.map(({ sequence }) => sequence),
        [...segments.keys()],
      );
      assert.equal(segments.filter(({ lost }) => !lost).length, 2);
    });

    test('what is there already is passed over', async (t) => {
      const { world, id, lease } = await laddered(t, make);
      const { catalog } = world;
      const [first, second] = await appendRun(catalog, id, 0, 2);
      await append(catalog, lease, first?.segment);
      assert.equal((await append(catalog, lease, first?.segment)).appended, 0);
      await append(catalog, lease, second?.segment, ['180p']);
      assert.equal((await append(catalog, lease, second?.segment, ['360p', '180p'])).appended, 1);
      for (const [name, sequences] of [
        ['360p', [0, 1]],
        ['180p', [1]],
      ] as const) {
        const { segments } = await catalog.liveWindow(id, 10, name);
        assert.deepEqual(
          segments.map(({ sequence }) => sequence),
          sequences,
        );
      }
    });

    test('late segments are late in the rung too, and those that it lacks are lost', async (t) => {
      const { world, id, lease } = await laddered(t, make);
      const { catalog } = world;
      const early = await catalog.appendSegment(newSegment(id, { at: 10, late: true }));
      const [first] = await appendRun(catalog, id, 100, 1);
      await append(catalog, lease, first?.segment);
      const late: AppendedSegment[] = [];
      for (const place of [20, 40]) {
        late.push(await catalog.appendSegment(newSegment(id, { at: place, late: true })));
      }
      const { rendition } = await catalog.liveWindow(id, 1, '360p');
      assert.equal(rendition.nextLateSequence, early.segment.sequence + 1);
      const { segments } = await catalog.lateSegments(id, rendition.nextLateSequence, 1);
      assert.deepEqual(
        segments.map((one) => one.id),
        [late[0]?.segment.id],
      );
      await append(catalog, lease, late[1]?.segment);
      const window = await catalog.dvrWindow(id, '360p');
      assert.deepEqual(
        window.segments.map((one) => [one.startMs, one.placement, one.lost]),
        [
          [at(20), 'late', true],
          [at(40), 'late', false],
          [at(100), 'onTime', false],
        ],
      );
    });

    test('other parameters within an epoch of the source begin an init segment and no discontinuity', async (t) => {
      const { world, id, lease } = await laddered(t, make);
      const { catalog } = world;
      const [first, second] = await appendRun(catalog, id, 0, 2);
      await append(catalog, lease, first?.segment);
      await append(catalog, lease, second?.segment, [{ ...made('360p'), init: { ...INIT, sha256: 'ef'.repeat(32) } }]);
      const { segments, epochs } = await catalog.liveWindow(id, 10, '360p');
      assert.deepEqual(
        segments.map(({ discontinuity }) => discontinuity),
        [false, false],
      );
      assert.deepEqual(
        epochs.map(({ ordinal }) => ordinal),
        [0, 0],
      );
      assert.equal((await catalog.getRendition(id, '360p')).nextEpochOrdinal, 1);
    });

    test('when the source has forgotten what is between, the rung goes on once its own past has left the window', async (t) => {
      const { world, id, lease } = await laddered(t, make);
      const { catalog } = world;
      const sources = await appendRun(catalog, id, 0, 3);
      await append(catalog, lease, sources[0]?.segment);
      const retired = await catalog.retireSegments({ streamId: id, beforeMs: at(20), limit: 2, dryRun: false });
      const ofMain = retired.filter(({ renditionId }) => renditionId === sources[0]?.rendition.id);
      assert.equal(ofMain.length, 2);
      await catalog.removeSegments([...(await catalog.takeSweepable(ofMain.map((one) => one.id)))]);
      await throwsCode(append(catalog, lease, sources[2]?.segment), 'unavailable');
      await catalog.retireSegments({ streamId: id, beforeMs: at(20), limit: 10, dryRun: false });
      const all = (await catalog.sweepableSegments({ retiredByMs: world.clock.nowMs(), limit: 10 })).map(
        (one) => one.id,
      );
      await catalog.removeSegments([...(await catalog.takeSweepable(all))]);
      await append(catalog, lease, sources[2]?.segment);
      const { segments } = await catalog.dvrWindow(id, '360p');
      assert.deepEqual(
        segments.map(({ sequence, lost }) => [sequence, lost]),
        [[2, false]],
      );
    });

    test('holds keep rungs from being swept, as they keep the source', async (t) => {
      const { world, id, lease } = await laddered(t, make);
      const { catalog, clock } = world;
      const sources = await appendRun(catalog, id, 0, 3);
      for (const { segment } of sources) await append(catalog, lease, segment);
      const hold = await catalog.createHold(newHold(id, 10, 20, { kind: 'recording' }));
      await catalog.retireSegments({ streamId: id, beforeMs: at(30), limit: 100, dryRun: false });
      const sweepable = await catalog.sweepableSegments({ retiredByMs: clock.nowMs(), limit: 100 });
      assert.equal(sweepable.length, 4, 'two of each rendition');
      const shown = await catalog.segmentsBetween(id, at(0), at(30), 10, '360p');
      assert.deepEqual(
        shown.segments.map(({ sequence }) => sequence),
        [1],
      );
      await catalog.releaseHold(hold.id);
      await world.pass(1000);
      assert.equal((await catalog.sweepableSegments({ retiredByMs: clock.nowMs(), limit: 100 })).length, 6);
    });

    test('what is known of a ladder is noted by its owner', async (t) => {
      const { world, id, lease } = await laddered(t, make);
      const { catalog } = world;
      assert.equal(await catalog.getLadder(id), null);
      const report = { rungs: [{ name: '360p', width: 640, height: 360 }], made: 3, missed: 1, lastFailure: null };
      await catalog.noteLadder(id, lease.fence, report);
      await catalog.noteLadder(id, lease.fence - 1, { ...report, made: 9 });
      assert.deepEqual(await catalog.getLadder(id), report);
      assert.deepEqual(await catalog.claimLadders(LEASE), [{ ...lease, report }]);
    });

    test('a source that is gone, and an owner that is not, are told', async (t) => {
      const { world, id, lease } = await laddered(t, make);
      const { catalog } = world;
      const [main] = await appendRun(catalog, id, 0, 1);
      await append(catalog, lease, main?.segment);
      const { segments } = await catalog.liveWindow(id, 1, '360p');
      await throwsCode(append(catalog, lease, segments[0]), 'not_found');
      await throwsCode(append(catalog, { ...lease, fence: lease.fence - 1 }, main?.segment), 'fenced');
      const other = await catalog.createStream(newStream({ kind: 'push' }));
      await throwsCode(append(catalog, { ...lease, streamId: other.id }, main?.segment), 'fenced');
    });
  });
}

const INIT = {
  bytes: Uint8Array.of(1, 2, 3),
  sha256: '12'.repeat(32),
  codecs: 'avc1.64001E,mp4a.40.2',
  width: 640,
  height: 360,
};

function made(rendition: string): RungSegment {
  const id = randomIds.next('segment');
  return { id, rendition, objectKey: `media/${id}.m4s`, sizeBytes: 500, sha256: '34'.repeat(32), init: INIT };
}

async function laddered(
  t: Parameters<typeof makeWorld>[0],
  make: MakeCatalog,
): Promise<{ readonly world: World; readonly id: string; readonly lease: LadderLease }> {
  const world = await makeWorld(t, make);
  const { id } = await world.stream(LADDER);
  const [lease] = await world.catalog.claimLadders({ ...LEASE, leaseMs: 3_600_000 });
  assert.ok(lease !== undefined);
  return { world, id, lease };
}

/** Appends what a source segment became. */
async function append(
  catalog: Catalog,
  lease: LadderLease | undefined,
  source: Segment | undefined,
  rungs: readonly (string | RungSegment)[] = ['360p'],
): ReturnType<Catalog['appendRungs']> {
  assert.ok(lease !== undefined && source !== undefined);
  return catalog.appendRungs({
    streamId: lease.streamId,
    fence: lease.fence,
    sourceId: source.id,
    rungs: rungs.map((rung) => (typeof rung === 'string' ? made(rung) : rung)),
  });
}

/** What must be the same in every rendition. */
function inStep({ sequence, startMs, mediaStart90k, duration90k, discontinuity, placement }: Segment): unknown {
  return { sequence, startMs, mediaStart90k, duration90k, discontinuity, placement };
}
