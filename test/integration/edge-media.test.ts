/** Bytes of edges travel when somebody wants them: what is watched, asked for, recorded or cut. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ClipJson } from '../../src/api/rest/clip-shapes.ts';
import type { RecordingJson } from '../../src/api/rest/recording-shapes.ts';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { EdgeClient, EdgeTimeline, problemOf, type EdgePiece } from '../fixtures/edge-client.ts';
import { eventually } from '../fixtures/processes.ts';
import { PushedMedia } from '../fixtures/pushed-media.ts';
import { TestServer } from '../fixtures/server.ts';

const MEDIA = new PushedMedia({ segmentSeconds: 1 });
const IDLE_S = 5;

describe('media of edges', () => {
  let server: TestServer;
  before(async () => {
    server = await TestServer.start({
      env: { ZOETROPE_EDGE_IDLE_SECONDS: String(IDLE_S), ZOETROPE_EDGE_SEGMENT_WAIT_SECONDS: '2' },
    });
  });
  after(() => server[Symbol.asyncDispose]());

  async function edgeWith(count: number) {
    const edge = new EdgeClient(() => server.api);
    await edge.register('site');
    const timeline = new EdgeTimeline(MEDIA, Math.floor(Date.now()) - 60_000);
    await edge.putStream(timeline.streamId);
    const pieces = timeline.next(count);
    await edge.rows(timeline.streamId, pieces);
    return { edge, timeline, pieces, play: `/play/streams/${timeline.streamId}` };
  }

  const fileOf = (piece: EdgePiece | undefined): string => `segments/${piece?.row.id}.m4s`;
  const idsOf = (pieces: readonly EdgePiece[]): readonly string[] => pieces.map(({ row }) => row.id);

  test('a stream is sent live while its playlists are asked for, from memory too, and not a while later', async () => {
    const { edge, timeline, play } = await edgeWith(3);
    assert.deepEqual((await edge.sync({ waitMs: 0 })).live, []);
    await server.api.text(`${play}/range.m3u8?from=${iso(timeline.edgeMs - 2000)}&to=${iso(timeline.edgeMs)}`);
    assert.deepEqual((await edge.sync({ waitMs: 0 })).live, [], 'a named stretch pulls what is asked for alone');
    await server.api.text(`${play}/live.m3u8`);
    await edge.until('it is live', ({ live }) => live.includes(timeline.streamId));
    const beganMs = performance.now();
    while (performance.now() - beganMs < IDLE_S * 1500) {
      await server.api.text(`${play}/live.m3u8`);
      assert.deepEqual((await edge.sync({ waitMs: 0 })).live, [timeline.streamId]);
    }
    const metrics = await (await fetch(`${server.metricsUrl}/metrics`)).text();
    assert.match(metrics, /zoetrope_playlists_sent_total\{kind="live",hot="true"\} \d/);
    await edge.until('nobody watches any more', ({ live }) => live.length === 0);
  });

  test('who asks for what an away edge has is told at once, and when to come back', async () => {
    const { edge, pieces, play } = await edgeWith(2);
    const [asked] = pieces;
    await edge.sync({ waitMs: 0 });
    const late = await server.api.request(`${play}/${fileOf(asked)}`);
    assert.deepEqual([late.status, problemOf(late).code, late.headers.get('retry-after')], [503, 'unavailable', '5']);
    await edge.breakOff();
    const told = await eventually(
      'the edge is known to be away',
      async () => {
        const beganMs = performance.now();
        const answer = await server.api.request(`${play}/${fileOf(asked)}`);
        return /is away since/.test(problemOf(answer).detail)
          ? { answer, tookMs: performance.now() - beganMs }
          : undefined;
      },
      { timeoutMs: 20_000 },
    );
    assert.deepEqual([told.answer.status, told.answer.headers.get('retry-after')], [503, '5']);
    await edge.register();
    const asking = server.api.get(`${play}/${fileOf(asked)}`);
    await edge.until('it is asked for again', ({ segments }) => segments.length > 0);
    if (asked !== undefined) await edge.putBytes(asked);
    assert.deepEqual((await asking).bytes, Buffer.from(asked?.bytes ?? []));
  });

  test('every view of a segment waits for it: one track, MPEG-TS, a picture', async () => {
    const { edge, pieces, play, timeline } = await edgeWith(4);
    const [a, b, c, d] = pieces;
    const at = iso((c?.row.startMs ?? 0) + 100);
    const asking = Promise.all([
      server.api.get(`${play}/${fileOf(a)}?track=video`),
      server.api.get(`${play}/segments/${b?.row.id}.ts?container=ts`),
      server.api.get(`/v1/streams/${timeline.streamId}/frame.jpg?at=${at}`),
      server.api.get(`/v1/streams/${timeline.streamId}/latest.jpg`),
    ]);
    const sent = new Set<string>();
    await edge.until('all four were asked for', ({ segments }) => {
      for (const { id } of segments) sent.add(id);
      return sent.size === 4;
    });
    assert.deepEqual([...sent].sort(), [a, b, c, d].flatMap((piece) => piece?.row.id ?? []).sort());
    for (const piece of pieces) await edge.putBytes(piece);
    const answers = await asking;
    assert.ok(answers.every(({ bytes }) => bytes.length > 0));
    assert.equal(answers[1]?.bytes[0], 0x47);
    await edge.rows(timeline.streamId, timeline.next(1));
    await server.api.get(`/v1/streams/${timeline.streamId}/latest.jpg`);
    assert.deepEqual((await edge.sync({ waitMs: 0 })).segments, [], 'pictures of a wall pull a segment a minute');
  });

  test('a recording pulls its stretch, behind what is asked for, and says how much is still to come', async () => {
    const { edge, timeline, pieces, play } = await edgeWith(8);
    const [from, to] = [pieces[2]?.row.startMs ?? 0, pieces[6]?.row.startMs ?? 0];
    const body = { title: 'kept', from: iso(from), until: null };
    const made = await server.api.postJson(`/v1/streams/${timeline.streamId}/recordings`, body);
    assert.equal(made.status, 201, made.bytes.toString());
    const { id } = JSON.parse(made.bytes.toString()) as RecordingJson;
    const running = await edge.until('it is kept', ({ keep }) => keep.length > 0);
    assert.deepEqual([running.live, running.keep[0]?.toMs], [[timeline.streamId], null]);
    assert.deepEqual(
      running.segments.map((one) => one.id),
      idsOf(pieces.slice(2)),
    );
    await server.api.postJson(`/v1/recordings/${id}/stop`, { at: iso(to) });
    const asking = server.api.get(`${play}/${fileOf(pieces[7])}`);
    const stopped = await edge.until('somebody waits for one', ({ segments }) => segments.some(({ urgent }) => urgent));
    assert.equal(stopped.segments[0]?.id, pieces[7]?.row.id);
    for (const { id: wanted } of stopped.segments) {
      const piece = pieces.find(({ row }) => row.id === wanted);
      assert.ok(piece !== undefined);
      await edge.putBytes(piece);
    }
    await asking;
    const recording = await server.api.json<RecordingJson>(`/v1/recordings/${id}`);
    assert.deepEqual([recording.state, recording.segmentCount, recording.remoteSegments], ['stopped', 4, 0]);
    assert.deepEqual((await edge.until('nothing is kept', ({ keep }) => keep.length === 0)).segments, []);
    const playlist = await server.api.text(`/play/recordings/${id}/index.m3u8`);
    assert.match(playlist, /#EXT-X-ENDLIST/);
  });

  test('a clip waits until its bytes are here, and says so', async () => {
    const { edge, timeline, pieces } = await edgeWith(6);
    const body = { from: iso(pieces[1]?.row.startMs ?? 0), to: iso(pieces[4]?.row.startMs ?? 0) };
    const made = await server.api.postJson(`/v1/streams/${timeline.streamId}/clips`, body);
    assert.equal(made.status, 202, made.bytes.toString());
    const { id } = JSON.parse(made.bytes.toString()) as ClipJson;
    const clip = () => server.api.json<ClipJson>(`/v1/clips/${id}`);
    await eventually(
      'it says what it waits for',
      async () => (/still at the edge site/.test((await clip()).cause?.message ?? '') ? true : undefined),
      { timeoutMs: 20_000 },
    );
    const wanted = await edge.until('its stretch is wanted', ({ segments }) => segments.length > 0);
    assert.deepEqual(
      wanted.segments.map((one) => one.id),
      idsOf(pieces.slice(1, 4)),
    );
    for (const piece of pieces.slice(1, 4)) await edge.putBytes(piece);
    const ready = await eventually(
      'it is ready',
      async () => {
        const now = await clip();
        assert.notEqual(now.state, 'failed', JSON.stringify(now));
        return now.state === 'ready' ? now : undefined;
      },
      { timeoutMs: 40_000 },
    );
    assert.ok(Math.abs((ready.durationSeconds ?? 0) - 3) < 0.1, JSON.stringify(ready));
  });

  test('what an edge has lost becomes a gap, and who waits for it is told', async () => {
    const { edge, pieces, play } = await edgeWith(3);
    const asking = server.api.request(`${play}/${fileOf(pieces[1])}`);
    await edge.until('it is asked for', ({ segments }) => segments.length > 0);
    const gone = await edge.send('POST', '/gone', { session: edge.session, ids: idsOf(pieces.slice(1, 2)) });
    assert.equal(gone.status, 204);
    assert.equal((await asking).status, 404);
    const playlist = await server.api.text(`${play}/dvr.m3u8`);
    assert.equal(playlist.split('#EXT-X-GAP').length - 1, 1);
  });

  test('when all is done the doctor finds nothing', async () => {
    await assertDoctorClean(server);
  });
});

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
