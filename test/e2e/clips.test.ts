/** Clips play in Chromium: whatever they are put together from, each seek shows the picture of that time. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { wallMs } from '../../src/base/time.ts';
import type { CutClipRequest } from '../../src/engine/transcoder.ts';
import { TIME_CODE_READER_SOURCE } from '../../src/simulator/time-code/read-time-code.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { makeTimedSource, type TimedSource, type TimedSourceOptions } from '../fixtures/clip-source.ts';
import { startTranscoder, type TranscoderBench } from '../fixtures/transcoder.ts';

const WIDTH = 320;
const HEIGHT = 240;
const START_MS = Date.UTC(2026, 10, 20, 10, 30);
const STEP_MS = 100;
const PER_SEGMENT = 10;
const COUNT = 30;
const GAP_MS = 4000;

let bench: TranscoderBench;
let browser: Browser;
let web: Server;
const movies = new Map<string, Uint8Array>();

before(async () => {
  bench = await startTranscoder();
  browser = await launchBrowser();
  web = createServer((request, response) => {
    const bytes = movies.get(request.url ?? '');
    if (bytes === undefined) {
      response.setHeader('content-type', 'text/html').end('<!doctype html><video muted></video>');
      return;
    }
    const [, from = '0', to = ''] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
    const end = to === '' ? bytes.length - 1 : Number(to);
    response.writeHead(206, {
      'content-type': 'video/mp4',
      'accept-ranges': 'bytes',
      'content-range': `bytes ${from}-${end}/${bytes.length}`,
      'content-length': end - Number(from) + 1,
    });
    response.end(bytes.subarray(Number(from), end + 1));
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
});

after(async () => {
  await browser?.close();
  web?.close();
  await bench?.[Symbol.asyncDispose]();
});

const times = (fromMs: number): readonly number[] =>
  Array.from({ length: COUNT }, (_, index) => fromMs + index * STEP_MS);
const FIRST = times(START_MS);
const SECOND = times(START_MS + COUNT * STEP_MS + GAP_MS);

function makeSource(
  name: string,
  timesMs: readonly number[],
  change: Partial<TimedSourceOptions> = {},
): Promise<TimedSource> {
  const prefix = `${name.replaceAll(' ', '-')}/`;
  const common = { lastsMs: STEP_MS, perSegment: PER_SEGMENT, clicksFromMs: START_MS };
  return makeTimedSource({ ...common, timesMs, prefix, ...change }, bench.objects);
}

for (const [name, change] of [
  ['of the same parameters', {}],
  ['without reordering', { encoder: ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency'] }],
  ['of another size', { width: 640, height: 480 }],
  ['of another profile', { encoder: ['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'main'] }],
] as const) {
  test(`a clip with black between two stretches, the second ${name}`, async () => {
    const first = await makeSource(`${name}/a`, FIRST);
    const second = await makeSource(`${name}/b`, SECOND, change);
    const fromMs = START_MS + 333;
    const toMs = (SECOND[0] ?? 0) + 1777;
    const request: CutClipRequest = {
      segments: [...first.segments, ...second.segments.map((segment) => ({ ...segment, init: 1, clock: 1 }))],
      inits: [first.init, second.init],
      fromMs: wallMs(fromMs),
      toMs: wallMs(toMs),
      mode: 'exact',
      gaps: 'black',
      speed: 1,
      gapToleranceMs: null,
      outputKey: `${name.replaceAll(' ', '-')}.mp4`,
    };
    await bench.transcoder.cutClip(request);
    movies.set('/clip.mp4', await bench.objects.get(request.outputKey));
    const page = await browser.newPage();
    try {
      await page.goto(`http://127.0.0.1:${(web.address() as AddressInfo).port}/`);
      const shown = [...FIRST, ...SECOND].filter((time) => time > fromMs && time + STEP_MS < toMs);
      // Forth and back, so that decoders begin anew everywhere.
      const order = shown.filter((_, index) => index % 3 === 0);
      const asked = [...order, ...order.toReversed().slice(1)];
      const middles = asked.map((time) => (time + STEP_MS / 2 - fromMs) / 1000);
      const black = (FIRST.at(-1) ?? 0) + STEP_MS + GAP_MS / 2 - fromMs;
      const seen = await look(page, [...middles, black / 1000]);
      assert.deepEqual(seen.codes, [...asked, null]);
      assert.ok(Math.abs(seen.durationS * 1000 - (toMs - fromMs)) < 30, `${seen.durationS} s`);
      assert.equal(seen.hasEnded, true);
    } finally {
      await page.close();
    }
  });
}

interface Seen {
  readonly codes: readonly (number | null)[];
  readonly durationS: number;
  readonly hasEnded: boolean;
}

/** Seeks to each time and reads the code in the picture, then plays from start to end. */
async function look(page: Page, at: readonly number[]): Promise<Seen> {
  const script = `async (at) => {
    const readAt = ${TIME_CODE_READER_SOURCE};
    const video = document.querySelector('video');
    video.src = '/clip.mp4';
    const failed = new Promise((_, reject) => { video.onerror = () => reject(new Error(video.error.message)); });
    const event = (name) => Promise.race([failed, new Promise((resolve) => video.addEventListener(name, resolve, { once: true }))]);
    await event('loadeddata');
    const codes = [];
    for (const time of at) {
      const seeked = event('seeked');
      // A seek has ended before its picture is on the page, if the machine is busy.
      const painted = new Promise((resolve) => video.requestVideoFrameCallback(resolve));
      video.currentTime = time;
      await seeked;
      await painted;
      const canvas = new OffscreenCanvas(${WIDTH}, ${HEIGHT});
      const context = canvas.getContext('2d', { willReadFrequently: true });
      context.drawImage(video, 0, 0, ${WIDTH}, ${HEIGHT});
      const { data } = context.getImageData(0, 0, ${WIDTH}, ${HEIGHT});
      const luma = (x, y) => { const i = 4 * (y * ${WIDTH} + x); return 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2]; };
      codes.push(readAt(luma, ${WIDTH}, ${HEIGHT}));
    }
    const seeked = event('seeked');
    video.currentTime = 0;
    await seeked;
    video.playbackRate = 4;
    const ended = event('ended');
    await video.play();
    await ended;
    return { codes, durationS: video.duration, hasEnded: video.ended };
  }`;
  return page.evaluate(`(${script})(${JSON.stringify(at)})`);
}
