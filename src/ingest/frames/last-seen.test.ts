import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../base/fake-clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { wallMs } from '../../base/time.ts';
import type { StreamTouch } from '../../catalog/catalog.ts';
import { LastSeen } from './last-seen.ts';

function seenBy(): { readonly seen: LastSeen; readonly clock: FakeClock; readonly writes: (readonly StreamTouch[])[] } {
  const clock = new FakeClock();
  const writes: (readonly StreamTouch[])[] = [];
  const catalog = { touchStreams: async (touches: readonly StreamTouch[]) => void writes.push(touches) };
  return { seen: new LastSeen({ catalog, clock, logger: silentLogger }), clock, writes };
}

test('after a quiet second a frame is told at once, and what follows once a second', async () => {
  const { seen, clock, writes } = seenBy();
  await seen.start();
  seen.note('a', wallMs(10), 11);
  assert.equal(writes.length, 1);
  seen.note('a', wallMs(20), 21);
  seen.note('b', wallMs(5), 6);
  assert.equal(writes.length, 1);
  await clock.advance(1000);
  assert.deepEqual(writes.slice(1), [
    [
      { streamId: 'a', lastCapturedAtMs: 20, lastReceivedAtMs: 21 },
      { streamId: 'b', lastCapturedAtMs: 5, lastReceivedAtMs: 6 },
    ],
  ]);
  await seen.close();
});

test('times never go back, and closing writes what is left', async () => {
  const { seen, writes } = seenBy();
  await seen.start();
  seen.note('a', wallMs(10), 11);
  seen.note('a', wallMs(30), 31);
  seen.note('a', wallMs(20), 40);
  await seen.close();
  assert.deepEqual(writes.at(-1), [{ streamId: 'a', lastCapturedAtMs: 30, lastReceivedAtMs: 40 }]);
});
