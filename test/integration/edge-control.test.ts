import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EdgeJson } from '../../src/api/rest/edge-shapes.ts';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { EdgeClient, EdgeTimeline, problemOf, type EdgePiece } from '../fixtures/edge-client.ts';
import { eventually } from '../fixtures/processes.ts';
import { PushedMedia } from '../fixtures/pushed-media.ts';
import { parseMediaPlaylist } from '../fixtures/strict-hls.ts';
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
    const { edge, timeline, pieces, play } = await edgeWith(8);
    const [first] = pieces;
    assert.ok(first !== undefined);
    const playlist = await server.api.text(`${play}/dvr.m3u8`);
    assert.deepEqual(
      pieces.map((piece) => playlist.includes(fileOf(piece))),
      pieces.map(() => true),
    );
    const asking = server.api.get(`${play}/${fileOf(first)}`);
    const desired = await edge.until('the segment is wanted', ({ segments }) => segments.length > 0);
    assert.deepEqual(desired.segments, [{ id: first.row.id, streamId: timeline.streamId, urgent: true }]);
    assert.deepEqual(desired.live, [timeline.streamId]);
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

  test('a segment that was never made has neither bytes nor SHA-256, and is a gap; any other has both', async () => {
    const { edge, timeline, play } = await edgeWith(2);
    const [never, next] = timeline.next(2);
    assert.ok(never !== undefined && next !== undefined);
    const nothing = { sizeBytes: 0, sha256: '' };
    const missing = await edge.sendRows(timeline.streamId, [{ ...never, row: { ...never.row, ...nothing } }]);
    assert.deepEqual([missing.status, problemOf(missing).code], [400, 'invalid_argument']);
    await edge.rows(timeline.streamId, [{ ...never, row: { ...never.row, ...nothing, lost: true } }, next]);
    const { segments } = parseMediaPlaylist(await server.api.text(`${play}/dvr.m3u8`));
    const shown = segments.slice(-2).map(({ uri, gap }) => [uri, gap === true]);
    assert.deepEqual(shown, [
      [fileOf(never), true],
      [fileOf(next), false],
    ]);
  });

  test('an older start of the edge is refused everything', async () => {
    const { edge, timeline, pieces } = await edgeWith(1);
    const newer = new EdgeClient(() => server.api, { id: edge.id });
    await edge.sync();
    const beganMs = performance.now();
    const waiting = edge.send('POST', '/sync', edge.syncBody({ waitMs: 20_000 }));
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
    assert.ok(performance.now() - beganMs < 15_000, 'it was left waiting to the end');
  });

  test('people see how an edge is; it is forgotten only when it is away, and its streams stay', async () => {
    const { edge, timeline, pieces, play } = await edgeWith(3);
    const [here, gone] = pieces;
    assert.ok(here !== undefined && gone !== undefined);
    await edge.sync({ status: { clockOffsetMs: 40, roundTripMs: 3, backlogRows: 7, freeBytes: 123 } });
    const shown = await server.api.json<EdgeJson & { readonly streams: readonly { readonly id: string }[] }>(
      `/v1/edges/${edge.id}`,
    );
    assert.deepEqual(
      [shown.name, shown.connected, shown.clockSkewMs, shown.roundTripMs, shown.freeBytes, shown.backlog?.rows],
      ['site', true, -40, 6, 123, 7],
    );
    assert.deepEqual(
      shown.streams.map(({ id }) => id),
      [timeline.streamId],
    );
    const { items } = await server.api.json<{ readonly items: readonly EdgeJson[] }>('/v1/edges');
    assert.ok(items.some(({ id }) => id === edge.id));
    const stream = () => server.api.json<StreamJson>(`/v1/streams/${timeline.streamId}`);
    assert.deepEqual((await stream()).edge, { id: edge.id, name: 'site', connected: true });
    const remove = () => server.api.request(`/v1/edges/${edge.id}`, { method: 'DELETE' });
    assert.equal((await remove()).status, 409);
    const removed = await server.api.request(`/v1/streams/${timeline.streamId}`, { method: 'DELETE' });
    assert.deepEqual([removed.status, problemOf(removed).detail.includes('site')], [409, true]);
    await edge.putBytes(here);
    await edge.breakOff();
    await eventually(
      'it is seen to be away',
      async () => ((await stream()).edge?.connected === false ? true : undefined),
      {
        timeoutMs: 10_000,
      },
    );
    assert.equal((await remove()).status, 204);
    assert.equal((await stream()).edge, null);
    assert.deepEqual((await server.api.get(`${play}/${fileOf(here)}`)).bytes, Buffer.from(here.bytes));
    assert.match(await server.api.text(`${play}/dvr.m3u8`), /#EXT-X-GAP/);
    assert.equal((await server.api.request(`${play}/${fileOf(gone)}`)).status, 404);
  });

  test('what an edge alone can do is refused here, naming it', async () => {
    const { timeline } = await edgeWith(1);
    const segment = { method: 'PUT', body: Buffer.from('x') };
    const frame = {
      method: 'POST',
      headers: { 'content-type': 'image/jpeg', 'x-captured-at': new Date().toISOString() },
      body: Buffer.from('x'),
    };
    const answers = [
      await server.api.request(`/ingest/hls/${timeline.streamId}/live.m3u8`, segment),
      await server.api.request(`/v1/streams/${timeline.streamId}/frames`, frame),
      await server.api.request(`/v1/streams/${timeline.streamId}/end`, { method: 'POST' }),
      await server.api.postJson(`/v1/streams/${timeline.streamId}/chunk-urls`, {}),
    ];
    assert.deepEqual(
      answers.map((answer) => [answer.status, problemOf(answer).detail.includes('the edge site')]),
      answers.map(() => [409, true]),
    );
  });

  test('a stream that the edge ends ends here, and one that it has no more stays without it', async () => {
    const { edge, timeline, pieces, play } = await edgeWith(2);
    const [first] = pieces;
    assert.ok(first !== undefined);
    await edge.putStream(timeline.streamId, { endedAtMs: timeline.edgeMs });
    assert.match(await server.api.text(`${play}/live.m3u8`), /#EXT-X-ENDLIST/);
    await edge.putBytes(first);
    const drop = (session: number) => edge.send('DELETE', `/streams/${timeline.streamId}?session=${session}`);
    assert.equal((await drop(edge.session - 1)).status, 409);
    assert.equal((await drop(edge.session)).status, 204);
    assert.equal((await drop(edge.session)).status, 204);
    assert.equal((await server.api.json<StreamJson>(`/v1/streams/${timeline.streamId}`)).edge, null);
    assert.deepEqual((await edge.register()).cursors, []);
    assert.equal((await server.api.request(`/v1/streams/${timeline.streamId}`, { method: 'DELETE' })).status, 204);
  });

  test('late rows and gaps lie where they lie at the edge', async () => {
    const { edge, timeline, play } = await edgeWith(3);
    timeline.gap(20_000);
    const late = timeline.late(timeline.edgeMs - 10_000);
    await edge.rows(timeline.streamId, [...timeline.next(2), late]);
    const playlist = await server.api.text(`${play}/dvr.m3u8`);
    assert.equal(playlist.split('#EXTINF').length - 1, 6);
    assert.equal(playlist.split('#EXT-X-DISCONTINUITY\n').length - 1, 2);
    const order = playlist.split('\n').filter((line) => line.startsWith('segments/'));
    assert.ok(order[3]?.includes(late.row.id));
  });

  test('bytes that are not the row’s are refused, and the right ones are taken afterwards', async () => {
    const { edge, pieces } = await edgeWith(1);
    const [piece] = pieces;
    assert.ok(piece !== undefined);
    const other = Buffer.from(piece.bytes);
    other[40] = (other[40] ?? 0) ^ 1;
    for (const bytes of [other, other.subarray(1), Buffer.concat([other, other]), Buffer.alloc(0)]) {
      const answer = await edge.sendBytes(piece.row.id, bytes);
      assert.deepEqual([answer.status, problemOf(answer).code], [400, 'checksum_mismatch']);
    }
    await edge.putBytes(piece);
    const unknown = await edge.sendBytes(piece.row.id.replace(/.$/, 'z'), piece.bytes);
    assert.equal(unknown.status, 404);
    const stranger = new EdgeClient(() => server.api);
    await stranger.register();
    assert.equal((await stranger.sendBytes(piece.row.id, piece.bytes)).status, 404);
  });

  test('nonsense is the sender’s mistake, and changes nothing', async () => {
    const { edge, timeline, play } = await edgeWith(2);
    const before = await server.api.text(`${play}/dvr.m3u8`);
    const [piece] = timeline.next();
    assert.ok(piece !== undefined);
    const { row, epoch } = piece;
    const rows = (change: object, epochChange: object = {}, rendition = 'main'): readonly [string, object] => [
      `/streams/${timeline.streamId}/rows`,
      { session: edge.session, rendition, epochs: [{ ...epoch, ...epochChange }], rows: [{ ...row, ...change }] },
    ];
    const fresh = `epo_${epoch.id.slice(4).split('').toReversed().join('')}`;
    const bad: readonly (readonly [string, object])[] = [
      rows({ id: '../../x' }),
      rows({ id: 'seg_../../etc/passwd' }),
      rows({ epochId: '..', id: row.id }),
      rows({ epochId: fresh }),
      rows({ sequence: -1 }),
      rows({ sequence: 1.5 }),
      rows({ startMs: 1e300 }),
      rows({ startMs: null }),
      rows({ duration90k: 0 }),
      rows({ duration90k: 1e12 }),
      rows({ frameTimesMs: [row.startMs, row.startMs] }),
      rows({ frameTimesMs: [row.startMs - 1] }),
      rows({ frameTimesMs: Array.from({ length: 4000 }, (_, index) => row.startMs + index) }),
      rows({ sizeBytes: 0 }),
      rows({ sizeBytes: 1e12 }),
      rows({ sha256: 'x' }),
      rows({ placement: 'early' }),
      rows({}, { init: 'AAAA', id: fresh }),
      rows({}, { init: '', id: fresh }),
      rows({}, { width: 1, id: fresh }),
      rows({}, { id: '..' }),
      rows({}, { anchorMs: '0' }),
      rows({}, {}, ''),
      rows({}, {}, 'a\u0000b'),
      [
        `/streams/${timeline.streamId}/rows`,
        { session: edge.session, rendition: 'main', epochs: [], rows: Array(201).fill(row) },
      ],
      [
        `/streams/${timeline.streamId}/rows`,
        { session: edge.session, rendition: 'main', epochs: [epoch], rows: [row, row] },
      ],
      ['/streams/..%2f..%2fx/rows', { session: edge.session, rendition: 'main', epochs: [], rows: [] }],
      ['/streams/str_0000000000zzzz/rows', { session: edge.session, rendition: 'main', epochs: [], rows: [] }],
      ['/sync', { session: edge.session }],
      ['/sync', { ...edge.syncBody(), waitMs: -1 }],
      ['/gone', { session: edge.session, ids: ['../x'] }],
      ['/gone', { session: edge.session, ids: Array(2000).fill(row.id) }],
    ];
    for (const [path, body] of bad) {
      const answer = await edge.send('POST', path, body);
      assert.ok(
        answer.status >= 400 && answer.status < 500,
        `${path} ${JSON.stringify(body).slice(0, 300)}: ${answer.bytes.toString()}`,
      );
    }
    const hello = { name: 'x', version: '1' };
    for (const id of ['x', 'edg_..', 'str_0123456789ab', 'edg_%00aaaaaaaaaa']) {
      const answer = await server.api.postJson(`/v1/edges/${id}`, hello, 'PUT');
      assert.ok(answer.status >= 400 && answer.status < 500, `${id}: ${answer.bytes.toString()}`);
    }
    assert.equal(await server.api.text(`${play}/dvr.m3u8`), before);
    assert.equal((await edge.rows(timeline.streamId, [piece])).nextSequence, 3);
  });

  test('an edge that waits is answered when the server stops', async () => {
    await using own = await TestServer.start();
    const edge = new EdgeClient(own.api);
    await edge.register();
    await edge.sync();
    const waiting = edge.sync({ waitMs: 20_000 });
    await own.api.get('/healthz');
    const beganMs = performance.now();
    await own.stop();
    await waiting;
    assert.ok(performance.now() - beganMs < 15_000, 'the stop waited for the edge');
  });

  test('when all is done the doctor finds nothing', async () => {
    await assertDoctorClean(server);
  });
});
