import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Frame } from 'node-av/lib';
import { AV_PIX_FMT_YUV420P } from 'node-av/constants';
import { wallMs } from '../../base/time.ts';
import { CaptureTimeStamp } from './capture-time-stamp.ts';

const GREY = 100;
const AT = wallMs(Date.parse('2026-11-20T10:30:00.250Z'));

/** Which columns of a grey picture the time was drawn over, and how high the drawing is. */
function drawnOn(width: number, height: number, sizePx: number) {
  const frame = new Frame();
  frame.alloc();
  frame.format = AV_PIX_FMT_YUV420P;
  frame.width = width;
  frame.height = height;
  assert.ok(frame.getBuffer() >= 0);
  for (const plane of frame.data ?? []) plane.fill(GREY);
  new CaptureTimeStamp({ position: 'top-left', sizePx, timeZone: 'America/Santiago' }).draw(frame, AT);
  const [luma] = frame.data ?? [];
  const stride = frame.linesize[0] ?? 0;
  assert.ok(luma !== undefined);
  const columns = new Set<number>();
  const rows = new Set<number>();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (luma[y * stride + x] === GREY) continue;
      columns.add(x);
      rows.add(y);
    }
  }
  frame.free();
  return { left: Math.min(...columns), right: Math.max(...columns), rows: rows.size };
}

for (const [width, height] of [
  [1280, 720],
  [640, 480],
  [320, 240],
  [240, 180],
] as const) {
  test(`the whole time fits on ${width}×${height}`, () => {
    const { left, right } = drawnOn(width, height, 24);
    assert.ok(left > 0, `it begins at ${left}`);
    assert.ok(right < width - 1, `it ends at ${right}`);
  });
}

test('text that fits has the size that was set', () => {
  assert.equal(drawnOn(1280, 720, 24).rows, 32);
  assert.ok(drawnOn(320, 240, 24).rows < 24);
});
