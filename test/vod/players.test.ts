import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AssetPlayerPage } from '../fixtures/asset-player-page.ts';
import { TestServer } from '../fixtures/server.ts';
import { ended, upload } from '../fixtures/vod-assets.ts';
import { vodShape } from '../fixtures/vod-shapes.ts';

/** Files whose renditions are as unlike as can be, and what is to be heard and read of them. */
const FILES: readonly {
  readonly file: string;
  readonly languages?: readonly string[];
  readonly text?: string;
  /** Where pictures end before the sound: shaka-player ends HLS with the shorter of them. */
  readonly picturesEndS?: number;
}[] = [
  { file: 'variable.mp4' },
  { file: 'screen.mp4', picturesEndS: 10.44 },
  { file: 'turned-90.mp4' },
  { file: 'languages.mkv', languages: ['en', 'de'], text: 'Wort' },
  { file: 'alone.mp3' },
  { file: 'late.ts' },
  { file: 'codecs.mp4' },
];

/** Every player that reads it. */
const WAYS = [
  ['hls', 'master.m3u8'],
  ['shaka', 'master.m3u8'],
  ['shaka', 'manifest.mpd'],
  ['dash', 'manifest.mpd'],
] as const;

const SHORT = { ZOETROPE_VOD_SEGMENT_SECONDS: '1', ZOETROPE_VOD_CHUNK_SECONDS: '2' };

describe('real files in Chromium', () => {
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-vod-players-'));
  let server: TestServer;
  let page: AssetPlayerPage;
  const assets = new Map<string, { readonly id: string; readonly seconds: number }>();
  before(async () => {
    server = await TestServer.start({ env: SHORT });
    page = await AssetPlayerPage.open((path) => new URL(path, server.url).href);
    const sent = FILES.map(async ({ file }) => {
      const { make, asset } = vodShape(file);
      const path = join(directory, file);
      await make(path);
      const { id } = await upload(server, path, { filename: file, ...(asset === undefined ? {} : { asset }) });
      const { state, cause, durationMs } = await ended(server, id, 200_000);
      assert.equal(state, 'ready', `${file}: ${JSON.stringify(cause)}`);
      assets.set(file, { id, seconds: (durationMs ?? 0) / 1000 });
    });
    await Promise.all(sent);
  });
  after(async () => {
    await page[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  for (const { file, languages, text, picturesEndS } of FILES) {
    for (const [player, path] of WAYS) {
      test(`${player} plays ${path} of ${file} from start to end`, async () => {
        const { id, seconds: whole } = assets.get(file) ?? assert.fail(`${file} is missing`);
        const isShortened = player === 'shaka' && path === 'master.m3u8';
        const seconds = isShortened ? (picturesEndS ?? whole) : whole;
        await page.load(player, `/play/assets/${id}/${path}`);
        await page.playTo(0.5);
        const { duration } = await page.report();
        assert.ok(Math.abs(duration - seconds) < 0.1, `it lasts ${duration} s, not ${seconds} s`);
        if (languages !== undefined) assert.deepEqual(await page.ask('audioTracks'), languages);
        if (text !== undefined) await page.selectText(0, text);
        await page.playOut(4);
        const { errors, message, currentTime, videoWidth, frames } = await page.report();
        assert.deepEqual([errors, message], [[], null]);
        assert.ok(
          currentTime > seconds - 0.2 && currentTime < whole + 0.2,
          `it ended at ${currentTime} s of ${seconds} s`,
        );
        const size = vodShape(file).size;
        if (size !== null) assert.ok(videoWidth > 0 && frames > 0, 'pictures are shown');
      });
    }
  }
});
