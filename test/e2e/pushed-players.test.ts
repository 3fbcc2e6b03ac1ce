import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AssetPlayerPage, type PlayerName } from '../fixtures/asset-player-page.ts';
import { PlaybackServer } from '../fixtures/playback.ts';
import { PushedMedia } from '../fixtures/pushed-media.ts';
import { PushedStream } from '../fixtures/pushed-stream.ts';

describe('players in Chromium on pushed streams', () => {
  let server: PlaybackServer;
  let page: AssetPlayerPage;
  let media: PushedMedia;
  let small: PushedMedia;
  before(async () => {
    server = await PlaybackServer.open();
    media = new PushedMedia();
    small = new PushedMedia({ size: '160x90' });
    page = await AssetPlayerPage.open((path) => server.url(path));
  });
  after(async () => {
    await page?.[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const base = ({ id }: PushedStream): string => `/play/streams/${id}`;

  for (const [player, path] of [
    ['hls', 'master.m3u8'],
    ['hls', 'live.m3u8?container=ts'],
    ['shaka', 'master.m3u8'],
    ['shaka', 'manifest.mpd'],
    ['dash', 'manifest.mpd'],
  ] as const satisfies readonly (readonly [PlayerName, string])[]) {
    test(`${player} follows ${path} over a restart of the encoder, until the stream ends`, async () => {
      const pushed = await PushedStream.make(server, media, { others: { '90p': small } });
      await pushed.appendMany(8);
      await page.load(player, `${base(pushed)}/${path}`);
      const start = (await page.report()).currentTime;
      await page.playTo(start + 1, 1);
      await pushed.appendMany(2);
      await page.playTo(start + 2.5, 1);
      await pushed.append({ gapMs: 2500 });
      // Where both tracks share a buffer, hls.js passes over a moment without sound, and says so.
      await pushed.append({ silent: player !== 'hls' });
      await pushed.appendMany(2);
      await page.playTo(start + 4, 1);
      await pushed.appendMany(3);
      await pushed.end();
      await page.playOut(1.5, 40_000);
      const { errors, message, soundBytes, currentTime } = await page.report();
      assert.deepEqual([errors, message], [[], null]);
      assert.ok(soundBytes > 30_000, `${soundBytes} bytes of sound`);
      if (path.endsWith('.mpd')) assert.ok(Math.abs(currentTime - pushed.edgeMs / 1000) < 0.3, 'its time is wall time');
    });
  }

  for (const [player, path] of [
    ['hls', 'dvr.m3u8'],
    ['shaka', 'dvr.m3u8'],
    ['shaka', 'manifest.mpd'],
    ['dash', 'manifest.mpd'],
    ['shaka', 'range.mpd'],
    ['dash', 'range.mpd'],
  ] as const satisfies readonly (readonly [PlayerName, string])[]) {
    test(`${player} plays ${path} of a stream that has ended from its start to its end, over a gap`, async () => {
      const pushed = await PushedStream.make(server, media, { others: { '90p': small } });
      const [first] = await pushed.appendMany(4);
      await pushed.append({ gapMs: 3000 });
      await pushed.appendMany(3);
      await pushed.end();
      const [from, to] = [first?.segment.startMs ?? 0, pushed.edgeMs];
      const query = path.startsWith('range')
        ? `?from=${encodeURIComponent(new Date(from).toISOString())}&to=${encodeURIComponent(new Date(to).toISOString())}`
        : '';
      await page.load(player, `${base(pushed)}/${path}${query}`);
      const start = (await page.report()).currentTime;
      assert.ok(Math.abs(start - (path === 'manifest.mpd' ? from / 1000 : 0)) < 0.3, `it begins at ${start}`);
      if (path.endsWith('.mpd')) {
        assert.deepEqual(await page.ask('heights'), [90, 180]);
        // dash.js 5.2 passes over no gap any more when it has replaced what it had buffered by another quality.
        for (const index of player === 'dash' ? [] : [1, 0]) await page.select(index);
      }
      await page.playOut(1.5, 40_000);
      const { errors, soundBytes, frames } = await page.report();
      assert.deepEqual(errors, []);
      assert.ok(soundBytes > 30_000 && frames > 150, `${soundBytes} bytes of sound, ${frames} pictures`);
    });
  }

  for (const player of ['shaka', 'dash'] as const) {
    test(`${player} follows the manifest of a camera`, async () => {
      const camera = await server.stream();
      for (let index = 0; index < 8; index++) await server.append(camera.id, { intervalMs: 250 });
      await page.load(player, `/play/streams/${camera.id}/manifest.mpd`);
      const start = (await page.report()).currentTime;
      await page.playTo(start + 1, 1);
      for (let index = 0; index < 4; index++) await server.append(camera.id, { intervalMs: 250 });
      await page.playTo(start + 5, 1);
      assert.deepEqual((await page.report()).errors, []);
    });
  }
});
