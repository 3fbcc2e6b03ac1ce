import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { readPlaylist, type PushedSegment } from '../../src/packager/hls/read-playlist.ts';
import { HlsPusher, type PushOptions } from '../../src/simulator/encoder/hls-pusher.ts';
import { simulateLive, type LiveSimulationOptions } from '../../src/simulator/encoder/live-simulation.ts';
import type { LiveSummary } from '../../src/simulator/encoder/live-tally.ts';
import { HurriedClock } from '../fixtures/hurried-clock.ts';
import { decodeSound, judgeSegment } from '../fixtures/live-judge.ts';
import { PushReceiver, type ReceivedRequest } from '../fixtures/push-receiver.ts';
import { parseMediaPlaylist } from '../fixtures/strict-hls.ts';

const START_MS = Date.UTC(2026, 10, 20, 10, 30, 0, 700);
const FOLDER = '/ingest/hls/str_1/';

async function push(
  receiver: PushReceiver,
  options: Partial<LiveSimulationOptions> = {},
  faults: Partial<PushOptions> = {},
): Promise<LiveSummary> {
  return await simulateLive(
    {
      url: receiver.url,
      key: 'zk_secret',
      name: 'gate',
      streams: 1,
      stream: null,
      container: 'ts',
      size: { width: 320, height: 180 },
      framesPerS: 10,
      segmentMs: 1000,
      faults: { restartEveryMs: null, resizeEveryMs: null },
      durationMs: 4500,
      clock: new HurriedClock(START_MS),
      logger: silentLogger,
      ...options,
    },
    'push',
    (sink) =>
      new HlsPusher({
        ...sink,
        folderUrl: `${sink.baseUrl}/ingest/hls/${sink.streamId}`,
        method: 'PUT',
        hasProgramDateTime: true,
        dropEvery: null,
        reorder: false,
        targetDurationS: Math.ceil(sink.segmentMs / 1000),
        ...faults,
      }),
    new AbortController().signal,
  );
}

/** Names in the order of arrival, and what each playlist said, as a strict parser and ours read it. */
function judgeOrder(requests: readonly ReceivedRequest[]): { names: string[]; segments: Map<string, PushedSegment> } {
  const names: string[] = [];
  const segments = new Map<string, PushedSegment>();
  for (const { path, body } of requests) {
    names.push(path);
    if (path !== 'index.m3u8') continue;
    parseMediaPlaylist(body.toString());
    const playlist = readPlaylist(body.toString());
    assert.ok(playlist.kind === 'media');
    for (const segment of playlist.segments) segments.set(segment.uri, segment);
  }
  return { names, segments };
}

for (const container of ['ts', 'fmp4'] as const) {
  test(`${container}: what arrives is in order, plays, and its clock is the playlist's`, async () => {
    await using receiver = await PushReceiver.start();
    const summary = await push(receiver, { container });
    const [created, ...rest] = receiver.requests;
    assert.deepEqual(
      [created?.method, created?.path, created?.body.toString(), created?.key],
      ['POST', '/v1/streams', '{"kind":"push","name":"gate"}', 'Bearer zk_secret'],
    );
    assert.ok(rest.every(({ method, key }) => method === 'PUT' && key === 'Bearer zk_secret'));
    const pushed = receiver.below(FOLDER);
    const { names, segments } = judgeOrder(pushed);
    const ending = container === 'ts' ? 'ts' : 'm4s';
    const expected = [0, 1, 2, 3, 4].flatMap((number) => [`segment${number}.${ending}`, 'index.m3u8']);
    assert.deepEqual(names, [...(container === 'ts' ? [] : ['init.mp4']), ...expected, 'index.m3u8']);
    const types = new Map(pushed.map(({ path, contentType }) => [path.replace(/.*\./, ''), contentType]));
    assert.equal(types.get('m3u8'), 'application/vnd.apple.mpegurl');
    assert.equal(types.get(ending), container === 'ts' ? 'video/mp2t' : 'video/mp4');
    assert.match(pushed.at(-1)?.body.toString() ?? '', /#EXT-X-ENDLIST\n$/);

    const init = pushed.find(({ path }) => path === 'init.mp4')?.body ?? Buffer.alloc(0);
    for (const [index, segment] of [...segments.values()].entries()) {
      const bytes = pushed.find(({ path }) => path === segment.uri)?.body ?? Buffer.alloc(0);
      const judged = await judgeSegment(init, bytes);
      assert.deepEqual([judged.width, judged.height], [320, 180]);
      assert.equal(segment.durationMs, index === 4 ? 500 : 1000);
      const startMs = START_MS + index * 1000;
      assert.equal(segment.programDateTimeMs, startMs);
      const clocks = Array.from({ length: segment.durationMs / 100 }, (_, frame) => startMs + frame * 100);
      assert.deepEqual(judged.clocksMs, clocks);
      assert.ok(Math.abs(judged.videoStartS - index) < 1e-5);
      assert.ok(judged.audioStartS >= index - 1e-5 && judged.audioStartS < index + 1024 / 48_000);
    }
    const { accepted, segments: made, lost, dropped, refused, bytes, causes } = summary;
    assert.deepEqual(
      { accepted, made, lost, dropped, refused, causes },
      { accepted: 5, made: 5, lost: 0, dropped: 0, refused: 0, causes: [] },
    );
    assert.equal(
      bytes,
      pushed.filter(({ path }) => path.startsWith('segment')).reduce((sum, { body }) => sum + body.length, 0),
    );
    assert.deepEqual(summary.streams, ['str_1']);
  });
}

test('a beep begins with every second of the clock', async () => {
  await using receiver = await PushReceiver.start();
  await push(receiver);
  const pushed = receiver.below(FOLDER).filter(({ path }) => path.endsWith('.ts'));
  const sound = await decodeSound(...pushed.map(({ body }) => body));
  assert.ok(sound.length >= 4.5 * 48_000);
  const loudest = (fromMs: number, toMs: number): number =>
    sound
      .subarray((fromMs - START_MS) * 48, (toMs - START_MS) * 48)
      .reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let second = START_MS + 300; second < START_MS + 4000; second += 1000) {
    assert.ok(loudest(second + 20, second + 80) > 0.3, `no beep at ${second}`);
    assert.ok(loudest(second + 200, second + 980) < 0.3, `a beep after ${second}`);
  }
});

