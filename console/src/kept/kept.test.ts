import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nextPicturesMs, picturesBeforeMs, sourceWithin, type Kept } from './kept.ts';

const H = 3_600_000;
const kept: Kept = { kind: 'recording', id: 'rec_1', fromMs: 10 * H + 5, toMs: 20 * H };
const whole = { kind: 'kept', folder: 'recordings', id: 'rec_1', window: null };

it('plays what is short as a whole', () => {
  assert.deepEqual(sourceWithin(kept, 0, 99 * H), whole);
  assert.deepEqual(sourceWithin({ ...kept, toMs: null }, 15 * H, 22 * H), whole);
  assert.deepEqual(sourceWithin({ ...kept, kind: 'archive' }, 0, 0), { ...whole, folder: 'archives' });
});

it('plays the hours around a time of what is long', () => {
  const long = { ...kept, toMs: 100 * H };
  const windowAt = (atMs: number, of: Kept = long): unknown => {
    const source = sourceWithin(of, atMs, 200 * H);
    return source.kind === 'kept' ? source.window : undefined;
  };
  assert.deepEqual(windowAt(50 * H), { fromMs: 44 * H, toMs: 56 * H });
  assert.deepEqual(windowAt(50.1 * H), windowAt(50.9 * H));
  assert.deepEqual(windowAt(0), { fromMs: 10 * H + 5, toMs: 17 * H });
  assert.deepEqual(windowAt(99 * H), { fromMs: 93 * H, toMs: null });
  assert.deepEqual(windowAt(199 * H, { ...long, toMs: null }), { fromMs: 193 * H, toMs: null }, 'it may grow');
});

it('looks for pictures beyond a gap', () => {
  const stretches = [
    { fromMs: 0, toMs: 10 },
    { fromMs: 50, toMs: 60 },
  ];
  assert.deepEqual(
    [5, 10, 49, 55, 70].map((atMs) => nextPicturesMs(atMs, stretches)),
    [5, 50, 50, 55, 70],
  );
  assert.deepEqual(
    [5, 10, 49, 55, 70].map((toMs) => picturesBeforeMs(toMs, stretches)),
    [4, 9, 9, 54, 59],
  );
});
