import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { ChunkAnnouncer, type AnnouncerOptions } from '../../src/simulator/encoder/chunk-announcer.ts';
import { simulateLive, type LiveSimulationOptions } from '../../src/simulator/encoder/live-simulation.ts';
import type { LiveSummary } from '../../src/simulator/encoder/live-tally.ts';
import { HurriedClock } from '../fixtures/hurried-clock.ts';
import { judgeSegment } from '../fixtures/live-judge.ts';
import { PushReceiver, type ReceivedRequest, type ReceiverAnswer } from '../fixtures/push-receiver.ts';

const START_MS = Date.UTC(2026, 10, 20, 10, 30);

interface ChunkEvent {
  readonly stream_id: string;
  readonly chunk_index: number;
  readonly timestamp: string;
  readonly size_bytes: number;
  readonly checksum: string;
  readonly object_key: string;
}

/** Answers with places in the receiver itself, as an object store would be. */
function places({ path, body }: ReceivedRequest, receiver: PushReceiver): ReceiverAnswer {
  if (!path.endsWith('/chunk-urls')) return undefined;
  const { count, firstIndex } = JSON.parse(body.toString()) as { readonly count: number; readonly firstIndex: number };
  const items = Array.from({ length: Math.min(count, 4) }, (_, at) => ({
    chunkIndex: firstIndex + at,
    objectKey: `chunks/${firstIndex + at}`,
    url: `${receiver.url}/store/chunks/${firstIndex + at}?signature=1`,
    method: 'PUT',
    headers: { 'content-type': 'video/mp4' },
    expiresAt: new Date(START_MS + 3_600_000).toISOString(),
  }));
  return { status: 200, body: { items } };
}

async function announce(
  receiver: PushReceiver,
  faults: Partial<AnnouncerOptions> = {},
  options: Partial<LiveSimulationOptions> = {},
): Promise<LiveSummary> {
  return await simulateLive(
    {
      url: receiver.url,
      key: 'zk_secret',
      name: 'chunks',
      streams: 1,
      stream: null,
      container: 'fmp4',
      size: { width: 320, height: 180 },
      framesPerS: 10,
      segmentMs: 1000,
      faults: { restartEveryMs: null, resizeEveryMs: null },
      durationMs: 8000,
      clock: new HurriedClock(START_MS),
      logger: silentLogger,
      ...options,
    },
    'chunks',
    (sink) =>
      new ChunkAnnouncer({
        ...sink,
        algorithm: 'sha256',
        end: true,
        seed: 1,
        gapEvery: null,
        isGapLost: false,
        badChecksumEvery: null,
        duplicateEvery: null,
        shuffle: false,
        ...faults,
      }),
    new AbortController().signal,
  );
}

function eventsOf(receiver: PushReceiver): readonly ChunkEvent[] {
  return receiver
    .below('/v1/events/chunks')
    .flatMap(({ body }) => (JSON.parse(body.toString()) as { readonly events: readonly ChunkEvent[] }).events);
}

const rising = (a: number, b: number): number => a - b;

function storedAt(receiver: PushReceiver, key: string): Buffer | undefined {
  return receiver.below(`/store/${key}?`)[0]?.body;
}

function hasTrueChecksum(receiver: PushReceiver, { checksum, object_key }: ChunkEvent): boolean {
  const [algorithm = '', digest] = checksum.split(':');
  return (
    createHash(algorithm)
      .update(storedAt(receiver, object_key) ?? '')
      .digest('hex') === digest
  );
}

