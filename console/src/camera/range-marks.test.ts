import assert from 'node:assert/strict';
import { it } from 'node:test';
import { insideOf } from './range-marks.ts';

it('takes in one picture and none beside it, however a playlist rounds', () => {
  const inside = insideOf({ fromMs: 1000.2, toMs: 1040.2 }, 'push');
  assert.deepEqual(inside, { fromMs: 1001, toMs: 1039 });
  for (const error of [-0.5, 0.5]) {
    assert.ok(inside.fromMs > 1000.2 + error && inside.toMs < 1040.2 + error);
  }
});

it('takes frames of cameras at their very time', () => {
  assert.deepEqual(insideOf({ fromMs: 999.9997, toMs: 6000.0001 }, 'frames'), { fromMs: 1000, toMs: 5999 });
});

it('is never empty', () => {
  assert.deepEqual(insideOf({ fromMs: 10, toMs: 10.4 }, 'push'), { fromMs: 11, toMs: 12 });
});
