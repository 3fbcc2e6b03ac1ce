import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstToMake, toPassOver } from './ladder-place.ts';

test('a ladder goes on with the oldest segment that a near rung lacks', () => {
  const at = (rungsNext: readonly number[]): number => firstToMake({ newest: 100, rungsNext, maxBehind: 6 });
  assert.equal(at([101, 101]), 101, 'it has all');
  assert.equal(at([100, 101]), 100);
  assert.equal(at([95, 99]), 95);
  assert.equal(at([94, 99]), 99, 'one that is too far behind goes on with the others');
  assert.equal(at([3, 94]), 98, 'all are: the newest few');
  assert.equal(at([]), 98, 'all are new');
  assert.equal(firstToMake({ newest: 1, rungsNext: [], maxBehind: 6 }), 0);
});

test('whatever the speed, what is made next is never farther behind than allowed, and nothing is made twice', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 3, max: 30 }),
      fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 40 }),
      (maxBehind, arrivals) => {
        let [newest, next] = [0, 0];
        for (const count of arrivals) {
          newest += count;
          const passed = toPassOver(next, { newest, maxBehind });
          assert.ok(passed >= 0);
          next += passed;
          assert.ok(newest - next < maxBehind);
          if (next <= newest) next += 1;
        }
      },
    ),
  );
});
