import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { RecordingJson } from '../../src/api/rest/recording-shapes.ts';
import type { StreamJson, TimelineJson } from '../../src/api/rest/shapes.ts';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { assertSameTimelines, EdgeWorld, storedTimelines } from '../fixtures/edge-world.ts';
import { makeJpeg } from '../fixtures/pictures.ts';
import { eventually } from '../fixtures/processes.ts';
import { makeHls, makePushStream, push, untilSegment } from '../fixtures/pushed-hls.ts';
import { decodeComplaints } from '../fixtures/pushed-segments.ts';
import { parseMediaPlaylist } from '../fixtures/strict-hls.ts';
import { sweepPlaylist } from '../fixtures/timeline-sweep.ts';

const SEGMENTS = 8;
const TIMEOUT = { timeoutMs: 30_000 };

let world: EdgeWorld;
let directory: string;
let made: Awaited<ReturnType<typeof makeHls>>;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zoetrope-edge-'));
  made = await makeHls({ container: 'ts', seconds: SEGMENTS * 2 }, directory);
  world = await EdgeWorld.start({
    control: { ZOETROPE_EDGE_IDLE_SECONDS: '5' },
    edge: {
      ZOETROPE_FRAMES_PER_SEGMENT: '2',
      ZOETROPE_MAX_SEGMENT_WAIT_SECONDS: '1',
      ZOETROPE_FRAME_INTERVAL_SECONDS: '1',
      ZOETROPE_RECONNECT_WINDOW_SECONDS: '3600',
    },
  });
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

/** Pushes what ffmpeg made to the edge, up to a segment. */
async function pushUntil(streamId: string, from: number, to: number): Promise<void> {
  for (const [index, [name, bytes]] of [...made.files].entries()) {
    if (index < from || index >= to) continue;
    assert.equal((await push(world.edge.api, streamId, name, bytes)).status < 300, true);
    assert.equal(
      (await push(world.edge.api, streamId, 'live.m3u8', untilSegment(made.playlist, index + 1))).status < 300,
      true,
    );
  }
}

/** Waits until control shows so many segments of a stream, without watching it. Answers where they begin. */
function shownAtControl(streamId: string, count: number): Promise<number> {
  return eventually(
    `control shows ${count} segments`,
    async () => {
      const path = `/v1/streams/${streamId}/timeline?from=${iso(Date.now() - 3_600_000)}&to=${iso(Date.now() + 60_000)}`;
      const answer = await world.control.api.request(path);
      if (answer.status !== 200) return undefined;
      const { stretches } = JSON.parse(answer.bytes.toString()) as TimelineJson;
      const shown = stretches.reduce((sum, { segmentCount }) => sum + segmentCount, 0);
      return shown >= count ? Date.parse(stretches[0]?.from ?? '') : undefined;
    },
    { ...TIMEOUT, describe: () => world.edge.logs },
  );
}

