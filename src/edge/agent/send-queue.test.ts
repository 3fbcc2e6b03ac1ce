import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../base/fake-clock.ts';
import { pts90k, wallMs } from '../../base/time.ts';
import type { Segment } from '../../timeline/segment.ts';
import { SendQueue, type SendJob, type Wanted } from './send-queue.ts';

function segment(id: string, fields: Partial<Segment> = {}): Segment {
  return {
    id,
    streamId: 'str_a',
    renditionId: 'rnd_a',
    epochId: 'epo_a',
    placement: 'onTime',
    sequence: 0,
    startMs: wallMs(0),
    mediaStart90k: pts90k(0),
    duration90k: pts90k(90_000),
    frameTimesMs: [],
    objectKey: id,
    sizeBytes: 10,
    sha256: '',
    keyframeBytes: null,
    discontinuity: false,
    createdAtMs: wallMs(0),
    dvrDiscontinuity: false,
    lost: false,
    remote: false,
    retiredAtMs: null,
    ...fields,
  };
}

function wanted(urgent: boolean, ...ids: readonly string[]): readonly Wanted[] {
  return ids.map((id) => ({ segment: segment(id), urgent }));
}

/** All that is to be sent now, in its order. */
function drain(take: () => SendJob | undefined): readonly string[] {
  const ids: string[] = [];
  for (let job = take(); job !== undefined; job = take()) ids.push(`${job.reason} ${job.segment.id}`);
  return ids;
}

test('what somebody waits for goes first, then what is live, and the rest by itself', () => {
  const queue = new SendQueue(new FakeClock());
  queue.offerLive([segment('l1'), segment('l2')]);
  queue.want([...wanted(false, 'f1', 'f2'), ...wanted(true, 'u2', 'u1')], 0);
  assert.deepEqual(
    drain(() => queue.takePressing()),
    ['urgent u2', 'urgent u1', 'live l1', 'live l2'],
  );
  assert.deepEqual(
    drain(() => queue.takeFill()),
    ['fill f1', 'fill f2'],
  );
  assert.deepEqual([queue.size, queue.sizeBytes], [6, 60]);
});

test('a segment is under way once, also when it comes to be urgent meanwhile', () => {
  const queue = new SendQueue(new FakeClock());
  queue.want(wanted(false, 'a'), 0);
  assert.equal(queue.takeFill()?.segment.id, 'a');
  queue.want(wanted(true, 'a'), 0);
  queue.offerLive([segment('a')]);
  assert.equal(queue.takePressing(), undefined);
  assert.equal(queue.size, 1);
  queue.settle('a');
  assert.equal(queue.size, 0);
});

test('a list that was asked for before a segment came does not bring it back; a later one does', async () => {
  const clock = new FakeClock();
  const queue = new SendQueue(clock);
  queue.want(wanted(false, 'a', 'b'), 0);
  await clock.advance(100);
  queue.settle('a');
  queue.want(wanted(false, 'a', 'b'), 50);
  assert.equal(queue.size, 1);
  queue.want(wanted(false, 'a', 'b'), 150);
  assert.equal(queue.size, 2);
});

test('what is named no more is not sent', () => {
  const queue = new SendQueue(new FakeClock());
  queue.want(wanted(false, 'a', 'b'), 0);
  queue.offerLive([segment('c'), segment('d', { streamId: 'str_b' })]);
  queue.want(wanted(false, 'b'), 0);
  queue.keepLive(new Set(['str_b']));
  assert.deepEqual(
    drain(() => queue.takeFill()),
    ['fill b'],
  );
  assert.deepEqual(
    drain(() => queue.takePressing()),
    ['live d'],
  );
});

test('of a live rendition only the newest wait', () => {
  const queue = new SendQueue(new FakeClock());
  queue.offerLive(Array.from({ length: 20 }, (_, index) => segment(`a${index}`)));
  queue.offerLive([segment('b', { renditionId: 'rnd_b' })]);
  const expected = [14, 15, 16, 17, 18, 19].map((index) => `live a${index}`);
  assert.deepEqual(
    drain(() => queue.takePressing()),
    [...expected, 'live b'],
  );
});

test('what failed waits alone, longer each time, and is forgotten when it comes', async () => {
  const clock = new FakeClock();
  const queue = new SendQueue(clock);
  queue.want(wanted(false, 'a', 'b'), 0);
  const failures: number[] = [];
  const fail = (): number =>
    queue.fail('a', (count) => {
      failures.push(count);
      return count * 1000;
    });
  assert.equal(queue.takeFill()?.segment.id, 'a');
  assert.equal(fail(), 1000);
  assert.equal(queue.takeFill()?.segment.id, 'b');
  assert.equal(queue.hasFill(), false);
  await clock.advance(1000);
  assert.equal(queue.takeFill()?.segment.id, 'a');
  assert.equal(fail(), 2000);
  await clock.advance(1999);
  assert.equal(queue.takeFill(), undefined);
  await clock.advance(1);
  assert.equal(queue.takeFill()?.segment.id, 'a');
  queue.settle('a');
  queue.want(wanted(false, 'a'), clock.monotonicMs() + 1);
  fail();
  assert.deepEqual(failures, [1, 2, 1]);
});
