import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { type ErrorCode, isZoetropeError } from '../../src/base/errors.ts';
import type { EventLog, LoggedEvent, NewEvent, OwnedPartition } from '../../src/events/event-log.ts';

/** An event log under test. */
export interface EventsUnderTest {
  /** A member of the same cluster each time: what a second process would be. Not started. */
  open(): EventLog;
  /** Lets time pass for all of them. */
  pass(ms: number): Promise<void>;
  dispose(): Promise<void>;
}

/** What an adapter is made with for the suite. */
export interface EventsRequest {
  readonly partitions: number;
  readonly retentionMs: number;
}

const RETENTION_MS = 3_600_000;

/** Registers the contract of {@link EventLog} for an adapter. */
export function eventsContract(adapter: string, make: (request: EventsRequest) => Promise<EventsUnderTest>): void {
  interface World extends EventsUnderTest {
    started(): Promise<EventLog>;
    until(condition: () => boolean | Promise<boolean>, what: string): Promise<void>;
  }

  async function world(t: TestContext, partitions = 4): Promise<World> {
    const made = await make({ partitions, retentionMs: RETENTION_MS });
    const logs: EventLog[] = [];
    t.after(async () => {
      await Promise.all(logs.map((log) => log.close()));
      await made.dispose();
    });
    return {
      open: () => made.open(),
      pass: (ms) => made.pass(ms),
      dispose: () => made.dispose(),
      async started() {
        const log = made.open();
        logs.push(log);
        await log.start(AbortSignal.timeout(30_000));
        return log;
      },
      async until(condition, what) {
        for (let round = 0; round < 600; round++) {
          if (await condition()) return;
          await made.pass(100);
        }
        assert.fail(`never happened: ${what}`);
      },
    };
  }

  describe(`events contract: ${adapter}`, () => {
    test('events of a key stay in order in one partition, and every event arrives once without a failure', async (t) => {
      const w = await world(t);
      const log = await w.started();
      const seen = new Recorder();
      await log.consume(seen.options('t', 'g'));
      const keys = Array.from({ length: 20 }, (_, index) => `tenant/camera-${index}`);
      const rounds = Array.from({ length: 15 }, (_, round) => round);
      const positions = await Promise.all(
        rounds.flatMap((round) => keys.map((key) => log.publish('t', [{ key, value: { round } }]))),
      );
      await w.until(() => seen.events.length >= 300, 'all events read');
      assert.equal(seen.events.length, 300);
      assert.equal(positions.flat().length, 300);
      for (const key of keys) {
        const ofKey = seen.events.filter((event) => event.key === key);
        assert.deepEqual(
          ofKey.map((event) => event.value),
          rounds.map((round) => ({ round })),
        );
        assert.equal(new Set(ofKey.map((event) => event.partition)).size, 1);
      }
      seen.assertOffsetsRise();
    });

    test('publish tells where each event went, in the order of the call', async (t) => {
      const w = await world(t);
      const log = await w.started();
      const events: NewEvent[] = Array.from({ length: 30 }, (_, index) => ({ key: `k${index % 5}`, value: index }));
      const positions = await log.publish('t', events);
      const kept = await log.peek('t', { limit: 100 });
      assert.equal(kept.length, 30);
      for (const [index, position] of positions.entries()) {
        const found = kept.find((event) => event.partition === position.partition && event.offset === position.offset);
        assert.equal(found?.value, index);
      }
      assert.deepEqual(await log.publish('t', []), []);
    });

    test('any JSON value travels unchanged', async (t) => {
      const w = await world(t);
      const log = await w.started();
      const values = [null, true, 0.1, 'ä\u{1F3A5}\u2028"', [1, [2]], { a: { b: null } }, ''];
      await log.publish(
        't',
        values.map((value) => ({ key: 'ключ/ä', value })),
      );
      const kept = await log.peek('t', { limit: 10 });
      assert.deepEqual(
        kept.map((event) => event.value),
        values,
      );
      assert.ok(kept.every((event) => event.key === 'ключ/ä'));
      await throwsCode(
        log.publish('t', [
          { key: 'k', value: 1 },
          { key: 'k', value: undefined },
        ]),
        'invalid_argument',
      );
      assert.equal((await log.peek('t', { limit: 100 })).length, values.length, 'nothing of a failed call is visible');
    });

    test('what one process publishes, another consumes', async (t) => {
      const w = await world(t);
      const [publisher, reader] = [await w.started(), await w.started()];
      const seen = new Recorder();
      await reader.consume(seen.options('t', 'g'));
      await publisher.publish('t', [{ key: 'a', value: 1 }]);
      await w.until(() => seen.events.length === 1, 'the first event read');
      await publisher.publish('t', [{ key: 'a', value: 2 }]);
      await w.until(() => seen.events.length === 2, 'the second event read');
    });

    test('what was not committed is read again by the next owner, what was committed is not', async (t) => {
      const w = await world(t, 1);
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
      const w = await world(t, 1);
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
      const w = await world(t);
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
      const w = await world(t, 8);
      const logs = [await w.started(), await w.started(), await w.started()];
      const census = new Census();
      for (const log of logs) await log.consume(census.options('t', 'g'));
      await w.until(() => census.owners.size === 8 && census.isFair(3), 'all partitions owned, fairly');
      assert.equal(census.violations, 0);
    });

    test('partitions of a member that leaves go to those that stay, with higher fences', async (t) => {
      const w = await world(t, 6);
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
      const w = await world(t, 1);
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
      const w = await world(t, 2);
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
      const w = await world(t, 1);
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

    test('events past their retention go, but none that a known group has yet to do', async (t) => {
      const w = await world(t, 1);
      const log = await w.started();
      await log.publish('done', numbered('k', 10));
      await log.publish('pending', numbered('k', 10));
      await log.publish('unread', numbered('k', 10));
      const [done, pending] = [new Recorder(), new Recorder()];
      await log.consume(done.options('done', 'g'));
      await log.consume(pending.options('pending', 'g'));
      await w.until(() => done.events.length === 10 && pending.events.length === 10, 'all read');
      await done.owned(0).commit(9);
      await pending.owned(0).commit(5);
      await w.pass(RETENTION_MS + 1);
      await log.publish('done', [{ key: 'k', value: 'fresh' }]);
      const valuesOf = async (topic: string): Promise<unknown[]> =>
        (await log.peek(topic, { limit: 100 })).map((event) => event.value);
      await w.until(async () => (await valuesOf('done')).length === 1, 'the done ones went');
      assert.deepEqual(await valuesOf('done'), ['fresh']);
      await w.until(async () => (await valuesOf('unread')).length === 0, 'those of no group went');
      assert.deepEqual(await valuesOf('pending'), [6, 7, 8, 9]);
      const [position] = await log.publish('unread', [{ key: 'k', value: 'x' }]);
      assert.equal(position?.offset, 10, 'offsets go on rising');
    });

    test('peek shows the newest, and goes on after a position', async (t) => {
      const w = await world(t);
      const log = await w.started();
      for (let index = 0; index < 30; index++) {
        await log.publish('t', [{ key: `k${index % 7}`, value: index }]);
        await w.pass(10);
      }
      const newest = await log.peek('t', { limit: 5 });
      assert.deepEqual(
        newest.map((event) => event.value),
        [25, 26, 27, 28, 29],
      );
      const all: unknown[] = [];
      let after = (await log.peek('t', { limit: 30 }))[0];
      while (after !== undefined) {
        all.push(after.value);
        const page: readonly LoggedEvent[] = await log.peek('t', { after, limit: 4 });
        all.push(...page.slice(0, -1).map((event) => event.value));
        after = page.at(-1);
      }
      assert.deepEqual(
        all,
        Array.from({ length: 30 }, (_, index) => index),
      );
      assert.deepEqual(await log.peek('never-used', { limit: 5 }), []);
    });

    test('times of publishing never fall within a partition', async (t) => {
      const w = await world(t, 1);
      const log = await w.started();
      for (let index = 0; index < 5; index++) {
        await log.publish('t', [{ key: 'k', value: index }]);
        await w.pass(7);
      }
      const times = (await log.peek('t', { limit: 5 })).map((event) => event.publishedAtMs);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
    });

    test('names from outside cannot reach beyond their topic', async (t) => {
      const w = await world(t, 1);
      const log = await w.started();
      for (const name of ['', 'a b', '../x', "x'; drop table event", 'ä', 'x'.repeat(250)]) {
        await throwsCode(log.publish(name, [{ key: 'k', value: 1 }]), 'invalid_argument');
      }
      assert.equal(await log.lag('never-used', 'g'), 0);
    });

    test('a closed log refuses, and closing twice is harmless', async (t) => {
      const w = await world(t, 1);
      const log = await w.started();
      const pending = log.publish('t', [{ key: 'k', value: 1 }]);
      await log.close();
      await log.close();
      assert.equal((await pending).length, 1);
      await throwsCode(log.publish('t', [{ key: 'k', value: 1 }]), 'unavailable');
      const never = w.open();
      await never.close();
    });
  });
}

/** Reads everything that its consumer is handed. */
class Recorder {
  readonly events: LoggedEvent[] = [];
  readonly partitions = new Map<number, OwnedPartition>();

  options(topic: string, group: string): Parameters<EventLog['consume']>[0] {
    return {
      topic,
      group,
      onError: fail,
      onAssigned: async (partition) => {
        this.partitions.set(partition.partition, partition);
        for await (const batch of partition.read({ maxEvents: 7 })) {
          assert.ok(batch.length > 0 && batch.length <= 7);
          this.events.push(...batch);
        }
      },
    };
  }

  owned(partition: number): OwnedPartition {
    const owned = this.partitions.get(partition);
    assert.ok(owned !== undefined, `partition ${partition} was assigned`);
    return owned;
  }

  async commitAll(): Promise<void> {
    const last = new Map(this.events.map((event) => [event.partition, event.offset]));
    await Promise.all([...last].map(([partition, offset]) => this.owned(partition).commit(offset)));
  }

  assertOffsetsRise(): void {
    const last = new Map<number, number>();
    for (const { partition, offset } of this.events) {
      assert.ok(offset > (last.get(partition) ?? -1));
      last.set(partition, offset);
    }
  }
}

/** Counts who owns what, over several consumers. */
class Census {
  readonly owners = new Map<number, object>();
  violations = 0;
  fencesFell = 0;
  readonly #fences = new Map<number, number>();

  options(topic: string, group: string): Parameters<EventLog['consume']>[0] {
    const who = {};
    return {
      topic,
      group,
      onError: fail,
      onAssigned: async ({ partition, fence, revoked }) => {
        if (this.owners.has(partition)) this.violations++;
        if (fence <= (this.#fences.get(partition) ?? -1)) this.fencesFell++;
        this.#fences.set(partition, fence);
        this.owners.set(partition, who);
        await aborted(revoked);
        this.owners.delete(partition);
      },
    };
  }

  isFair(members: number): boolean {
    const counts = new Map<object, number>();
    for (const who of this.owners.values()) counts.set(who, (counts.get(who) ?? 0) + 1);
    const share = Math.ceil(this.owners.size / members);
    return counts.size === members && [...counts.values()].every((count) => count <= share);
  }
}

function numbered(key: string, count: number): NewEvent[] {
  return Array.from({ length: count }, (_, value) => ({ key, value }));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function fail(error: unknown): never {
  throw error;
}

async function throwsCode(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => isZoetropeError(error, code));
}
