import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { EdgeClient, EdgeTimeline, problemOf, type EdgePiece } from '../fixtures/edge-client.ts';
import { PushedMedia } from '../fixtures/pushed-media.ts';
import { TestServer } from '../fixtures/server.ts';

const MEDIA = new PushedMedia({ segmentSeconds: 1 });

describe('edges at their control', () => {
  let server: TestServer;
  before(async () => {
    server = await TestServer.start();
  });
  after(() => server[Symbol.asyncDispose]());

  /** An edge with a stream whose rows are here. */
  async function edgeWith(count: number) {
    const edge = new EdgeClient(() => server.api);
    await edge.register('site');
    const timeline = new EdgeTimeline(MEDIA, Math.floor(Date.now()) - 60_000);
    await edge.putStream(timeline.streamId);
    const pieces = timeline.next(count);
    await edge.rows(timeline.streamId, pieces);
    return { edge, timeline, pieces, play: `/play/streams/${timeline.streamId}` };
  }

  const fileOf = ({ row }: EdgePiece): string => `segments/${row.id}.m4s`;

  test('rows come first, the playlist lists them, and who asks for bytes waits until they come', async () => {
    const { edge, pieces, play } = await edgeWith(8);
    const [first] = pieces;
    assert.ok(first !== undefined);
    const playlist = await server.api.text(`${play}/dvr.m3u8`);
    assert.deepEqual(
      pieces.map((piece) => playlist.includes(fileOf(piece))),
      pieces.map(() => true),
    );
    const asking = server.api.get(`${play}/${fileOf(first)}`);
    const desired = await edge.until('the segment is wanted', ({ segments }) => segments.length > 0);
    assert.deepEqual(desired.segments, [
      { id: first.row.id, streamId: first.row.id === '' ? '' : playIdOf(play), urgent: true },
    ]);
    assert.deepEqual(desired.live, [playIdOf(play)]);
    await edge.putBytes(first);
    assert.deepEqual((await asking).bytes, Buffer.from(first.bytes));
    assert.deepEqual((await edge.sync({ waitMs: 0 })).segments, []);
  });

  test('rows and bytes that come again change nothing', async () => {
    const { edge, timeline, pieces, play } = await edgeWith(3);
    const before = await server.api.text(`${play}/dvr.m3u8`);
    assert.equal((await edge.rows(timeline.streamId, pieces)).nextSequence, 3);
    assert.equal(await server.api.text(`${play}/dvr.m3u8`), before);
    for (const piece of [...pieces, ...pieces]) await edge.putBytes(piece);
    const { cursors } = await edge.register();
    assert.deepEqual(cursors, [
      { streamId: timeline.streamId, rendition: 'main', nextSequence: 3, nextLateSequence: 0 },
    ]);
  });

  test('an older start of the edge is refused everything', async () => {
    const { edge, timeline, pieces } = await edgeWith(1);
    const newer = new EdgeClient(() => server.api, { id: edge.id });
    const waiting = edge.send('POST', '/sync', await syncBody(edge));
    await newer.register();
    const refused = [
      await waiting,
      await edge.sendRows(timeline.streamId, pieces),
      await edge.send('POST', '/gone', { session: edge.session, ids: [] }),
    ];
    assert.deepEqual(
      refused.map((answer) => [answer.status, problemOf(answer).code]),
      refused.map(() => [409, 'fenced']),
    );
  });
});

function playIdOf(play: string): string {
  return play.split('/').at(-1) ?? '';
}

/** A sync that waits: the state that it has seen is the present one. */
async function syncBody(edge: EdgeClient): Promise<object> {
  const { version } = await edge.sync();
  const none = { freeBytes: null, clockOffsetMs: null, roundTripMs: null, streams: [] };
  const counts = { uptimeS: 0, storedBytes: 0, backlogRows: 0, backlogSegments: 0, backlogBytes: 0, sentBytes: 0 };
  return { session: edge.session, seen: version, waitMs: 20_000, sentAtMs: Date.now(), status: { ...none, ...counts } };
}
