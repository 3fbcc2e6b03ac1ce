import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomIds } from '../../src/base/ids.ts';
import { makeWorld, newHold, record, type MakeCatalog } from './catalog-world.ts';
import { append, ASK, makeEdge, PAST, REPORT, rowsOf, runOf } from './edge-world.ts';

/** What is wanted of edges. */
export function edgeDemandContract(adapter: string, make: MakeCatalog): void {
  describe(`catalog contract, what is wanted of edges: ${adapter}`, () => {
    test('a stream is live while it is watched or recorded, a segment is wanted while somebody asks', async (t) => {
      const w = await makeWorld(t, make);
      const { by, streamId } = await makeEdge(w);
      const batch = runOf(streamId, 3);
      await append(w.catalog, by, streamId, batch);
      const demand = () => w.catalog.demandOn(by.edgeId, ASK);
      const none = await demand();
      assert.deepEqual([none.live, none.keep, none.asked, none.missing], [[], [], [], []]);
      const changes = record(w.catalog);
      await w.catalog.watchStream(streamId, ASK.idleAfterMs);
      await w.catalog.watchStream(streamId, ASK.idleAfterMs);
      assert.deepEqual(
        changes.map(({ streamIds }) => streamIds),
        [[by.edgeId]],
        'who goes on watching changes nothing',
      );
      assert.deepEqual((await demand()).live, [streamId]);
      const [first] = batch.rows;
      assert.ok(first !== undefined);
      await w.catalog.wantSegment(first.id);
      assert.deepEqual((await demand()).asked, [{ id: first.id, streamId }]);
      await w.pass(16_000);
      assert.deepEqual((await demand()).asked, []);
      await w.pass(15_000);
      assert.deepEqual((await demand()).live, []);
      await w.catalog.wantSegment(first.id);
      await w.catalog.noteArrived(first.id);
      assert.deepEqual((await demand()).asked, []);
      await w.catalog.watchStream((await w.stream()).id, ASK.idleAfterMs);
      await w.catalog.wantSegment(randomIds.next('segment'));
    });

    test('recordings and sources of clips are kept until their bytes are here; archives pull nothing', async (t) => {
      const w = await makeWorld(t, make);
      const { by, streamId } = await makeEdge(w);
      const batch = runOf(streamId, 6, PAST);
      await append(w.catalog, by, streamId, batch);
      const ids = batch.rows.map(({ id }) => id);
      await w.catalog.createHold(newHold(streamId, PAST, PAST + 60));
      const hold = await w.catalog.createHold(
        newHold(streamId, PAST + 10, PAST + 30, { kind: 'recording', name: 'kept' }),
      );
      const demand = () => w.catalog.demandOn(by.edgeId, ASK);
      const wanted = await demand();
      assert.deepEqual(wanted.keep, [{ id: hold.id, streamId, name: 'kept', fromMs: hold.fromMs, toMs: hold.toMs }]);
      assert.deepEqual(
        wanted.missing.map(({ id }) => id),
        ids.slice(1, 3),
      );
      assert.equal(await w.catalog.remoteOfHold(hold), 2);
      for (const id of ids.slice(1, 3)) await w.catalog.noteArrived(id);
      const done = await demand();
      assert.deepEqual([done.keep, done.missing, await w.catalog.remoteOfHold(hold)], [[], [], 0]);
      const running = await w.catalog.createHold(newHold(streamId, PAST + 50, null, { kind: 'recording' }));
      const now = await demand();
      assert.deepEqual([now.live, now.keep.map(({ id }) => id)], [[streamId], [running.id]]);
      assert.deepEqual(
        now.missing.map(({ id }) => id),
        ids.slice(5),
      );
      await w.catalog.releaseHold(running.id);
      assert.deepEqual((await demand()).keep, []);
    });

    test('a stretch whose rows may still come is kept', async (t) => {
      const w = await makeWorld(t, make);
      const { by, streamId } = await makeEdge(w);
      await append(w.catalog, by, streamId, runOf(streamId, 1, PAST));
      await w.catalog.createHold(newHold(streamId, PAST + 15, PAST + 30, { kind: 'recording' }));
      const keeps = async (): Promise<number> => (await w.catalog.demandOn(by.edgeId, ASK)).keep.length;
      assert.equal(await keeps(), 1);
      await w.catalog.noteEdge(by, { report: { ...REPORT, backlogRows: 3 }, streams: [] });
      assert.equal(await keeps(), 1);
      await w.catalog.noteEdge(by, { report: REPORT, streams: [] });
      assert.equal(await keeps(), 0);
    });

    test('a stream of long segments counts as watched for longer', async (t) => {
      const w = await makeWorld(t, make);
      const { by, streamId } = await makeEdge(w);
      await append(w.catalog, by, streamId, rowsOf(streamId, [{ at: 0, lasts: 60, sequence: 0 }]));
      await w.catalog.watchStream(streamId, ASK.idleAfterMs);
      const live = async () => (await w.catalog.demandOn(by.edgeId, ASK)).live;
      await w.pass(170_000);
      assert.deepEqual(await live(), [streamId]);
      await w.pass(20_000);
      assert.deepEqual(await live(), []);
    });
  });
}
