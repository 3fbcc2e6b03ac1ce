/**
 * hls.js in Chromium at the live edge of encoders that are restarted, resized and lose segments: it goes on to the end, and the clock in
 * each picture is what hls.js says the time is, to a frame.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import type { LiveSummary } from '../../src/simulator/encoder/live-tally.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { ClockPlayer, type PlayerLog, type ShownPicture } from '../fixtures/clock-player.ts';
import { eventually } from '../fixtures/processes.ts';
import { makePushStream } from '../fixtures/pushed-hls.ts';
import { TestServer } from '../fixtures/server.ts';
import { SimulatedEncoder } from '../fixtures/simulated-encoder.ts';

const FRAME_MS = 40;
const SECONDS = 24;
const FAULTS = `--restart-every 9 --resize-every 6 --drop-every 7 --duration ${SECONDS}`;
const ENCODER = `--size 320x180 --segment-seconds 1 ${FAULTS}`.split(' ');

describe('hls.js at the live edge of disturbed encoders', () => {
  const WAYS = [
    ['ts', 'live.m3u8'],
    ['fmp4', 'live.m3u8'],
    ['ts', 'live.m3u8?container=ts'],
  ] as const;
  let server: TestServer;
  let browser: Browser;
  const played = new Map<string, { readonly log: PlayerLog; readonly summary: LiveSummary }>();
  before(async () => {
    server = await TestServer.start();
    browser = await launchBrowser();
    await Promise.all(
      (['ts', 'fmp4'] as const).map(async (container) => {
        const id = await makePushStream(server.api, container);
        await using encoder = new SimulatedEncoder(server.url, [...ENCODER, '--container', container, '--stream', id]);
        await hasSegments(id, 4);
        const players = await Promise.all(
          WAYS.filter(([name]) => name === container).map(async ([, path]) => {
            return { path, player: await ClockPlayer.open(browser, server.url, `/play/streams/${id}/${path}`) };
          }),
        );
        const summary = await encoder.ended;
        await server.api.request(`/v1/streams/${id}/end`, { method: 'POST' });
        for (const { path, player } of players) {
          let log = await player.log();
          await eventually(
            `hls.js comes to the end of ${path}`,
            async () => {
              log = await player.log();
              return log.ended || log.fatal.length > 0 ? true : undefined;
            },
            {
              timeoutMs: 20_000,
              describe: () => JSON.stringify({ ...log, pictures: log.pictures.slice(-3), count: log.pictures.length }),
            },
          );
          played.set(`${container} ${path}`, { log, summary });
        }
      }),
    );
  });
  after(async () => {
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
  });

  async function hasSegments(id: string, count: number): Promise<void> {
    await eventually(
      `${count} segments are there`,
      async () => {
        const { source } = await server.api.json<StreamJson>(`/v1/streams/${id}`);
        return (source?.segments ?? 0) >= count ? true : undefined;
      },
      { timeoutMs: 30_000, describe: () => server.logs },
    );
  }

  for (const [container, path] of WAYS) {
    test(`${container} as ${path}: played to the end, with the right time in every picture`, (t) => {
      const { log, summary } = played.get(`${container} ${path}`) ?? assert.fail('nothing was played');
      assert.ok(summary.restarts >= 2 && summary.resizes >= 3 && summary.dropped >= 2, JSON.stringify(summary));
      assert.deepEqual([log.fatal, log.message, log.ended], [[], null, true]);
      const read = log.pictures.filter(({ clockMs }) => clockMs !== null);
      const [byFragment, byPlayer] = [apartMs(read, 'fragmentMs'), apartMs(read, 'playingMs')];
      t.diagnostic(
        `${log.pictures.length} pictures at most ${Math.max(...byFragment).toFixed(1)} ms off their fragment, ` +
          `${byPlayer.length} at most ${Math.max(...byPlayer).toFixed(1)} ms off playingDate`,
      );
      t.diagnostic(`${log.soundBytes} bytes of sound; ${log.faults.join('; ') || 'no faults'}`);
      assert.equal(read.length, log.pictures.length, 'every picture shows its clock');
      assert.equal(byFragment.length, read.length, 'hls.js knows the time of each');
      assert.ok(byPlayer.length > read.length / 2, `${byPlayer.length} of ${read.length} lie within their fragments`);
      assert.ok(Math.max(...byFragment, ...byPlayer) < FRAME_MS, 'the clock in a picture is not the player’s');
      const shownMs = (read.at(-1)?.clockMs ?? 0) - (read[0]?.clockMs ?? 0);
      assert.ok(shownMs > (SECONDS - 10) * 1000, `${shownMs} ms of the encoder’s time were shown`);
      assert.deepEqual(new Set(read.map(({ width }) => width)), new Set([240, 320]), 'both sizes were shown');
      assert.ok(log.soundBytes > 10_000, `${log.soundBytes} bytes of sound`);
    });
  }
});

/** How far the clock in the pictures is from what hls.js says, where it says something. */
function apartMs(pictures: readonly ShownPicture[], by: 'fragmentMs' | 'playingMs'): readonly number[] {
  return pictures.flatMap((picture) => {
    const saidMs = picture[by];
    return saidMs === null || picture.clockMs === null ? [] : [Math.abs(picture.clockMs - saidMs)];
  });
}
