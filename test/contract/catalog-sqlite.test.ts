import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '../../src/base/fake-clock.ts';
import { randomIds } from '../../src/base/ids.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { createSqliteCatalog } from '../../src/catalog/sqlite/sqlite-catalog.ts';
import { catalogContract } from './catalog.contract.ts';

catalogContract('sqlite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'zoetrope-catalog-'));
  const clock = new FakeClock();
  return {
    open: () =>
      createSqliteCatalog({ path: join(directory, 'catalog.db'), clock, ids: randomIds, logger: silentLogger }),
    clock,
    pass: (ms) => clock.advance(ms),
    dispose: () => rm(directory, { recursive: true }),
  };
});
