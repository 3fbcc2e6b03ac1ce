import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { wallMs } from '../base/time.ts';
import { toMediaTime, toWallTime } from './epoch.ts';

const wall = fc.integer({ min: 0, max: 4_102_444_800_000 });

test('wall time goes to media time and back without loss, to the millisecond, for a day of any epoch', () => {
  fc.assert(
    fc.property(wall, fc.integer({ min: 0, max: 30 * 86_400_000 }), (anchor, sinceMs) => {
      const epoch = { anchorMs: wallMs(anchor) };
      const atMs = wallMs(anchor + sinceMs);
      const media = toMediaTime(epoch, atMs);
      assert.equal(media, sinceMs * 90);
      assert.equal(toWallTime(epoch, media), atMs);
    }),
  );
});
