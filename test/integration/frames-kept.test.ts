import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatRfc3339, wallMs } from '../../src/base/time.ts';
import { recently, startIngest, writeFrame, type IngestBench } from '../fixtures/ingest.ts';
import { makeJpeg } from '../fixtures/pictures.ts';

const jpeg = makeJpeg({ width: 160, height: 120 });

async function announce(bench: IngestBench, atMs: number, path: string, clientId = 'test', deviceId = 'cam') {
  const timestamp = formatRfc3339(wallMs(atMs));
  const event = { eventId: `e-${atMs}`, clientId, deviceId, timestamp, framePath: path };
  const [accepted] = await bench.intake.acceptEvents([event]);
  return accepted?.streamId ?? '';
}

test('a frame whose file is waited for while the server ends is no dead letter: the next start waits for it again', async () => {
  const first = await startIngest({ environment: { ZOETROPE_FRAMES_PER_SEGMENT: '1' } });
  const t0 = recently();
  const streamId = await announce(first, t0, join(first.frameRoot, 'soon.jpg'));
  await using second = await first.restart();
  assert.deepEqual(await second.deadLetters(), []);
  await writeFrame(second, 'soon.jpg', jpeg);
  const [segment] = await second.segments(streamId, 1);
  assert.deepEqual(segment?.frameTimesMs, [t0]);
});

test('tenants and devices whose names join to the same text stay apart', async () => {
  await using bench = await startIngest({ environment: { ZOETROPE_FRAMES_PER_SEGMENT: '1' } });
  const t0 = recently();
  const path = await writeFrame(bench, 'a.jpg', jpeg);
  const mine = await announce(bench, t0, path, 'a/b', 'c');
  const theirs = await announce(bench, t0 + 5000, path, 'a', 'b/c');
  await bench.settled();
  for (const [streamId, atMs] of [
    [mine, t0],
    [theirs, t0 + 5000],
  ] as const) {
    const { segments } = await bench.stores.catalog.dvrWindow(streamId);
    assert.deepEqual(
      segments.map((segment) => segment.startMs),
      [atMs],
    );
  }
});

test('a picture that is sent again because it was damaged takes its place', async () => {
  await using bench = await startIngest({ environment: { ZOETROPE_FRAMES_PER_SEGMENT: '3' } });
  const t0 = recently();
  const good = await writeFrame(bench, 'good.jpg', jpeg);
  const bad = await writeFrame(bench, 'bad.jpg', jpeg.subarray(0, jpeg.length / 2));
  await announce(bench, t0, good);
  await announce(bench, t0 + 5000, bad);
  const streamId = await announce(bench, t0 + 10_000, good);
  await bench.settled();
  assert.equal((await bench.deadLetters()).length, 1);
  await bench.post(t0 + 5000, jpeg);
  await bench.settled();
  const { segments } = await bench.stores.catalog.dvrWindow(streamId);
  assert.deepEqual(
    segments.flatMap((segment) => segment.frameTimesMs).toSorted((a, b) => a - b),
    [t0, t0 + 5000, t0 + 10_000],
  );
});

test('after a reset, what is older than a segment that still waited is late, and live goes forward', async () => {
  await using bench = await startIngest({ environment: { ZOETROPE_FRAMES_PER_SEGMENT: '1' } });
  const t0 = recently();
  const path = await writeFrame(bench, 'a.jpg', jpeg);
  const old = await announce(bench, t0, path);
  await bench.segments(old, 1);
  // The file does not come, so its segment waits; meanwhile the stream is removed.
  const later = await announce(bench, t0 + 10_000, join(bench.frameRoot, 'soon.jpg'));
  while (bench.ingest.pending === 0) await new Promise((resolve) => setImmediate(resolve));
  await bench.stores.catalog.deleteStream(later);
  await writeFrame(bench, 'soon.jpg', jpeg);
  const fresh = await announce(bench, t0 + 5000, path);
  await bench.settled();
  const { segments } = await bench.stores.catalog.dvrWindow(fresh);
  assert.deepEqual(
    segments.map(({ placement, startMs }) => [placement, startMs - t0]),
    [
      ['late', 5000],
      ['onTime', 10_000],
    ],
  );
});

test('a device whose stream keeps more than the default may send what is older, in either way', async () => {
  await using bench = await startIngest({ environment: { ZOETROPE_FRAMES_PER_SEGMENT: '1' } });
  const path = await writeFrame(bench, 'a.jpg', jpeg);
  const oldMs = recently(48 * 3_600_000);
  await assert.rejects(announce(bench, oldMs, path), { code: 'out_of_range' });
  assert.equal(await bench.stores.catalog.findDeviceStream('test', 'cam'), null, 'what is refused makes no stream');
  const { streamId } = await bench.post(recently(), jpeg);
  await bench.stores.catalog.updateStream(streamId, { settings: { retentionMs: 7 * 86_400_000 } });
  await announce(bench, oldMs, path);
  await bench.post(oldMs + 5000, jpeg);
  await bench.settled();
  const { segments } = await bench.stores.catalog.dvrWindow(streamId);
  assert.deepEqual(
    segments.slice(0, 2).map(({ startMs }) => startMs),
    [oldMs, oldMs + 5000],
  );
});
