import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '../../src/base/fake-clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { createEmbeddedLog } from '../../src/events/embedded/embedded-log.ts';
import { eventsContract } from './events.contract.ts';

eventsContract('embedded', async ({ partitions, retentionMs }) => {
  const directory = await mkdtemp(join(tmpdir(), 'zoetrope-events-'));
  const clock = new FakeClock();
  return {
    open: () =>
      createEmbeddedLog({ path: join(directory, 'events.db'), partitions, retentionMs, clock, logger: silentLogger }),
    pass: (ms) => clock.advance(ms),
    dispose: () => rm(directory, { recursive: true }),
  };
});
