/** Edges where delivery and API are processes of their own, and where the process that takes bytes is killed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { EdgeClient, EdgeTimeline } from '../fixtures/edge-client.ts';
import { eventually } from '../fixtures/processes.ts';
import { PushedMedia } from '../fixtures/pushed-media.ts';
import { createRandom, runSeed } from '../fixtures/random.ts';
import { TestServer } from '../fixtures/server.ts';

const MEDIA = new PushedMedia({ segmentSeconds: 1 });

test('bytes that one process takes wake a viewer of another, whose watching the first one knows of', async () => {
  await using api = await TestServer.start({ args: ['--roles', 'api,ingest,upkeep'] });
  await using delivery = await TestServer.start({ args: ['--roles', 'delivery'], dataDir: api.dataDir });
  const edge = new EdgeClient(api.api);
  await edge.register('site');
  const timeline = new EdgeTimeline(MEDIA, Math.floor(Date.now()) - 60_000);
  await edge.putStream(timeline.streamId);
  const pieces = timeline.next(4);
  const [first] = pieces;
  assert.ok(first !== undefined);
  await edge.rows(timeline.streamId, pieces);
  const play = `/play/streams/${timeline.streamId}`;
  await eventually(
    'the other process lists the rows',
    async () => {
      const { status, bytes } = await delivery.api.request(`${play}/live.m3u8`);
      return status === 200 && bytes.includes(`segments/${first.row.id}.m4s`) ? true : undefined;
    },
    { timeoutMs: 10_000 },
  );
  await edge.until('it is watched', ({ live }) => live.includes(timeline.streamId));
  const asking = delivery.api.get(`${play}/segments/${first.row.id}.m4s`);
  const wanted = await edge.until('it is asked for', ({ segments }) => segments.length > 0);
  assert.deepEqual(wanted.segments, [{ id: first.row.id, streamId: timeline.streamId, urgent: true }]);
  await edge.putBytes(first);
  assert.deepEqual((await asking).bytes, Buffer.from(first.bytes));
});

test('a control that is killed while bytes come has every segment that it acknowledged, whole, and takes the rest again', async (t) => {
  const seed = runSeed();
  t.diagnostic(`seed ${seed}`);
  const random = createRandom(seed);
  await using server = await TestServer.start();
  const edge = new EdgeClient(() => server.api);
  const timeline = new EdgeTimeline(MEDIA, Math.floor(Date.now()) - 600_000);
  const play = `/play/streams/${timeline.streamId}`;
  const acknowledged = new Set<string>();
  const rows = timeline.next(60);
  for (let round = 0; round < 4; round++) {
    await edge.register();
    await edge.putStream(timeline.streamId);
    const until = Math.min(rows.length, (round + 1) * 15);
    await edge.rows(timeline.streamId, rows.slice(0, until));
    let sent = 0;
    const dies = random.integer(0, 11);
    let killing: Promise<void> | undefined;
    // Several at once, so that some are put, some noted, and some neither when it dies.
    const queue = rows.slice(0, until).filter(({ row }) => !acknowledged.has(row.id));
    const send = async (): Promise<void> => {
      for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) {
        if (sent++ === dies) killing = server.kill();
        const status = await edge.sendBytes(piece.row.id, piece.bytes).then(
          (answer) => answer.status,
          () => null,
        );
        if (status === null) return;
        assert.equal(status, 204);
        acknowledged.add(piece.row.id);
      }
    };
    await Promise.all([send(), send(), send(), send()]);
    await killing;
    await server.restart();
    await assertDoctorClean(server);
  }
  for (const piece of rows) {
    if (!acknowledged.has(piece.row.id)) continue;
    const { bytes } = await server.api.get(`${play}/segments/${piece.row.id}.m4s`);
    assert.deepEqual(bytes, Buffer.from(piece.bytes));
  }
  await edge.register();
  for (const piece of rows) await edge.putBytes(piece);
  assert.equal((await server.api.text(`${play}/dvr.m3u8`)).split('#EXTINF').length - 1, rows.length);
  await assertDoctorClean(server);
});
