import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { wallMs } from '../../base/time.ts';
import { Canvas } from '../picture/canvas.ts';
import { readTimeCode, type readTimeCodeAt, readTimeCodeRgba, TIME_CODE_READER_SOURCE } from './read-time-code.ts';
import { writeTimeCode } from './write-time-code.ts';

const sizes = fc.tuple(fc.integer({ min: 80, max: 400 }), fc.integer({ min: 60, max: 200 }));
const times = fc.integer({ min: 0, max: 2 ** 48 - 1 });

function draw(width: number, height: number, atMs: number): Canvas {
  const canvas = new Canvas(width, height);
  canvas.luma.data.fill(120);
  writeTimeCode(canvas, wallMs(atMs));
  return canvas;
}

test('what is written is read, at any size and time', () => {
  fc.assert(
    fc.property(sizes, times, ([halfWidth, halfHeight], atMs) => {
      const [width, height] = [2 * halfWidth, 2 * halfHeight];
      assert.equal(readTimeCode(draw(width, height, atMs).luma.data, width, height, width), atMs);
    }),
  );
});

test('the range of video and noise do not matter', () => {
  fc.assert(
    fc.property(times, fc.infiniteStream(fc.integer({ min: -30, max: 30 })), (atMs, noise) => {
      const { data } = draw(640, 480, atMs).luma;
      const coded = Uint8Array.from(data, (value) =>
        Math.min(255, Math.max(0, 16 + value * 0.86 + noise.next().value)),
      );
      assert.equal(readTimeCode(coded, 640, 480, 640), atMs);
    }),
    { numRuns: 20 },
  );
});

test('a picture without a code, and one with a flipped cell, have no time', () => {
  assert.equal(readTimeCode(new Uint8Array(640 * 480).fill(200), 640, 480, 640), null);
  const canvas = draw(640, 480, 1_763_634_600_250);
  const cell = { left: 640 - 37 * 8 + 20 * 8, top: 480 - 24, width: 8, height: 8 };
  const at = (cell.top + 4) * 640 + cell.left + 4;
  const flipped = (canvas.luma.data[at] ?? 0) > 128 ? 0 : 255;
  canvas.box(cell, { y: flipped, cb: 128, cr: 128 });
  assert.equal(readTimeCode(canvas.luma.data, 640, 480, 640), null);
});

test('a web page reads it from RGBA with the source alone', () => {
  const canvas = draw(320, 240, 1_763_634_600_250);
  const pixels = new Uint8ClampedArray(320 * 240 * 4);
  for (const [index, value] of canvas.luma.data.entries()) pixels.set([value, value, value, 255], index * 4);
  assert.equal(readTimeCodeRgba(pixels, 320, 240), 1_763_634_600_250);
  const read = runInNewContext(TIME_CODE_READER_SOURCE) as typeof readTimeCodeAt;
  assert.equal(
    read((x, y) => pixels[4 * (y * 320 + x)] ?? 0, 320, 240),
    1_763_634_600_250,
  );
});

test('only whole milliseconds of 48 bits are written', () => {
  for (const atMs of [-1, 0.5, 2 ** 48, Number.NaN]) {
    assert.throws(() => draw(640, 480, atMs), { code: 'out_of_range' });
  }
});
