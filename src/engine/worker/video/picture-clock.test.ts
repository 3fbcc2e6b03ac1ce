import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PictureClock } from './picture-clock.ts';

test('a segment begins with the first picture at or after each start', () => {
  const clock = new PictureClock([0, 100, 200, 210, 400]);
  const firsts = [0, 60, 120, 220, 300, 390].map((time) => clock.next(time).isFirst);
  // 200 and 210 meet in one picture; 400 finds none.
  assert.deepEqual(firsts, [true, false, true, true, false, false]);
  assert.deepEqual(clock.segment(1), { from: 2, to: 3 });
  assert.deepEqual(clock.segment(2), { from: 3, to: null });
  clock.finish(450);
  assert.deepEqual(clock.segment(2), { from: 3, to: 6 });
  assert.equal(clock.segment(3), undefined);
  assert.equal(clock.timeOf(6), 450);
});

test('segments hold each picture once, whatever the times', () => {
  const rising = fc
    .uniqueArray(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 40 })
    .map((times) => times.toSorted((a, b) => a - b));
  fc.assert(
    fc.property(rising, rising, (starts, times) => {
      const clock = new PictureClock(starts);
      for (const time of times) clock.next(time);
      clock.finish((times.at(-1) ?? 0) + 1);
      const seen: number[] = [];
      for (let number = 0; ; number++) {
        const segment = clock.segment(number);
        if (segment === undefined) break;
        assert.ok(segment.to !== null && segment.to > segment.from);
        for (let index = segment.from; index < segment.to; index++) seen.push(index);
      }
      assert.deepEqual(seen, [...times.keys()]);
    }),
  );
});

test('the last picture stays for a moment at least', () => {
  const clock = new PictureClock([0]);
  clock.next(500);
  clock.finish(400);
  assert.equal(clock.timeOf(1), 501);
});
