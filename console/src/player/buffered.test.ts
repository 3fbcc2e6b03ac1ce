import assert from 'node:assert/strict';
import { it } from 'node:test';
import { behindHole, isBuffered } from './buffered.ts';

const stretches = [
  { startS: 10, endS: 20 },
  { startS: 26, endS: 40 },
  { startS: 90, endS: 100 },
];

it('leaps the hole that a late frame left, and not the way to something else', () => {
  assert.equal(behindHole(stretches, 20), 26);
  assert.equal(behindHole(stretches, 40), null);
  assert.equal(behindHole(stretches, 100), null);
});

it('knows what is there; an end is not', () => {
  assert.deepEqual(
    [9.9, 10, 19.9, 20, 30].map((timeS) => isBuffered(stretches, timeS)),
    [false, true, true, false, true],
  );
});
