import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { wallMs } from '../../base/time.ts';
import { FrameBuffer, type PlacedFrame } from './frame-buffer.ts';

function frameAt(atMs: number, offset: number): PlacedFrame {
  const capturedAtMs = wallMs(atMs);
  const record = { eventId: `e${offset}`, clientId: 'c', deviceId: 'd', timestamp: '', framePath: `frames/${offset}` };
  return {
    capturedAtMs,
    ref: { objectKey: record.framePath },
    ownedKey: null,
    incoming: { offset, capturedAtMs, receivedAtMs: 0, target: { kind: 'device', tenant: 'c', deviceId: 'd' }, record },
  };
}

test('frames in any order come out rising, the first of each capture time kept, its twins told', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), (times) => {
      const buffer = new FrameBuffer();
      const firstOf = new Map<number, PlacedFrame>();
      for (const [offset, atMs] of times.entries()) {
        const frame = frameAt(atMs, offset);
        assert.equal(buffer.add(frame, 7), firstOf.get(atMs) ?? null);
        if (!firstOf.has(atMs)) firstOf.set(atMs, frame);
      }
      assert.equal(buffer.openedAtMs, times.length === 0 ? null : 7);
      const expected = [...firstOf.keys()].toSorted((a, b) => a - b).map((atMs) => firstOf.get(atMs));
      assert.deepEqual(buffer.takeAll(), expected);
      assert.equal(buffer.size, 0);
      assert.equal(buffer.openedAtMs, null);
    }),
  );
});