describe('faults', () => {
  test('a restarted encoder uses its names again, a second later', async () => {
    await using receiver = await PushReceiver.start();
    const faults = { restartEveryMs: 2000, resizeEveryMs: null };
    const summary = await push(receiver, { container: 'fmp4', faults, durationMs: 5500 });
    const pushed = receiver.below(FOLDER);
    const { names } = judgeOrder(pushed);
    assert.deepEqual(
      names.filter((name) => name !== 'index.m3u8'),
      ['init.mp4', 'segment0.m4s', 'segment1.m4s', 'init.mp4', 'segment0.m4s', 'segment1.m4s'],
    );
    assert.equal(summary.restarts, 1);
    const playlists = pushed
      .filter(({ path }) => path === 'index.m3u8')
      .map(({ body }) => readPlaylist(body.toString()));
    const starts = playlists.map((playlist) =>
      playlist.kind === 'media' ? playlist.segments.at(-1)?.programDateTimeMs : null,
    );
    assert.deepEqual(
      starts.slice(0, 4),
      [0, 1000, 3000, 4000].map((ms) => START_MS + ms),
    );
    assert.deepEqual(
      playlists
        .map((playlist) => playlist.kind === 'media' && [playlist.mediaSequence, playlist.segments.length])
        .slice(0, 4),
      [
        [0, 1],
        [0, 2],
        [0, 1],
        [0, 2],
      ],
    );
    const [, segment] = pushed.filter(({ path }) => path === 'segment0.m4s');
    const judged = await judgeSegment(pushed[0]?.body ?? Buffer.alloc(0), segment?.body ?? Buffer.alloc(0));
    assert.deepEqual([judged.clocksMs[0], judged.videoStartS], [START_MS + 3000, 0]);
  });

  test('another size comes with a discontinuity and an init segment of its own, without a gap', async () => {
    await using receiver = await PushReceiver.start();
    const faults = { restartEveryMs: null, resizeEveryMs: 2000 };
    const summary = await push(receiver, { container: 'fmp4', faults, durationMs: 9000 });
    const pushed = receiver.below(FOLDER);
    const { segments } = judgeOrder(pushed);
    const listed = [...segments.values()];
    assert.deepEqual(
      listed.map(({ mapUri }) => mapUri),
      [
        'init.mp4',
        'init.mp4',
        'init-1.mp4',
        'init-1.mp4',
        'init-2.mp4',
        'init-2.mp4',
        'init-3.mp4',
        'init-3.mp4',
        'init-4.mp4',
      ],
    );
    assert.deepEqual(
      listed.map(({ discontinuity }) => discontinuity),
      listed.map((_, index) => index > 0 && index % 2 === 0),
    );
    assert.deepEqual(
      listed.map(({ programDateTimeMs }) => programDateTimeMs),
      listed.map((_, index) => START_MS + index * 1000),
    );
    const last = readPlaylist(pushed.at(-1)?.body.toString() ?? '');
    assert.ok(last.kind === 'media');
    assert.deepEqual([last.mediaSequence, last.discontinuitySequence], [3, 1]);
    assert.equal(summary.resizes, 4);
    for (const [uri, width] of [
      ['segment1.m4s', 320],
      ['segment2.m4s', 240],
    ] as const) {
      const map = listed.find((segment) => segment.uri === uri)?.mapUri;
      const [init, bytes] = [map, uri].map((name) => pushed.find(({ path }) => path === name)?.body ?? Buffer.alloc(0));
      assert.ok(init !== undefined && bytes !== undefined);
      const { width: seen, clocksMs } = await judgeSegment(init, bytes);
      assert.deepEqual([seen, clocksMs.length, clocksMs.includes(null)], [width, 10, false]);
    }
  });

  test('every n-th segment is not sent, though the playlist names it', async () => {
    await using receiver = await PushReceiver.start();
    const summary = await push(receiver, { durationMs: 6000 }, { dropEvery: 3 });
    const { names, segments } = judgeOrder(receiver.below(FOLDER));
    assert.deepEqual(
      names.filter((name) => name.endsWith('.ts')),
      [0, 1, 3, 4].map((number) => `segment${number}.ts`),
    );
    assert.equal(segments.size, 6);
    assert.deepEqual([summary.segments, summary.accepted, summary.dropped], [6, 4, 2]);
  });

  test('reordered, the later segment and its playlist come first', async () => {
    await using receiver = await PushReceiver.start();
    await push(receiver, { durationMs: 5000 }, { reorder: true });
    const { names } = judgeOrder(receiver.below(FOLDER));
    assert.deepEqual(
      names.map((name) => name.replace(/^segment|\.ts$|index\./g, '')),
      ['1', 'm3u8', '0', '3', 'm3u8', '2', '4', 'm3u8'],
    );
  });

  test('without the wall clock, by POST', async () => {
    await using receiver = await PushReceiver.start();
    await push(receiver, { stream: 'str_7', key: null }, { hasProgramDateTime: false, method: 'POST' });
    const pushed = receiver.below(FOLDER.replace('1', '7'));
    assert.equal(pushed.length, receiver.requests.length);
    assert.ok(pushed.every(({ method, key }) => method === 'POST' && key === undefined));
    assert.ok([...judgeOrder(pushed).segments.values()].every(({ programDateTimeMs }) => programDateTimeMs === null));
  });
});

