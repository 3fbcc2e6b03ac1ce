import { after, before } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { FakeClock } from '../../src/base/fake-clock.ts';
import { randomIds } from '../../src/base/ids.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { createPostgresCatalog } from '../../src/catalog/postgres/postgres-catalog.ts';
import { catalogContract } from '../contract/catalog.contract.ts';
import { PostgresServer } from '../fixtures/servers/postgres.ts';

let server: PostgresServer;
before(async () => {
  server = await PostgresServer.start();
});
after(() => server[Symbol.asyncDispose]());

catalogContract('postgres', async () => {
  const url = await server.database();
  const clock = new FakeClock();
  return {
    open: () => createPostgresCatalog({ url, clock, ids: randomIds, logger: silentLogger }),
    clock,
    async pass(ms) {
      await clock.advance(ms);
      // What the database tells others takes a moment of real time.
      await delay(5);
    },
    dispose: () => server.drop(url),
  };
});
