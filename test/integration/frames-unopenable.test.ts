import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatRfc3339, wallMs } from '../../src/base/time.ts';
import { recently, startIngest, writeFrame } from '../fixtures/ingest.ts';
import { makeJpeg } from '../fixtures/pictures.ts';

test('a file that can never be opened takes nothing with it: its neighbours are on the timeline, itself in the dead letters', async () => {
  await using bench = await startIngest();
  const t0 = recently();
  const good = await writeFrame(bench, 'good.jpg', makeJpeg({ width: 160, height: 120 }));
  // A name longer than file systems allow (ENAMETOOLONG): missing, and no use to wait for.
  const never = join(bench.frameRoot, `${'x'.repeat(300)}.jpg`);
  const accepted = await bench.intake.acceptEvents(
    [good, never, good].map((framePath, index) => ({
      eventId: `e-${index}`,
      clientId: 'test',
      deviceId: 'cam',
      timestamp: formatRfc3339(wallMs(t0 + index * 1000)),
      framePath,
    })),
  );
  await bench.settled();
  const { segments } = await bench.stores.catalog.dvrWindow(accepted[0]?.streamId ?? '');
  assert.deepEqual(
    segments.flatMap((segment) => segment.frameTimesMs),
    [t0, t0 + 2000],
  );
  const letters = await bench.deadLetters();
  assert.deepEqual(
    letters.map(({ code, tries }) => ({ code, tries })),
    [{ code: 'missing_input', tries: 1 }],
  );
});
