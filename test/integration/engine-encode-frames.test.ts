import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { pts90k, wallMs } from '../../src/base/time.ts';
import { startEngine, type EngineBench } from '../fixtures/engine.ts';
import { decodeLuma, probeSegment } from '../fixtures/media-judge.ts';
import { makeJpeg, psnr, type PictureOptions } from '../fixtures/pictures.ts';

const T0 = Date.UTC(2026, 10, 20, 10);
let bench: EngineBench;
before(async () => {
  bench = await startEngine();
});
after(() => bench[Symbol.asyncDispose]());

test('six frames become one segment with exact times', async () => {
  const times = [0, 5003, 9991, 15_000, 20_007, 25_001].map((ms) => T0 + ms);
  const frames = await Promise.all(times.map((time, seed) => bench.frame(time, makeJpeg({ seed }))));
  const result = await bench.engine.encodeFrames(bench.request(frames, { nextCapturedAtMs: wallMs(T0 + 30_010) }));
  assert.deepEqual(result.rejected, []);
  assert.equal(result.segments.length, 1);
  const [segment] = result.segments;
  assert.ok(segment?.newEpoch);
  assert.equal(segment.newEpoch.anchorMs, T0);
  assert.equal(segment.newEpoch.codecs.toLowerCase(), 'avc1.42c01e');
  assert.deepEqual([segment.newEpoch.width, segment.newEpoch.height], [640, 480]);
  assert.equal(segment.startMs, T0);
  assert.equal(segment.mediaStart90k, 0);
  assert.equal(segment.duration90k, 30_010 * 90);
  assert.deepEqual(segment.frameTimesMs, times);
  const bytes = await bench.objects.get(segment.objectKey);
  assert.equal(bytes.length, segment.sizeBytes);
  assert.equal(createHash('sha256').update(bytes).digest('hex'), segment.sha256);
  assert.match(segment.objectKey, /^segments\/test\/seg_[0-9a-z]+\.m4s$/);
  const packets = await probeSegment(segment.newEpoch.init, bytes);
  assert.deepEqual(
    packets.map((packet) => packet.pts90k),
    times.map((time) => (time - T0) * 90),
  );
  assert.deepEqual(
    packets.map((packet) => packet.isKey),
    [true, false, false, false, false, false],
  );
  const pictures = await decodeLuma(segment.newEpoch.init, bytes);
  assert.equal(pictures.length, 6);
  pictures.forEach((picture, seed) => assert.ok(psnr(picture, 640, 480, seed) > 32, `picture ${seed}`));
});

test('a batch goes on with the epoch that it is given when the parameters are the same', async () => {
  const first = await encode([{ seed: 1 }], [T0]);
  const epoch = first.segments[0]?.newEpoch;
  assert.ok(epoch);
  const second = await encode([{ seed: 2 }, { seed: 3 }], [T0 + 5000, T0 + 10_000], epoch);
  assert.equal(second.segments[0]?.newEpoch, null);
  assert.equal(second.segments[0]?.mediaStart90k, pts90k(5000 * 90));
  assert.equal(second.segments[0]?.duration90k, 10_000 * 90);
  const other = await encode([{ width: 320, height: 240 }], [T0 + 15_000], epoch);
  assert.equal(other.segments[0]?.newEpoch?.anchorMs, T0 + 15_000);
});

test('a change of size within a batch begins a new segment and epoch; time stays seamless', async () => {
  const sizes = [{}, {}, { width: 320, height: 240 }, { width: 320, height: 240 }, {}];
  const result = await encode(
    sizes,
    sizes.map((_, index) => T0 + index * 1000),
  );
  assert.deepEqual(
    result.segments.map(({ startMs, duration90k, newEpoch, frameTimesMs }) => [
      startMs - T0,
      duration90k / 90,
      newEpoch?.anchorMs,
      newEpoch?.width,
      frameTimesMs.length,
    ]),
    [
      [0, 2000, T0, 640, 2],
      [2000, 2000, T0 + 2000, 320, 2],
      [4000, 5000, T0 + 4000, 640, 1],
    ],
  );
});

test('what was encoded before makes no difference to a picture', async () => {
  const pictures = [{ seed: 7 }, { seed: 8 }, { seed: 9 }];
  const times = [T0, T0 + 1000, T0 + 2000];
  const decoded = [];
  for (const between of [
    [{ seed: 1 }],
    Array.from({ length: 5 }, (_, seed) => ({ seed: 20 + seed })),
    [{ width: 320, height: 240 }],
  ]) {
    await encode(
      between,
      between.map((_, index) => T0 + index),
    );
    const [segment] = (await encode(pictures, times)).segments;
    assert.ok(segment?.newEpoch);
    decoded.push(await decodeLuma(segment.newEpoch.init, await bench.objects.get(segment.objectKey)));
  }
  assert.deepEqual(decoded[1], decoded[0]);
  assert.deepEqual(decoded[2], decoded[0]);
});

for (const sampling of ['4:2:0', '4:2:2', '4:4:4'] as const) {
  for (const [width, height] of [
    [640, 480],
    [641, 481],
    [322, 243],
    [34, 18],
  ] as const) {
    test(`${sampling} at ${width}×${height} keeps its picture`, async () => {
      const result = await encode([{ width, height, sampling, seed: 4 }], [T0]);
      assert.deepEqual(result.rejected, []);
      const [segment] = result.segments;
      assert.ok(segment?.newEpoch);
      const even = [width & ~1, height & ~1] as const;
      assert.deepEqual([segment.newEpoch.width, segment.newEpoch.height], even);
      const [picture] = await decodeLuma(segment.newEpoch.init, await bench.objects.get(segment.objectKey));
      assert.ok(picture);
      assert.ok(psnr(picture, even[0], even[1], 4) > 30);
    });
  }
}

async function encode(
  pictures: readonly PictureOptions[],
  times: readonly number[],
  epoch: { readonly initSha256: string; readonly anchorMs: ReturnType<typeof wallMs> } | null = null,
): ReturnType<EngineBench['engine']['encodeFrames']> {
  const frames = await Promise.all(pictures.map((picture, index) => bench.frame(times[index] ?? 0, makeJpeg(picture))));
  return bench.engine.encodeFrames(bench.request(frames, { epoch }));
}