for (const container of ['fmp4', 'ts'] as const) {
  test(`${container}: each chunk lies in the store before its event, and plays by itself`, async () => {
    await using receiver = await PushReceiver.start(places);
    const algorithm = container === 'ts' ? 'md5' : 'sha256';
    const summary = await announce(receiver, { algorithm }, { container });
    const order = receiver.requests.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`);
    const urls = 'POST /v1/streams/str_1/chunk-urls';
    const pair = (index: number): readonly string[] => [`PUT /store/chunks/${index}`, 'POST /v1/events/chunks'];
    assert.deepEqual(order, [
      'POST /v1/streams',
      urls,
      ...[0, 1, 2, 3].flatMap(pair),
      urls,
      ...[4, 5, 6, 7].flatMap(pair),
      'POST /v1/streams/str_1/end',
    ]);
    for (const { path, key } of receiver.requests) {
      assert.equal(key, path.startsWith('/store') ? undefined : 'Bearer zk_secret', path);
    }
    for (const [index, event] of eventsOf(receiver).entries()) {
      const bytes = storedAt(receiver, event.object_key);
      assert.ok(bytes !== undefined && hasTrueChecksum(receiver, event));
      const startMs = START_MS + index * 1000;
      assert.deepEqual(event, {
        stream_id: 'str_1',
        chunk_index: index,
        sequence_number: index,
        timestamp: new Date(startMs).toISOString(),
        size_bytes: bytes.length,
        duration_ms: 1000,
        keyframe_aligned: true,
        checksum: event.checksum,
        audio_track_id: 'audio-1',
        video_track_id: 'video-1',
        object_key: `chunks/${index}`,
      });
      assert.ok(event.checksum.startsWith(`${algorithm}:`));
      if (container === 'fmp4') assert.equal(bytes.toString('latin1', 4, 8), 'ftyp');
      const { clocksMs, videoStartS } = await judgeSegment(bytes);
      assert.deepEqual(
        clocksMs,
        Array.from({ length: 10 }, (_, frame) => startMs + frame * 100),
      );
      assert.ok(Math.abs(videoStartS - index) < 1e-5);
    }
    assert.deepEqual([summary.segments, summary.accepted, summary.refused, summary.lost], [8, 8, 0, 0]);
  });
}

test('late chunks come after later ones, lost ones never', async () => {
  for (const isGapLost of [false, true]) {
    await using receiver = await PushReceiver.start(places);
    const summary = await announce(receiver, { gapEvery: 3, isGapLost });
    const indexes = eventsOf(receiver).map((event) => event.chunk_index);
    assert.deepEqual(indexes, isGapLost ? [0, 1, 3, 4, 6, 7] : [0, 1, 3, 4, 2, 6, 7, 5]);
    assert.deepEqual([summary.dropped, summary.late, summary.accepted], isGapLost ? [2, 0, 6] : [0, 2, 8]);
  }
});

test('wrong checksums, duplicates and a shuffled order, told apart by the bytes', async () => {
  await using receiver = await PushReceiver.start(places);
  const summary = await announce(receiver, { badChecksumEvery: 4, duplicateEvery: 5, shuffle: true, end: false });
  const events = eventsOf(receiver);
  const indexes = events.map((event) => event.chunk_index);
  assert.deepEqual(indexes.toSorted(rising), [0, 1, 2, 3, 4, 4, 5, 6, 7]);
  assert.deepEqual(indexes.slice(0, 4).toSorted(rising), [0, 1, 2, 3]);
  assert.notDeepEqual(indexes, indexes.toSorted(rising));
  const wrong = events.filter((event) => !hasTrueChecksum(receiver, event)).map((event) => event.chunk_index);
  assert.deepEqual(wrong.toSorted(rising), [3, 7]);
  assert.deepEqual([summary.accepted, summary.duplicates], [8, 1]);
  assert.equal(receiver.below('/v1/streams/str_1/end').length, 0);
});

test('chunks whose bytes the store refuses are not announced; what fails is sent again', async () => {
  let failures = 2;
  await using receiver = await PushReceiver.start((request, own) => {
    if (request.path.startsWith('/store/chunks/1?')) return { status: 403, body: { detail: 'Expired.' } };
    if (request.path === '/v1/events/chunks' && failures-- > 0) return { status: 503, body: { detail: 'Busy.' } };
    return places(request, own);
  });
  const summary = await announce(receiver, {}, { durationMs: 3000 });
  assert.deepEqual(
    eventsOf(receiver).map((event) => event.chunk_index),
    [0, 0, 0, 2],
  );
  assert.equal(receiver.below('/store/chunks/0?').length, 1);
  const { accepted, refused, retries, causes } = summary;
  assert.deepEqual({ accepted, refused, retries }, { accepted: 2, refused: 1, retries: 2 });
  assert.deepEqual(causes, ['503: Busy.', '403: Expired.']);
});

test('a server that names no places is told of, not fallen over', async () => {
  for (const body of [{}, { items: [null, { chunkIndex: 0, url: 'http://' }] }]) {
    await using receiver = await PushReceiver.start(({ path }) =>
      path.endsWith('/chunk-urls') ? { status: 200, body } : undefined,
    );
    const summary = await announce(receiver, {}, { durationMs: 1000 });
    assert.deepEqual([summary.refused, summary.causes], [1, ['The server named no URL for chunk 0.']]);
    assert.equal(eventsOf(receiver).length, 0);
  }
});
