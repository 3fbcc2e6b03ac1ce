import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bitRate, bytes, cpuTime, percent, speedText, timeLeft } from './quantities.ts';

test('sizes have about three digits', () => {
  assert.deepEqual([0, 999, 1000, 4_139_823, 23_100_000_000, 5e15].map(bytes), [
    '0 B',
    '999 B',
    '1.00 kB',
    '4.14 MB',
    '23.1 GB',
    '5000 TB',
  ]);
});

test('progress says 100 only at the end', () => {
  assert.deepEqual([0, 0.299_999, 0.999, 1, 1.2, -1].map(percent), ['0 %', '29 %', '99 %', '100 %', '100 %', '0 %']);
});

test('rates, speeds and costs are short', () => {
  assert.deepEqual([96_000, 1_400_000].map(bitRate), ['96 kbit/s', '1.4 Mbit/s']);
  assert.deepEqual([0.84, 1.8, 12.4].map(speedText), ['0.8×', '1.8×', '12×']);
  assert.deepEqual([0.42, 14.2, 200].map(cpuTime), ['0.4 s', '14 s', '3 min 20 s']);
});

test('the time left moves in steps that one can read', () => {
  assert.deepEqual([0.3, 7, 31, 59, 61, 3700].map(timeLeft), [
    'a few seconds left',
    '10 s left',
    '35 s left',
    '60 s left',
    '2 min left',
    '1 h 2 min left',
  ]);
});
