import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ChunkEncoder, makeChunks } from '../fixtures/chunk-encoder.ts';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { eventually } from '../fixtures/processes.ts';
import { createRandom, runSeed, type Random } from '../fixtures/random.ts';
import { TestServer } from '../fixtures/server.ts';

const ROUNDS = Number(process.env['INTEGRITY_ROUNDS'] ?? 8);
const STREAMS = 3;
const HOUR_MS = 3_600_000;
/** A late chunk comes behind so many later ones. */
const LATE_BY = 3;

test('the server is killed again and again: every announced chunk is on its timeline once, and the end behind them', async (t) => {
  const random = createRandom(runSeed());
  t.diagnostic(`INTEGRITY_SEED=${random.seed} repeats this run`);
  const media = await makeChunks('fmp4', 6);
  await using server = await TestServer.start({ env: { ZOETROPE_OFFLINE_AFTER_SECONDS: '3600' } });
  const encoders: ChunkEncoder[] = [];
  for (let index = 0; index < STREAMS; index++) {
    encoders.push(await ChunkEncoder.make(server.api, `encoder-${index}`, media, Date.now() - 6 * HOUR_MS));
  }
  const stop = new AbortController();
  t.after(() => stop.abort());
  const sending = encoders.map((encoder) => send(encoder, random, stop.signal));
  for (let round = 0; round < ROUNDS; round++) {
    await delay(random.integer(50, 1500));
    await server.kill();
    await server.orphansGone();
    await server.restart();
  }
  await delay(500);
  stop.abort();
  const counts = await Promise.all(sending);
  for (const [at, encoder] of encoders.entries()) {
    const count = counts[at] ?? 0;
    let last = '';
    await eventually(
      `${count} chunks and the end are there`,
      async () => {
        const { nextIndex, missing, rejected } = await encoder.chunks();
        const { isEnded } = nextIndex === 0 ? { isEnded: false } : await encoder.playlist('dvr');
        last = JSON.stringify({ nextIndex, missing, isEnded, rejected });
        return nextIndex === count && missing === 0 && isEnded ? true : undefined;
      },
      { timeoutMs: 60_000, describe: () => `${last}\n${server.logs}` },
    );
    const { timesMs } = await encoder.playlist('dvr');
    assert.deepEqual(
      timesMs,
      Array.from({ length: count }, (_, index) => encoder.timeMs(index)),
    );
    assert.deepEqual((await encoder.chunks()).rejected, []);
  }
  await assertDoctorClean(server);
  await server.stop();
  await assertDoctorClean(server);
  t.diagnostic(`${counts.join(', ')} chunks`);
});

/** Sends chunks, some late, doubled or announced wrongly first, each until it was acknowledged; then the end. Answers how many. */
async function send(encoder: ChunkEncoder, random: Random, signal: AbortSignal): Promise<number> {
  const late: number[] = [];
  let next = 0;
  for (; !signal.aborted; next++) {
    if (random.integer(0, 9) === 0) late.push(next);
    else await acknowledged(encoder, next, random);
    const due = late[0];
    if (due !== undefined && due + LATE_BY <= next) await acknowledged(encoder, late.shift() ?? due, random);
    await delay(30);
  }
  for (const index of late) await acknowledged(encoder, index, random);
  await insist(async () => {
    const { status } = await encoder.end();
    assert.ok(status === 200 || status === 202, `${status}`);
  });
  return next;
}

async function acknowledged(encoder: ChunkEncoder, index: number, random: Random): Promise<void> {
  const fault = random.pick(['none', 'none', 'none', 'twice', 'wrong'] as const);
  await insist(() => encoder.put(index));
  const event = encoder.event(index);
  if (fault === 'wrong') await insist(() => encoder.announce({ ...event, checksum: `sha256:${'0'.repeat(64)}` }));
  await insist(() => encoder.announce(event));
  if (fault === 'twice') await insist(() => encoder.announce(event));
}

/** Until the server takes it: it is killed time and again. */
async function insist(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch {
      await delay(100); // Killed, or not up yet.
    }
  }
}
