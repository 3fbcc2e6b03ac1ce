import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallMs } from '../base/time.ts';
import { isGap } from './gap.ts';

const silence = { fromMs: wallMs(30_000), intervalMs: 5000, toleranceMs: null };

test('silence of more than two intervals behind a segment is a gap', () => {
  assert.equal(isGap({ ...silence, toMs: wallMs(40_000) }), false);
  assert.equal(isGap({ ...silence, toMs: wallMs(40_001) }), true);
});

test("a stream's own tolerance wins", () => {
  assert.equal(isGap({ ...silence, toMs: wallMs(30_100), toleranceMs: 99 }), true);
  assert.equal(isGap({ ...silence, toMs: wallMs(90_000), toleranceMs: 60_000 }), false);
});

test('an overlap is no gap', () => {
  assert.equal(isGap({ ...silence, toMs: wallMs(29_000) }), false);
});
