import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isFinal } from '../../src/timeline/asset.ts';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { eventually } from '../fixtures/processes.ts';
import { createRandom, runSeed } from '../fixtures/random.ts';
import { TestServer } from '../fixtures/server.ts';
import {
  filesOf,
  fingerprint,
  incomingFiles,
  makeFilm,
  readAsset,
  readJob,
  sendFilm,
  untilReady,
} from '../fixtures/vod-jobs.ts';

const ROUNDS = Number(process.env['INTEGRITY_ROUNDS'] ?? 8);
const FILM_SECONDS = 14;
const KILLS_A_ROUND = 3;
const REQUEST = {
  outputs: {
    video: [
      { heightPx: 180, preset: 'ultrafast' },
      { heightPx: 90, preset: 'ultrafast' },
    ],
    download: true,
  },
};
const ENV = {
  ZOETROPE_VOD_SEGMENT_SECONDS: '1',
  ZOETROPE_VOD_CHUNK_SECONDS: '2',
  ZOETROPE_VOD_LEASE_SECONDS: '2',
  ZOETROPE_VOD_WORKERS: '1',
  // Tries that were killed are no fault of the film's.
  ZOETROPE_VOD_MAX_ATTEMPTS: '50',
  ZOETROPE_CLEANUP_INTERVAL_SECONDS: '1',
};

const scratch = mkdtempSync(join(tmpdir(), 'zoetrope-vod-crash-'));
const film = join(scratch, 'film.mp4');
makeFilm(film, FILM_SECONDS);
after(() => rmSync(scratch, { recursive: true, force: true }));

test('whatever is killed in the middle of a job: it ends ready, with the bytes of an undisturbed run, and no finished task is done again', async (t) => {
  const random = createRandom(runSeed());
  t.diagnostic(`INTEGRITY_SEED=${random.seed} repeats this run`);
  await using server = await TestServer.start({ env: ENV });
  await using worker = await TestServer.start({ dataDir: server.dataDir, env: { ...ENV, ZOETROPE_ROLES: 'worker' } });
  const undisturbed = await untilReady(server, (await sendFilm(server, film, REQUEST)).id);
  const wanted = await fingerprint(server, undisturbed);

  const kills = { server: 0, worker: 0, task: 0 };
  let finishedBefore = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { id } = await sendFilm(server, film, REQUEST);
    const done = new Map<string, number>();
    for (let kill = 0; kill < KILLS_A_ROUND; kill++) {
      await delay(random.integer(50, 1200));
      const victim = random.pick(['server', 'worker', 'task'] as const);
      const target = victim === 'server' ? server : victim === 'worker' ? worker : random.pick([server, worker]);
      if (victim === 'task') {
        if (target.killEngine((count) => random.integer(0, count - 1))) kills.task++;
        continue;
      }
      kills[victim]++;
      await target.kill();
      for (const task of (await readJob(server.dataDir, id)).tasks) {
        if (task.state === 'done') done.set(task.id, task.attempt);
      }
      await target.restart();
    }
    const asset = await untilReady(server, id);
    assert.deepEqual(await fingerprint(server, asset), wanted, `the bytes of round ${round}`);
    const after = await readJob(server.dataDir, id);
    for (const [taskId, attempt] of done) {
      const task = after.tasks.find((candidate) => candidate.id === taskId);
      assert.equal(task?.attempt, attempt, `task ${taskId} was done and is not done again`);
    }
    finishedBefore += done.size;
    await assertNothingLeft(server, id);
  }
  t.diagnostic(`kills: ${JSON.stringify(kills)}; ${finishedBefore} tasks were done before a kill and stayed so`);
  assert.deepEqual(incomingFiles(server.dataDir), []);
  await server.orphansGone();
  await worker.orphansGone();
  await assertDoctorClean(server);
});

test('a job, or one of its outputs, cancelled at any instant leaves nothing behind', async (t) => {
  const random = createRandom(runSeed());
  t.diagnostic(`INTEGRITY_SEED=${random.seed} repeats this run`);
  await using server = await TestServer.start({ env: { ...ENV, ZOETROPE_VOD_WORKERS: '2' } });
  let [cancelled, tooLate, outputs] = [0, 0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const { id } = await sendFilm(server, film, REQUEST);
    await delay(random.integer(0, 4000));
    if (round % 2 === 0) {
      const response = await fetch(`${server.url}/v1/assets/${id}/cancel`, { method: 'POST' });
      if (response.status === 409) tooLate++;
      else {
        assert.ok(response.ok, await response.text());
        cancelled++;
        assert.equal((await readAsset(server, id)).state, 'cancelled');
        await eventually(
          'nothing of it is on disk',
          () => (filesOf(server.dataDir, id).length === 0 ? true : undefined),
          {
            timeoutMs: 20_000,
            describe: () => filesOf(server.dataDir, id).join('\n'),
          },
        );
        continue;
      }
    } else {
      const { outputs: shown } = await readAsset(server, id);
      const open = shown.filter(
        ({ kind, state }) => kind === 'video' && !['ready', 'failed', 'cancelled'].includes(state),
      );
      const victim = open.length === 0 ? undefined : random.pick(open);
      if (victim !== undefined) {
        const url = `${server.url}/v1/assets/${id}/outputs/${victim.id}/cancel`;
        const response = await fetch(url, { method: 'POST' });
        assert.ok(response.ok || response.status === 409, await response.text());
        if (response.ok) outputs++;
      }
    }
    await untilReady(server, id);
    await assertNothingLeft(server, id);
  }
  t.diagnostic(`${cancelled} jobs cancelled, ${tooLate} were over already, ${outputs} outputs cancelled`);
  await assertDoctorClean(server);
});

/** On disk are the source and what rows name, and nothing else. */
async function assertNothingLeft(server: TestServer, id: string): Promise<void> {
  const job = await readJob(server.dataDir, id);
  assert.ok(isFinal(job.asset.state));
  const cancelled = job.outputs.filter(({ state }) => state === 'cancelled').map((output) => output.id);
  const result = await eventually(
    `only what is named is left of ${id}`,
    async () => {
      const files = filesOf(server.dataDir, id);
      const isClean = !files.some(
        (key) => key.includes('/parts/') || cancelled.some((outputId) => key.includes(outputId)),
      );
      return isClean && (await isAllNamed(server, id, files)) ? true : undefined;
    },
    { timeoutMs: 20_000, describe: () => filesOf(server.dataDir, id).join('\n') },
  );
  assert.ok(result);
}

async function isAllNamed(server: TestServer, id: string, files: readonly string[]): Promise<boolean> {
  const { outputs } = await readJob(server.dataDir, id);
  const asset = await readAsset(server, id);
  let named = outputs.reduce((sum, output) => sum + (output.spec.kind === 'subtitles' ? 0 : output.files.length), 0);
  for (const output of asset.outputs) {
    if ((output.kind !== 'video' && output.kind !== 'audio') || output.state !== 'ready') continue;
    const playlist = await (await fetch(`${server.url}/play/assets/${id}/${output.id}/index.m3u8`)).text();
    named += playlist.split('\n').filter((line) => line.startsWith('#EXTINF')).length;
  }
  return files.length === named;
}
