import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CameraFeed } from '../fixtures/camera-feed.ts';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { descendantsOf, residentBytes, signalProcess } from '../fixtures/processes.ts';
import { createRandom } from '../fixtures/random.ts';
import { TestServer } from '../fixtures/server.ts';
import { assertExactlyOnce, sweepDrained } from '../fixtures/timeline-sweep.ts';

const CAMERAS = 6;
const HOUR_MS = 3_600_000;
const PAUSED_MS = 10_000;

test('a standing engine costs time, not memory or frames', async (t) => {
  await using server = await TestServer.start({
    env: {
      ZOETROPE_MAX_SEGMENT_WAIT_SECONDS: '0.5',
      ZOETROPE_OFFLINE_AFTER_SECONDS: '3600',
      // Less than the cameras send meanwhile: reading must pause.
      ZOETROPE_MAX_OPEN_FRAMES_PER_STREAM: '24',
      ZOETROPE_ENGINE_TASK_TIMEOUT_SECONDS: '60',
    },
  });
  const { feeds, startMs } = camerasOf(server);
  for (const feed of feeds) for (let frame = 0; frame < 12; frame++) await feed.postNext();
  await assertAllThere(server, feeds, startMs);
  const restingBytes = residentBytes([server.pid]);

  for (const pid of server.enginePids()) signalProcess(pid, 'SIGSTOP');
  const stop = new AbortController();
  t.after(() => stop.abort());
  const posting = feeds.map((feed) => feed.run(stop.signal));
  await delay(PAUSED_MS);
  const pressedBytes = residentBytes([server.pid]);
  const health = await fetch(new URL('/healthz', server.metricsUrl));
  assert.equal(health.status, 200, 'an engine that stands still does not make the server unhealthy');
  for (const pid of server.enginePids()) signalProcess(pid, 'SIGCONT');
  stop.abort();
  await Promise.all(posting);

  const refusals = feeds.flatMap((feed) => [...feed.refusals]);
  const frames = feeds.reduce((sum, feed) => sum + feed.acknowledged.size, 0);
  t.diagnostic(
    `${frames} frames; refusals ${JSON.stringify(refusals)}; RSS ${mib(restingBytes)} → ${mib(pressedBytes)} MiB`,
  );
  assert.ok(
    pressedBytes < restingBytes * 1.8,
    `${mib(restingBytes)} → ${mib(pressedBytes)} MiB while the engine stood still`,
  );
  await assertAllThere(server, feeds, startMs);
});

test('an engine process that hangs is replaced and its frames come through', async () => {
  await using server = await TestServer.start({
    env: {
      ZOETROPE_MAX_SEGMENT_WAIT_SECONDS: '0.5',
      ZOETROPE_OFFLINE_AFTER_SECONDS: '3600',
      ZOETROPE_ENGINE_TASK_TIMEOUT_SECONDS: '2',
    },
  });
  const { feeds, startMs } = camerasOf(server);
  const hanging = server.enginePids();
  assert.ok(hanging.length > 0);
  for (const pid of hanging) signalProcess(pid, 'SIGSTOP');
  for (const feed of feeds) for (let frame = 0; frame < 12; frame++) await feed.postNext();
  await assertAllThere(server, feeds, startMs);
  assert.deepEqual(
    descendantsOf(server.pid).filter((pid) => hanging.includes(pid)),
    [],
    'those that hung are gone',
  );
});

function camerasOf(server: TestServer): { readonly feeds: readonly CameraFeed[]; readonly startMs: number } {
  const startMs = Date.now() - 6 * HOUR_MS;
  const feeds = Array.from(
    { length: CAMERAS },
    (_, index) =>
      new CameraFeed(server.api, createRandom(index + 1), {
        device: `camera-${index}`,
        startMs,
        intervalMs: 1000,
        pauseMs: 40,
        sizes: [[320, 240]],
      }),
  );
  return { feeds, startMs };
}

async function assertAllThere(server: TestServer, feeds: readonly CameraFeed[], startMs: number): Promise<void> {
  for (const feed of feeds) {
    assert.deepEqual(feed.faults, []);
    const { id } = await server.api.streamOf(feed.device);
    const swept = await sweepDrained(server, id, startMs - HOUR_MS, feed.acknowledged);
    assertExactlyOnce(feed.device, swept, feed.acknowledged, feed.unsure);
  }
  assert.deepEqual(await server.api.deadLetters(), []);
  await assertDoctorClean(server);
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
