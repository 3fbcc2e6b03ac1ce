import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CameraFeed } from '../fixtures/camera-feed.ts';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { PlaylistLedger } from '../fixtures/playlist-ledger.ts';
import { createRandom, runSeed } from '../fixtures/random.ts';
import { TestServer } from '../fixtures/server.ts';
import { assertExactlyOnce, sweepDrained } from '../fixtures/timeline-sweep.ts';

const ROUNDS = Number(process.env['INTEGRITY_ROUNDS'] ?? 8);
const CAMERAS = 5;
const HOUR_MS = 3_600_000;

test('whatever is killed whenever: nothing acknowledged is lost, doubled, renamed or changed', async (t) => {
  const random = createRandom(runSeed());
  t.diagnostic(`INTEGRITY_SEED=${random.seed} repeats this run`);
  const startMs = Date.now() - 6 * HOUR_MS;
  await using server = await TestServer.start({
    env: {
      ZOETROPE_MAX_SEGMENT_WAIT_SECONDS: '1',
      ZOETROPE_FRAME_INTERVAL_SECONDS: '1',
      ZOETROPE_OFFLINE_AFTER_SECONDS: '3600',
      ZOETROPE_CLEANUP_INTERVAL_SECONDS: '1',
    },
  });
  const feeds = Array.from(
    { length: CAMERAS },
    (_, index) =>
      new CameraFeed(server.api, random, {
        device: `camera-${index}`,
        startMs,
        intervalMs: 1000,
        pauseMs: 60,
        sizes:
          index === 0
            ? [
                [320, 240],
                [352, 288],
              ]
            : [[320, 240]],
        // One camera changes its resolution now and then: epochs must survive crashes too.
        resizeRate: index === 0 ? 0.04 : 0,
      }),
  );
  const ledger = new PlaylistLedger(server.api);
  const stop = new AbortController();
  t.after(() => stop.abort());
  const posting = feeds.map((feed) => feed.run(stop.signal));
  const watching = watch(server, ledger, stop.signal);

  const kills = { server: 0, engine: 0, both: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    await delay(random.integer(50, 1500));
    const victim = random.pick(['server', 'engine', 'both'] as const);
    if (victim !== 'server' && server.killEngine((count) => random.integer(0, count - 1))) kills[victim]++;
    if (victim === 'engine') continue;
    if (victim === 'server') kills.server++;
    await server.kill();
    await server.orphansGone();
    await server.restart();
  }
  await delay(500);
  stop.abort();
  await Promise.all([...posting, watching]);
  t.diagnostic(`kills: ${JSON.stringify(kills)}`);

  let segments = 0;
  let frames = 0;
  for (const feed of feeds) {
    assert.deepEqual(feed.faults, []);
    const { id } = await server.api.streamOf(feed.device);
    const swept = await sweepDrained(server, id, startMs - HOUR_MS, feed.acknowledged);
    assertExactlyOnce(feed.device, swept, feed.acknowledged, feed.unsure);
    segments += swept.length;
    frames += feed.acknowledged.size;
    for (const playlist of ['live', 'dvr']) await ledger.read(`/play/streams/${id}/${playlist}.m3u8`);
  }
  assert.deepEqual(await server.api.deadLetters(), []);
  await ledger.verifyBytes();
  assert.deepEqual(ledger.faults, []);
  const beside = await assertDoctorClean(server);
  await server.stop();
  const alone = await assertDoctorClean(server);
  assert.ok(alone.segments >= beside.segments);
  await server.orphansGone();
  t.diagnostic(`${frames} frames acknowledged, ${segments} segments, ${ledger.urlCount} URLs compared`);
});

/** Polls every playlist as players do, through all crashes. */
async function watch(server: TestServer, ledger: PlaylistLedger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const pid = server.isReady ? server.pid : null;
    try {
      for (const { id } of await server.api.streams()) {
        for (const playlist of ['live', 'dvr']) await ledger.read(`/play/streams/${id}/${playlist}.m3u8`);
      }
    } catch (error) {
      // Killed under our hands, which shows a moment later; a server that lives on must answer.
      await delay(300);
      if (pid !== null && server.isReady && server.pid === pid) ledger.faults.push(String(error));
    }
    await delay(200);
  }
}
