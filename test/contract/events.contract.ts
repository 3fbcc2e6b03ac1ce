import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LoggedEvent, NewEvent } from '../../src/events/event-log.ts';
import { groupsContract } from './events-groups.contract.ts';
import { type MakeEvents, makeWorld, numbered, Recorder, RETENTION_MS, throwsCode } from './events-world.ts';

/** Registers the contract of {@link EventLog} for an adapter. */
export function eventsContract(adapter: string, make: MakeEvents): void {
  groupsContract(adapter, make);
  describe(`events contract: ${adapter}`, () => {
    test('events of a key stay in order in one partition, and every event arrives once without a failure', async (t) => {
      const w = await makeWorld(t, make);
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
      const w = await makeWorld(t, make);
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
      const w = await makeWorld(t, make);
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
      const w = await makeWorld(t, make);
      const [publisher, reader] = [await w.started(), await w.started()];
      const seen = new Recorder();
      await reader.consume(seen.options('t', 'g'));
      await publisher.publish('t', [{ key: 'a', value: 1 }]);
      await w.until(() => seen.events.length === 1, 'the first event read');
      await publisher.publish('t', [{ key: 'a', value: 2 }]);
      await w.until(() => seen.events.length === 2, 'the second event read');
    });

    test('events past their retention go, but none that a known group has yet to do', async (t) => {
      const w = await makeWorld(t, make, 1);
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
      const w = await makeWorld(t, make);
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
      const w = await makeWorld(t, make, 1);
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
      const w = await makeWorld(t, make, 1);
      const log = await w.started();
      for (const name of ['', 'a b', '../x', "x'; drop table event", 'ä', 'x'.repeat(250)]) {
        await throwsCode(log.publish(name, [{ key: 'k', value: 1 }]), 'invalid_argument');
      }
      assert.equal(await log.lag('never-used', 'g'), 0);
    });

    test('a closed log refuses, and closing twice is harmless', async (t) => {
      const w = await makeWorld(t, make, 1);
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
