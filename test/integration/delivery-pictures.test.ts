import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { wallMs } from '../../src/base/time.ts';
import { Pictures } from '../../src/delivery/pictures.ts';
import { startEngine, type EngineBench } from '../fixtures/engine.ts';
import { decodeJpegLuma, decodeLuma } from '../fixtures/media-judge.ts';
import { PushedMedia, type PushedMediaOptions } from '../fixtures/pushed-media.ts';
import { PushedStream } from '../fixtures/pushed-stream.ts';
import { TimelineStore } from '../fixtures/timeline-store.ts';
import { NO_EDGES } from '../fixtures/no-edges.ts';

const FRAME_MS = 40;
const OPTIONS = { widthPx: null, signal: new AbortController().signal };

describe('pictures of pushed streams', () => {
  let bench: EngineBench;
  let store: TimelineStore;
  const reads: string[] = [];
  before(async () => {
    bench = await startEngine();
    store = await TimelineStore.open();
  });
  after(async () => {
    await bench?.[Symbol.asyncDispose]();
    await store?.[Symbol.asyncDispose]();
  });

  async function make(options: PushedMediaOptions): Promise<{
    readonly pushed: PushedStream;
    readonly media: PushedMedia;
    readonly pictures: Pictures;
  }> {
    const media = new PushedMedia(options);
    const { catalog } = store.stores;
    // The engine reads its own store: the pictures' bytes lie in both.
    const objects = {
      get: (key: string) => {
        reads.push(key);
        return bench.objects.get(key);
      },
    };
    const pushed = await PushedStream.make({ catalog, objects: bench.objects, clock: store.clock }, media);
    const limits = { maxBytes: 1 << 20, maxPixels: 1 << 20 };
    const deps = {
      catalog,
      objects,
      remote: NO_EDGES,
      engine: bench.engine,
      newestFrame: () => null,
      cacheBytes: 1 << 20,
      limits,
    };
    return { pushed, media, pictures: new Pictures(deps) };
  }

  /** The number of the picture that looks most like it, as an independent decoder shows them. */
  function nearest(picture: Uint8Array, shown: readonly Uint8Array[]): number {
    const errors = shown.map((one) => one.reduce((sum, value, index) => sum + (value - (picture[index] ?? 0)) ** 2, 0));
    return errors.indexOf(Math.min(...errors));
  }

  for (const [name, options] of [
    ['H.264 with B-frames and sound', {}],
    ['H.264 without reordering', { reordered: 0, hasAudio: false }],
    ['HEVC with B-frames and sound', { codec: 'hevc', reordered: 3 }],
  ] as const) {
    test(`the picture of a moment is the one that players show then: ${name}`, async () => {
      const { pushed, media, pictures } = await make(options);
      const { segment } = await pushed.append();
      const shown = await decodeLuma(media.init, media.segment(0).bytes);
      assert.equal(shown.length, 25);
      for (const place of [0, 1, 2, 3, 11, 23, 24]) {
        for (const [withinMs, expected] of [
          [0, place],
          [FRAME_MS - 1, place],
        ] as const) {
          const atMs = wallMs(segment.startMs + place * FRAME_MS + withinMs);
          const { jpeg, capturedAtMs } = await pictures.at(pushed.stream, atMs, OPTIONS);
          assert.equal(capturedAtMs, segment.startMs + place * FRAME_MS);
          assert.equal(nearest(await decodeJpegLuma(jpeg), shown), expected, `picture ${place}`);
        }
      }
    });
  }

  test('the newest picture is the newest keyframe, and a wall of viewers costs one read and one decoding', async () => {
    const { pushed, media, pictures } = await make({});
    await pushed.append();
    const { segment } = await pushed.append();
    reads.length = 0;
    const found = await Promise.all(Array.from({ length: 50 }, () => pictures.latest(pushed.stream, OPTIONS)));
    assert.deepEqual([...new Set(found.map((one) => one.capturedAtMs))], [segment.startMs]);
    assert.deepEqual(reads, [segment.objectKey]);
    const shown = await decodeLuma(media.init, media.segment(1).bytes);
    assert.equal(nearest(await decodeJpegLuma(found[0]?.jpeg ?? new Uint8Array()), shown), 0);
    const scaled = await pictures.latest(pushed.stream, { ...OPTIONS, widthPx: 160 });
    assert.equal((await decodeJpegLuma(scaled.jpeg)).length, 160 * 90);
  });

  test('a stream of sound has no pictures', async () => {
    const { pushed, pictures } = await make({ hasVideo: false });
    const { segment } = await pushed.append();
    await assert.rejects(pictures.latest(pushed.stream, OPTIONS), {
      code: 'not_found',
      message: /sound and no pictures/,
    });
    await assert.rejects(pictures.at(pushed.stream, segment.startMs, OPTIONS), { code: 'not_found' });
  });
});
