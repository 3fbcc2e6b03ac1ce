import assert from 'node:assert/strict';
import { test } from 'node:test';
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
  const tracker = new OffsetTracker();
  for (let offset = 0; offset < 100_000; offset++) {
    tracker.begin(offset);
    if (offset > 0) tracker.done(offset - 1);
  }
  assert.equal(tracker.watermark, 99_998);
  assert.equal(tracker.pending, 1);
});
