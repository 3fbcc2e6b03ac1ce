import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CameraFeed } from '../fixtures/camera-feed.ts';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { PlaylistLedger } from '../fixtures/playlist-ledger.ts';
import { eventually } from '../fixtures/processes.ts';
import { createRandom, runSeed } from '../fixtures/random.ts';
import { TestServer } from '../fixtures/server.ts';
import { assertExactlyOnce, sweepTimeline } from '../fixtures/timeline-sweep.ts';
import { parseMediaPlaylist } from '../fixtures/strict-hls.ts';

const MINUTE_MS = 60_000;
const FRAMES_A_RUN = 9;

test('a drained server goes on where it ended, with rising numbers and an honest gap', async (t) => {
  const random = createRandom(runSeed());
  t.diagnostic(`INTEGRITY_SEED=${random.seed} repeats this run`);
  // Nothing closes a segment by itself here but six frames: what is on the timeline after a stop was flushed by the stop.
  await using server = await TestServer.start({
    env: { ZOETROPE_MAX_SEGMENT_WAIT_SECONDS: '600', ZOETROPE_OFFLINE_AFTER_SECONDS: '3600' },
  });
  const ledger = new PlaylistLedger(server.api);
  const startMs = Date.now() - 60 * MINUTE_MS;
  const acknowledged = new Set<number>();
  let streamId = '';
  for (let run = 0; run < 3; run++) {
    const feed = new CameraFeed(server.api, random, {
      device: 'door',
      // Ten minutes apart: nobody was looking between the runs.
      startMs: startMs + run * 10 * MINUTE_MS,
      intervalMs: 1000,
      pauseMs: 0,
      sizes: [[320, 240]],
    });
    for (let frame = 0; frame < FRAMES_A_RUN; frame++) await feed.postNext();
    assert.equal(feed.acknowledged.size, FRAMES_A_RUN, feed.faults.join('\n'));
    for (const timeMs of feed.acknowledged) acknowledged.add(timeMs);
    streamId = (await server.api.streamOf('door')).id;
    for (const playlist of ['live', 'dvr']) await ledger.read(`/play/streams/${streamId}/${playlist}.m3u8`);

    // The newest frame was read; the segment that it is in is open, and only the stop closes it.
    const newest = new Date(feed.nextMs - 1000).toISOString();
    const isRead = async (): Promise<true | undefined> =>
      (await server.api.streamOf('door')).lastCapturedAt === newest ? true : undefined;
    await eventually('the newest frame is read', isRead, { timeoutMs: 10_000, describe: () => server.logs });

    const stoppedAtMs = performance.now();
    await server.stop();
    t.diagnostic(`run ${run}: drained in ${Math.round(performance.now() - stoppedAtMs)} ms`);
    await server.orphansGone();
    assert.match(server.logs, /zoetrope ended cleanly/);
    await server.restart();
    const swept = await sweepTimeline(server.api, streamId, startMs - MINUTE_MS, Date.now());
    assertExactlyOnce(`run ${run}`, swept, acknowledged, new Set());
    for (const playlist of ['live', 'dvr']) await ledger.read(`/play/streams/${streamId}/${playlist}.m3u8`);
  }

  const live = parseMediaPlaylist(await server.api.text(`/play/streams/${streamId}/live.m3u8`));
  const swept = await sweepTimeline(server.api, streamId, startMs - MINUTE_MS, Date.now());
  assert.equal((live.mediaSequenceBase ?? 0) + live.segments.length, swept.length, 'numbers go on without a hole');
  const timeline = await server.api.timeline(streamId, startMs, startMs + 21 * MINUTE_MS);
  assert.equal(timeline.stretches.length, 3);
  assert.equal(timeline.gaps.length, 2, 'one between each two runs; the live edge of an online source is none');
  for (const [index, gap] of timeline.gaps.entries()) {
    assert.equal(gap.from, timeline.stretches[index]?.to);
    assert.equal(gap.to, timeline.stretches[index + 1]?.from);
  }
  const dvr = parseMediaPlaylist(await server.api.text(`/play/streams/${streamId}/dvr.m3u8`));
  assert.equal(
    dvr.segments.filter((segment) => segment.discontinuity === true).length,
    2,
    'a discontinuity at each gap',
  );
  await ledger.verifyBytes();
  assert.deepEqual(ledger.faults, []);
  await assertDoctorClean(server);
});

test('the first signal drains although cameras go on posting', async (t) => {
  await using server = await TestServer.start({ env: { ZOETROPE_MAX_SEGMENT_WAIT_SECONDS: '1' } });
  const feed = new CameraFeed(server.api, createRandom(1), {
    device: 'busy',
    startMs: Date.now() - 60 * MINUTE_MS,
    intervalMs: 1000,
    pauseMs: 0,
    sizes: [[320, 240]],
  });
  const stop = new AbortController();
  t.after(() => stop.abort());
  const posting = feed.run(stop.signal);
  await delay(1500);
  await server.stop(20_000);
  stop.abort();
  await posting;
  await server.orphansGone();
  await server.restart();
  const { id } = await server.api.streamOf('busy');
  await delay(2500);
  const swept = await sweepTimeline(server.api, id, Date.now() - 120 * MINUTE_MS, Date.now());
  assertExactlyOnce('busy', swept, feed.acknowledged, feed.unsure);
  await assertDoctorClean(server);
});