test('a server that fails gets the same again, one that refuses does not, and both are counted', async () => {
  let failures = 3;
  await using receiver = await PushReceiver.start(({ path }) => {
    if (path.endsWith('segment2.ts')) return { status: 403, body: { detail: 'Not yours.' } };
    if (path.endsWith('segment1.ts') && failures-- > 0) return { status: 503, body: { detail: 'Busy.' } };
    return undefined;
  });
  const summary = await push(receiver);
  const { names } = judgeOrder(receiver.below(FOLDER));
  assert.deepEqual(
    names.filter((name) => name.endsWith('.ts')).map((name) => Number(/\d/.exec(name)?.[0])),
    [0, 1, 1, 1, 1, 2, 3, 4],
  );
  const { accepted, refused, retries, causes } = summary;
  assert.deepEqual(
    { accepted, refused, retries, causes },
    { accepted: 4, refused: 1, retries: 3, causes: ['503: Busy.', '403: Not yours.'] },
  );
});

test('a server that makes no stream is an error with its reason', async () => {
  await using receiver = await PushReceiver.start(() => ({ status: 403, body: { detail: 'The key may not.' } }));
  await assert.rejects(push(receiver), { code: 'unavailable', message: /made no stream "gate": 403: The key may not/ });
});

test('several streams have segments of their own', async () => {
  await using receiver = await PushReceiver.start();
  const summary = await push(receiver, { streams: 2, durationMs: 2000 });
  assert.deepEqual(summary.streams, ['str_1', 'str_2']);
  const [one, two] = summary.streams.map((id) => receiver.below(`/ingest/hls/${id}/`));
  const [first, second] = [one, two].map((pushed) => pushed?.find(({ path }) => path === 'segment0.ts')?.body);
  assert.ok(first !== undefined && second !== undefined && !first.equals(second));
});
