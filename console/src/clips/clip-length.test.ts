import assert from 'node:assert/strict';
import { it } from 'node:test';
import { gapsWithin, playedMs } from './clip-length.ts';

const range = { fromMs: 1000, toMs: 11_000 };

it('counts what is missing of a range, and no more', () => {
  const gaps = gapsWithin(range, [
    { fromMs: 0, toMs: 1000 },
    { fromMs: 500, toMs: 2000 },
    { fromMs: 4000, toMs: 5000 },
    { fromMs: 10_500, toMs: 20_000 },
  ]);
  assert.deepEqual(gaps, [
    { fromMs: 1000, toMs: 2000 },
    { fromMs: 4000, toMs: 5000 },
    { fromMs: 10_500, toMs: 11_000 },
  ]);
  assert.equal(playedMs(range, gaps, 'skip', 1), 7500);
  assert.equal(playedMs(range, gaps, 'black', 4), 2500);
});
