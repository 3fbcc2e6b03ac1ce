import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { wallMs } from '../../base/time.ts';
import { decodeFrameTimes, encodeFrameTimes } from './frame-times.ts';

test('capture times come back exactly, whole or not, in any order', () => {
  const whole = fc.integer({ min: -8_640_000_000_000, max: 8_640_000_000_000 });
  const fraction = fc.double({ min: 0, max: 4e12, noNaN: true });
  fc.assert(
    fc.property(fc.array(fc.oneof(whole, fraction), { maxLength: 20 }), (times) => {
      const wall = times.map((time) => wallMs(Object.is(time, -0) ? 0 : time));
      assert.deepEqual(decodeFrameTimes(encodeFrameTimes(wall)), wall);
    }),
  );
});

test('whole capture times take few bytes', () => {
  const times = [0, 5_000, 10_003, 15_000, 20_000, 25_000].map((step) => wallMs(1_795_000_000_000 + step));
  assert.ok(encodeFrameTimes(times).length < 32);
});
