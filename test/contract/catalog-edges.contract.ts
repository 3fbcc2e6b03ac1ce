import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomIds } from '../../src/base/ids.ts';
import { wallMs } from '../../src/base/time.ts';
import { at, collect, makeWorld, newStream, record, throwsCode, starts, type MakeCatalog } from './catalog-world.ts';
import { append, makeEdge, newEdgeId, REPORT, rowsOf, runOf } from './edge-world.ts';

const PAGE = { limit: 10 };

/** Edges: their sessions, their rows, and what of them is here. */
export function edgesContract(adapter: string, make: MakeCatalog): void {
  describe(`catalog contract, edges: ${adapter}`, () => {
    test('each registration begins a higher session, and what an older one sends is fenced', async (t) => {
      const w = await makeWorld(t, make);
      const { by, streamId } = await makeEdge(w);
      const again = await w.catalog.registerEdge({ id: by.edgeId, tenant: 'tenant', name: 'other name', version: '2' });
      assert.ok(again.edge.session > by.session);
      assert.deepEqual([again.edge.name, again.edge.version], ['other name', '2']);
      const note = { report: REPORT, streams: [] };
      const state = { streamId, kind: 'push', name: 'x', endedAtMs: null } as const;
      await throwsCode(w.catalog.noteEdge(by, note), 'fenced');
      await throwsCode(w.catalog.putEdgeStream(by, state), 'fenced');
      await throwsCode(w.catalog.dropEdgeStream(by, streamId), 'fenced');
      await throwsCode(append(w.catalog, by, streamId, runOf(streamId, 1)), 'fenced');
      await throwsCode(w.catalog.noteGone(by, []), 'fenced');
      await throwsCode(w.catalog.noteEdge({ edgeId: newEdgeId(), session: 1 }, note), 'fenced');
      const foreign = { id: by.edgeId, tenant: 'other', name: 'x', version: '1' };
      await throwsCode(w.catalog.registerEdge(foreign), 'conflict');
    });

    test('rows are appended once, in their order, with the edge’s own ids, and are remote', async (t) => {
      const w = await makeWorld(t, make);
      const { by, streamId } = await makeEdge(w);
      const rows = runOf(streamId, 3);
      const first = await append(w.catalog, by, streamId, { ...rows, rows: rows.rows.slice(0, 2) });
      assert.deepEqual(first, { streamId, rendition: 'main', nextSequence: 2, nextLateSequence: 0 });
      const changes = record(w.catalog);
      assert.equal((await append(w.catalog, by, streamId, rows)).nextSequence, 3);
      assert.deepEqual(
        changes.flatMap(({ appended }) => appended.map(({ segment }) => segment.id)),
        [rows.rows[2]?.id],
      );
      const window = await w.catalog.dvrWindow(streamId);
      assert.deepEqual(
        window.segments.map(({ id, remote, lost }) => [id, remote, lost]),
        rows.rows.map(({ id }) => [id, true, false]),
      );
      assert.deepEqual(starts(window.segments), [0, 10, 20]);
      const [session] = await w.catalog.sessionsBetween(streamId, at(0), at(30));
      assert.deepEqual([session?.startMs, session?.endMs], [at(0), at(30)]);
      assert.equal((await w.catalog.totals()).remoteBytes, 3000);
      const { cursors } = await w.catalog.registerEdge({ id: by.edgeId, tenant: 'tenant', name: 'n', version: '1' });
      assert.deepEqual(cursors, [{ streamId, rendition: 'main', nextSequence: 3, nextLateSequence: 0 }]);
    });

    test('holes in an edge’s numbers are passed over, late rows have numbers of their own, lost ones stay lost', async (t) => {
      const w = await makeWorld(t, make);
      const { by, streamId } = await makeEdge(w);
      const onTime = rowsOf(streamId, [
        { at: 0, sequence: 7 },
        { at: 100, sequence: 9 },
      ]);
      const late = rowsOf(streamId, [{ at: 50, late: true, sequence: 0 }]);
      const lost = { ...onTime.rows[1], lost: true } as (typeof onTime.rows)[number];
      const [kept] = onTime.rows;
      assert.ok(kept !== undefined);
      const batch = { epochs: [...onTime.epochs, ...late.epochs], rows: [kept, lost, ...late.rows] };
      const cursor = await append(w.catalog, by, streamId, batch);
      assert.deepEqual([cursor.nextSequence, cursor.nextLateSequence], [10, 1]);
      const { segments } = await w.catalog.dvrWindow(streamId);
      assert.deepEqual(
        segments.map(({ sequence, placement, remote, lost: isLost }) => [sequence, placement, remote, isLost]),
        [
          [0, 'onTime', true, false],
          [0, 'late', true, false],
          [1, 'onTime', false, true],
        ],
      );
    });

    test('a batch that cannot be taken whole leaves nothing', async (t) => {
      const w = await makeWorld(t, make);
      const { by, streamId } = await makeEdge(w);
      const rows = runOf(streamId, 2);
      const unknownEpoch = rowsOf(streamId, [{ at: 50, sequence: 2, epochId: randomIds.next('epoch') }]);
      const bad = { epochs: rows.epochs, rows: [...rows.rows, ...unknownEpoch.rows] };
      await throwsCode(append(w.catalog, by, streamId, bad), 'invalid_argument');
      assert.deepEqual((await w.catalog.dvrWindow(streamId)).segments, []);
      assert.equal((await append(w.catalog, by, streamId, rows)).nextSequence, 2);
    });

    test('streams, segments and epochs of others are left alone', async (t) => {
      const w = await makeWorld(t, make);
      const { by, streamId } = await makeEdge(w);
      const other = await makeEdge(w);
      const local = await w.stream();
      const state = { kind: 'push', name: 'x', endedAtMs: null } as const;
      for (const id of [other.streamId, local.id]) {
        await throwsCode(w.catalog.putEdgeStream(by, { ...state, streamId: id }), 'conflict');
        await throwsCode(append(w.catalog, by, id, runOf(id, 1)), 'not_found');
      }
      const theirs = runOf(other.streamId, 1);
      await append(w.catalog, other.by, other.streamId, theirs);
      await throwsCode(append(w.catalog, by, streamId, theirs), 'conflict');
      const [row] = theirs.rows;
      assert.ok(row !== undefined);
      const begun = runOf(streamId, 1);
      const sameId = { epochs: begun.epochs, rows: begun.rows.map((own) => ({ ...own, id: row.id })) };
      await throwsCode(append(w.catalog, by, streamId, sameId), 'conflict');
      await w.catalog.noteGone(by, [row.id]);
      assert.equal((await w.catalog.getSegment(row.id)).lost, false);
    });

    test('bytes that have come are here, bytes that are gone are lost; both raise the edge’s change', async (t) => {
      const w = await makeWorld(t, make);
      const { by, streamId } = await makeEdge(w);
      const { rows, epochs } = runOf(streamId, 3);
      await append(w.catalog, by, streamId, { rows, epochs });
      const [a, b] = rows;
      assert.ok(a !== undefined && b !== undefined);
      const another = await w.another();
      const [here, there] = [record(w.catalog), record(another)];
      assert.equal(await w.catalog.noteArrived(a.id), true);
      assert.deepEqual(
        here.map(({ streamIds }) => streamIds),
        [[by.edgeId]],
      );
      await w.until(() => there.some(({ streamIds }) => streamIds.includes(by.edgeId)), 'the other process hears');
      await w.catalog.noteGone(by, [b.id, a.id]);
      const states = await Promise.all(rows.map(({ id }) => w.catalog.getSegment(id)));
      assert.deepEqual(
        states.map(({ remote, lost }) => [remote, lost]),
        [
          [false, false],
          [false, true],
          [true, false],
        ],
      );
      assert.equal((await w.catalog.totals()).remoteBytes, 1000);
      assert.equal(await w.catalog.noteArrived(b.id), true, 'lost bytes that turn up are taken');
      assert.equal((await w.catalog.getSegment(b.id)).lost, false);
      assert.equal(await w.catalog.noteArrived(randomIds.next('segment')), false);
    });

    test('an edge that is removed leaves its streams, and has them again when it comes back', async (t) => {
      const w = await makeWorld(t, make);
      const { by, streamId } = await makeEdge(w);
      const batch = runOf(streamId, 2);
      await append(w.catalog, by, streamId, batch);
      const [here, gone] = batch.rows;
      assert.ok(here !== undefined && gone !== undefined);
      await w.catalog.noteArrived(here.id);
      await w.catalog.removeEdge(by.edgeId);
      await throwsCode(w.catalog.getEdge(by.edgeId), 'not_found');
      assert.equal((await w.catalog.getStream(streamId)).edgeId, null);
      const segments = (await w.catalog.dvrWindow(streamId)).segments;
      assert.deepEqual(
        segments.map(({ remote, lost }) => [remote, lost]),
        [
          [false, false],
          [false, true],
        ],
      );
      assert.equal((await w.catalog.totals()).remoteBytes, 0);
      const back = await w.catalog.registerEdge({ id: by.edgeId, tenant: 'tenant', name: 'n', version: '1' });
      assert.ok(back.edge.session >= by.session);
      assert.equal(back.cursors[0]?.nextSequence, 2);
      const again = { edgeId: by.edgeId, session: back.edge.session };
      await w.catalog.putEdgeStream(again, { streamId, kind: 'push', name: 'north', endedAtMs: null });
      assert.equal((await w.catalog.getStream(streamId)).edgeId, by.edgeId);
      await w.catalog.removeEdge(by.edgeId);
      await w.catalog.claimRendition(streamId, 'main', 1);
      const third = await w.catalog.registerEdge({ id: by.edgeId, tenant: 'tenant', name: 'n', version: '1' });
      again.session = third.edge.session;
      await throwsCode(
        w.catalog.putEdgeStream(again, { streamId, kind: 'push', name: 'north', endedAtMs: null }),
        'conflict',
      );
      await w.catalog.deleteStream(streamId);
      await w.catalog.putEdgeStream(again, { streamId, kind: 'push', name: 'north', endedAtMs: null });
      await w.catalog.dropEdgeStream(again, streamId);
      assert.equal((await w.catalog.getStream(streamId)).edgeId, null);
      await throwsCode(
        w.catalog.putEdgeStream(again, { streamId, kind: 'push', name: 'north', endedAtMs: null }),
        'conflict',
      );
    });

    test('what is damaged here is to be had at its edge again', async (t) => {
      const w = await makeWorld(t, make);
      const { by, streamId } = await makeEdge(w);
      const batch = runOf(streamId, 1);
      await append(w.catalog, by, streamId, batch);
      const id = batch.rows[0]?.id ?? '';
      const state = async (): Promise<readonly unknown[]> => {
        const { remote, lost } = await w.catalog.getSegment(id);
        return [remote, lost, (await w.catalog.totals()).remoteBytes];
      };
      await w.catalog.setSegmentLost(id, true);
      assert.deepEqual(await state(), [true, false, 1000], 'it was never here');
      await w.catalog.noteArrived(id);
      assert.deepEqual(await state(), [false, false, 0]);
      await w.catalog.setSegmentLost(id, true);
      assert.deepEqual(await state(), [true, false, 1000]);
    });

    test('what is known of an edge is listed, with its streams', async (t) => {
      const w = await makeWorld(t, make);
      const { by, streamId } = await makeEdge(w);
      const received = w.clock.nowMs();
      const said = { streamId, lastCapturedAtMs: at(5), lastReceivedAtMs: received };
      const foreign = { ...said, streamId: (await w.stream()).id };
      await w.catalog.noteEdge(by, { report: REPORT, streams: [said, foreign] });
      const edge = await w.catalog.getEdge(by.edgeId);
      assert.deepEqual([edge.report, edge.seenAtMs, edge.awayAtMs], [REPORT, received, null]);
      const stream = await w.catalog.getStream(streamId);
      assert.deepEqual([stream.lastCapturedAtMs, stream.lastReceivedAtMs], [at(5), received]);
      assert.equal((await w.catalog.getStream(foreign.streamId)).lastReceivedAtMs, null);
      await w.catalog.noteEdgeAway({ ...by, session: by.session - 1 });
      assert.equal((await w.catalog.getEdge(by.edgeId)).awayAtMs, null);
      await w.catalog.noteEdgeAway(by);
      assert.equal((await w.catalog.getEdge(by.edgeId)).awayAtMs, w.clock.nowMs());
      await w.catalog.noteEdge(by, { report: REPORT, streams: [] });
      assert.equal((await w.catalog.getEdge(by.edgeId)).awayAtMs, null);
      const other = newEdgeId();
      await w.catalog.registerEdge({ id: other, tenant: 'tenant 2', name: 'a', version: '1' });
      const listed = async (filter: { readonly tenant?: string }): Promise<readonly string[]> =>
        (await w.catalog.listEdges(filter, PAGE)).items.map(({ id }) => id);
      assert.deepEqual(await listed({}), [other, by.edgeId]);
      assert.deepEqual(await listed({ tenant: 'tenant' }), [by.edgeId]);
      assert.deepEqual([...(await w.catalog.edgesOf([other, newEdgeId()])).keys()], [other]);
      assert.deepEqual(
        (await w.catalog.streamsOfEdge(by.edgeId)).map(({ id }) => id),
        [streamId],
      );
    });

    test('remote segments retire and are removed as others, and take nothing here', async (t) => {
      const w = await makeWorld(t, make);
      const { by, streamId } = await makeEdge(w);
      await append(w.catalog, by, streamId, runOf(streamId, 3));
      assert.deepEqual(await w.catalog.oldestSegments(10), [], 'retiring them frees nothing');
      const retired = await w.catalog.retireSegments({ streamId, beforeMs: at(20), limit: 10, dryRun: false });
      assert.deepEqual(
        retired.map(({ sizeBytes }) => sizeBytes),
        [0, 0],
      );
      const ids = retired.map(({ id }) => id);
      const [first] = ids;
      assert.deepEqual(await w.catalog.takeSweepable(ids), new Set(ids));
      assert.equal(await w.catalog.noteArrived(first ?? ''), false, 'what is being removed takes no bytes');
      await w.catalog.removeSegments(ids);
      assert.equal((await collect(w.catalog.allSegments({ streamId }))).length, 1);
      assert.equal((await w.catalog.totals()).remoteBytes, 1000);
      await w.catalog.deleteStream(streamId);
      assert.equal((await w.catalog.totals()).remoteBytes, 0);
    });

    test('streams of edges end when the edge says so, and not by silence', async (t) => {
      const w = await makeWorld(t, make);
      const { by, streamId } = await makeEdge(w);
      const said = { streamId, lastCapturedAtMs: at(0), lastReceivedAtMs: wallMs(1) };
      await w.catalog.noteEdge(by, { report: REPORT, streams: [said] });
      const local = await w.stream(newStream({ kind: 'push' }));
      await w.catalog.touchStreams([{ ...said, streamId: local.id }]);
      const silent = await w.catalog.silentEncoderStreams(w.clock.nowMs());
      assert.deepEqual(
        silent.map(({ id }) => id),
        [local.id],
      );
      const state = { streamId, kind: 'push', name: 'north' } as const;
      await w.catalog.putEdgeStream(by, { ...state, endedAtMs: at(9) });
      assert.equal((await w.catalog.getStream(streamId)).endedAtMs, at(9));
      await w.catalog.putEdgeStream(by, { ...state, endedAtMs: null });
      assert.equal((await w.catalog.getStream(streamId)).endedAtMs, null);
    });
  });
}
