import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { byWallOrder, type Segment } from '../../src/timeline/segment.ts';
import { appendRun, at, makeWorld, type MakeCatalog, newSegment, starts, T0, throwsCode } from './catalog-world.ts';

/** Registers the contract of {@link TimelineStore}. */
export function timelineContract(adapter: string, make: MakeCatalog): void {
  describe(`catalog contract, timeline: ${adapter}`, () => {
    test('a segment is read as it was appended', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      const given = newSegment(id, { at: 0.25, frames: [0.25, 5.001, 9] });
      const { segment, epoch, rendition, session } = await w.catalog.appendSegment(given);
      const { epoch: _epoch, fence: _fence, offlineAfterMs: _offline, ...plain } = given;
      assert.deepEqual(segment, {
        ...plain,
        renditionId: rendition.id,
        epochId: epoch.id,
        sequence: 0,
        discontinuity: false,
        dvrDiscontinuity: false,
        lost: false,
        retiredAtMs: null,
        createdAtMs: w.clock.nowMs(),
      });
      const other = await w.another();
      assert.deepEqual(await other.getSegment(segment.id), segment);
      assert.deepEqual({ ...(await other.getEpoch(epoch.id)), init: null }, { ...epoch, init: null });
      assert.deepEqual([...(await other.getEpoch(epoch.id)).init], [0, 1, 2, 255]);
      assert.deepEqual(await other.getRendition(id, 'main'), rendition);
      assert.deepEqual([epoch.ordinal, epoch.placement], [0, 'onTime']);
      assert.deepEqual([session?.startMs, session?.endMs, session?.closedAtMs], [at(0.25), at(10.25), null]);
    });

    test('sequence numbers count without holes or repeats, over any interleaving of streams and processes', async (t) => {
      const w = await makeWorld(t, make);
      const catalogs = [w.catalog, await w.another()];
      const streams = await Promise.all([w.stream(), w.stream(), w.stream()]);
      const write = async (streamId: string, index: number): Promise<void> => {
        let epochId: string | undefined;
        for (let step = 0; step < 12; step++) {
          const catalog = catalogs[(step + index) % 2] ?? w.catalog;
          const appended = await catalog.appendSegment(newSegment(streamId, { at: step * 10, epochId }));
          assert.equal(appended.segment.sequence, step);
          assert.equal(appended.rendition.nextSequence, step + 1);
          epochId = appended.epoch.id;
        }
      };
      await Promise.all(streams.map(({ id }, index) => write(id, index)));
      for (const { id } of streams) {
        const { segments } = await w.catalog.dvrWindow(id);
        assert.deepEqual(
          segments.map(({ sequence }) => sequence),
          Array.from({ length: 12 }, (_, index) => index),
        );
      }
    });

    test('of calls in one commit each succeeds or fails alone', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      const [first] = await appendRun(w.catalog, id, 0, 1);
      const epochId = first?.epoch.id;
      const outcomes = await Promise.allSettled([
        w.catalog.appendSegment(newSegment(id, { at: 10, epochId })),
        w.catalog.appendSegment(newSegment(id, { at: 10, epochId })),
        w.catalog.appendSegment(newSegment('str_missing', { at: 20 })),
        w.catalog.appendSegment(newSegment(id, { at: 20, epochId: 'epo_missing' })),
        w.catalog.appendSegment(newSegment(id, { at: 20, epochId })),
      ]);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'rejected', 'rejected', 'fulfilled'],
      );
      const { segments, rendition } = await w.catalog.dvrWindow(id);
      assert.deepEqual(
        segments.map(({ sequence }) => sequence),
        [0, 1, 2],
      );
      assert.equal(rendition.nextSequence, 3);
    });

    test('an epoch that begins later is a discontinuity, and counts', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 2);
      const [second] = await appendRun(w.catalog, id, 20, 2);
      assert.deepEqual(
        [second?.epoch.ordinal, second?.segment.discontinuity, second?.segment.dvrDiscontinuity],
        [1, true, true],
      );
      const live = await w.catalog.liveWindow(id, 3);
      assert.deepEqual(starts(live.segments), [10, 20, 30]);
      assert.deepEqual(
        live.segments.map(({ discontinuity }) => discontinuity),
        [false, true, false],
      );
      assert.deepEqual(
        live.epochs.map(({ ordinal }) => ordinal).toSorted((a, b) => a - b),
        [0, 1],
      );
      assert.equal(live.rendition.nextEpochOrdinal, 2);
    });

    test('an epoch may count on from a higher number, never from a lower', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream({ kind: 'push' });
      const begin = (at: number, leastOrdinal: number): ReturnType<typeof w.catalog.appendSegment> => {
        const segment = newSegment(id, { at });
        assert.ok('begin' in segment.epoch);
        return w.catalog.appendSegment({ ...segment, epoch: { begin: { ...segment.epoch.begin, leastOrdinal } } });
      };
      const appended = [await begin(0, 3), await begin(10, 1), await begin(20, 7)];
      assert.deepEqual(
        appended.map(({ epoch, segment }) => [epoch.ordinal, segment.discontinuity, segment.dvrDiscontinuity]),
        [
          [3, false, false],
          [4, true, true],
          [7, true, true],
        ],
      );
      assert.equal((await w.catalog.getRendition(id, 'main')).nextEpochOrdinal, 8);
    });

    test('only the newest epoch goes on', async (t) => {
      const w = await makeWorld(t, make);
      const [{ id }, other] = [await w.stream(), await w.stream()];
      const [old] = await appendRun(w.catalog, id, 0, 1);
      const [newest] = await appendRun(w.catalog, id, 10, 1);
      await throwsCode(w.catalog.appendSegment(newSegment(id, { at: 20, epochId: old?.epoch.id })), 'invalid_argument');
      await throwsCode(
        w.catalog.appendSegment(newSegment(other.id, { at: 20, epochId: newest?.epoch.id })),
        'invalid_argument',
      );
      await throwsCode(
        w.catalog.appendSegment(newSegment(id, { at: 6, frames: [6], late: true, epochId: newest?.epoch.id })),
        'invalid_argument',
      );
    });

    test('a claim hands over what a writer needs, and shuts older writers out', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      const empty = await w.catalog.claimRendition(id, 'main', 5);
      assert.deepEqual([empty.last, empty.openSession, empty.stream.id], [null, null, id]);
      await w.catalog.appendSegment(newSegment(id, { at: 0, fence: 5 }));
      const other = await w.another();
      const state = await other.claimRendition(id, 'main', 6);
      assert.equal(state.last?.segment.startMs, at(0));
      assert.equal(state.last?.epoch.ordinal, 0);
      assert.equal(state.openSession?.endMs, at(10));
      await throwsCode(w.catalog.appendSegment(newSegment(id, { at: 10, fence: 5 })), 'fenced');
      await throwsCode(w.catalog.claimRendition(id, 'main', 5), 'fenced');
      await w.catalog.claimRendition(id, 'main', 6);
      await other.appendSegment(newSegment(id, { at: 10, fence: 6, epochId: state.last?.epoch.id }));
      assert.equal((await w.catalog.dvrWindow(id)).segments.length, 2);
      await throwsCode(w.catalog.claimRendition('str_missing', 'main', 7), 'not_found');
    });

    test('a claim makes a rendition that is missing, once', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream({ kind: 'push' });
      await throwsCode(w.catalog.getRendition(id, '480p'), 'not_found');
      const made = await w.catalog.claimRendition(id, '480p', 1);
      assert.deepEqual([made.rendition.name, made.rendition.nextSequence, made.last], ['480p', 0, null]);
      const again = await (await w.another()).claimRendition(id, '480p', 2);
      assert.equal(again.rendition.id, made.rendition.id);
      await throwsCode(w.catalog.claimRendition(id, '480p', 1), 'fenced');
    });

    test('a frame is on its timeline once', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 5);
      await throwsCode(
        w.catalog.appendSegment(newSegment(id, { at: 21, lasts: 1, frames: [21, 25], late: true })),
        'conflict',
      );
      await throwsCode(w.catalog.appendSegment(newSegment(id, { at: 40, frames: [40] })), 'conflict');
      await w.catalog.appendSegment(newSegment(id, { at: 21, lasts: 1, frames: [21, 22], late: true }));
      const asked = [-1, 0, 5, 21, 22, 24, 25, 45, 50, 999_999].map(at);
      const known = await w.catalog.knownFrameTimes(id, asked);
      assert.deepEqual(
        [...known].toSorted((a, b) => a - b),
        [0, 5, 21, 22, 25, 45].map(at),
      );
      await w.catalog.retireSegments({ streamId: id, beforeMs: at(30), limit: 100, dryRun: false });
      assert.deepEqual([...(await w.catalog.knownFrameTimes(id, [at(0), at(22)]))].length, 2);
      assert.equal((await w.catalog.knownFrameTimes(id, [])).size, 0);
    });

    test('a late segment lies at its own wall-clock place in dvr and is not in live', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 2);
      await appendRun(w.catalog, id, 60, 2);
      const before = await w.catalog.dvrWindow(id);
      const late = await w.catalog.appendSegment(newSegment(id, { at: 30, late: true }));
      assert.deepEqual(
        [late.segment.sequence, late.segment.placement, late.epoch.ordinal, late.session],
        [0, 'late', -1, null],
      );
      assert.equal(late.segment.discontinuity, true);
      const dvr = await w.catalog.dvrWindow(id);
      assert.deepEqual(starts(dvr.segments), [0, 10, 30, 60, 70]);
      assert.deepEqual(
        dvr.segments.map(({ dvrDiscontinuity }) => dvrDiscontinuity),
        [false, false, true, true, false],
      );
      assert.equal(dvr.rendition.dvrMediaSequence, before.rendition.dvrMediaSequence + 4);
      assert.equal(dvr.rendition.dvrDiscontinuitySequence, before.rendition.dvrDiscontinuitySequence + 1);
      assert.deepEqual(starts((await w.catalog.liveWindow(id, 10)).segments), [0, 10, 60, 70]);
      const inside = await w.catalog.appendSegment(newSegment(id, { at: 62, lasts: 1, frames: [62], late: true }));
      assert.equal(inside.rendition.dvrMediaSequence, dvr.rendition.dvrMediaSequence + 5);
      assert.equal(inside.rendition.nextLateSequence, 2);
      const after = await w.catalog.dvrWindow(id);
      assert.deepEqual(
        after.segments.map(({ dvrDiscontinuity }) => dvrDiscontinuity),
        [false, false, true, true, true, true],
      );
      assert.equal(
        after.segments.find(({ sequence, placement }) => placement === 'onTime' && sequence === 3)?.discontinuity,
        false,
      );
    });

    test('numbers of the dvr window hold under any history, and the window is in wall order', async (t) => {
      const w = await makeWorld(t, make);
      const step = fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom('append', 'epoch') },
        { weight: 2, arbitrary: fc.constantFrom('late', 'retire') },
      );
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 5, maxLength: 25 }),
          fc.infiniteStream(fc.nat(997)),
          async (steps, random) => {
            const { id } = await w.stream();
            const named = new Map<number, string>();
            let edge = 0;
            let epochId: string | undefined;
            for (const taken of steps) {
              if (taken === 'retire') {
                const beforeMs = at((edge * (random.next().value ?? 0)) / 997);
                await w.catalog.retireSegments({ streamId: id, beforeMs, limit: 100, dryRun: false });
              } else if (taken === 'late') {
                const place = Math.floor((edge * (random.next().value ?? 0)) / 997) + 0.001 * named.size + 0.137;
                await w.catalog
                  .appendSegment(newSegment(id, { at: place, lasts: 0.5, frames: [place], late: true }))
                  .catch(() => undefined); // Two late frames may fall on one time.
              } else {
                const plan = newSegment(id, { at: edge, epochId: taken === 'epoch' ? undefined : epochId });
                ({ id: epochId } = (await w.catalog.appendSegment(plan)).epoch);
                edge += 10;
              }
              const { segments, rendition } = await w.catalog.dvrWindow(id);
              assert.deepEqual(segments, segments.toSorted(byWallOrder));
              for (const [index, segment] of segments.entries()) {
                const number = rendition.dvrMediaSequence + index;
                assert.equal(named.get(number) ?? segment.id, segment.id);
                named.set(number, segment.id);
                const previous: Segment | undefined = segments[index - 1];
                if (previous !== undefined)
                  assert.equal(segment.dvrDiscontinuity, previous.epochId !== segment.epochId);
              }
            }
          },
        ),
        { numRuns: 15 },
      );
    });

    test('on-time segments extend the open session, and one that comes too late begins another', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await appendRun(w.catalog, id, 0, 2);
      await appendRun(w.catalog, id, 80, 1);
      assert.deepEqual(await sessions(), [[0, 90, null]], '60 s of silence are not more than 60 s');
      await w.catalog.appendSegment(newSegment(id, { at: 95, lasts: 1, frames: [96], late: true }));
      assert.deepEqual(await sessions(), [[0, 90, null]], 'a late segment extends nothing');
      await w.catalog.appendSegment(newSegment(id, { at: 150.001 }));
      assert.deepEqual(await sessions(), [
        [0, 90, 'offline'],
        [150.001, 160.001, null],
      ]);
      const open = await w.catalog.openSessions();
      assert.deepEqual(
        open.map(({ session, stream }) => [session.startMs, stream.id]),
        [[at(150.001), id]],
      );
      const [closed] = await w.catalog.unarchivedSessions();
      assert.deepEqual([closed?.session.endMs, closed?.stream.id], [at(90), id]);

      async function sessions(): Promise<unknown[]> {
        const all = await w.catalog.sessionsBetween(id, at(-1000), at(1000));
        return all.map(({ startMs, endMs, endedBy }) => [(startMs - T0) / 1000, (endMs - T0) / 1000, endedBy]);
      }
    });

    test('a segment that lasts nothing, or has frames before its start, is refused', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      await throwsCode(w.catalog.appendSegment(newSegment(id, { at: 0, lasts: 0 })), 'invalid_argument');
      await throwsCode(w.catalog.appendSegment(newSegment(id, { at: 1, frames: [0] })), 'invalid_argument');
      assert.equal((await w.catalog.getRendition(id, 'main')).nextSequence, 0);
    });
  });
}
