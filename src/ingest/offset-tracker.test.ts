import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { OffsetTracker } from './offset-tracker.ts';

test('the watermark is the highest offset below and at which everything is done, whatever the order', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(5_000), { minLength: 1, maxLength: 400 }),
      fc.infiniteStream(fc.nat()),
      (numbers, choices) => {
        const offsets = numbers.toSorted((a, b) => a - b);
        const tracker = new OffsetTracker();
        const waiting: number[] = [];
        const done = new Set<number>();
        let next = 0;
        while (done.size < offsets.length) {
          const choice = choices.next().value;
          const offset = offsets[next];
          if (offset !== undefined && (waiting.length === 0 || choice % 2 === 0)) {
            tracker.begin(offset);
            waiting.push(offset);
            next += 1;
          } else {
            const [finished] = waiting.splice(choice % waiting.length, 1);
            if (finished === undefined) throw new TypeError('nothing is waiting');
            tracker.done(finished);
            done.add(finished);
          }
          const firstOpen = offsets.findIndex((known) => !done.has(known));
          const expected = firstOpen === -1 ? offsets.at(-1) : offsets[firstOpen - 1];
          assert.equal(tracker.watermark, expected ?? null);
          assert.equal(tracker.pending, waiting.length);
        }
      },
    ),
  );
});

test('it stays small while one old event is waited for and many later ones pass', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const tracker = new OffsetTracker();
  tracker.begin(0);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let offset = 1; offset < 500_000; offset++) {
    tracker.begin(offset);
    tracker.done(offset);
  }
  collect();
  assert.ok(process.memoryUsage().heapUsed - before < 2_000_000, 'what is done takes memory');
  assert.equal(tracker.watermark, null);
  assert.equal(tracker.pending, 1);
  tracker.done(0);
  assert.equal(tracker.watermark, 499_999);
});
