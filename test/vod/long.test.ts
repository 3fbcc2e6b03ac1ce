import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { TestServer } from '../fixtures/server.ts';
import { judgePictures } from '../fixtures/video-judge.ts';
import { ended, fetchRenditions, upload, type FoundAsset } from '../fixtures/vod-assets.ts';
import { flashesOf, judgeSound, marksOf } from '../fixtures/vod-judge.ts';
import { beeps, ffmpeg, NUMBER_BITS, pictures } from '../fixtures/vod-sources.ts';

const SECONDS = 600;
const RATE = 10;
const EVERY_S = 10;

describe('ten minutes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-vod-long-'));
  let server: TestServer;
  let found: FoundAsset;
  before(async () => {
    server = await TestServer.start();
    const path = join(directory, 'long.mkv');
    // 44.1 kHz: no number of AAC frames makes a whole number of milliseconds.
    const sound = beeps({ seconds: SECONDS, everyS: EVERY_S, rateHz: 44_100, channels: 1 });
    const shown = pictures({ seconds: SECONDS, everyS: EVERY_S, rate: `${RATE}` });
    await ffmpeg(shown, sound, '-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 37 -bf 2 -c:a flac', [path]);
    const { id } = await upload(server, path, { filename: 'long.mkv' });
    const { state, cause } = await ended(server, id, 280_000);
    assert.equal(state, 'ready', JSON.stringify(cause));
    found = await fetchRenditions(server, id, directory);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  test('no picture is lost, doubled or late, and none drifts from its sound', async (t) => {
    const [rung] = found.rungs;
    const [rendition] = found.sounds;
    assert.ok(rung !== undefined && rendition !== undefined);
    const timesS = (await judgePictures(rung.path)).map(({ time90k }) => time90k / 90_000);
    assert.equal(timesS.length, SECONDS * RATE);
    const worstMs = timesS.reduce((worst, time, index) => Math.max(worst, Math.abs(time - index / RATE) * 1000), 0);
    assert.ok(worstMs <= 1, `a picture is off by ${worstMs} ms`);
    const marks = await marksOf(rung.path);
    assert.deepEqual(
      marks.map(({ number }) => number),
      timesS.map((_, index) => index % 2 ** NUMBER_BITS),
    );
    const { beepsS, endS, rateHz } = await judgeSound(rendition.path);
    const flashesS = flashesOf(marks, timesS);
    assert.equal(flashesS.length, SECONDS / EVERY_S);
    assert.equal(beepsS.length, flashesS.length);
    const offsMs = flashesS.map((flash, index) => ((beepsS[index] ?? Number.NaN) - flash) * 1000);
    for (const off of offsMs) assert.ok(Math.abs(off) < 20, `sound is off by ${off} ms: ${offsMs.join(', ')}`);
    assert.ok(Math.abs(endS - SECONDS) <= 1024 / rateHz + 0.001, `sound ends at ${endS} s`);
    const worst = offsMs.reduce((most, off) => (Math.abs(off) > Math.abs(most) ? off : most), 0);
    t.diagnostic(
      `sound against pictures over ${SECONDS} s: ${worst.toFixed(2)} ms at worst, ${offsMs.at(-1)?.toFixed(2)} ms at the end`,
    );
  });
});
