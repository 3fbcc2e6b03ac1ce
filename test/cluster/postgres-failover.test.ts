import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { randomIds } from '../../src/base/ids.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { NewStream } from '../../src/catalog/catalog.ts';
import { createPostgresCatalog } from '../../src/catalog/postgres/postgres-catalog.ts';
import { CameraFeed } from '../fixtures/camera-feed.ts';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { PlaylistLedger } from '../fixtures/playlist-ledger.ts';
import { eventually } from '../fixtures/processes.ts';
import { createRandom, runSeed } from '../fixtures/random.ts';
import { TestServer } from '../fixtures/server.ts';
import { PostgresServer } from '../fixtures/servers/postgres.ts';
import { assertExactlyOnce, sweepDrained } from '../fixtures/timeline-sweep.ts';

const ROUNDS = Number(process.env['CLUSTER_ROUNDS'] ?? 8);
const CAMERAS = 4;
const HOUR_MS = 3_600_000;

let postgres: PostgresServer;
before(async () => {
  postgres = await PostgresServer.start();
});
after(() => postgres[Symbol.asyncDispose]());

test('on PostgreSQL, in two processes, whatever is killed, the database too: nothing acknowledged is lost, doubled or changed', async (t) => {
  const random = createRandom(runSeed());
  t.diagnostic(`CLUSTER_SEED=${random.seed} repeats this run`);
  const startMs = Date.now() - 6 * HOUR_MS;
  const env = {
    ZOETROPE_CATALOG_URL: await postgres.database(),
    ZOETROPE_MAX_SEGMENT_WAIT_SECONDS: '1',
    ZOETROPE_FRAME_INTERVAL_SECONDS: '1',
    ZOETROPE_OFFLINE_AFTER_SECONDS: '3600',
    ZOETROPE_CLEANUP_INTERVAL_SECONDS: '1',
  };
  await using door = await TestServer.start({ env: { ...env, ZOETROPE_ROLES: 'api,delivery,upkeep,worker' } });
  await using behind = await TestServer.start({ dataDir: door.dataDir, env: { ...env, ZOETROPE_ROLES: 'ingest' } });
  const feeds = Array.from(
    { length: CAMERAS },
    (_, index) =>
      new CameraFeed(door.api, random, {
        device: `camera-${index}`,
        startMs,
        intervalMs: 1000,
        pauseMs: 60,
        sizes: [[320, 240]],
      }),
  );
  const ledger = new PlaylistLedger(door.api);
  const stop = new AbortController();
  t.after(() => stop.abort());
  const posting = feeds.map((feed) => feed.run(stop.signal));

  const kills = { door: 0, behind: 0, database: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    await delay(random.integer(50, 1500));
    // The database once at least.
    const victim = round === 1 ? 'database' : random.pick(['door', 'behind', 'database'] as const);
    kills[victim]++;
    if (victim === 'database') {
      await postgres.crash();
      await delay(random.integer(0, 2000));
      await postgres.resume();
    } else {
      const server = victim === 'door' ? door : behind;
      await server.kill();
      await server.orphansGone();
      await server.restart();
    }
  }
  t.diagnostic(JSON.stringify(kills));
  // Both live on: who was not killed has found the database again by itself.
  const taken = feeds.map((feed) => feed.acknowledged.size);
  await eventually(
    'all cameras post again',
    () => feeds.every((feed, index) => feed.acknowledged.size > (taken[index] ?? 0)) || undefined,
    { timeoutMs: 30_000, describe: () => door.logs },
  );
  stop.abort();
  await Promise.all(posting);

  for (const feed of feeds) {
    assert.deepEqual(feed.faults, []);
    const { id } = await door.api.streamOf(feed.device);
    const swept = await sweepDrained(door, id, startMs - HOUR_MS, feed.acknowledged);
    assertExactlyOnce(feed.device, swept, feed.acknowledged, feed.unsure);
    for (const playlist of ['live', 'dvr']) await ledger.read(`/play/streams/${id}/${playlist}.m3u8`);
  }
  assert.deepEqual(await door.api.deadLetters(), []);
  await ledger.verifyBytes();
  assert.deepEqual(ledger.faults, []);
  await assertDoctorClean(door);
  for (const server of [behind, door]) {
    await server.stop();
    await server.orphansGone();
  }
});

test('processes that start at once on an empty database make it once', async (t) => {
  const url = await postgres.database();
  const catalogs = Array.from({ length: 6 }, () =>
    createPostgresCatalog({ url, clock: systemClock, ids: randomIds, logger: silentLogger }),
  );
  t.after(() => Promise.all(catalogs.map((catalog) => catalog.close())));
  await Promise.all(catalogs.map((catalog) => catalog.start(AbortSignal.timeout(30_000))));
  const made = await Promise.all(catalogs.map((catalog, index) => catalog.createStream(stream(`number ${index}`))));
  for (const catalog of catalogs) {
    const { items } = await catalog.listStreams({}, { limit: 100 });
    assert.deepEqual(items.map(({ id }) => id).toSorted(), made.map(({ id }) => id).toSorted());
  }
});

test('a wrong password is said at the start, with the remedy and without the password', async () => {
  const url = (await postgres.database()).replace(':secret@', ':wr0ng@');
  await assert.rejects(TestServer.start({ env: { ZOETROPE_CATALOG_URL: url } }), (error: Error) => {
    assert.match(error.message, /password authentication failed.*ZOETROPE_CATALOG_URL/s);
    assert.doesNotMatch(error.message, /wr0ng/);
    return true;
  });
});

test('the password may lie in a file, whatever is in it', async (t) => {
  const password = 'p@ss/w:rd %20?';
  const url = new URL(await postgres.database());
  await postgres.query('postgres', `create user guest superuser password '${password}'`);
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-secret-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'password');
  writeFileSync(file, `${password}\n`);
  await using server = await TestServer.start({
    env: {
      ZOETROPE_CATALOG_URL: `postgres://guest@${url.host}${url.pathname}`,
      ZOETROPE_CATALOG_PASSWORD_FILE: file,
    },
  });
  assert.deepEqual(await server.api.streams(), []);
});

function stream(name: string): NewStream {
  return { id: randomIds.next('stream'), tenant: 'default', kind: 'frames', name, deviceId: null, settings: {} };
}
