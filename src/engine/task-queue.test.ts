import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TaskQueue, type Priority } from './task-queue.ts';

test('within a priority it is first in, first out; nothing is lost or made', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom<Priority>('high', 'normal')), (priorities) => {
      const queue = new TaskQueue<{ readonly priority: Priority; readonly order: number }>(1000);
      for (const [order, priority] of priorities.entries()) assert.ok(queue.offer({ priority, order }, priority));
      const taken = priorities.map(() => queue.take());
      assert.equal(queue.take(), undefined);
      for (const priority of ['high', 'normal'] as const) {
        const orders = taken.filter((item) => item?.priority === priority).map((item) => item?.order);
        assert.deepEqual(
          orders,
          priorities.flatMap((each, order) => (each === priority ? [order] : [])),
        );
      }
    }),
  );
});

test('high goes first, and one in eight is normal', () => {
  const queue = new TaskQueue<Priority>(100);
  for (let index = 0; index < 20; index++) {
    queue.offer('normal', 'normal');
    queue.offer('high', 'high');
  }
  const first = Array.from({ length: 16 }, () => queue.take());
  assert.equal(first.filter((priority) => priority === 'normal').length, 2);
  assert.deepEqual(first.slice(0, 7), Array(7).fill('high'));
});

test('it is bounded, but for what is put back', () => {
  const queue = new TaskQueue<number>(2);
  assert.ok(queue.offer(1, 'normal') && queue.offer(2, 'high'));
  assert.equal(queue.offer(3, 'high'), false);
  queue.putBack(0, 'normal');
  assert.equal(queue.length, 3);
  assert.deepEqual([queue.take(), queue.take(), queue.take()], [2, 0, 1]);
});

test('an item can be taken out wherever it stands', () => {
  const queue = new TaskQueue<number>(9);
  for (const item of [1, 2, 3]) queue.offer(item, 'normal');
  assert.equal(queue.remove(2), true);
  assert.equal(queue.remove(2), false);
  assert.deepEqual(queue.drain(), [1, 3]);
  assert.equal(queue.length, 0);
});
