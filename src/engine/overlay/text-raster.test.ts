import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawMask, fillBox, type Plane } from './draw-mask.ts';
import { TextRaster } from './text-raster.ts';

test('digits have one width, so that a clock stands still', () => {
  const raster = new TextRaster(20);
  assert.equal(new Set(Array.from('0123456789', (digit) => raster.measure(digit))).size, 1);
});

test('every character of a time and a name leaves ink; capitals and small letters are the same', () => {
  const raster = new TextRaster(16);
  for (const character of '0123456789-:.+,/_#ABCDEFGHIJKLMNOPQRSTUVWXYZé') {
    assert.ok(
      raster.draw(character).alpha.some((alpha) => alpha === 255),
      character,
    );
  }
  assert.deepEqual(raster.draw('gate'), raster.draw('GATE'));
  assert.ok(raster.draw(' ').alpha.every((alpha) => alpha === 0));
});

test('no two characters look the same', () => {
  const raster = new TextRaster(12);
  const masks = Array.from('0123456789-:.+,/_#ABCDEFGHIJKLMNOPQRSTUVWXYZ', (character) =>
    Buffer.from(raster.draw(character).alpha).toString('base64'),
  );
  assert.equal(new Set(masks).size, masks.length);
});

test('text fills its size: capitals reach from top to bottom', () => {
  for (const size of [7, 20, 60]) {
    const { width, height, alpha } = new TextRaster(size).draw('H');
    const rows = Array.from({ length: height }, (_, y) =>
      alpha.subarray(y * width, (y + 1) * width).some((a) => a > 127),
    );
    const inked = rows.lastIndexOf(true) - rows.indexOf(true) + 1;
    assert.ok(inked >= size && inked <= size * 1.3 + 2, `${inked} rows for ${size}`);
  }
});

test('what reaches outside the plane is left out', () => {
  const plane: Plane = { data: new Uint8Array(20 * 8).fill(100), stride: 20, width: 16, height: 8 };
  const mask = { width: 6, height: 6, alpha: new Uint8Array(36).fill(255) };
  for (const [left, top] of [
    [-3, -3],
    [13, 5],
    [-100, 0],
    [0, 100],
  ] as const)
    drawMask(plane, mask, left, top, 200);
  fillBox(plane, { left: -5, top: -5, width: 7, height: 7 }, 0);
  for (let y = 0; y < 8; y++)
    assert.deepEqual([...plane.data.subarray(y * 20 + 16, (y + 1) * 20)], [100, 100, 100, 100]);
  assert.equal(plane.data[0], 0);
  assert.equal(plane.data[2 * 20 + 2], 200);
  assert.equal(plane.data[7 * 20 + 15], 200);
});
