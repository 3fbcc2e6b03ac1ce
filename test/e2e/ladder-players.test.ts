/**
 * A simulated encoder, whose pictures carry their time as a code, pushes to the real server, which makes a ladder below it. Players change levels back
 * and forth; at each level the code in the picture must be the time that the player says it shows.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { HlsPusher } from '../../src/simulator/encoder/hls-pusher.ts';
import { simulateLive } from '../../src/simulator/encoder/live-simulation.ts';
import { TIME_CODE_READER_SOURCE } from '../../src/simulator/time-code/read-time-code.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { untilListed } from '../fixtures/ladder-judge.ts';
import { makePushStream } from '../fixtures/pushed-hls.ts';
import { TestServer } from '../fixtures/server.ts';

const require = createRequire(import.meta.url);
const FRAMES_PER_S = 10;
const FRAME_MS = 1000 / FRAMES_PER_S;

/** What a page saw: of each level that it was sent to, how far pictures were from the time that the player gave them. */
interface Seen {
  readonly visits: readonly { readonly height: number; readonly offsMs: readonly number[]; readonly unread: number }[];
  readonly errors: readonly string[];
  readonly stalls: number;
}

/** Drives a player in the page: `open`, `heights`, `select`, and the wall time of a media time. */
const PLAYERS = {
  hls: {
    script: require.resolve('hls.js/dist/hls.min.js'),
    path: 'master.m3u8',
    open: `async (url) => {
      const hls = new Hls({ liveSyncDurationCount: 5, startLevel: 0 });
      hls.on('hlsError', (_, data) => {
        if (data.details !== 'aborted') errors.push(data.details + ' ' + (data.error?.message ?? ''));
      });
      const parsed = new Promise((resolve) => hls.once('hlsManifestParsed', resolve));
      hls.loadSource(url);
      hls.attachMedia(video);
      await parsed;
      return {
        heights: () => hls.levels.map((level) => level.height),
        select: (index) => (hls.nextLevel = index),
        wallAt(mediaTime) {
          const { fragments } = hls.latestLevelDetails;
          const fragment = fragments.find(({ start, end }) => start <= mediaTime + 0.001 && mediaTime + 0.001 < end);
          return fragment === undefined ? null : fragment.programDateTime + (mediaTime - fragment.start) * 1000;
        },
      };
    }`,
  },
  shaka: {
    script: require.resolve('shaka-player/dist/shaka-player.compiled.js'),
    path: 'manifest.mpd',
    open: `async (url) => {
      shaka.polyfill.installAll();
      const player = new shaka.Player();
      await player.attach(video);
      player.addEventListener('error', ({ detail }) => errors.push('shaka ' + detail.code + ' ' + detail.data.join(' ')));
      player.configure({ abr: { enabled: false }, streaming: { bufferingGoal: 2 } });
      await player.load(url);
      const variants = () => player.getVariantTracks().toSorted((a, b) => a.height - b.height);
      return {
        heights: () => variants().map(({ height }) => height),
        select: (index) => player.selectVariantTrack(variants()[index], false),
        wallAt: (mediaTime) => mediaTime * 1000,
      };
    }`,
  },
  dash: {
    script: require.resolve('dashjs'),
    path: 'manifest.mpd',
    open: `async (url) => {
      const player = dashjs.MediaPlayer().create();
      player.updateSettings({ debug: { logLevel: 0 }, streaming: { abr: { autoSwitchBitrate: { video: false } } } });
      player.on('error', ({ error }) => errors.push('dash.js ' + error.code + ' ' + error.message));
      const ready = new Promise((resolve) => player.on('streamInitialized', resolve));
      player.initialize(video, url, true);
      await ready;
      return {
        heights: () => player.getRepresentationsByType('video').map(({ height }) => height),
        select: (index) => player.setRepresentationForTypeByIndex('video', index, false),
        wallAt: (mediaTime) => mediaTime * 1000,
      };
    }`,
  },
} as const;

