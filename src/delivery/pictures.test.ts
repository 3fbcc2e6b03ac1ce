import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ZoetropeError } from '../base/errors.ts';
import { pts90k, wallMs } from '../base/time.ts';
import type { Window } from '../catalog/catalog.ts';
import type { MediaRef, SnapshotRequest } from '../engine/engine.ts';
import { writeInitSegment } from '../packager/cmaf/init-writer.ts';
import { writeMediaSegment } from '../packager/cmaf/media-writer.ts';
import { byWallOrder, segmentEndMs, type Segment } from '../timeline/segment.ts';
import type { Stream } from '../timeline/stream.ts';
import { makeJpeg } from '../../test/fixtures/pictures.ts';
import { Pictures } from './pictures.ts';
import { NO_EDGES } from '../../test/fixtures/no-edges.ts';

const JPEG_A = makeJpeg({ width: 16, height: 16, seed: 1 });
const JPEG_B = makeJpeg({ width: 16, height: 16, seed: 2 });
const LIMITS = { maxBytes: 10_000, maxPixels: 1_000 };

/** Of a 64×48 picture. */
const INIT = writeInitSegment({
  codec: 'avc1',
  sps: Buffer.from('6742c00ada11ec0440000003004000000ca3c489a8', 'hex'),
  pps: Buffer.from('68ce0fc8', 'hex'),
  width: 64,
  height: 48,
});
const STREAM: Stream = {
  id: 'str_1',
  tenant: 't',
  kind: 'frames',
  name: 'n',
  deviceId: null,
  settings: {},
  createdAtMs: wallMs(0),
  lastCapturedAtMs: null,
  lastReceivedAtMs: null,
  endedAtMs: null,
  source: null,
  edgeId: null,
};
const OPTIONS = { widthPx: null, signal: new AbortController().signal };

function segment(startMs: number, frames: number, change: Partial<Segment> = {}): Segment {
  return {
    id: `seg_${startMs}`,
    streamId: STREAM.id,
    renditionId: 'rnd_1',
    epochId: 'epo_1',
    placement: 'onTime',
    sequence: 0,
    startMs: wallMs(startMs),
    mediaStart90k: pts90k(0),
    duration90k: pts90k(frames * 90_000),
    frameTimesMs: Array.from({ length: frames }, (_, index) => wallMs(startMs + index * 1000)),
    objectKey: `key-${startMs}`,
    sizeBytes: 1,
    sha256: '',
    keyframeBytes: null,
    discontinuity: false,
    createdAtMs: wallMs(0),
    dvrDiscontinuity: false,
    lost: false,
    remote: false,
    retiredAtMs: null,
    ...change,
  };
}

interface Scene {
  readonly segments?: readonly Segment[];
  readonly newest?: { readonly capturedAtMs: number; readonly ref: MediaRef };
  readonly objects?: Readonly<Record<string, Uint8Array>>;
}

/** Pictures over a scene; a snapshot's bytes say what was asked for. */
function picturesOf({ segments = [], newest, objects = {} }: Scene): {
  readonly pictures: Pictures;
  readonly snapshots: SnapshotRequest[];
} {
  const snapshots: SnapshotRequest[] = [];
  const window = (found: readonly Segment[]): Promise<Window> => {
    const epoch = { id: 'epo_1', init: INIT };
    return Promise.resolve({ segments: found, epochs: [epoch] } as unknown as Window);
  };
  const pictures = new Pictures({
    catalog: {
      liveWindow: () => window(segments.slice(-1)),
      segmentsBetween: (_, fromMs, toMs) =>
        window(segments.filter((one) => one.startMs < toMs && segmentEndMs(one) > fromMs).toSorted(byWallOrder)),
    },
    objects: {
      get: async (key) => objects[key] ?? Promise.reject(new ZoetropeError('missing_input', `There is no ${key}.`)),
    },
    remote: NO_EDGES,
    engine: {
      snapshot: async (request) => {
        snapshots.push(request);
        return Buffer.from(`${request.segmentKey} ${request.sampleIndex} ${request.widthPx}`);
      },
    },
    newestFrame: () => (newest === undefined ? null : { ...newest, capturedAtMs: wallMs(newest.capturedAtMs) }),
    cacheBytes: 100_000,
    limits: LIMITS,
  });
  return { pictures, snapshots };
}

