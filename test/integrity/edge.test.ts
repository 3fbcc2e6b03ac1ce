import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { RecordingJson } from '../../src/api/rest/recording-shapes.ts';
import { CameraFeed } from '../fixtures/camera-feed.ts';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { EdgeViewer } from '../fixtures/edge-viewer.ts';
import { assertSameTimelines, EdgeWorld, storedTimelines, type StoredSegment } from '../fixtures/edge-world.ts';
import { EncoderProcess } from '../fixtures/encoder-process.ts';
import { makeJpeg } from '../fixtures/pictures.ts';
import { eventually } from '../fixtures/processes.ts';
import { makePushStream } from '../fixtures/pushed-hls.ts';
import { createRandom, runSeed } from '../fixtures/random.ts';
import { ServerClock } from '../fixtures/server-clock.ts';
import { TestLink } from '../fixtures/test-link.ts';
import { assertExactlyOnce, sweepDrained, sweepPlaylist } from '../fixtures/timeline-sweep.ts';

const ROUNDS = Number(process.env['INTEGRITY_ROUNDS'] ?? 5);
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const CAMERA_ENV = {
  ZOETROPE_FRAMES_PER_SEGMENT: '4',
  ZOETROPE_MAX_SEGMENT_WAIT_SECONDS: '1',
  ZOETROPE_FRAME_INTERVAL_SECONDS: '0.2',
  ZOETROPE_OFFLINE_AFTER_SECONDS: '86400',
  ZOETROPE_EDGE_STALL_SECONDS: '1',
};

test('whatever is killed or cut whenever: control shows the timelines of the edge, and has what it recorded', async (t) => {
  const random = createRandom(runSeed());
  t.diagnostic(`INTEGRITY_SEED=${random.seed} repeats this run`);
  const startMs = Date.now();
  using fastClock = new ServerClock(random.integer(0, 2) * HOUR_MS);
  await using world = await EdgeWorld.start({
    control: { ZOETROPE_OFFLINE_AFTER_SECONDS: '86400', ZOETROPE_EDGE_IDLE_SECONDS: '5' },
    edge: { ...CAMERA_ENV, ZOETROPE_RECONNECT_WINDOW_SECONDS: '3600', ...fastClock.env },
  });
  const { control, edge, link } = world;
  // What feeds the edge must find it again after each start.
  await using door = await TestLink.start(() => (edge.isReady ? Number(new URL(edge.url).port) : 1));
  const feeds = ['one', 'two'].map(
    (device) =>
      new CameraFeed(edge.api, random, {
        device,
        startMs,
        intervalMs: 1,
        pauseMs: 200,
        isLive: true,
        sizes: [[320, 240]],
      }),
  );
  const pushed = await makePushStream(edge.api, 'encoder');
  await using encoder = new EncoderProcess(door.url, pushed);
  encoder.start();
  const stop = new AbortController();
  t.after(() => stop.abort());
  const posting = feeds.map((feed) => feed.run(stop.signal));
  const viewer = new EdgeViewer(world, random);
  await eventually('control knows the streams', async () => (await control.api.streams()).length === 3 || undefined, {
    timeoutMs: 30_000,
    describe: () => edge.logs,
  });
  const working = viewer.work(stop.signal);
  const done: Record<string, number> = {};
  for (let round = 0; round < ROUNDS; round++) {
    await delay(random.integer(200, 1500));
    const blow = random.pick(['edge', 'control', 'encoder', 'both', 'reset', 'stalled', 'refused'] as const);
    done[blow] = (done[blow] ?? 0) + 1;
    switch (blow) {
      case 'edge':
      case 'control': {
        await world[blow].kill();
        await delay(random.integer(0, 1000));
        await world[blow].restart();
        break;
      }
      case 'both': {
        await Promise.all([edge.kill(), control.kill()]);
        for (const one of random.shuffle([edge, control])) await one.restart();
        break;
      }
      case 'encoder': {
        await encoder.kill();
        encoder.start();
        break;
      }
      case 'reset':
      case 'stalled':
      case 'refused': {
        await link.set(blow);
        await delay(random.integer(500, 3000));
        await link.set('up');
      }
    }
  }
  t.diagnostic(`blows: ${JSON.stringify(done)}`);
  await delay(1500);
  stop.abort();
  await Promise.all([...posting, working]);
  await encoder.stop();
  for (const feed of feeds) assert.deepEqual(feed.faults, []);
  assert.deepEqual(viewer.faults, []);

  let frames = 0;
  for (const feed of feeds) {
    const { id } = await edge.api.streamOf(feed.device);
    const swept = await sweepDrained(edge, id, startMs - MINUTE_MS, feed.acknowledged);
    assertExactlyOnce(feed.device, swept, feed.acknowledged, feed.unsure);
    frames += feed.acknowledged.size;
  }
  const recordings = await viewer.stopAll();
  await world.settled();
  const { atEdge, atControl } = await sameWhole(world, recordings);
  const { segments, here } = assertSameTimelines(atEdge, atControl);
  assert.equal(
    await control.api.text(`/play/streams/${pushed}/dvr.m3u8`),
    await edge.api.text(`/play/streams/${pushed}/dvr.m3u8`),
  );
  for (const recording of recordings) {
    const feed = feeds.find(({ device }) => recording.title.startsWith(`${device} `));
    if (feed !== undefined) await assertComplete(world, recording, feed.acknowledged);
  }
  await assertDoctorClean(control);
  await assertDoctorClean(edge);
  t.diagnostic(
    `${segments} segments, ${here} of them at control; ${frames} frames; ${recordings.length} recordings; ${viewer.segments} segments watched`,
  );
  assert.ok(here > 0 && here < segments && recordings.length > 0, 'this run shows nothing');
});

