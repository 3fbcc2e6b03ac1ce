import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { inStep, listedOf, mediaOf, untilListed } from '../fixtures/ladder-judge.ts';
import { judgeSegment } from '../fixtures/live-judge.ts';
import { makeHls, makePushStream, push, untilSegment } from '../fixtures/pushed-hls.ts';
import { createRandom, runSeed } from '../fixtures/random.ts';
import { TestServer } from '../fixtures/server.ts';

const SEGMENTS = Number(process.env['INTEGRITY_ROUNDS'] ?? 8) * 2;
const SEGMENT_S = 2;
// All that is pushed may still be caught up with.
const ENV = { ZOETROPE_LIVE_SEGMENTS: '100', ZOETROPE_LADDER_WORKERS: '2', ZOETROPE_CLEANUP_INTERVAL_SECONDS: '1' };

const scratch = mkdtempSync(join(tmpdir(), 'zoetrope-ladder-crash-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('whatever is killed while a ladder is made: each segment has its rungs once, in step with the source', async (t) => {
  const random = createRandom(runSeed());
  t.diagnostic(`INTEGRITY_SEED=${random.seed} repeats this run`);
  await using server = await TestServer.start({ env: { ...ENV, ZOETROPE_ROLES: 'api,delivery,ingest,upkeep' } });
  const asWorker = { dataDir: server.dataDir, env: { ...ENV, ZOETROPE_ROLES: 'worker' } };
  await using one = await TestServer.start(asWorker);
  await using two = await TestServer.start(asWorker);
  const settings = { ladder: [{ height: 180 }, { height: 90 }] };
  const id = await makePushStream(server.api, 'killed', { settings });
  const media = await makeHls({ container: 'ts', seconds: SEGMENTS * SEGMENT_S, size: '480x270' }, scratch);

  const kills = { server: 0, worker: 0, engine: 0 };
  for (const [index, [name, bytes]] of [...media.files].entries()) {
    await push(server.api, id, name, bytes);
    await push(server.api, id, 'live.m3u8', untilSegment(media.playlist, index + 1));
    // A ladder that is new begins with the newest few segments; from then on it leaves none out.
    if (index === 0) for (const rendition of ['180p', '90p']) await untilListed(server, id, rendition, 1);
    await delay(random.integer(0, 700));
    const victim = random.pick(['server', 'worker', 'worker', 'engine', null] as const);
    const worker = random.pick([one, two]);
    if (victim === 'engine' && worker.killEngine((count) => random.integer(0, count - 1))) kills.engine++;
    if (victim !== 'server' && victim !== 'worker') continue;
    const target = victim === 'server' ? server : worker;
    kills[victim]++;
    await target.kill();
    await target.restart();
  }
  t.diagnostic(JSON.stringify(kills));

  const main = await untilListed(server, id, 'main', SEGMENTS);
  assert.equal(main.segments.length, SEGMENTS);
  let gaps = 0;
  for (const [rendition, size] of [
    ['180p', [320, 180]],
    ['90p', [160, 90]],
  ] as const) {
    const rung = await untilListed(server, id, rendition, SEGMENTS);
    assert.deepEqual(inStep(rung), inStep(main));
    const live = await listedOf(server, id, 'live', rendition);
    assert.deepEqual(
      live?.segments.map(({ sequence }) => sequence),
      [...main.segments.keys()],
    );
    for (const line of rung.segments) {
      gaps += Number(line.isGap);
      if (line.isGap) continue;
      const { width, height, clocksMs } = await judgeSegment(...(await mediaOf(server, id, line)));
      assert.deepEqual([width, height, clocksMs.length], [...size, SEGMENT_S * 25]);
    }
  }
  // A segment is given up when the engine died under it twice: no more than the kills, in both rungs.
  assert.ok(gaps <= kills.engine, `${gaps} gaps after ${kills.engine} kills of the engine`);
  await assertDoctorClean(server);
  for (const process of [server, one, two]) await process.orphansGone();
});
