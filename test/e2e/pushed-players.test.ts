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
      await pushed.appendMany(3);
      await page.playTo(start + 4, 1);
      await pushed.appendMany(3);
      await pushed.end();
      await page.playOut(1.5, 40_000);
      const { errors, message, buffered } = await page.report();
      assert.deepEqual([errors, message], [[], null]);
      assert.ok(buffered.length > 0);
    });
  }
});
