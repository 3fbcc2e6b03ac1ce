import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { randomIds } from '../../src/base/ids.ts';
import { formatRfc3339, wallMs } from '../../src/base/time.ts';
import { FRAMES_TOPIC } from '../../src/ingest/frames/frame-event.ts';
import { recently, startIngest, writeFrame, type IngestBench } from '../fixtures/ingest.ts';
import { probeSegment } from '../fixtures/media-judge.ts';
import { makeJpeg } from '../fixtures/pictures.ts';

const small = { width: 160, height: 120 };
const jpeg = makeJpeg(small);
const SECOND = 1000;

/** Sends an event that names a file, as a broker's producer would. */
async function announce(
  bench: IngestBench,
  atMs: number,
  path: string,
  device = 'cam',
  eventId = `e-${atMs}`,
): Promise<string> {
  const [accepted] = await bench.intake.acceptEvents([
    { eventId, clientId: 'test', deviceId: device, timestamp: formatRfc3339(wallMs(atMs)), framePath: path },
  ]);
  return accepted?.streamId ?? '';
}

async function keysBelow(bench: IngestBench, prefix: string): Promise<readonly string[]> {
  return (await Array.fromAsync(bench.stores.objects.list(prefix))).map((head) => head.key);
}

test('six posted frames become one segment whose times are exact, and leave nothing but the newest picture behind', async () => {
  await using bench = await startIngest();
  const t0 = recently();
  const offsets = [0, 5.001, 9.9, 15, 20, 25.5].map((seconds) => Math.round(seconds * SECOND));
  let streamId = '';
  for (const offset of offsets) ({ streamId } = await bench.post(t0 + offset, jpeg));
  const [segment] = await bench.segments(streamId, 1);
  assert.ok(segment);
  assert.equal(segment.sequence, 0);
  assert.equal(segment.startMs, t0);
  assert.deepEqual(
    segment.frameTimesMs,
    offsets.map((offset) => t0 + offset),
  );
  assert.equal(segment.mediaStart90k, 0);
  // The median of 5001, 4899, 5100, 5000 and 5500 ms is 5001 ms: so long lasts the sixth.
  assert.equal(segment.duration90k, (25_500 + 5001) * 90);
  const epoch = await bench.stores.catalog.getEpoch(segment.epochId);
  const packets = await probeSegment(epoch.init, await bench.stores.objects.get(segment.objectKey));
  assert.deepEqual(
    packets.map((packet) => packet.pts90k),
    offsets.map((offset) => offset * 90),
  );
  assert.deepEqual(
    packets.map((packet) => packet.isKey),
    [true, false, false, false, false, false],
  );
  await bench.settled();
  assert.equal((await keysBelow(bench, 'frames/')).length, 1);
  const state = await bench.stores.catalog.getStream(streamId);
  assert.equal(state.deviceId, 'cam');
});

test('a segment that stays short closes by itself, and the next goes on in the same epoch', async () => {
  await using bench = await startIngest();
  const t0 = recently();
  const { streamId } = await bench.post(t0, jpeg);
  await bench.post(t0 + 5000, jpeg);
  await bench.segments(streamId, 1);
  await bench.post(t0 + 10_000, jpeg);
  const [first, second] = await bench.segments(streamId, 2);
  assert.equal(first?.frameTimesMs.length, 2);
  assert.equal(first?.duration90k, 10_000 * 90);
  assert.equal(second?.epochId, first?.epochId);
  assert.equal(second?.mediaStart90k, 10_000 * 90);
  assert.equal(second?.discontinuity, false);
});

test('silence longer than two intervals is a gap: a new epoch begins behind it', async () => {
  await using bench = await startIngest();
  const t0 = recently();
  let streamId = '';
  for (const seconds of [0, 5, 10, 60, 65]) ({ streamId } = await bench.post(t0 + seconds * SECOND, jpeg));
  const [first, second] = await bench.segments(streamId, 2);
  assert.deepEqual([first?.frameTimesMs.length, second?.frameTimesMs.length], [3, 2]);
  assert.notEqual(second?.epochId, first?.epochId);
  assert.equal(second?.mediaStart90k, 0);
  assert.equal(second?.discontinuity, true);
});

