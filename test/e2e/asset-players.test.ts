import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeAssetMedia, type AssetMedia } from '../fixtures/asset-media.ts';
import { AssetPlayerPage, type PlayerName } from '../fixtures/asset-player-page.ts';
import { FabricatedAsset } from '../fixtures/asset-world.ts';
import { PlaybackServer } from '../fixtures/playback.ts';

const SECONDS = 10;
/** MPEG-TS has no edit list: hls.js notes that the first packet of sound, which nobody is to hear, lies before 0, and goes on. */
const PRIMING = 'bufferAppendNoProgress audio ';

describe('players in Chromium', () => {
  let server: PlaybackServer;
  let page: AssetPlayerPage;
  let media: AssetMedia;
  let plain: FabricatedAsset;
  let encrypted: FabricatedAsset;
  before(async () => {
    server = await PlaybackServer.open();
    media = makeAssetMedia({ seconds: SECONDS, audioTracks: 2, captionTracks: 2 });
    plain = await FabricatedAsset.ready(server, media);
    encrypted = await FabricatedAsset.ready(server, media, { encryption: 'aes-128' });
    page = await AssetPlayerPage.open((path) => server.url(path));
  });
  after(async () => {
    await page?.[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const base = (asset: FabricatedAsset): string => `/play/assets/${asset.id}`;

  for (const [player, name, path, asset] of [
    ['hls', 'hls.js plays HLS', 'master.m3u8', () => plain],
    ['hls', 'hls.js plays HLS with MPEG-TS', 'master.m3u8?container=ts', () => plain],
    ['hls', 'hls.js plays encrypted HLS', 'master.m3u8', () => encrypted],
    ['hls', 'hls.js plays encrypted HLS with MPEG-TS', 'master.m3u8?container=ts', () => encrypted],
    ['shaka', 'shaka-player plays HLS', 'master.m3u8', () => plain],
    ['shaka', 'shaka-player plays encrypted HLS', 'master.m3u8', () => encrypted],
    ['shaka', 'shaka-player plays DASH', 'manifest.mpd', () => plain],
    ['dash', 'dash.js plays DASH', 'manifest.mpd', () => plain],
  ] as const satisfies readonly (readonly [PlayerName, string, string, () => FabricatedAsset])[]) {
    test(`${name}: from the start, another quality, captions, back, and to the end`, async () => {
      await page.load(player, `${base(asset())}/${path}`);
      assert.deepEqual(await page.ask('heights'), [90, 180]);
      await page.playTo(1.5);
      const early = await page.report();
      assert.ok(Math.abs(early.duration - SECONDS) < 0.1, `it lasts ${early.duration} s`);
      assert.ok((early.buffered[0]?.[0] ?? 1) < 0.1, JSON.stringify(early.buffered));
      for (const index of [0, 1, 0]) await page.select(index);
      await page.selectText(0, 'Track 0, cue');
      await page.seek(SECONDS - 3);
      await page.playTo(SECONDS - 2);
      await page.seek(0.5);
      await page.playTo(2);
      await page.seek(SECONDS - 2);
      await page.playOut();
      const late = await page.report();
      assert.deepEqual([late.errors.filter((one) => !one.startsWith(PRIMING)), late.message], [[], null]);
      assert.ok(Math.abs(late.currentTime - SECONDS) < 0.15, `it ended at ${late.currentTime} s`);
    });
  }

  test('languages are offered and can be changed', async () => {
    for (const [player, path] of [
      ['hls', 'master.m3u8'],
      ['shaka', 'master.m3u8'],
      ['shaka', 'manifest.mpd'],
      ['dash', 'manifest.mpd'],
    ] as const) {
      await page.load(player, `${base(plain)}/${path}`);
      assert.deepEqual(await page.ask('audioTracks'), ['en', 'de'], `${player} ${path}`);
      assert.deepEqual(await page.ask('textTracks'), ['en', 'de'], `${player} ${path}`);
      await page.playTo(1);
      await page.ask('selectAudio', 1);
      await page.playTo(3);
      await page.seek(SECONDS - 1.5);
      await page.playOut();
      assert.deepEqual((await page.report()).errors, [], `${player} ${path}`);
    }
  });

  test('keyframe playlists are played, the storyboard is found', async () => {
    await page.load('hls', `${base(plain)}/master.m3u8`);
    assert.ok([160, 320].includes(Number(await page.ask('keyframes', 5))));
    assert.deepEqual((await page.report()).errors, []);
    // Longer than what shaka-player buffers ahead: it fetches keyframes for what is not there yet.
    const long = await FabricatedAsset.ready(server, makeAssetMedia({ seconds: 30, sizes: ['160x90'] }));
    await page.load('shaka', `${base(long)}/master.m3u8`);
    assert.equal(await page.ask('keyframes'), 160);
    assert.ok((await page.requests()).some((url) => url.includes('/iframes.m3u8')));
    const path = `${base(plain)}/storyboard.vtt`;
    const tile = (await page.ask('thumbnail', path, 6.5)) as Readonly<Record<string, unknown>>;
    assert.deepEqual([tile['positionX'], tile['positionY'], tile['width'], tile['height']], [0, 45, 80, 45]);
    assert.match(String(tile['uri']), /\/storyboard\/1\.jpg/);
    assert.deepEqual((await page.report()).errors, []);
  });

  for (const [player, path] of [
    ['hls', 'master.m3u8'],
    ['shaka', 'master.m3u8'],
    ['shaka', 'manifest.mpd'],
    ['dash', 'manifest.mpd'],
  ] as const) {
    test(`${player} follows ${path} while it grows, from its start to its end`, async () => {
      const asset = await FabricatedAsset.make(server, media);
      await asset.settle({ asset: { media: { ...NOTHING_KNOWN, durationMs: SECONDS * 1000 } } });
      await asset.publish(4);
      await page.load(player, `${base(asset)}/${path}`);
      await page.playTo(1.5, 1);
      assert.ok((await page.report()).currentTime < 4, 'it begins at the start');
      await asset.publish(6);
      await page.playTo(4.5, 1);
      await asset.finish();
      await page.playOut(1.5, 40_000);
      const { errors, currentTime } = await page.report();
      assert.deepEqual(errors, []);
      assert.ok(Math.abs(currentTime - SECONDS) < 0.15, `it ended at ${currentTime} s`);
    });
  }
});

const NOTHING_KNOWN = { container: 'mp4', sizeBytes: 1, video: [], audio: [], subtitles: [] };