describe('players change between the levels of a live ladder', () => {
  const encoder = new AbortController();
  let server: TestServer;
  let browser: Browser;
  let streamId = '';
  let encoding: Promise<unknown> = Promise.resolve();
  before(async () => {
    server = await TestServer.start({ env: { ZOETROPE_LIVE_SEGMENTS: '10' } });
    streamId = await makePushStream(server.api, 'coded', { settings: { ladder: [{ height: 180 }] } });
    encoding = simulateLive(
      {
        url: server.url,
        key: null,
        name: 'coded',
        streams: 1,
        stream: streamId,
        container: 'ts',
        size: { width: 640, height: 360 },
        framesPerS: FRAMES_PER_S,
        segmentMs: 1000,
        faults: { restartEveryMs: null, resizeEveryMs: null },
        durationMs: null,
        clock: systemClock,
        logger: silentLogger,
      },
      'push',
      (sink) =>
        new HlsPusher({
          ...sink,
          folderUrl: `${sink.baseUrl}/ingest/hls/${sink.streamId}`,
          method: 'PUT',
          hasProgramDateTime: true,
          dropEvery: null,
          reorder: false,
          targetDurationS: 1,
        }),
      encoder.signal,
    );
    browser = await launchBrowser();
    await untilListed(server, streamId, '180p', 8);
  });
  after(async () => {
    await browser?.close();
    encoder.abort();
    await encoding;
    await server?.[Symbol.asyncDispose]();
  });

  for (const [name, player] of Object.entries(PLAYERS)) {
    test(`${name}: back and forth without a stall, and each level shows the picture of its time`, async () => {
      const page = await browser.newPage();
      try {
        const html = '<!doctype html><video muted playsinline></video>';
        await page.route('**/player.html', (route) => route.fulfill({ contentType: 'text/html', body: html }));
        await page.goto(`${server.url}/player.html`);
        await page.addScriptTag({ path: player.script });
        const url = `/play/streams/${streamId}/${player.path}`;
        const seen = await page.evaluate<Seen>(`(${watch(player.open)})(${JSON.stringify(url)})`);
        assert.deepEqual(seen.errors, []);
        assert.equal(seen.stalls, 0);
        assert.deepEqual(
          seen.visits.map(({ height }) => height),
          [360, 180, 360, 180],
        );
        for (const { height, offsMs, unread } of seen.visits) {
          assert.ok(offsMs.length >= 5, `${offsMs.length} codes were read at ${height} lines, ${unread} were not`);
          const worst = Math.max(...offsMs.map(Math.abs));
          assert.ok(worst < FRAME_MS, `at ${height} lines a picture is ${worst} ms from its time: ${offsMs.join()}`);
        }
      } finally {
        await page.close();
      }
    });
  }
});

/** Plays, goes to each level twice, and reads pictures there. */
function watch(open: string): string {
  return `async (url) => {
    const readAt = ${TIME_CODE_READER_SOURCE};
    const video = document.querySelector('video');
    const errors = [];
    let stalls = 0;
    const until = (holds, what) => new Promise((resolve, reject) => {
      const begun = performance.now();
      const look = () => {
        if (holds()) return resolve();
        if (performance.now() - begun > 30000) {
          return reject(new Error(what + ': ' + JSON.stringify([errors, video.currentTime, video.videoHeight, video.readyState])));
        }
        setTimeout(look, 20);
      };
      look();
    });
    const player = await (${open})(url);
    const heights = [...player.heights()];
    await until(() => video.readyState >= 3, 'it can play');
    await video.play();
    const start = video.currentTime;
    await until(() => video.currentTime > start + 0.5, 'it plays');
    video.addEventListener('waiting', () => { stalls += 1; });
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const nextFrame = () => new Promise((resolve) => video.requestVideoFrameCallback((_, frame) => resolve(frame)));
    const visits = [];
    for (const height of [360, 180, 360, 180]) {
      player.select(heights.indexOf(height));
      await until(() => video.videoHeight === height, 'level ' + height + ' of ' + heights + ' is shown');
      const visit = { height, offsMs: [], unread: 0 };
      for (let count = 0; count < 12; count++) {
        const { mediaTime, width, height: lines } = await nextFrame();
        canvas.width = width;
        canvas.height = lines;
        context.drawImage(video, 0, 0);
        const { data } = context.getImageData(0, 0, width, lines);
        const luma = (x, y) => { const i = 4 * (y * width + x); return 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2]; };
        const code = readAt(luma, width, lines);
        const wallMs = player.wallAt(mediaTime);
        if (code === null || wallMs === null || lines !== height) visit.unread += 1;
        else visit.offsMs.push(Math.round(code - wallMs));
      }
      visits.push(visit);
    }
    return { visits, errors, stalls };
  }`;
}
