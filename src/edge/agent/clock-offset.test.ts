import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ClockOffset, type FourStamps } from './clock-offset.ts';

/** An exchange between two clocks that are `offsetMs` apart, over a way of so long there and back. */
function exchange(offsetMs: number, thereMs: number, backMs: number, waitMs = 0): FourStamps {
  const sentAtMs = 1_000_000;
  const receivedAtMs = sentAtMs + thereMs + offsetMs;
  const answeredAtMs = receivedAtMs + waitMs;
  return { sentAtMs, receivedAtMs, answeredAtMs, arrivedAtMs: sentAtMs + thereMs + waitMs + backMs };
}

test('nothing is known before the first exchange', () => {
  assert.equal(new ClockOffset().estimate(), null);
});

test('the offset is right where both ways are alike, however long control waits', () => {
  const clock = new ClockOffset();
  clock.add(exchange(-7200_000, 30, 30, 20_000));
  assert.deepEqual(clock.estimate(), { offsetMs: -7200_000, roundTripMs: 60 });
});

test('the offset is wrong by half of the shortest round trip at most', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1e7, max: 1e7 }),
      fc.array(fc.tuple(fc.nat(5000), fc.nat(5000), fc.nat(20_000)), { minLength: 1, maxLength: 20 }),
      (offsetMs, ways) => {
        const clock = new ClockOffset();
        for (const [there, back, wait] of ways) clock.add(exchange(offsetMs, there, back, wait));
        const best = Math.min(...ways.slice(-8).map(([there, back]) => there + back));
        const estimate = clock.estimate();
        assert.equal(estimate?.roundTripMs, best);
        assert.ok(Math.abs(estimate.offsetMs - offsetMs) <= best / 2);
      },
    ),
  );
});

test('a clock that was set is believed when the old exchanges are out of sight', () => {
  const clock = new ClockOffset();
  clock.add(exchange(0, 1, 1));
  for (let count = 0; count < 8; count++) clock.add(exchange(5000, 20, 20));
  assert.equal(clock.estimate()?.offsetMs, 5000);
});
