import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import { AssetPlayerPage } from '../fixtures/asset-player-page.ts';
import { eventually } from '../fixtures/processes.ts';
import { makeHls, makePushStream, push } from '../fixtures/pushed-hls.ts';
import { pushVariants, variantsArguments, type VariantsWish } from '../fixtures/pushed-variants.ts';
import { TestServer } from '../fixtures/server.ts';

describe('hls.js in Chromium on what encoders push', () => {
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-variants-'));
  let server: TestServer;
  let page: AssetPlayerPage;
  let encoder: ChildProcess | undefined;
  before(async () => {
    server = await TestServer.start();
    page = await AssetPlayerPage.open((path) => `${server.url}${path}`);
  });
  after(async () => {
    await stop();
    await page?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  function start(wish: VariantsWish, id: string): void {
    encoder = spawn('/usr/bin/ffmpeg', variantsArguments(wish, `${server.url}/ingest/hls/${id}`), { stdio: 'ignore' });
  }

  async function stop(): Promise<void> {
    const child = encoder;
    encoder = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async function segments(id: string): Promise<number> {
    const { source } = await server.api.json<StreamJson>(`/v1/streams/${id}`);
    return source?.segments ?? 0;
  }

  for (const container of ['ts', 'fmp4'] as const) {
    test(`${container}: pictures play with sound that is apart from them, over a restart of the encoder`, async () => {
      const id = await makePushStream(server.api, container);
      const wish: VariantsWish = {
        container,
        seconds: 90,
        sizes: ['160x90', '320x180'],
        sound: ['en', 'de'],
        isLive: true,
      };
      start(wish, id);
      // Four playlists with four segments each.
      await eventually('there is something to play', async () => ((await segments(id)) >= 16 ? true : undefined), {
        timeoutMs: 40_000,
        describe: () => server.logs,
      });
      await page.load('hls', `/play/streams/${id}/master.m3u8`);
      assert.deepEqual(await page.ask('heights'), [90, 180]);
      assert.deepEqual(await page.ask('audioTracks'), ['en', 'de']);
      const { currentTime } = await page.report();
      await page.playTo(currentTime + 2, 1);
      const before = await page.report();
      assert.ok(before.soundBytes > 10_000, `${before.soundBytes} bytes of sound`);
      await stop();
      const made = await segments(id);
      start(wish, id);
      await eventually('the encoder is back', async () => ((await segments(id)) >= made + 8 ? true : undefined), {
        timeoutMs: 40_000,
      });
      await page.playTo(currentTime + 9, 1);
      const { errors, message, soundBytes } = await page.report();
      assert.deepEqual([errors, message], [[], null]);
      assert.ok(soundBytes > 2 * before.soundBytes, `${soundBytes} bytes of sound, ${before.soundBytes} before`);
      await stop();
    });
  }

  for (const [player, path] of [
    ['shaka', 'manifest.mpd'],
    ['shaka', 'master.m3u8'],
  ] as const) {
    test(`${player} plays ${path} with sound that is apart from the pictures`, async () => {
      const id = await makePushStream(server.api, path);
      const wish: VariantsWish = { container: 'fmp4', seconds: 8, sizes: ['160x90', '320x180'], sound: ['en', 'de'] };
      await pushVariants(wish, `${server.url}/ingest/hls/${id}`);
      await eventually('all is taken', async () => ((await segments(id)) >= 18 ? true : undefined), {
        timeoutMs: 20_000,
        describe: () => server.logs,
      });
      await server.api.request(`/v1/streams/${id}/end`, { method: 'POST' });
      // It was pushed faster than it was filmed, and shaka passes over segments that begin in the future.
      const { lastCapturedAt } = await server.api.json<StreamJson>(`/v1/streams/${id}`);
      await eventually('its pictures are past', () => Date.now() > Date.parse(lastCapturedAt ?? '') || undefined, {
        timeoutMs: 20_000,
      });
      await page.load(player, `/play/streams/${id}/${path}`);
      assert.deepEqual(await page.ask('heights'), [90, 180]);
      assert.deepEqual([...((await page.ask('audioTracks')) as readonly string[])].toSorted(), ['de', 'en']);
      const { currentTime } = await page.report();
      await page.playTo(currentTime + 7, 1.5);
      const { errors, soundBytes, frames } = await page.report();
      assert.deepEqual(errors, []);
      assert.ok(soundBytes > 30_000 && frames > 150, `${soundBytes} bytes of sound, ${frames} pictures`);
    });
  }

  test('a segment without sound among others is silent, and the epoch goes on', async () => {
    const id = await makePushStream(server.api, 'flapping');
    const { playlist, files } = await makeHls({ container: 'ts', seconds: 12 }, directory);
    for (const [index, [name, bytes]] of [...files].entries()) {
      await push(server.api, id, name, index === 2 || index === 4 ? withoutSound(bytes) : bytes);
    }
    await push(server.api, id, 'live.m3u8', playlist);
    await eventually('all is taken', async () => ((await segments(id)) >= 6 ? true : undefined), {
      timeoutMs: 20_000,
      describe: () => server.logs,
    });
    await server.api.request(`/v1/streams/${id}/end`, { method: 'POST' });
    const { bytes } = await server.api.request(`/play/streams/${id}/dvr.m3u8`);
    assert.doesNotMatch(bytes.toString(), /EXT-X-DISCONTINUITY$/m);
    await page.load('hls', `/play/streams/${id}/dvr.m3u8`);
    await page.playOut(1.5, 40_000);
    const { errors, message, frames, duration } = await page.report();
    assert.deepEqual([errors, message], [[], null]);
    assert.ok(frames >= 290 && Math.abs(duration - 12) < 0.1, `${frames} pictures in ${duration} s`);
  });

  function withoutSound(bytes: Buffer): Buffer {
    const [from, to] = [join(directory, 'with.ts'), join(directory, 'without.ts')];
    writeFileSync(from, bytes);
    const options = `-v error -y -copyts -i ${from} -map 0:v -c copy -muxpreload 0 -muxdelay 0 -f mpegts ${to}`;
    execFileSync('/usr/bin/ffmpeg', options.split(' '));
    return readFileSync(to);
  }
});
