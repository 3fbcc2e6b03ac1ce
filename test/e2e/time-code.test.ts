/**
 * The whole way: pictures that carry their capture time as a code are posted, and read back from every playlist, by Debian's ffmpeg and by hls.js
 * in Chromium. The code in the picture must equal EXT-X-PROGRAM-DATE-TIME to the millisecond.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { readTimeCode, TIME_CODE_READER_SOURCE } from '../../src/simulator/time-code/read-time-code.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { decodeLuma, run } from '../fixtures/media-judge.ts';
import { eventually } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';
import { parseMediaPlaylist } from '../fixtures/strict-hls.ts';
import { TimedPictures } from '../fixtures/timed-pictures.ts';

const WIDTH = 320;
const HEIGHT = 240;
const SEGMENTS = 5;
const FRAMES = 6 * SEGMENTS;
const HLS_JS = createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js');

/** Irregular to the millisecond, with a gap of 40 s before the last segment. */
function captureTimes(startMs: number): readonly number[] {
  return Array.from({ length: FRAMES }, (_, index) => {
    const jitterMs = [0, 137, -61, 203, 9, -112][index % 6] ?? 0;
    return startMs + index * 1000 + jitterMs + (index >= FRAMES - 6 ? 40_000 : 0);
  });
}

describe('the code in the picture equals the playlist’s time', () => {
  let server: TestServer;
  let streamId = '';
  let times: readonly number[] = [];
  let browser: Browser;

  before(async () => {
    server = await TestServer.start();
    using pictures = new TimedPictures(WIDTH, HEIGHT);
    times = captureTimes(Date.now() - 180_321);
    for (const atMs of times) {
      const answer = await server.api.postFrame('clock', atMs, pictures.at(atMs));
      assert.equal(answer.status, 202, answer.bytes.toString());
      ({ streamId } = JSON.parse(answer.bytes.toString()) as { streamId: string });
    }
    await eventually(
      'all segments are there',
      async () => {
        const answer = await server.api.request(`/play/streams/${streamId}/dvr.m3u8`);
        return answer.bytes.toString().split('#EXTINF').length - 1 === SEGMENTS ? true : undefined;
      },
      { timeoutMs: 30_000 },
    );
    browser = await launchBrowser();
  });

  after(async () => {
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
  });

  const range = (): string => {
    const [first = 0] = times;
    const from = new Date(first - 1000).toISOString();
    return `range.m3u8?from=${from}&to=${new Date((times.at(-1) ?? 0) + 1).toISOString()}`;
  };

  for (const [name, path] of [
    ['live', () => 'live.m3u8'],
    ['dvr', () => 'dvr.m3u8'],
    ['range', range],
    ['at five times the speed', () => 'dvr.m3u8?speed=5'],
  ] as const) {
    test(`${name}: every frame that ffmpeg decodes carries its own time, the first of a segment the playlist's`, async () => {
      const base = `/play/streams/${streamId}/`;
      const playlist = parseMediaPlaylist(await server.api.text(base + path()));
      const seen: number[] = [];
      let init: Uint8Array = new Uint8Array();
      for (const segment of playlist.segments) {
        if (segment.map !== null) init = (await server.api.get(base + segment.map.uri)).bytes;
        const { bytes } = await server.api.get(base + segment.uri);
        const codes = (await decodeLuma(init, bytes)).map((luma) => readTimeCode(luma, WIDTH, HEIGHT, WIDTH) ?? 0);
        assert.equal(codes[0], segment.programDateTime?.getTime());
        seen.push(...codes);
      }
      assert.deepEqual(seen, times);
    });
  }

  test('MPEG-TS: ffmpeg reads every frame at its own time', async () => {
    const base = `/play/streams/${streamId}/`;
    const playlist = parseMediaPlaylist(await server.api.text(`${base}dvr.m3u8?container=ts`));
    for (const [index, segment] of playlist.segments.entries()) {
      const { bytes } = await server.api.get(base + segment.uri);
      const json = await run('ffprobe', ['-v', 'error', '-show_entries', 'packet=pts', '-of', 'json', 'pipe:0'], bytes);
      const { packets } = JSON.parse(json.toString()) as { packets: readonly { pts: number }[] };
      const expected = times.slice(index * 6, index * 6 + 6);
      const origin = packets[0]?.pts ?? 0;
      assert.deepEqual(
        packets.map(({ pts }) => (pts - origin) / 90),
        expected.map((atMs) => atMs - (expected[0] ?? 0)),
      );
      assert.equal(segment.programDateTime?.getTime(), expected[0]);
    }
  });

  for (const [name, path, speed, count] of [
    ['live', () => 'live.m3u8', 1, FRAMES],
    ['dvr', () => 'dvr.m3u8', 1, FRAMES],
    ['range', range, 1, FRAMES],
    ['range as MPEG-TS', () => `${range()}&container=ts`, 1, FRAMES],
    ['range as MPEG-TS at five times the speed', () => `${range()}&container=ts&speed=5`, 5, FRAMES],
    ['dvr at five times the speed', () => 'dvr.m3u8?speed=5', 5, FRAMES],
    // hls.js gives TS an init segment of its own with a duration in it; Chromium then takes it for a recording, and shows a frame only once four
    // more are there or the stream has ended.
    ['dvr as MPEG-TS', () => 'dvr.m3u8?container=ts', 1, FRAMES - 4],
    ['dvr as MPEG-TS at five times the speed', () => 'dvr.m3u8?container=ts&speed=5', 5, FRAMES - 4],
  ] as const) {
    test(`${name}: hls.js shows, wherever it is sent, the frame of that time`, async () => {
      const page = await browser.newPage();
      try {
        const html = '<!doctype html><video muted></video>';
        await page.route('**/player.html', (route) => route.fulfill({ contentType: 'text/html', body: html }));
        await page.goto(`${server.url}/player.html`);
        await page.addScriptTag({ path: HLS_JS });
        const wanted = times.slice(0, count);
        const shown = await showAll(page, `/play/streams/${streamId}/${path()}`, wanted, speed);
        assert.deepEqual(shown.errors, []);
        assert.deepEqual(shown.codes, wanted);
      } finally {
        await page.close();
      }
    });
  }
});

