import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeVideo } from '../../src/engine/worker/video/encode-video.ts';
import type { WatermarkRequest } from '../../src/timeline/asset.ts';
import {
  black,
  encodeOne,
  firstPlanes,
  rungOf,
  wholeRequest,
  whitePicture,
  writeRendition,
} from '../fixtures/video-judge.ts';
import { makeVideo } from '../fixtures/video-parts.ts';

const MARK = { objectKey: 'marks/mark', size: 0.25, margin: 0.1 } as const;

for (const { position, left, top, opacity } of [
  { position: 'top-left', left: 16, top: 16, opacity: 1 },
  { position: 'top-right', left: 104, top: 16, opacity: 0.5 },
  { position: 'bottom-left', left: 16, top: 84, opacity: 0.5 },
  { position: 'bottom-right', left: 104, top: 84, opacity: 1 },
  { position: 'center', left: 60, top: 50, opacity: 1 },
] as const) {
  test(`a watermark lies ${position} on every rung, as strong as asked for`, async () => {
    await using bench = await makeVideo({ make: black('160x120') });
    await bench.objects.put(MARK.objectKey, await whitePicture('png', '40x20'));
    const watermark: WatermarkRequest = { ...MARK, position, opacity };
    const rungs = [rungOf(160, 120), rungOf(80, 60)];
    const { rungs: renditions } = await encodeVideo(wholeRequest(bench, rungs, { watermark }), bench.context);
    for (const [index, scale] of [1, 2].entries()) {
      const [width, height] = [160 / scale, 120 / scale];
      const { y } = await firstPlanes(await writeRendition(bench, renditions[index] ?? assert.fail()), width, height);
      const at = (x: number, line: number): number => y[width * Math.round(line / scale) + Math.round(x / scale)] ?? -1;
      const strength = 16 + 219 * opacity;
      for (const [x, line] of [
        [left + 4, top + 4],
        [left + 35, top + 4],
        [left + 4, top + 15],
        [left + 35, top + 15],
      ] as const) {
        assert.ok(Math.abs(at(x, line) - strength) < 14, `${x},${line} is ${at(x, line)}, not ${strength}`);
      }
      for (const [x, line] of [
        [left - 5, top + 9],
        [left + 45, top + 9],
        [left + 20, top - 5],
        [left + 20, top + 25],
      ] as const) {
        assert.ok(at(x, line) < 26, `${x},${line} is ${at(x, line)}, not black`);
      }
    }
  });
}

test('watermarks are PNG with holes, JPEG and WebP; anything else is refused', async () => {
  await using bench = await makeVideo({ make: black('160x120') });
  const watermark: WatermarkRequest = { ...MARK, position: 'top-left', opacity: 1 };
  const luma = async (): Promise<(x: number, line: number) => number> => {
    const rendition = await encodeOne(bench, rungOf(160, 120), { watermark });
    const { y } = await firstPlanes(await writeRendition(bench, rendition), 160, 120);
    return (x, line) => y[160 * line + x] ?? -1;
  };
  for (const codec of ['mjpeg', 'libwebp']) {
    await bench.objects.put(MARK.objectKey, await whitePicture(codec, '40x20'));
    const at = await luma();
    assert.ok(at(36, 26) > 225 && at(60, 26) < 26, `${codec}: ${at(36, 26)}, ${at(60, 26)}`);
  }
  // White on the left, on the right a white that cannot be seen.
  await bench.objects.put(
    MARK.objectKey,
    await whitePicture('png', '80x40', "format=rgba,geq=r=255:g=255:b=255:a='255*lt(X,40)'"),
  );
  const at = await luma();
  assert.ok(at(24, 26) > 225 && at(48, 26) < 26, `with holes: ${at(24, 26)}, ${at(48, 26)}`);
  await bench.objects.put(MARK.objectKey, Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'));
  await assert.rejects(luma(), { code: 'unsupported_media' });
  await bench.objects.put(MARK.objectKey, (await whitePicture('png', '40x20')).subarray(0, 40));
  await assert.rejects(luma(), { code: 'corrupt_media' });
  await bench.objects.put(MARK.objectKey, await whitePicture('png', '5000x4000'));
  await assert.rejects(luma(), { code: 'corrupt_media', message: /at most 16000000 pixels/ });
});
