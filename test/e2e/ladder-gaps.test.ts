import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { randomIds } from '../../src/base/ids.ts';
import type { Segment } from '../../src/timeline/segment.ts';
import { AssetPlayerPage, type PlayerName } from '../fixtures/asset-player-page.ts';
import { PlaybackServer } from '../fixtures/playback.ts';
import { PushedMedia } from '../fixtures/pushed-media.ts';
import { PushedStream } from '../fixtures/pushed-stream.ts';
import { sha256 } from '../fixtures/served-media.ts';

const SEGMENTS = 12;
/** Not made in the rung; in the middle of the live playlist when the stream ends. */
const MISSING = 8;

describe('players on a rung with a gap', () => {
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

  /** A stream that has ended, whose rung lacks a segment. */
  async function gapped(): Promise<PushedStream> {
    const settings = { ladder: [{ height: 90, videoKbps: null }] };
    const pushed = await PushedStream.make(server, media, { settings });
    const leases = await server.catalog.claimLadders({ owner: pushed.id, leaseMs: 3_600_000, limit: 1 });
    const { fence } = leases.find(({ streamId }) => streamId === pushed.id) ?? { fence: -1 };
    const made = await pushed.appendMany(SEGMENTS);
    for (const [index, { segment }] of made.entries()) {
      if (index !== MISSING) await appendRung(pushed.id, fence, segment, index);
    }
    await pushed.end();
    return pushed;
  }

  async function appendRung(streamId: string, fence: number, source: Segment, index: number): Promise<void> {
    const { bytes } = small.segment(index);
    const id = randomIds.next('segment');
    const objectKey = `media/${streamId}/${id}.0.m4s`;
    await server.objects.put(objectKey, bytes);
    const { init, codecs, width, height } = small;
    const rung = {
      id,
      rendition: '90p',
      objectKey,
      sizeBytes: bytes.length,
      sha256: sha256(bytes),
      init: { bytes: init, sha256: sha256(init), codecs, width, height },
    };
    await server.catalog.appendRungs({ streamId, fence, sourceId: source.id, rungs: [rung] });
  }

  for (const [player, path, expected] of [
    ['hls', 'master.m3u8', /^fragGap/],
    ['shaka', 'master.m3u8', null],
    ['shaka', 'manifest.mpd', null],
  ] as const satisfies readonly (readonly [PlayerName, string, RegExp | null])[]) {
    test(`${player} plays ${path} from the small level on to the end, whatever is missing there`, async () => {
      const pushed = await gapped();
      const master = await server.playlist(`/play/streams/${pushed.id}/master.m3u8`);
      assert.equal(master.match(/RESOLUTION/g)?.length, 2, master);
      await page.load(player, `/play/streams/${pushed.id}/${path}`);
      assert.deepEqual(
        ((await page.ask('heights')) as readonly number[]).toSorted((a, b) => a - b),
        [90, 180],
      );
      // hls.js leaves the level again when it finds the gap ahead; shaka stays and passes over it.
      if (expected === null) await page.select(0);
      else await page.ask('select', 0);
      await page.playOut(1, 40_000);
      const { errors, message, ended } = await page.report();
      assert.deepEqual([ended, message], [true, null]);
      assert.deepEqual(
        errors.filter((error) => expected?.test(error) !== true),
        [],
      );
    });
  }
});