test('a recording that runs while the link is cut for longer than the edge keeps anything is complete', async (t) => {
  const random = createRandom(runSeed());
  t.diagnostic(`INTEGRITY_SEED=${random.seed} repeats this run`);
  let offsetMs = 0;
  const nowMs = (): number => Date.now() + offsetMs;
  using controlClock = new ServerClock(0);
  using edgeClock = new ServerClock(random.integer(-20_000, 20_000));
  await using world = await EdgeWorld.start({
    control: { ZOETROPE_OFFLINE_AFTER_SECONDS: '86400', ...controlClock.env },
    edge: {
      ...CAMERA_ENV,
      ZOETROPE_RETENTION_HOURS: String(10 / 60),
      ZOETROPE_CLEANUP_INTERVAL_SECONDS: '1',
      // Archives of sessions would keep what this test wants lost.
      ZOETROPE_MAX_SESSION_HOURS: '720',
      ...edgeClock.env,
    },
  });
  const { control, edge, link } = world;
  const startMs = nowMs();
  const cameras = ['kept', 'lost'].map((device) => ({ device, acknowledged: new Set<number>() }));
  const jpeg = makeJpeg({ width: 320, height: 240 });
  /** So many frames of each camera, one after the other, in real time. */
  const film = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index++) {
      for (const { device, acknowledged } of cameras) {
        const atMs = nowMs();
        const answer = await edge.api.postFrame(device, atMs, jpeg);
        assert.equal(answer.status, 202, answer.bytes.toString());
        acknowledged.add(atMs);
      }
      await delay(150);
    }
  };
  const pass = async (ms: number): Promise<void> => {
    await controlClock.advance(ms, control);
    await edgeClock.advance(ms, edge);
    offsetMs += ms;
  };
  const framesAt = (server: typeof edge, id: string): Promise<number> =>
    server.api.frameCount(id, startMs - MINUTE_MS, nowMs() + MINUTE_MS).catch(() => 0);

  await film(8);
  const [kept, lost] = [await edge.api.streamOf('kept'), await edge.api.streamOf('lost')];
  await eventually('control knows both', async () => (await framesAt(control, lost.id)) >= 4 || undefined, {
    timeoutMs: 30_000,
    describe: () => edge.logs,
  });
  const answer = await control.api.postJson(`/v1/streams/${kept.id}/recordings`, { title: 'kept' });
  assert.equal(answer.status, 201, answer.bytes.toString());
  const { id: recordingId } = JSON.parse(answer.bytes.toString()) as RecordingJson;
  await eventually('the edge keeps it', async () => (await world.status()).keptStretches === 1 || undefined, {
    timeoutMs: 30_000,
  });
  await film(8);
  await world.settled();
  await link.set(random.pick(['stalled', 'refused', 'reset'] as const));
  await film(12);
  const cutOff = [...(cameras[1]?.acknowledged ?? [])].slice(-12);
  await pass(HOUR_MS);
  await film(4);
  // Not while a segment is written: its object would be an orphan that is hours old, by these clocks.
  for (const { device, acknowledged } of cameras) {
    const newest = [...acknowledged].slice(-4);
    const { id } = device === 'kept' ? kept : lost;
    await eventually('frames are in segments', () => isInSegments(edge, id, newest), { timeoutMs: 30_000 });
  }
  await edge.kill();
  await pass(HOUR_MS);
  await edge.restart();
  await film(4);
  // What the hours have made too old is retired, and swept when its grace is over.
  await eventually('retention runs', () => retired(edge, lost.id), { timeoutMs: 30_000, describe: () => edge.logs });
  await pass(5 * MINUTE_MS);
  await film(4);
  await eventually(
    'the edge has lost what nobody records',
    async () => ((await isInSegments(edge, lost.id, cutOff.slice(0, 4))) === true ? undefined : true),
    { timeoutMs: 30_000, describe: () => edge.logs },
  );
  await link.set('up');
  await film(4);
  await delay(1500);
  await world.settled();
  const stopped = await control.api.postJson(`/v1/recordings/${recordingId}/stop`, {});
  assert.equal(stopped.status, 200, stopped.bytes.toString());
  const recording = JSON.parse(stopped.bytes.toString()) as RecordingJson;
  await world.settled();
  const { atEdge, atControl } = await sameWhole(world, [recording]);
  const frames = await assertComplete(world, recording, cameras[0]?.acknowledged ?? new Set());
  for (const [key, timeline] of atEdge) {
    const known = new Set(timeline.map(({ segment }) => segment.id));
    const copied = (atControl.get(key) ?? []).filter(({ segment }) => known.has(segment.id));
    assertSameTimelines(new Map([[key, timeline]]), new Map([[key, copied]]));
  }
  const copied = atControl.get(`${lost.id}/main`) ?? [];
  const times = copied.flatMap(({ segment }) => segment.frameTimesMs);
  assert.equal(new Set(times).size, times.length, 'nothing is doubled');
  const acknowledged = cameras[1]?.acknowledged ?? new Set();
  assert.ok(times.every((ms) => acknowledged.has(ms)));
  assert.ok(times.length < acknowledged.size, 'retention took nothing: this run shows nothing');
  assert.ok(times.length >= 16, 'what control had before, and what came after, is there');
  await assertDoctorClean(control);
  await assertDoctorClean(edge);
  t.diagnostic(`${frames} frames in the recording; of ${acknowledged.size} others control has ${times.length}`);
  assert.ok(frames >= 30);
});

