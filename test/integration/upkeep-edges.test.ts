/** Upkeep at control: what is at an edge is neither missing nor silent nor in the way. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomIds } from '../../src/base/ids.ts';
import { wallMs } from '../../src/base/time.ts';
import type { EdgeSession } from '../../src/catalog/edge-store.ts';
import { readRows } from '../../src/edge/control/read-rows.ts';
import { SegmentIntake } from '../../src/edge/control/segment-intake.ts';
import { EdgeTimeline, type EdgePiece } from '../fixtures/edge-client.ts';
import { PushedMedia } from '../fixtures/pushed-media.ts';
import { TimelineStore } from '../fixtures/timeline-store.ts';

const signal = new AbortController().signal;
const MEDIA = new PushedMedia({ segmentSeconds: 1 });
const REPORT = {
  uptimeS: 0,
  freeBytes: null,
  storedBytes: 0,
  backlogRows: 0,
  backlogSegments: 0,
  backlogBytes: 0,
  sentBytes: 0,
  clockOffsetMs: null,
  roundTripMs: null,
};
const METRICS = { received: () => undefined, waited: () => undefined };

/** A stream of an edge's with rows that began `agoMs` before the clock's now. */
async function edgeStream(store: TimelineStore, count: number, agoMs: number) {
  const { catalog } = store.stores;
  const id = randomIds.next('edge');
  const { edge } = await catalog.registerEdge({ id, tenant: 'test', name: 'site', version: '1' });
  const by: EdgeSession = { edgeId: id, session: edge.session };
  const timeline = new EdgeTimeline(MEDIA, store.nowMs - agoMs);
  const { streamId } = timeline;
  await catalog.putEdgeStream(by, { streamId, kind: 'push', name: 'yard', endedAtMs: null });
  const pieces = timeline.next(count);
  const epochs = pieces.slice(0, 1).map(({ epoch }) => epoch);
  const rows = readRows(streamId, {
    session: by.session,
    rendition: 'main',
    epochs,
    rows: pieces.map(({ row }) => row),
  });
  await catalog.appendEdgeRows(by, { ...rows, offlineAfterMs: 60_000 });
  const say = (backlogRows: number, heardMs: number) =>
    catalog.noteEdge(by, {
      report: { ...REPORT, backlogRows },
      streams: [{ streamId, lastCapturedAtMs: wallMs(heardMs), lastReceivedAtMs: wallMs(heardMs) }],
    });
  const intake = new SegmentIntake({ catalog, objects: store.stores.objects, metrics: METRICS });
  const send = ({ row, bytes }: EdgePiece) =>
    intake.take(edge, { segmentId: row.id, sizeBytes: null, body: one(bytes) });
  return { by, edge, streamId, pieces, say, send };
}

async function* one(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

describe('upkeep of streams at edges', () => {
  test('silence counts up to the edge’s last word, and not while rows are still to come', async () => {
    await using store = await TimelineStore.open();
    const { say } = await edgeStream(store, 90, 95_000);
    const ended = async (): Promise<readonly string[]> =>
      (await store.upkeep.offlineChecker.runOnce({ signal })).ended.map(({ streamName }) => streamName);
    await say(0, store.nowMs - 5000);
    await store.clock.advance(3_600_000);
    assert.deepEqual(await ended(), [], 'the edge is away: nothing is known of its sources');
    await say(4, store.nowMs - 3_605_000);
    assert.deepEqual(await ended(), [], 'what its source sent meanwhile may be on its way');
    await say(0, store.nowMs - 3_605_000);
    assert.deepEqual(await ended(), ['yard']);
    const archives = await store.stores.catalog.listHolds({ kind: 'archive' }, { limit: 10 });
    assert.equal(archives.items.length, 1);
  });

  test('a pushed stream of an edge is ended by the edge alone', async () => {
    await using store = await TimelineStore.open();
    const { streamId, say } = await edgeStream(store, 3, 10_000);
    await say(0, store.nowMs - 5000);
    await store.clock.advance(86_400_000);
    const { endedStreams } = await store.upkeep.offlineChecker.runOnce({ signal });
    assert.deepEqual(endedStreams, []);
    assert.equal((await store.stores.catalog.getStream(streamId)).endedAtMs, null);
  });

  test('the doctor misses nothing that is at its edge, and the sweep of orphans takes nothing that has come', async () => {
    await using store = await TimelineStore.open();
    const { pieces, send, streamId } = await edgeStream(store, 6, 60_000);
    for (const piece of pieces.slice(0, 3)) await send(piece);
    const report = await store.upkeep.doctor.examine({ deep: true, signal });
    assert.deepEqual(report.findings, []);
    await store.clock.advance(3 * 86_400_000);
    await store.upkeep.orphanSweep.runOnce({ signal });
    const keys: string[] = [];
    for await (const { key } of store.stores.objects.list(`media/${streamId}/`)) keys.push(key);
    assert.equal(keys.length, 3);
  });

  test('remote segments go with their time as others, and count for no ceiling', async () => {
    await using store = await TimelineStore.open({
      ZOETROPE_RETENTION_HOURS: '1',
      ZOETROPE_MAX_BYTES: '1',
    });
    const { streamId, pieces, send } = await edgeStream(store, 4, 600_000);
    const idle = await store.upkeep.retention.runOnce({ signal });
    assert.deepEqual([idle.retiredByCeiling.segments, idle.unmetBytes], [0, 0]);
    const [first] = pieces;
    assert.ok(first !== undefined);
    await send(first);
    assert.equal((await store.upkeep.retention.runOnce({ signal })).retiredByCeiling.segments, 1);
    await store.clock.advance(2 * 3_600_000);
    await store.upkeep.retention.runOnce({ signal });
    await store.clock.advance(3_600_000);
    await store.upkeep.retention.runOnce({ signal });
    assert.deepEqual((await store.stores.catalog.dvrWindow(streamId)).segments, []);
    assert.deepEqual((await store.stores.catalog.totals()).remoteBytes, 0);
    await assert.rejects(send(first), { code: 'not_found' });
  });

  test('what was put and not noted, as by a kill, is taken again and is there once', async () => {
    await using store = await TimelineStore.open();
    const { catalog, objects } = store.stores;
    const { edge, pieces, send, streamId } = await edgeStream(store, 1, 60_000);
    const [piece] = pieces;
    assert.ok(piece !== undefined);
    const killed = new SegmentIntake({
      catalog: {
        getSegment: (id) => catalog.getSegment(id),
        getStream: (id) => catalog.getStream(id),
        noteArrived: () => Promise.reject(new Error('killed')),
      },
      objects,
      metrics: METRICS,
    });
    const upload = { segmentId: piece.row.id, sizeBytes: piece.bytes.length, body: one(piece.bytes) };
    await assert.rejects(killed.take(edge, upload), /killed/);
    assert.equal((await catalog.getSegment(piece.row.id)).remote, true);
    assert.deepEqual((await store.upkeep.doctor.examine({ deep: true, signal })).findings, []);
    await send(piece);
    assert.equal((await catalog.getSegment(piece.row.id)).remote, false);
    assert.deepEqual(Buffer.from(await objects.get(`media/${streamId}/${piece.row.id}.m4s`)), Buffer.from(piece.bytes));
    assert.deepEqual((await store.upkeep.doctor.examine({ deep: true, signal })).findings, []);
  });
});
