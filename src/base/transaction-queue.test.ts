import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { systemClock } from './clock.ts';
import { isZoetropeError, ZoetropeError } from './errors.ts';
import { FakeClock } from './fake-clock.ts';
import { openDatabase } from './sqlite/database.ts';
import { sqliteTransactions } from './sqlite/sqlite-transactions.ts';
import { TransactionQueue, type TransactionHooks } from './transaction-queue.ts';

async function world(t: TestContext, hooks: TransactionHooks = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'zoetrope-queue-'));
  const path = join(directory, 'test.db');
  const database = await openDatabase(path, systemClock);
  t.after(async () => {
    database.close();
    await rm(directory, { recursive: true });
  });
  database.exec('create table thing (value text unique)');
  const insert = database.prepare('insert into thing values (?)');
  const rows = (): unknown[] => {
    const reader = new DatabaseSync(path, { readOnly: true });
    try {
      return reader
        .prepare('select value from thing order by value')
        .all()
        .map((row) => row['value']);
    } finally {
      reader.close();
    }
  };
  const queue = new TransactionQueue(sqliteTransactions(database, systemClock), hooks);
  return { path, database, queue, rows, put: (value: string) => queue.run(() => insert.run(value).changes) };
}

test('calls of one turn share a transaction, and each succeeds or fails alone', async (t) => {
  let commits = 0;
  const w = await world(t, { committed: () => commits++ });
  const own = new ZoetropeError('conflict', 'the call’s own reason');
  const outcomes = await Promise.allSettled([
    w.put('a'),
    w.put('a'),
    w.queue.run(async () => {
      w.database.exec("insert into thing values ('undone')");
      throw own;
    }),
    w.put('b'),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
  );
  assert.equal(outcomes[2]?.status === 'rejected' && outcomes[2].reason, own);
  assert.equal(commits, 1);
  assert.deepEqual(w.rows(), ['a', 'b']);
});

test('what resolves is visible to every connection', async (t) => {
  const w = await world(t);
  for (const value of ['a', 'b', 'c']) {
    await w.put(value);
    assert.ok(w.rows().includes(value));
  }
});

test('a full database is storage_full for all that share the commit, and it goes on when there is room', async (t) => {
  const w = await world(t);
  await w.put('before');
  w.database.exec('pragma max_page_count = 10');
  const big = 'x'.repeat(200_000);
  const outcomes = await Promise.allSettled([w.put('with it'), w.put(big), w.put('behind it')]);
  for (const outcome of outcomes) {
    assert.ok(outcome.status === 'rejected' && isZoetropeError(outcome.reason, 'storage_full'));
  }
  assert.deepEqual(w.rows(), ['before']);
  await w.put('small');
  w.database.exec('pragma max_page_count = 1000000');
  await w.put(big);
  assert.equal(w.rows().length, 3);
});

test('a failing end of the transaction fails its calls and undoes them', async (t) => {
  let fails = true;
  const w = await world(t, {
    ending: () => {
      if (fails) throw new Error('no');
    },
  });
  await assert.rejects(w.put('a'), /no/);
  fails = false;
  await w.put('b');
  assert.deepEqual(w.rows(), ['b']);
});

test('another process’s lock is waited for without blocking, and in the end is unavailable', async (t) => {
  const w = await world(t);
  const other = new DatabaseSync(w.path);
  t.after(() => other.close());
  other.exec('begin immediate');
  const waiting = w.put('a');
  await new Promise((resolve) => setImmediate(resolve));
  other.exec('rollback');
  await waiting;
  other.exec('begin immediate');
  const clock = new FakeClock();
  const impatient = new TransactionQueue(sqliteTransactions(w.database, clock));
  const refused = assert.rejects(
    impatient.run(() => undefined),
    (error) => isZoetropeError(error, 'unavailable'),
  );
  w.database.exec('pragma busy_timeout = 0');
  await clock.advance(10_100);
  await refused;
  other.exec('rollback');
  await impatient.run(() => undefined);
});

test('closing does what waits, then refuses', async (t) => {
  const w = await world(t);
  const waiting = [w.put('a'), w.put('b')];
  await w.queue.close();
  await Promise.all(waiting);
  await assert.rejects(w.put('c'), (error) => isZoetropeError(error, 'unavailable'));
  assert.deepEqual(w.rows(), ['a', 'b']);
});