/** Whether retention has taken the start of a stream's timeline out of its window. */
async function retired(edge: EdgeWorld['edge'], streamId: string): Promise<true | undefined> {
  const timeline = (await storedTimelines(edge)).get(`${streamId}/main`) ?? [];
  return timeline[0] === undefined || timeline[0].segment.retiredAtMs !== null || undefined;
}

/** Whether all of these frames are in segments, retired ones included. */
async function isInSegments(
  edge: EdgeWorld['edge'],
  streamId: string,
  times: readonly number[],
): Promise<true | undefined> {
  const timeline = (await storedTimelines(edge)).get(`${streamId}/main`) ?? [];
  const known = new Set<number>(timeline.flatMap(({ segment }) => segment.frameTimesMs));
  return times.every((ms) => known.has(ms)) || undefined;
}

/** Waits until what control recorded is there, to the last segment that the edge has of it. Answers both sides. */
async function sameWhole(
  world: EdgeWorld,
  recordings: readonly RecordingJson[],
): Promise<Record<'atEdge' | 'atControl', ReadonlyMap<string, readonly StoredSegment[]>>> {
  return eventually(
    'recordings are whole at control',
    async () => {
      const atEdge = await storedTimelines(world.edge);
      const atControl = await storedTimelines(world.control);
      for (const { streamId, from, to } of recordings) {
        const [fromMs, toMs] = [Date.parse(from), Date.parse(to ?? '')];
        const within = [...atControl]
          .filter(([key]) => key.startsWith(`${streamId}/`))
          .flatMap(([, timeline]) => timeline)
          .filter(({ segment }) => segment.startMs < toMs && segment.startMs + segment.duration90k / 90 > fromMs);
        if (within.some(({ segment }) => segment.remote)) return undefined;
      }
      return { atEdge, atControl };
    },
    { timeoutMs: 60_000, everyMs: 500, describe: () => `${world.edge.logs}\n-- control\n${world.control.logs}` },
  );
}

/** Every acknowledged frame of a recording's range is in its playlist at control once. */
async function assertComplete(
  { control }: EdgeWorld,
  recording: RecordingJson,
  acknowledged: ReadonlySet<number>,
): Promise<number> {
  const [fromMs, toMs] = [Date.parse(recording.from), Date.parse(recording.to ?? '')];
  const wanted = [...acknowledged].filter((atMs) => atMs >= fromMs && atMs < toMs);
  const path = `/play/recordings/${recording.id}/index.m3u8`;
  if (wanted.length === 0) return 0;
  const swept = await sweepPlaylist(control.api, path);
  const seen = swept.flatMap(({ frameTimesMs }) => frameTimesMs.map(Math.round));
  assert.equal(new Set(seen).size, seen.length, `${recording.id} has frames twice`);
  const missing = wanted.filter((atMs) => !seen.includes(atMs)).map((atMs) => new Date(atMs).toISOString());
  assert.deepEqual(missing, [], `${JSON.stringify(recording)} lacks frames`);
  return wanted.length;
}
