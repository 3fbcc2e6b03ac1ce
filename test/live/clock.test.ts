/**
 * Encoders that are disturbed, read back by Debian's ffmpeg: the clock in every picture is EXT-X-PROGRAM-DATE-TIME to a frame. All streams use
 * the same file names; their clocks are apart by half a segment, so that a file in the wrong stream would show.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { LiveSummary } from '../../src/simulator/encoder/live-tally.ts';
import { assertBreaks, LivePlayback, worstClockMs } from '../fixtures/live-playback.ts';
import { TestServer } from '../fixtures/server.ts';
import { SimulatedEncoder } from '../fixtures/simulated-encoder.ts';

const FRAMES_PER_S = 25;
const FRAME_MS = 1000 / FRAMES_PER_S;
const AAC_PACKET_S = 1024 / 48_000;
const ENCODERS =
  '--streams 2 --size 320x180 --segment-seconds 1 --restart-every 7 --resize-every 5 --drop-every 6 --duration 18';
const CONTAINERS = [
  ['ts', 'PUT'],
  ['fmp4', 'POST'],
] as const;

const inAnHour = (): string => {
  const nowMs = Date.now();
  return `from=${new Date(nowMs - 3_600_000).toISOString()}&to=${new Date(nowMs).toISOString()}`;
};
const PLAYLISTS: readonly (readonly [string, () => string])[] = [
  ['live', () => 'live.m3u8'],
  ['dvr', () => 'dvr.m3u8'],
  ['range', () => `range.m3u8?${inAnHour()}`],
  ['dvr as MPEG-TS', () => 'dvr.m3u8?container=ts'],
  ['range as MPEG-TS', () => `range.m3u8?${inAnHour()}&container=ts`],
];

describe('encoders with the same names, restarted, resized and with segments lost', () => {
  let server: TestServer;
  let playback: LivePlayback;
  const summaries = new Map<string, LiveSummary>();
  before(async () => {
    server = await TestServer.start();
    playback = new LivePlayback(server.api);
    await Promise.all(
      CONTAINERS.map(async ([container, method]) => {
        const args = [...ENCODERS.split(' '), '--container', container, '--method', method, '--name', container];
        await using encoder = new SimulatedEncoder(server.url, args);
        summaries.set(container, await encoder.ended);
      }),
    );
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  for (const [container] of CONTAINERS) {
    const summaryOf = (): LiveSummary => summaries.get(container) ?? assert.fail('no encoder ran');

    test(`${container}: they were disturbed, and all that was sent was taken`, (t) => {
      const { restarts, resizes, dropped, accepted, segments, refused, lost, causes, behindMs } = summaryOf();
      t.diagnostic(
        `${accepted} of ${segments} segments, ${restarts} restarts, ${resizes} resizes, ${behindMs} ms behind`,
      );
      assert.ok(restarts >= 4 && resizes >= 4 && dropped >= 4, JSON.stringify(summaryOf()));
      assert.deepEqual([refused, lost, causes], [0, 0, []]);
      assert.equal(accepted, segments - dropped);
    });

    for (const [name, path] of PLAYLISTS) {
      test(`${container}, ${name}: pictures show the playlist’s time`, async (t) => {
        const streams = await Promise.all(summaryOf().streams.map((id) => playback.play(id, path())));
        for (const played of streams) {
          const worstMs = worstClockMs(played, FRAMES_PER_S);
          t.diagnostic(`${played.length} segments, at most ${worstMs} ms off`);
          assert.ok(worstMs < FRAME_MS, `a picture is ${worstMs} ms off`);
          assertBreaks(played, FRAMES_PER_S);
          for (const { url, media } of played) {
            const apartS = Math.abs(media.audioStartS - media.videoStartS);
            assert.ok(apartS <= AAC_PACKET_S, `sound and pictures of ${url} begin ${apartS} s apart`);
          }
          const sizes = new Set(played.map(({ media }) => `${media.width}x${media.height}`));
          if (name !== 'live') assert.deepEqual([...sizes].toSorted(), ['240x136', '320x180']);
        }
        const count = streams.reduce((sum, played) => sum + played.length, 0);
        if (name !== 'live') assert.equal(count, summaryOf().accepted, 'every segment is there, once');
      });
    }
  }
});