/** Seeks to the middle of each frame by the playlist's times, as the console does, and reads the code in the picture. */
async function showAll(
  page: Page,
  url: string,
  times: readonly number[],
  speed: number,
): Promise<{ readonly codes: readonly (number | null)[]; readonly errors: readonly string[] }> {
  const script = `async ({ url, times, speed }) => {
    const readAt = ${TIME_CODE_READER_SOURCE};
    const video = document.querySelector('video');
    const hls = new Hls({ startPosition: 0, maxBufferLength: 600, maxMaxBufferLength: 600 });
    const errors = [];
    hls.on(Hls.Events.ERROR, (_, data) => errors.push(data.details));
    const parsed = new Promise((resolve) => hls.once(Hls.Events.LEVEL_LOADED, (_, data) => resolve(data.details)));
    hls.loadSource(url);
    hls.attachMedia(video);
    await parsed;
    const canvas = new OffscreenCanvas(${WIDTH}, ${HEIGHT});
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const buffered = (at) => Array.from({ length: video.buffered.length }, (_, i) => [video.buffered.start(i), video.buffered.end(i)])
      .some(([start, end]) => start <= at && at < end);
    const until = async (check, what) => {
      for (const end = performance.now() + 5000; !check(); await new Promise((resolve) => setTimeout(resolve, 10))) {
        if (performance.now() > end) throw new Error(what());
      }
    };
    const describeBuffer = () => JSON.stringify(Array.from({ length: video.buffered.length }, (_, i) => [video.buffered.start(i), video.buffered.end(i)]));
    const codes = [];
    for (const [index, atMs] of times.entries()) {
      const fragments = () => hls.latestLevelDetails.fragments;
      const fragment = () => fragments().findLast((candidate) => candidate.programDateTime <= atMs);
      const next = times[index + 1] ?? atMs + 1000;
      const lastsMs = Math.min(next - atMs, 1000);
      const target = () => fragment().start + (atMs + lastsMs / 2 - fragment().programDateTime) / 1000 / speed;
      video.currentTime = target();
      await until(() => buffered(target()), () => 'frame ' + index + ' at ' + target() + ' is not in ' + describeBuffer() + ' ' + errors);
      const painted = new Promise((resolve) => video.requestVideoFrameCallback(resolve));
      video.currentTime = target();
      await until(() => !video.seeking, () => 'seeking to frame ' + index + ' at ' + target() + ' does not end in ' + describeBuffer() + ' ' + errors);
      await Promise.race([painted, new Promise((resolve) => setTimeout(resolve, 500))]);
      context.drawImage(video, 0, 0, ${WIDTH}, ${HEIGHT});
      const { data } = context.getImageData(0, 0, ${WIDTH}, ${HEIGHT});
      const luma = (x, y) => { const i = 4 * (y * ${WIDTH} + x); return 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2]; };
      codes.push(readAt(luma, ${WIDTH}, ${HEIGHT}));
    }
    hls.destroy();
    return { codes, errors };
  }`;
  return page.evaluate(`(${script})(${JSON.stringify({ url, times, speed })})`);
}
