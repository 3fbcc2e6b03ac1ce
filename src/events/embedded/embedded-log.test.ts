import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { isZoetropeError } from '../../base/errors.ts';
import { FakeClock } from '../../base/fake-clock.ts';
import { silentLogger } from '../../base/logger.ts';
import type { EventLog, OwnedPartition } from '../event-log.ts';
import { createEmbeddedLog } from './embedded-log.ts';
import { hasEnded, ownIdentity } from './process-identity.ts';

interface World {
  readonly path: string;
  open(clock: FakeClock): Promise<EventLog>;
}

async function world(t: TestContext): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'zoetrope-log-'));
  const path = join(directory, 'events.db');
  const logs: EventLog[] = [];
  t.after(async () => {
    await Promise.all(logs.map((log) => log.close()));
    await rm(directory, { recursive: true });
  });
  return {
    path,
    async open(clock) {
      const log = createEmbeddedLog({ path, partitions: 2, retentionMs: 1e9, clock, logger: silentLogger });
      logs.push(log);
      await log.start(AbortSignal.timeout(10_000));
      return log;
    },
  };
}

async function consume(log: EventLog): Promise<OwnedPartition[]> {
  const owned: OwnedPartition[] = [];
  await log.consume({
    topic: 't',
    group: 'g',
    onError: (error) => {
      throw error;
    },
    onAssigned: async (partition) => {
      owned.push(partition);
      await new Promise<void>((resolve) => partition.revoked.addEventListener('abort', () => resolve()));
    },
  });
  return owned;
}

test('a member whose heart stopped loses its partitions when its lease runs out, and its late commits are fenced', async (t) => {
  const w = await world(t);
  const [stopped, running] = [new FakeClock(), new FakeClock()];
  const old = await w.open(stopped);
  await old.publish('t', [{ key: 'k', value: 1 }]);
  const before = await consume(old);
  await stopped.advance(200);
  assert.equal(before.length, 2);
  const after = await consume(await w.open(running));
  await running.advance(9_000);
  assert.equal(after.length, 0, 'a live lease is respected');
  await running.advance(2_000);
  assert.equal(after.length, 2, 'taken over');
  for (const partition of before) {
    const successor = after.find((one) => one.partition === partition.partition);
    assert.ok(Number(successor?.fence) > partition.fence);
    await assert.rejects(partition.commit(0), (error) => isZoetropeError(error, 'fenced'));
    assert.equal(partition.revoked.aborted, true, 'the commit told it');
    await successor?.commit(0);
  }
});

test('a member that comes back after its lease joins anew', async (t) => {
  const w = await world(t);
  const [sleeping, running] = [new FakeClock(), new FakeClock()];
  const before = await consume(await w.open(sleeping));
  await sleeping.advance(200);
  const after = await consume(await w.open(running));
  await running.advance(11_000);
  assert.equal(after.length, 2);
  await sleeping.advance(11_000);
  assert.equal(before[0]?.revoked.aborted, true);
  await running.advance(1_000);
  await sleeping.advance(2_000);
  assert.equal(before.length + after.length, 5, 'one partition has moved back: a fair share');
});

test('the members of a process that has ended are removed at the first look', async (t) => {
  const w = await world(t);
  const clock = new FakeClock();
  const log = await w.open(clock);
  await log.publish('t', [{ key: 'k', value: 1 }]);
  const database = new DatabaseSync(w.path);
  const { started } = ownIdentity();
  const insert = database.prepare('insert into member values (?, 1, ?, ?, ?, ?)');
  // Process ids wrap far below this one on every system.
  insert.run('dead', 'g', 2 ** 30, started, clock.nowMs() + 1e9);
  const own = database.prepare('insert into ownership values (1, ?, ?, ?, 7, -1)');
  for (const partition of [0, 1]) own.run('g', partition, 'dead');
  database.close();
  const owned = await consume(log);
  await clock.advance(0);
  await clock.advance(0);
  assert.deepEqual(
    owned.map(({ fence }) => fence),
    [8, 8],
  );
});

test('a process is known by its start, not by its number alone', () => {
  assert.equal(hasEnded(ownIdentity()), false);
  assert.equal(hasEnded({ pid: process.ppid, started: '' }), false);
  assert.equal(hasEnded({ pid: 2 ** 30, started: '' }), true);
  if (process.platform !== 'linux') return;
  const { started } = ownIdentity();
  assert.equal(hasEnded({ pid: process.pid, started: `${started}0` }), true, 'its number was given out again');
  assert.equal(
    hasEnded({ pid: 2 ** 30, started: `elsewhere ${started}` }),
    false,
    'another container’s cannot be seen',
  );
});

test('a newer version’s file is refused, and left as it is', async (t) => {
  const w = await world(t);
  const database = new DatabaseSync(w.path);
  database.exec('pragma user_version = 99');
  database.close();
  await assert.rejects(w.open(new FakeClock()), (error) => isZoetropeError(error, 'invalid_configuration'));
});

test('a file that is no database is a clear failure', async (t) => {
  const w = await world(t);
  const { writeFile } = await import('node:fs/promises');
  await writeFile(w.path, 'this is not a database, and long enough to be looked at as one'.repeat(20));
  await assert.rejects(w.open(new FakeClock()), (error) => isZoetropeError(error));
});
