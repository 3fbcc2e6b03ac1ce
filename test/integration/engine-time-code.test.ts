import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallMs } from '../../src/base/time.ts';
import { CameraView } from '../../src/simulator/picture/camera-view.ts';
import { MovingObject } from '../../src/simulator/picture/moving-object.ts';
import { PictureEncoder } from '../../src/simulator/picture/picture-encoder.ts';
import { readTimeCode } from '../../src/simulator/time-code/read-time-code.ts';
import { startEngine } from '../fixtures/engine.ts';
import { decodeJpegLuma, decodeLuma } from '../fixtures/media-judge.ts';

const T0 = 1_763_634_600_123;

test('the time code survives JPEG, H.264, a snapshot and scaling to half the size', async () => {
  await using bench = await startEngine();
  for (const [width, height] of [
    [640, 480],
    [480, 360],
    [1280, 720],
  ] as const) {
    using encoder = new PictureEncoder(width, height);
    const times = Array.from({ length: 6 }, (_, index) => T0 + index * 5_017);
    const frames = [];
    for (const [index, time] of times.entries()) {
      const object = new MovingObject(index);
      const view = new CameraView({ name: 'yard', index, width, height, timeZone: 'UTC', object });
      frames.push(await bench.frame(time, encoder.encode(view.draw(wallMs(time)))));
    }
    const { segments, rejected } = await bench.engine.encodeFrames(bench.request(frames));
    assert.deepEqual(rejected, []);
    assert.ok(segments[0]?.newEpoch);
    const { init } = segments[0].newEpoch;
    const pictures = await decodeLuma(init, await bench.objects.get(segments[0].objectKey));
    assert.deepEqual(
      pictures.map((luma) => readTimeCode(luma, width, height, width)),
      times,
    );
    const half = { init, segmentKey: segments[0].objectKey, widthPx: width / 2 };
    for (const [sampleIndex, time] of times.entries()) {
      const luma = await decodeJpegLuma(await bench.engine.snapshot({ ...half, sampleIndex }));
      assert.equal(readTimeCode(luma, width / 2, height / 2, width / 2), time);
    }
  }
});
