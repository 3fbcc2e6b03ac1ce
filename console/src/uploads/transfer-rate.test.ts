import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secondsLeft, TransferRate } from './transfer-rate.ts';

test('the rate is that of the last seconds', () => {
  const rate = new TransferRate();
  assert.equal(rate.bytesPerS(), null);
  rate.add(0, 0);
  assert.equal(rate.bytesPerS(), null);
  rate.add(1000, 500);
  assert.equal(rate.bytesPerS(), 500);
  for (let second = 2; second <= 20; second += 1) rate.add(second * 1000, 500 + (second - 1) * 2000);
  assert.equal(rate.bytesPerS(), 2000);
});

test('a try that begins further back does not make it negative', () => {
  const rate = new TransferRate();
  rate.add(0, 4000);
  rate.add(1000, 8000);
  rate.add(1500, 6000);
  assert.equal(rate.bytesPerS(), null);
  rate.add(2500, 7000);
  assert.equal(rate.bytesPerS(), 1000);
});

test('the time left is not said without a rate', () => {
  assert.equal(secondsLeft(10, 100, null), null);
  assert.equal(secondsLeft(10, 100, 0), null);
  assert.equal(secondsLeft(10, 100, 45), 2);
});
