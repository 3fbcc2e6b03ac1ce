import assert from 'node:assert/strict';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { problemOf } from '../fixtures/api-client.ts';
import { CameraFeed } from '../fixtures/camera-feed.ts';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { makeJpeg } from '../fixtures/pictures.ts';
import { PlaylistLedger } from '../fixtures/playlist-ledger.ts';
import { eventually } from '../fixtures/processes.ts';
import { createRandom } from '../fixtures/random.ts';
import { TestServer } from '../fixtures/server.ts';
import { mountSmallDisk } from '../fixtures/small-disk.ts';
import { assertExactlyOnce, sweepDrained } from '../fixtures/timeline-sweep.ts';

const DISK_BYTES = 32 << 20;
const BALLAST_BYTES = 16 << 20;
const HOUR_MS = 3_600_000;

test('a full disk is said so, harms nothing, and is over when there is space again', async (t) => {
  await using disk = mountSmallDisk(DISK_BYTES);
  const ballast = join(disk.directory, 'ballast');
  await writeFile(ballast, new Uint8Array(BALLAST_BYTES));
  await using server = await TestServer.start({
    dataDir: disk.directory,
    env: { ZOETROPE_MAX_SEGMENT_WAIT_SECONDS: '0.5', ZOETROPE_OFFLINE_AFTER_SECONDS: '3600' },
  });
  const startMs = Date.now() - 6 * HOUR_MS;
  const feeds = [1, 2, 3].map(
    (seed) =>
      new CameraFeed(server.api, createRandom(seed), {
        device: `camera-${seed}`,
        startMs,
        intervalMs: 1000,
        pauseMs: 0,
        sizes: [[1280, 720]],
      }),
  );
  const ledger = new PlaylistLedger(server.api);
  const full = new AbortController();
  t.after(() => full.abort());
  const posting = feeds.map((feed) => feed.run(full.signal));
  await eventually(
    'posts are refused for lack of space',
    () => (feeds.every((feed) => (feed.refusals.get(507) ?? 0) > 3) ? true : undefined),
    {
      timeoutMs: 60_000,
      describe: () => `${JSON.stringify(feeds.map((feed) => [...feed.refusals]))}\n${server.logs}`,
    },
  );
  // It stays full for a while: whatever tries again must not do harm, or give up.
  await delay(4000);
  const { bavail, bsize } = await statfs(disk.directory);
  t.diagnostic(
    `full: ${bavail * bsize} bytes left, refusals ${JSON.stringify(feeds.map((feed) => [...feed.refusals]))}`,
  );
  const refused = problemOf(
    await server.api.postFrame('camera-1', startMs - 1000, makeJpeg({ width: 1280, height: 720, seed: 9 })),
  );
  assert.ok(['storage_full', 'unavailable'].includes(refused.code), refused.detail);
  for (const feed of feeds) {
    const { id } = await server.api.streamOf(feed.device);
    await ledger.read(`/play/streams/${id}/dvr.m3u8`);
  }
  const health = await fetch(new URL('/healthz', server.metricsUrl));
  assert.equal(health.status, 200, 'full is not dead: nobody may restart it for this');

  // Killed on a full disk, it starts again once there is space; until then it says what is wrong and ends, or runs.
  await server.kill();
  await server.restart().then(
    () => t.diagnostic('it starts on a full disk too'),
    (error: unknown) => {
      assert.match(String(error), /storage_full|No space left|ENOSPC/);
      t.diagnostic(`on a full disk it does not start: ${/storage_full[^"]*/.exec(String(error))?.[0] ?? 'ENOSPC'}`);
    },
  );
  await rm(ballast);
  if (!server.isReady) await server.restart();
  const before = feeds.map((feed) => feed.acknowledged.size);
  await eventually(
    'posts are taken again',
    () => (feeds.every((feed, index) => feed.acknowledged.size > (before[index] ?? 0)) ? true : undefined),
    { timeoutMs: 30_000, describe: () => server.logs },
  );
  full.abort();
  await Promise.all(posting);
  for (const feed of feeds) {
    assert.deepEqual(feed.faults, []);
    const { id } = await server.api.streamOf(feed.device);
    const swept = await sweepDrained(server, id, startMs - HOUR_MS, feed.acknowledged);
    assertExactlyOnce(feed.device, swept, feed.acknowledged, feed.unsure);
    await ledger.read(`/play/streams/${id}/dvr.m3u8`);
  }
  assert.deepEqual(await server.api.deadLetters(), [], 'frames wait for space; they are not given up');
  await ledger.verifyBytes();
  assert.deepEqual(ledger.faults, []);
  await assertDoctorClean(server);
  await server.restart();
  await assertDoctorClean(server);
});