test('a frame that comes twice, in either way, is on the timeline once', async () => {
  await using bench = await startIngest();
  const t0 = recently();
  const path = await writeFrame(bench, 'a.jpg', jpeg);
  const streamId = await announce(bench, t0, path);
  await announce(bench, t0, path);
  await bench.post(t0, jpeg);
  await bench.post(t0 + 5000, jpeg);
  await bench.segments(streamId, 1);
  await announce(bench, t0, path);
  await bench.post(t0 + 5000, jpeg);
  await bench.settled();
  const { segments } = await bench.stores.catalog.dvrWindow(streamId);
  assert.deepEqual(
    segments.flatMap((segment) => segment.frameTimesMs),
    [t0, t0 + 5000],
  );
  assert.deepEqual(await bench.deadLetters(), []);
});

test('late frames become a late segment at their own place; live goes on unmoved', async () => {
  await using bench = await startIngest({ environment: { ZOETROPE_FRAMES_PER_SEGMENT: '2' } });
  const t0 = recently();
  let streamId = '';
  for (const seconds of [0, 5, 60, 65]) ({ streamId } = await bench.post(t0 + seconds * SECOND, jpeg));
  await bench.segments(streamId, 2);
  for (const seconds of [30, 25]) await bench.post(t0 + seconds * SECOND, jpeg);
  const segments = await bench.segments(streamId, 3);
  assert.deepEqual(
    segments.map((segment) => segment.placement),
    ['onTime', 'late', 'onTime'],
  );
  assert.deepEqual(segments[1]?.frameTimesMs, [t0 + 25_000, t0 + 30_000]);
  const live = await bench.stores.catalog.liveWindow(streamId, 10);
  assert.deepEqual(
    live.segments.map((segment) => segment.sequence),
    [0, 1],
  );
});

test('a corrupt frame goes to the dead letters with its cause; its neighbours go on', async () => {
  await using bench = await startIngest({ environment: { ZOETROPE_FRAMES_PER_SEGMENT: '3' } });
  const t0 = recently();
  const good = await writeFrame(bench, 'good.jpg', jpeg);
  const bad = await writeFrame(bench, 'bad.jpg', jpeg.subarray(0, jpeg.length / 2));
  await announce(bench, t0, good);
  await announce(bench, t0 + 5000, bad);
  const streamId = await announce(bench, t0 + 10_000, good);
  const [segment] = await bench.segments(streamId, 1);
  assert.deepEqual(segment?.frameTimesMs, [t0, t0 + 10_000]);
  await bench.settled();
  const [letter, ...others] = await bench.deadLetters();
  assert.equal(letter?.code, 'corrupt_media');
  assert.match(letter?.cause ?? '', /JPEG/);
  assert.equal((letter?.event as { eventId?: string } | undefined)?.eventId, `e-${t0 + 5000}`);
  assert.deepEqual(others, []);
});

test('a file that is not there yet is waited for; one that never comes goes to the dead letters', async () => {
  await using bench = await startIngest({ environment: { ZOETROPE_FRAMES_PER_SEGMENT: '2' } });
  const t0 = recently();
  const streamId = await announce(bench, t0, join(bench.frameRoot, 'soon.jpg'));
  await announce(bench, t0 + 5000, join(bench.frameRoot, 'never.jpg'));
  await writeFrame(bench, 'soon.jpg', jpeg);
  const [segment] = await bench.segments(streamId, 1);
  assert.deepEqual(segment?.frameTimesMs, [t0]);
  await bench.settled();
  const [letter] = await bench.deadLetters();
  assert.equal(letter?.code, 'missing_input');
  assert.equal(letter?.tries, 3);
});

test('a change of size begins a new epoch in the midst of a batch', async () => {
  await using bench = await startIngest({ environment: { ZOETROPE_FRAMES_PER_SEGMENT: '4' } });
  const t0 = recently();
  const large = makeJpeg({ width: 320, height: 240, sampling: '4:2:2' });
  let streamId = '';
  for (const [index, picture] of [jpeg, jpeg, large, large].entries()) {
    ({ streamId } = await bench.post(t0 + index * 5000, picture));
  }
  const [first, second] = await bench.segments(streamId, 2);
  const epochs = await Promise.all(
    [first, second].map((segment) => bench.stores.catalog.getEpoch(segment?.epochId ?? '')),
  );
  assert.deepEqual(
    epochs.map(({ width, height }) => [width, height]),
    [
      [160, 120],
      [320, 240],
    ],
  );
  assert.equal(first?.duration90k, 10_000 * 90);
  assert.equal(second?.discontinuity, true);
});