function atControl(streamId: string): Promise<StreamJson> {
  return world.control.api.json<StreamJson>(`/v1/streams/${streamId}`);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

test('what ffmpeg pushes to the edge shows at control at once, and its bytes come when somebody watches', async (t) => {
  const { control, edge, link } = world;
  const id = await makePushStream(edge.api, 'pushed');
  await pushUntil(id, 0, SEGMENTS - 2);
  await shownAtControl(id, SEGMENTS - 3);
  const mediaBytes = [...made.files.values()].reduce((sum, { length }) => sum + length, 0);
  const idle = await world.status();
  assert.deepEqual([idle.sentSegments, idle.sentBytes, idle.liveStreams], [0, 0, 0]);
  assert.ok(link.sentBytes < mediaBytes / 10, `${link.sentBytes} of ${mediaBytes} bytes went while nobody watched`);
  assert.equal((await atControl(id)).edge?.name, 'Gate');

  const path = `/play/streams/${id}/live.m3u8`;
  const startMs = performance.now();
  const playlist = parseMediaPlaylist(await control.api.text(path));
  const segments = playlist.segments.slice(-3);
  const bytes: Uint8Array[] = [];
  for (const [index, { uri, map }] of segments.entries()) {
    if (index === 0) bytes.push((await control.api.get(`/play/streams/${id}/${map.uri}`)).bytes);
    bytes.push((await control.api.get(`/play/streams/${id}/${uri}`)).bytes);
    if (index === 0) t.diagnostic(`first segment of the first viewer: ${Math.round(performance.now() - startMs)} ms`);
  }
  assert.equal(decodeComplaints([Buffer.concat(bytes)]), '');
  const watched = await world.status();
  assert.ok(watched.sentSegments >= 3 && watched.liveStreams === 1, JSON.stringify(watched));

  await pushUntil(id, SEGMENTS - 2, SEGMENTS);
  await shownAtControl(id, SEGMENTS - 1);
  const next = await eventually(
    'new segments come unasked',
    async () => {
      const status = await world.status();
      return status.sentSegments > watched.sentSegments ? status : undefined;
    },
    TIMEOUT,
  );
  await eventually(
    'nobody watches any more',
    async () => (await world.status()).liveStreams === 0 || undefined,
    TIMEOUT,
  );
  assert.ok(next.sentSegments < SEGMENTS + 1);
});

test('a recording started at control in the past brings what it lacks, and the edge keeps it until then', async () => {
  const { control, edge } = world;
  const id = await makePushStream(edge.api, 'recorded');
  await pushUntil(id, 0, SEGMENTS);
  const startMs = await shownAtControl(id, SEGMENTS - 1);
  const before = await world.settled();
  const answer = await control.api.postJson(`/v1/streams/${id}/recordings`, {
    title: 'incident',
    from: iso(startMs + 2100),
  });
  assert.equal(answer.status, 201, answer.bytes.toString());
  const recording = JSON.parse(answer.bytes.toString()) as RecordingJson;
  const stopped = { at: iso(startMs + 8100) };
  assert.equal((await control.api.postJson(`/v1/recordings/${recording.id}/stop`, stopped)).status, 200);
  const playlist = `/play/recordings/${recording.id}/index.m3u8`;
  const status = await eventually(
    'it is filled up',
    async () => {
      const now = await world.status();
      return now.sentSegments - before.sentSegments >= 4 ? now : undefined;
    },
    TIMEOUT,
  );
  const { segments } = parseMediaPlaylist(await control.api.text(playlist));
  assert.equal(segments.length, 4);
  const parts: Uint8Array[] = [];
  for (const { uri, map } of segments) {
    const names = parts.length === 0 ? [map.uri, uri] : [uri];
    for (const name of names) parts.push((await control.api.get(`/play/recordings/${recording.id}/${name}`)).bytes);
  }
  assert.equal(decodeComplaints(parts), '');
  assert.ok(status.sentBytes > before.sentBytes);
  await world.settled();
  const timeline = (await storedTimelines(control)).get(`${id}/main`) ?? [];
  const here = timeline.map(({ segment }) => !segment.remote);
  assert.deepEqual(here.slice(0, 5), [false, true, true, true, true], 'what nobody wants stays where it is');
  await eventually(
    'the edge keeps nothing any more',
    async () =>
      (await edge.api.json<{ readonly items: readonly object[] }>('/v1/recordings')).items.length === 0 || undefined,
    TIMEOUT,
  );
});

test('frames of a camera at the edge show at control, late ones too', async () => {
  const { control, edge } = world;
  const startMs = Math.floor(Date.now() / 1000) * 1000 - 60_000;
  const jpeg = makeJpeg({ width: 320, height: 240 });
  const offer = async (offsets: readonly number[]): Promise<void> => {
    for (const offset of offsets) {
      assert.equal((await edge.api.postFrame('cam', startMs + offset * 1000, jpeg)).status, 202);
    }
  };
  const shown = async (count: number): Promise<string> => {
    const stream = await eventually(
      'the camera is known',
      async () => (await edge.api.streams()).find(({ deviceId }) => deviceId === 'cam'),
      TIMEOUT,
    );
    await eventually(
      `control shows ${count} frames`,
      async () => {
        const frames = await control.api.frameCount(stream.id, startMs - 100_000, Date.now()).catch(() => 0);
        return frames === count || undefined;
      },
      { ...TIMEOUT, describe: () => edge.logs },
    );
    return stream.id;
  };
  await offer([10, 11, 12, 13]);
  await shown(4);
  await offer([2, 3]);
  const id = await shown(6);
  const from = new Date(startMs).toISOString();
  const to = new Date(startMs + 60_000).toISOString();
  const swept = await sweepPlaylist(control.api, `/play/streams/${id}/range.m3u8?from=${from}&to=${to}`);
  assert.deepEqual(
    swept.flatMap(({ frameTimesMs }) => frameTimesMs.map((ms) => Math.round((ms - startMs) / 1000))),
    [2, 3, 10, 11, 12, 13],
  );
  const picture = await eventually(
    'its newest picture comes',
    async () => {
      const answer = await control.api.request(`/v1/streams/${id}/latest.jpg`);
      return answer.status === 200 ? answer : undefined;
    },
    TIMEOUT,
  );
  assert.equal(picture.headers.get('content-type'), 'image/jpeg');
});

test('a stream that is renamed, ended or deleted at the edge is so at control', async () => {
  const { control, edge } = world;
  const id = await makePushStream(edge.api, 'before');
  await pushUntil(id, 0, 4);
  await edge.api.postJson(`/v1/streams/${id}`, { name: 'after' }, 'PATCH');
  await eventually('it is renamed', async () => (await atControl(id)).name === 'after' || undefined, TIMEOUT);
  await shownAtControl(id, 3);
  const end = await edge.api.request(`/v1/streams/${id}/end`, { method: 'POST' });
  assert.equal(end.status, 200, end.bytes.toString());
  await eventually('it has ended', async () => (await atControl(id)).endedAt !== null || undefined, TIMEOUT);
  await eventually(
    'both show the same, to the end',
    async () => {
      const ended = await edge.api.text(`/play/streams/${id}/live.m3u8`);
      const copy = await control.api.text(`/play/streams/${id}/live.m3u8`);
      return (ended.includes('ENDLIST') && copy === ended) || undefined;
    },
    TIMEOUT,
  );
  assert.equal((await edge.api.request(`/v1/streams/${id}`, { method: 'DELETE' })).status, 204);
  await eventually('it has no edge any more', async () => (await atControl(id)).edge === null || undefined, TIMEOUT);
});

test('control and edge start again in any order, and both go on where they were', async () => {
  const { control, edge } = world;
  const id = await makePushStream(edge.api, 'restarts');
  await pushUntil(id, 0, 3);
  await shownAtControl(id, 2);
  await control.kill();
  await pushUntil(id, 3, 5);
  await eventually('the edge notices', async () => !(await world.status()).connected || undefined, TIMEOUT);
  await edge.kill();
  await edge.restart();
  await pushUntil(id, 5, 6);
  assert.equal((await world.status()).connected, false);
  await control.restart();
  await shownAtControl(id, 5);
  await edge.stop();
  await control.restart();
  await edge.restart();
  await pushUntil(id, 6, SEGMENTS);
  await shownAtControl(id, SEGMENTS - 1);
  await world.settled();
  assert.equal(
    await control.api.text(`/play/streams/${id}/dvr.m3u8`),
    await edge.api.text(`/play/streams/${id}/dvr.m3u8`),
  );
  const [atEdge, copied] = [await storedTimelines(edge), await storedTimelines(control)];
  // What was deleted at the edge stays at control.
  const still = new Map([...copied].filter(([key]) => atEdge.has(key)));
  const { segments, here } = assertSameTimelines(atEdge, still);
  assert.ok(here > 0 && segments > here);
  await assertDoctorClean(control);
  await assertDoctorClean(edge);
});
