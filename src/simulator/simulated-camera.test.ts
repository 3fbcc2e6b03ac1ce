import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { randomIds } from '../base/ids.ts';
import { MovingObject } from './picture/moving-object.ts';
import { PictureEncoder } from './picture/picture-encoder.ts';
import { SimulatedCamera } from './simulated-camera.ts';
import type { SimulatedFrame } from './simulated-frame.ts';

async function record(
  durationMs: number,
  faults: Partial<Record<'jitter' | 'late', number>> = {},
): Promise<readonly (SimulatedFrame & { readonly sentAtMs: number })[]> {
  const clock = new FakeClock();
  const frames: (SimulatedFrame & { readonly sentAtMs: number })[] = [];
  using encoder = new PictureEncoder(160, 120);
  const camera = new SimulatedCamera({
    device: 'yard',
    index: 1,
    count: 4,
    intervalMs: 1000,
    size: { width: 160, height: 120 },
    timeZone: 'UTC',
    faults: { jitter: 0, drop: 0, late: 0, duplicate: 0, corrupt: 0, resize: 0, ...faults },
    seed: 5,
    clock,
    ids: randomIds,
    encoderOf: () => encoder,
    onFrame: (frame) => frames.push({ ...frame, sentAtMs: clock.nowMs() }),
    onDropped: () => undefined,
  });
  const stop = new AbortController();
  const running = camera.run(stop.signal);
  await clock.advance(durationMs);
  stop.abort();
  await running;
  return frames;
}

test('what the object does is told with the first frame that shows it', async () => {
  const frames = await record(60_000);
  assert.equal(frames.length, 60);
  const object = new MovingObject(1);
  const events = frames.filter((frame) => frame.happened !== null);
  assert.ok(events.length >= 4);
  for (const [index, frame] of frames.entries()) {
    const before = frames[index - 1];
    const isIn = object.isInZone(frame.capturedAtMs);
    const wasIn = before === undefined ? isIn : object.isInZone(before.capturedAtMs);
    const expected = isIn === wasIn ? undefined : isIn ? 'zone.entered' : 'zone.left';
    assert.equal(frame.happened?.type, expected);
  }
});

test('capture times stray within half an interval and still rise; a frame is never sent before it is captured', async () => {
  const frames = await record(60_000, { jitter: 1 });
  for (const [index, frame] of frames.entries()) {
    const slotMs = Math.round((frame.capturedAtMs - 250) / 1000) * 1000 + 250;
    assert.ok(Math.abs(frame.capturedAtMs - slotMs) <= 500);
    assert.ok(frame.sentAtMs >= frame.capturedAtMs);
    assert.ok(frame.capturedAtMs > (frames[index - 1]?.capturedAtMs ?? 0));
  }
  assert.ok(new Set(frames.map((frame) => frame.capturedAtMs % 1000)).size > 30);
});

test('a late frame comes two to six intervals after its time', async () => {
  const late = (await record(60_000, { late: 0.2 })).filter((frame) => frame.kind === 'late');
  assert.ok(late.length > 4);
  for (const frame of late) {
    const delayMs = frame.sentAtMs - frame.capturedAtMs;
    assert.ok(delayMs >= 2000 && delayMs <= 6000, `${delayMs} ms`);
  }
});