describe('the newest picture', () => {
  test('is the frame as it was sent, from the store or from a file', async () => {
    const stored = picturesOf({
      segments: [segment(0, 3)],
      newest: { capturedAtMs: 5000, ref: { objectKey: 'frames/a.jpg' } },
      objects: { 'frames/a.jpg': JPEG_A },
    });
    const picture = await stored.pictures.latest(STREAM, OPTIONS);
    assert.deepEqual([picture.capturedAtMs, Buffer.from(picture.jpeg)], [5000, JPEG_A]);
    assert.match(picture.etag, /^[0-9a-f]{32}$/);
    const directory = await mkdtemp(join(tmpdir(), 'zoetrope-pictures-'));
    try {
      const path = join(directory, 'b.jpg');
      await writeFile(path, JPEG_B);
      const { pictures } = picturesOf({ newest: { capturedAtMs: 6000, ref: { path } } });
      assert.deepEqual(Buffer.from((await pictures.latest(STREAM, OPTIONS)).jpeg), JPEG_B);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('is never read from what the engine would refuse: a link, what is no picture, what is too large', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'zoetrope-pictures-'));
    try {
      await writeFile(join(directory, 'real.jpg'), JPEG_A);
      await symlink(join(directory, 'real.jpg'), join(directory, 'link.jpg'));
      await writeFile(join(directory, 'secret.jpg'), 'root:x:0:0');
      await writeFile(join(directory, 'large.jpg'), Buffer.concat([JPEG_A, Buffer.alloc(LIMITS.maxBytes)]));
      await mkdir(join(directory, 'folder.jpg'));
      for (const name of ['link.jpg', 'secret.jpg', 'large.jpg', 'folder.jpg']) {
        const newest = { capturedAtMs: 6000, ref: { path: join(directory, name) } };
        const { pictures } = picturesOf({ segments: [segment(0, 3)], newest });
        const picture = await pictures.latest(STREAM, OPTIONS);
        assert.equal(Buffer.from(picture.jpeg).toString(), 'key-0 2 null', name);
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test("is the newest segment's last frame once the sent one is gone, or none came in this process", async () => {
    for (const ref of [undefined, { objectKey: 'gone' }, { path: '/nowhere/gone.jpg' }]) {
      const scene: Scene = { segments: [segment(0, 3)] };
      const { pictures } = picturesOf(ref === undefined ? scene : { ...scene, newest: { capturedAtMs: 2000, ref } });
      const picture = await pictures.latest(STREAM, OPTIONS);
      assert.deepEqual([picture.capturedAtMs, Buffer.from(picture.jpeg).toString()], [2000, 'key-0 2 null']);
    }
  });

  test('is the one of a newer segment, whose frames came through another process', async () => {
    const sent = { capturedAtMs: 2000, ref: { objectKey: 'a' } };
    const { pictures } = picturesOf({
      segments: [segment(0, 3), segment(3000, 3)],
      newest: sent,
      objects: { a: JPEG_A },
    });
    const picture = await pictures.latest(STREAM, OPTIONS);
    assert.deepEqual([picture.capturedAtMs, Buffer.from(picture.jpeg).toString()], [5000, 'key-3000 2 null']);
  });

  test('is scaled from the segment that has it; a newer frame is not held back for that', async () => {
    const scene = { segments: [segment(0, 3)], objects: { a: JPEG_A } };
    const inSegment = picturesOf({ ...scene, newest: { capturedAtMs: 2000, ref: { objectKey: 'a' } } });
    const small = { ...OPTIONS, widthPx: 160 };
    assert.equal(Buffer.from((await inSegment.pictures.latest(STREAM, small)).jpeg).toString(), 'key-0 2 160');
    const newer = picturesOf({ ...scene, newest: { capturedAtMs: 3000, ref: { objectKey: 'a' } } });
    assert.equal((await newer.pictures.latest(STREAM, small)).capturedAtMs, 3000);
  });

  test('is not found on an empty timeline, which may change', async () => {
    await assert.rejects(picturesOf({}).pictures.latest(STREAM, OPTIONS), { code: 'not_found', retryable: true });
  });
});

describe('the picture at a time', () => {
  test('is the frame shown then', async () => {
    const { pictures } = picturesOf({ segments: [segment(0, 3), segment(10_000, 2)] });
    for (const [atMs, capturedAtMs, shown] of [
      [0, 0, 'key-0 0 null'],
      [1999, 1000, 'key-0 1 null'],
      [2999, 2000, 'key-0 2 null'],
      [11_000, 11_000, 'key-10000 1 null'],
    ] as const) {
      const picture = await pictures.at(STREAM, wallMs(atMs), OPTIONS);
      assert.deepEqual([picture.capturedAtMs, Buffer.from(picture.jpeg).toString()], [capturedAtMs, shown]);
    }
  });

  test('is not found in a gap, and not where the bytes were lost', async () => {
    const { pictures } = picturesOf({ segments: [segment(0, 3), segment(10_000, 2, { lost: true })] });
    for (const atMs of [-1, 3000, 9999, 10_500]) {
      await assert.rejects(pictures.at(STREAM, wallMs(atMs), OPTIONS), { code: 'not_found' }, String(atMs));
    }
  });

  test('is found by sample durations where frame times are unknown', async () => {
    const sample = { data: Uint8Array.of(1), duration: 45_000, isSync: false };
    const bytes = writeMediaSegment({
      sequenceNumber: 0,
      baseMediaDecodeTime: 0,
      samples: [{ ...sample, isSync: true }, { ...sample, compositionOffset: 90_000 }, sample],
    });
    const pushed = segment(0, 0, { frameTimesMs: [], duration90k: pts90k(135_000) });
    const { pictures } = picturesOf({ segments: [pushed], objects: { 'key-0': bytes } });
    const shown = async (atMs: number): Promise<unknown> => {
      const { capturedAtMs, jpeg } = await pictures.at(STREAM, wallMs(atMs), OPTIONS);
      return [capturedAtMs, Buffer.from(jpeg).toString()];
    };
    assert.deepEqual(await shown(999), [0, 'key-0 0 null']);
    assert.deepEqual(await shown(1200), [1000, 'key-0 2 null']);
    assert.deepEqual(await shown(1499), [1000, 'key-0 2 null']);
    const newest = await pictures.latest(STREAM, OPTIONS);
    assert.deepEqual([newest.capturedAtMs, Buffer.from(newest.jpeg).toString()], [0, 'key-0 0 null']);
  });

  test('is decoded once, however many ask', async () => {
    const { pictures, snapshots } = picturesOf({ segments: [segment(0, 3)] });
    await Promise.all(Array.from({ length: 20 }, () => pictures.at(STREAM, wallMs(1500), OPTIONS)));
    await pictures.at(STREAM, wallMs(1600), OPTIONS);
    assert.equal(snapshots.length, 1);
    await pictures.at(STREAM, wallMs(1600), { ...OPTIONS, widthPx: 100 });
    assert.equal(snapshots.length, 2);
  });
});
