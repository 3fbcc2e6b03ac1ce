import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { openStores } from '../../src/app/stores.ts';
import { streamDefaults } from '../../src/app/stream-defaults.ts';
import { systemClock } from '../../src/base/clock.ts';
import { randomIds } from '../../src/base/ids.ts';
import { Lifecycle } from '../../src/base/lifecycle.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { wallMs } from '../../src/base/time.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { FrameIntake } from '../../src/ingest/frames/frame-intake.ts';
import { FrameRoots } from '../../src/ingest/frames/frame-roots.ts';
import { createFrameIntake } from '../../src/ingest/frames/intake.ts';
import { recently, startIngest, type IngestBench } from '../fixtures/ingest.ts';
import { makeJpeg } from '../fixtures/pictures.ts';

const jpeg = makeJpeg({ width: 160, height: 120 });

/** The door of another process on a bench's stores, which hears of changes as late as another process does. */
async function openDoor(bench: IngestBench) {
  const { config } = await loadConfig({ environment: { ZOETROPE_DATA_DIR: dirname(bench.frameRoot) } });
  const deps = { clock: systemClock, ids: randomIds, logger: silentLogger };
  const stores = await openStores(config, deps);
  const lifecycle = new Lifecycle('door', [stores.objects, stores.events, stores.catalog], deps);
  await lifecycle.start(new AbortController().signal);
  const intake: FrameIntake = createFrameIntake({
    ...deps,
    ...stores,
    lastSeen: { note: () => undefined },
    roots: await FrameRoots.open([]),
    defaults: streamDefaults(config),
    limits: { maxBytes: 1 << 20, maxPixels: 1 << 20 },
  });
  return { stores, intake, [Symbol.asyncDispose]: () => lifecycle.close() };
}

test('a frame that comes right after another process removed the stream begins the new one', async () => {
  await using bench = await startIngest({ environment: { ZOETROPE_FRAMES_PER_SEGMENT: '1' } });
  await using door = await openDoor(bench);
  const post = (atMs: number) =>
    door.intake.acceptDeviceFrame('test', 'cam', { jpeg, capturedAtMs: wallMs(atMs), eventId: undefined });
  const t0 = recently();
  const old = await post(t0);
  await bench.segments(old.streamId, 1);
  await door.stores.catalog.deleteStream(old.streamId);
  const fresh = await post(t0 + 5000);
  assert.notEqual(fresh.streamId, old.streamId);
  await bench.settled();
  assert.deepEqual(await bench.deadLetters(), []);
  const [segment] = await bench.segments(fresh.streamId, 1);
  assert.deepEqual(segment?.frameTimesMs, [t0 + 5000]);
});