test('one sick camera does not delay a healthy one beside it', async () => {
  await using bench = await startIngest({
    environment: { ZOETROPE_FRAMES_PER_SEGMENT: '2', ZOETROPE_EVENT_PARTITIONS: '1' },
  });
  const t0 = recently();
  for (let index = 0; index < 40; index++) {
    await announce(bench, t0 + index * 5000, join(bench.frameRoot, `missing-${index}.jpg`), 'sick');
  }
  const { streamId } = await bench.post(t0, jpeg, 'healthy');
  await bench.post(t0 + 5000, jpeg, 'healthy');
  await bench.segments(streamId, 1);
  assert.ok(bench.ingest.pending > 0, 'the sick camera is still being waited for');
});

test('ending closes open segments; starting again continues the numbers, and the epoch when there was no gap', async () => {
  const first = await startIngest({ environment: { ZOETROPE_MAX_SEGMENT_WAIT_SECONDS: '60' } });
  const t0 = recently();
  const { streamId } = await first.post(t0, jpeg);
  await first.post(t0 + 5000, jpeg);
  while (first.ingest.pending < 2) await setImmediate();
  await using second = await first.restart();
  const [before] = await second.segments(streamId, 1);
  assert.equal(before?.frameTimesMs.length, 2);
  for (let index = 2; index < 8; index++) await second.post(t0 + index * 5000, jpeg);
  const [, after] = await second.segments(streamId, 2);
  assert.equal(after?.sequence, 1);
  assert.equal(after?.epochId, before?.epochId);
  assert.equal(after?.mediaStart90k, 10_000 * 90);
});

test('a device whose stream is removed begins a new one with its next frame', async () => {
  await using bench = await startIngest({ environment: { ZOETROPE_FRAMES_PER_SEGMENT: '1' } });
  const t0 = recently();
  const old = await bench.post(t0, jpeg);
  await bench.segments(old.streamId, 1);
  await bench.stores.catalog.deleteStream(old.streamId);
  const fresh = await bench.post(t0 + 5000, jpeg);
  assert.notEqual(fresh.streamId, old.streamId);
  const [segment] = await bench.segments(fresh.streamId, 1);
  assert.equal(segment?.sequence, 0);
});

test('capture times out of bounds are refused at the door', async () => {
  await using bench = await startIngest();
  await assert.rejects(bench.post(Date.now() + 3_600_000, jpeg), /ahead of the server's clock/);
  await assert.rejects(bench.post(Date.now() - 48 * 3_600_000, jpeg), /before the retained window/);
  await assert.rejects(bench.post(recently(), Buffer.from('<html>')), /JPEG/);
});

test('only the documented fields of an event reach the log', async () => {
  await using bench = await startIngest({ environment: { ZOETROPE_MAX_SEGMENT_WAIT_SECONDS: '60' } });
  const told = {
    eventId: 'e',
    clientId: 'test',
    deviceId: 'cam',
    timestamp: formatRfc3339(recently()),
    framePath: join(bench.frameRoot, 'a.jpg'),
    location: { lat: 1, lon: 2 },
  };
  await bench.intake.acceptEvents([
    { ...told, requestTimestamp: 'x', streamId: 'str_0000000000000000' } as typeof told,
  ]);
  const [logged] = await bench.stores.events.peek(FRAMES_TOPIC, { limit: 10 });
  assert.deepEqual(logged?.value, told);
});

test('a frame from before the retained window is refused, unless a recording wants it', async () => {
  await using bench = await startIngest({ environment: { ZOETROPE_RETENTION_HOURS: String(1 / 60) } });
  const { catalog } = bench.stores;
  const nowMs = Date.now();
  const { streamId } = await bench.post(nowMs, jpeg);
  await bench.segments(streamId, 1);
  const oldMs = wallMs(nowMs - 600 * SECOND);
  await assert.rejects(bench.post(oldMs, jpeg), { code: 'out_of_range' });
  const recording = {
    id: randomIds.next('recording'),
    streamId,
    kind: 'recording',
    name: 'x',
    sessionId: null,
  } as const;
  await catalog.createHold({
    ...recording,
    fromMs: oldMs,
    toMs: wallMs(oldMs + 2 * SECOND),
    expiresAtMs: null,
  });
  await bench.post(oldMs, jpeg);
  await bench.post(oldMs + SECOND, jpeg);
  await assert.rejects(bench.post(oldMs + 2 * SECOND, jpeg), { code: 'out_of_range' });
  const [late] = await bench.segments(streamId, 2);
  assert.deepEqual([late?.placement, late?.frameTimesMs], ['late', [oldMs, oldMs + SECOND]]);
  await bench.settled();
  assert.deepEqual(await bench.deadLetters(), []);
});
