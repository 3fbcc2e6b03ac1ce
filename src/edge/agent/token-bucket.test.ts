import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../base/fake-clock.ts';
import { TokenBucket } from './token-bucket.ts';

const never = new AbortController().signal;

/** When each of these is sent, one after the other, in milliseconds. */
async function times(bucket: TokenBucket, clock: FakeClock, sizes: readonly number[]): Promise<number[]> {
  const passed: number[] = [];
  const startMs = clock.monotonicMs();
  const all = (async () => {
    for (const size of sizes) {
      await bucket.ready(never);
      bucket.pay(size);
      passed.push(clock.monotonicMs() - startMs);
    }
  })();
  await clock.advance(60_000);
  await all;
  return passed;
}

test('what is sent keeps to the rate, and what is larger than the bucket is paid off', async () => {
  const clock = new FakeClock();
  const passed = await times(new TokenBucket(clock, 1000), clock, [1000, 500, 500, 4000, 10]);
  for (const [index, ms] of [0, 1, 501, 1001, 5001].entries()) {
    assert.ok(Math.abs((passed[index] ?? Number.NaN) - ms) <= 5, `${index}: ${passed.join(', ')}`);
  }
});

test('rest is not saved up beyond a second', async () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(clock, 1000);
  await clock.advance(3_600_000);
  const passed = await times(bucket, clock, [1500, 1, 1]);
  assert.ok((passed[1] ?? 0) >= 500, passed.join(', '));
});

test('without a rate nobody waits', async () => {
  const clock = new FakeClock();
  assert.deepEqual(await times(new TokenBucket(clock, 0), clock, [1e9, 1e9, 1e9]), [0, 0, 0]);
});

test('a wait that is called off ends at once', async () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(clock, 1000);
  bucket.pay(1_000_000);
  const given = new AbortController();
  const waiting = bucket.ready(given.signal);
  await clock.advance(100);
  given.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
});
