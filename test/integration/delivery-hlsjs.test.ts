import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { randomIds } from '../../src/base/ids.ts';
import { wallMs } from '../../src/base/time.ts';
import type { Stream } from '../../src/timeline/stream.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { PlaybackServer } from '../fixtures/playback.ts';

const HLS_JS = createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js');
const SEGMENTS = 8;
const DEADLINE_MS = 20_000;

/** What a player came to. */
interface Played {
  readonly buffered: readonly (readonly [number, number])[];
  readonly width: number;
  readonly errors: readonly string[];
  readonly urls: readonly string[];
}

describe('hls.js in Chromium', () => {
  let server: PlaybackServer;
  let browser: Browser;
  let page: Page;
  let stream: Stream;
  let from: string;
  let to: string;

  before(async () => {
    server = await PlaybackServer.open();
    stream = await server.stream();
    const { segment } = await server.append(stream.id, { intervalMs: 500 });
    from = new Date(segment.startMs).toISOString();
    for (let index = 1; index < SEGMENTS; index++) {
      await server.append(stream.id, { intervalMs: 500, gapMs: index === 5 ? 30_000 : 0 });
    }
    to = new Date(server.clock.nowMs()).toISOString();
    browser = await launchBrowser();
    page = await browser.newPage();
    const html = '<!doctype html><video muted></video>';
    await page.route('**/player.html', (route) => route.fulfill({ contentType: 'text/html', body: html }));
    await page.goto(server.url('/player.html'));
    await page.addScriptTag({ path: HLS_JS });
  });
  after(async () => {
    await browser?.close();
    await server[Symbol.asyncDispose]();
  });

  /** Loads a playlist and buffers until the player has `seconds` or gives up. */
  async function play(path: string, seconds: number): Promise<Played> {
    return page.evaluate(
      ([url, wanted, deadlineMs]) =>
        new Promise<Played>((resolve) => {
          const page = globalThis as unknown as {
            Hls: new (config: object) => HlsLike;
            document: { querySelector(selector: string): VideoLike };
          };
          interface VideoLike {
            videoWidth: number;
            buffered: { length: number; start(index: number): number; end(index: number): number };
          }
          interface HlsLike {
            on(
              event: string,
              listener: (event: string, data: { details?: string; fatal?: boolean; frag?: { url: string } }) => void,
            ): void;
            loadSource(url: string): void;
            attachMedia(video: VideoLike): void;
            destroy(): void;
          }
          const video = page.document.querySelector('video');
          const hls = new page.Hls({ startPosition: 0, maxBufferLength: 600, maxMaxBufferLength: 600 });
          const errors: string[] = [];
          const urls: string[] = [];
          const finish = (): void => {
            clearTimeout(timer);
            const { length } = video.buffered;
            const buffered = Array.from(
              { length },
              (_, index) => [video.buffered.start(index), video.buffered.end(index)] as const,
            );
            const { videoWidth: width } = video;
            hls.destroy();
            resolve({ buffered, width, errors, urls });
          };
          const timer = setTimeout(finish, deadlineMs);
          hls.on('hlsError', (_, data) => {
            errors.push(String(data.details));
            if (data.fatal === true) finish();
          });
          hls.on('hlsFragLoaded', (_, data) => void urls.push(data.frag?.url ?? ''));
          hls.on('hlsFragBuffered', () => {
            const last = video.buffered.length - 1;
            if (last >= 0 && video.buffered.end(last) >= wanted - 0.2) finish();
          });
          hls.loadSource(url);
          hls.attachMedia(video);
        }),
      [path, seconds, DEADLINE_MS] as const,
    );
  }

  for (const [name, query, seconds] of [
    ['CMAF', '', 3 * SEGMENTS],
    ['MPEG-TS', '&container=ts', 3 * SEGMENTS],
    ['CMAF at three times the speed', '&speed=3', SEGMENTS],
    ['MPEG-TS at three times the speed', '&speed=3&container=ts', SEGMENTS],
  ] as const) {
    test(`${name}: a range over a gap is buffered whole and without an error`, async () => {
      const played = await play(`/play/streams/${stream.id}/range.m3u8?from=${from}&to=${to}${query}`, seconds);
      assert.deepEqual(played.errors, []);
      assert.equal(played.width, 64);
      assert.equal(played.urls.filter((url) => url.includes('/segments/')).length, SEGMENTS);
      const [first] = played.buffered;
      assert.ok(
        first !== undefined && first[0] < 0.2 && Math.abs(first[1] - seconds) < 0.2,
        JSON.stringify(played.buffered),
      );
    });
  }

  test('a recording from its start, while it runs and after', async () => {
    const { id } = await server.catalog.startRecording({
      id: randomIds.next('recording'),
      streamId: stream.id,
      name: 'x',
      metadata: {},
      fromMs: wallMs(Date.parse(from)),
      toMs: null,
      isPast: true,
    });
    for (const query of ['', '?container=ts']) {
      const played = await play(`/play/recordings/${id}/index.m3u8${query}`, 3 * SEGMENTS);
      assert.deepEqual(played.errors, [], query);
      assert.ok((played.buffered[0]?.[0] ?? 9) < 0.2, JSON.stringify(played.buffered));
      assert.equal(played.urls.filter((url) => url.includes('/segments/')).length, SEGMENTS);
    }
    await server.catalog.stopRecording(id, wallMs(Date.parse(to)));
    const played = await play(`/play/recordings/${id}/index.m3u8?speed=3`, SEGMENTS);
    assert.deepEqual([played.errors, played.width], [[], 64]);
  });

  test('live and dvr through the multivariant playlist', async () => {
    for (const name of ['master', 'dvr']) {
      const played = await play(`/play/streams/${stream.id}/${name}.m3u8`, 9);
      assert.deepEqual(played.errors, [], name);
      assert.equal(played.width, 64, name);
    }
  });
});
