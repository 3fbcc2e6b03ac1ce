import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { aborted, Census, fail, type MakeEvents, makeWorld, numbered, Recorder, throwsCode } from './events-world.ts';

/** Registers the contract of consumer groups: ownership, fences, commits, redelivery. */
export function groupsContract(adapter: string, make: MakeEvents): void {
  describe(`events contract, groups: ${adapter}`, () => {
    test('what was not committed is read again by the next owner, what was committed is not', async (t) => {
      const w = await makeWorld(t, make, 1);
      const log = await w.started();
      await log.publish('t', numbered('k', 10));
      const first = new Recorder();
      const consumer = await log.consume(first.options('t', 'g'));
      await w.until(() => first.events.length === 10, 'all read');
      await first.owned(0).commit(3);
      assert.equal(await log.lag('t', 'g'), 6);
      await consumer.close();
      const second = new Recorder();
      await (await w.started()).consume(second.options('t', 'g'));
      await w.until(() => second.events.length >= 6, 'the rest read again');
      assert.deepEqual(
        second.events.map((event) => event.value),
        [4, 5, 6, 7, 8, 9],
      );
    });

    test('a commit never moves back', async (t) => {
      const w = await makeWorld(t, make, 1);
      const log = await w.started();
      await log.publish('t', numbered('k', 10));
      const seen = new Recorder();
      const consumer = await log.consume(seen.options('t', 'g'));
      await w.until(() => seen.events.length === 10, 'all read');
      const owned = seen.owned(0);
      await Promise.all([owned.commit(7), owned.commit(2), owned.commit(5)]);
      await owned.commit(1);
      assert.equal(await log.lag('t', 'g'), 2);
      await consumer.close();
      const next = new Recorder();
      await log.consume(next.options('t', 'g'));
      await w.until(() => next.events.length > 0, 'read on');
      assert.equal(next.events[0]?.value, 8);
    });

    test('groups do not disturb each other, and a new group begins at the oldest event', async (t) => {
      const w = await makeWorld(t, make);
      const log = await w.started();
      await log.publish('t', numbered('k', 5));
      const [one, two] = [new Recorder(), new Recorder()];
      await log.consume(one.options('t', 'one'));
      await w.until(() => one.events.length === 5, 'group one read all');
      await one.commitAll();
      assert.equal(await log.lag('t', 'one'), 0);
      assert.equal(await log.lag('t', 'two'), 5);
      await log.consume(two.options('t', 'two'));
      await w.until(() => two.events.length === 5, 'group two read all');
    });

    test('a partition has one owner in a group at a time, and all are owned', async (t) => {
      const w = await makeWorld(t, make, 8);
      const logs = [await w.started(), await w.started(), await w.started()];
      const census = new Census();
      for (const log of logs) await log.consume(census.options('t', 'g'));
      await w.until(() => census.owners.size === 8 && census.isFair(3), 'all partitions owned, fairly');
      assert.equal(census.violations, 0);
    });

    test('partitions of a member that leaves go to those that stay, with higher fences', async (t) => {
      const w = await makeWorld(t, make, 6);
      const [a, b] = [await w.started(), await w.started()];
      const census = new Census();
      const consumer = await a.consume(census.options('t', 'g'));
      await w.until(() => census.owners.size === 6, 'the first owns all');
      await b.consume(census.options('t', 'g'));
      await w.until(() => census.isFair(2), 'the second has its share');
      await consumer.close();
      await consumer.close();
      await w.until(
        () => census.owners.size === 6 && new Set(census.owners.values()).size === 1,
        'the second owns all',
      );
      assert.equal(census.violations, 0);
      assert.equal(census.fencesFell, 0);
    });

    test('a revoked owner learns of it, and cannot commit', async (t) => {
      const w = await makeWorld(t, make, 1);
      const log = await w.started();
      await log.publish('t', numbered('k', 3));
      const seen = new Recorder();
      const consumer = await log.consume(seen.options('t', 'g'));
      await w.until(() => seen.events.length === 3, 'all read');
      const owned = seen.owned(0);
      assert.equal(owned.revoked.aborted, false);
      await consumer.close();
      assert.equal(owned.revoked.aborted, true);
      await throwsCode(owned.commit(2), 'fenced');
      assert.equal(await log.lag('t', 'g'), 3);
    });

    test('closing a consumer waits for its handlers', async (t) => {
      const w = await makeWorld(t, make, 2);
      const log = await w.started();
      const running = new Set<number>();
      const consumer = await log.consume({
        topic: 't',
        group: 'g',
        onError: fail,
        onAssigned: async (partition) => {
          running.add(partition.partition);
          await aborted(partition.revoked);
          await w.pass(0);
          running.delete(partition.partition);
        },
      });
      await w.until(() => running.size === 2, 'both assigned');
      await consumer.close();
      assert.equal(running.size, 0);
    });

    test('a handler that fails is told of and gets its partition again, with a higher fence', async (t) => {
      const w = await makeWorld(t, make, 1);
      const log = await w.started();
      await log.publish('t', numbered('k', 1));
      const errors: unknown[] = [];
      const fences: number[] = [];
      const failure = new Error('poison');
      await log.consume({
        topic: 't',
        group: 'g',
        onError: (error) => errors.push(error),
        onAssigned: async (partition) => {
          fences.push(partition.fence);
          if (fences.length < 3) throw failure;
          await aborted(partition.revoked);
        },
      });
      await w.until(() => fences.length === 3, 'assigned a third time');
      assert.deepEqual(errors, [failure, failure]);
      assert.ok(Number(fences[0]) < Number(fences[1]) && Number(fences[1]) < Number(fences[2]));
    });
  });
}
