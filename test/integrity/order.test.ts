import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { makeJpeg } from '../fixtures/pictures.ts';
import { PlaylistLedger } from '../fixtures/playlist-ledger.ts';
import { createRandom, runSeed, type Random } from '../fixtures/random.ts';
import { TestServer } from '../fixtures/server.ts';
import { parseMediaPlaylist } from '../fixtures/strict-hls.ts';
import { assertExactlyOnce, sweepDrained } from '../fixtures/timeline-sweep.ts';

const CAMERAS = 8;
const FRAMES = 60;
const INTERVAL_MS = 1000;
const HOUR_MS = 3_600_000;

test('frames that come late, twice or in any order lie once each at their own time', async (t) => {
  const random = createRandom(runSeed());
  t.diagnostic(`INTEGRITY_SEED=${random.seed} repeats this run`);
  await using server = await TestServer.start({
    env: { ZOETROPE_MAX_SEGMENT_WAIT_SECONDS: '0.5', ZOETROPE_OFFLINE_AFTER_SECONDS: '3600' },
  });
  const ledger = new PlaylistLedger(server.api);
  const startMs = Date.now() - 2 * HOUR_MS;
  const picture = makeJpeg({ width: 320, height: 240, seed: 1 });
  const cameras = Array.from({ length: CAMERAS }, (_, index) => ({
    device: `camera-${index}`,
    posts: lateness(random, startMs, index),
    acknowledged: new Set<number>(),
  }));
  const stop = new AbortController();
  t.after(() => stop.abort());
  const watching = watch(server, ledger, stop.signal);
  await Promise.all(
    cameras.map(async ({ device, posts, acknowledged }) => {
      for (const timeMs of posts) {
        const answer = await server.api.postFrame(device, timeMs, picture);
        assert.equal(answer.status, 202, answer.bytes.toString());
        acknowledged.add(timeMs);
        await delay(random.integer(0, 40));
      }
    }),
  );

  let lateSegments = 0;
  for (const { device, acknowledged } of cameras) {
    const { id } = await server.api.streamOf(device);
    const swept = await sweepDrained(server, id, startMs - HOUR_MS, acknowledged);
    assertExactlyOnce(device, swept, acknowledged, new Set());
    const starts = swept.map((segment) => segment.startMs);
    assert.deepEqual(
      starts,
      starts.toSorted((a, b) => a - b),
      `${device}: range is in wall order`,
    );
    const dvr = parseMediaPlaylist(await server.api.text(`/play/streams/${id}/dvr.m3u8`));
    assert.equal(dvr.segments.length, swept.length, `${device}: dvr shows what range shows`);
    const live = parseMediaPlaylist(await server.api.text(`/play/streams/${id}/live.m3u8`));
    const liveTimes = live.segments.map((segment) => segment.programDateTime?.getTime() ?? 0);
    assert.deepEqual(
      liveTimes,
      liveTimes.toSorted((a, b) => a - b),
      `${device}: live never goes back in time`,
    );
    lateSegments += swept.length - ((live.mediaSequenceBase ?? 0) + live.segments.length);
  }
  stop.abort();
  await watching;
  assert.ok(lateSegments > 0, 'the shuffle must have made late segments, else this test shows nothing');
  t.diagnostic(`${lateSegments} late segments`);
  await ledger.verifyBytes();
  assert.deepEqual(ledger.faults, []);
  await assertDoctorClean(server);
});

/** Capture times in the order of posting: jitter within a segment, some far too late, some twice. */
function lateness(random: Random, startMs: number, camera: number): readonly number[] {
  const posts = Array.from({ length: FRAMES }, (_, index) => {
    const timeMs = startMs + index * INTERVAL_MS + random.integer(0, 400);
    const kind = random.next();
    // Camera 0 is in order: it shows that the others' disorder is theirs alone.
    const behind = camera === 0 ? 0 : kind < 0.1 ? random.integer(8, 30) : kind < 0.4 ? random.integer(1, 3) : 0;
    return { timeMs, place: index + behind };
  });
  const order = posts.toSorted((a, b) => a.place - b.place).map((post) => post.timeMs);
  return order.flatMap((timeMs) => (camera > 0 && random.next() < 0.08 ? [timeMs, timeMs] : [timeMs]));
}

async function watch(server: TestServer, ledger: PlaylistLedger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const { id } of await server.api.streams()) {
      for (const playlist of ['live', 'dvr']) await ledger.read(`/play/streams/${id}/${playlist}.m3u8`);
    }
    await delay(150);
  }
}
