import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pts90k } from '../../src/base/time.ts';
import { encodeVideo } from '../../src/engine/worker/video/encode-video.ts';
import {
  encodeChunks,
  joined,
  judgePictures,
  likeness,
  rungOf,
  wholeRequest,
  writeRendition,
} from '../fixtures/video-judge.ts';
import { makeVideo } from '../fixtures/video-parts.ts';

const RULE = { segmentMs: 800, chunkMs: 1600 };

/** Sources whose joins are hard, each with the rate that the encoder is told. */
const SOURCES = [
  {
    name: 'reordered pictures in open groups',
    frameRate: 25,
    make: [
      ...pattern(25, 5),
      '-c:v',
      'libx264',
      '-x264-params',
      'open-gop=1:keyint=22:bframes=3:b-pyramid=2:scenecut=0',
    ],
    file: 'open.mkv',
  },
  {
    name: 'a variable rate',
    frameRate: 30,
    make: [...pattern(30, 5, "select='not(mod(n*n,7))+gt(mod(n,40),25)'"), '-fps_mode', 'vfr', '-g', '15'],
    file: 'variable.mp4',
  },
  {
    name: '23.976 pictures a second',
    frameRate: 24_000 / 1001,
    make: [...pattern('24000/1001', 4), '-g', '30'],
    file: 'film.mov',
  },
  { name: '50 pictures a second', frameRate: 50, make: [...pattern(50, 3), '-g', '40'], file: 'fast.ts' },
  {
    name: 'one group of pictures as long as all',
    frameRate: 25,
    make: [...pattern(25, 5), '-g', '999'],
    file: 'long.mp4',
  },
  {
    name: 'HEVC with leading pictures',
    frameRate: 25,
    make: [
      ...pattern(25, 4),
      '-c:v',
      'libx265',
      '-x265-params',
      'keyint=20:min-keyint=20:scenecut=0:open-gop=1:log-level=none',
    ],
    file: 'leading.mp4',
  },
  {
    name: 'MPEG-2 with open groups',
    frameRate: 25,
    make: [...pattern(25, 3), '-c:v', 'mpeg2video', '-q:v', '2', '-g', '12', '-bf', '2'],
    file: 'old.mpg',
  },
];

for (const { name, frameRate, make, file } of SOURCES) {
  test(`chunks of ${name} join without a picture lost, doubled or moved`, async () => {
    await using bench = await makeVideo({ make, name: file, partSeconds: 0.5 });
    const rungs = [rungOf(320, 180, { frameRate }), rungOf(160, 90, { frameRate })];
    const results = await encodeChunks(bench, rungs, RULE);
    assert.ok(results.length > 1, 'there is but one chunk: nothing is joined');
    const renditions = rungs.map((_, index) => joined(results, index));
    const starts = renditions.map(({ segments }) => segments.map(({ mediaStart90k }) => mediaStart90k));
    assert.deepEqual(starts[0], starts[1], 'segments begin at the same times in every rung');
    for (const rendition of renditions) {
      const ends = rendition.segments.map((segment) => segment.mediaStart90k + segment.duration90k);
      assert.deepEqual(ends.slice(0, -1), starts[0]?.slice(1), 'ends meet starts');
      assert.ok(Math.abs((ends.at(-1) ?? 0) - bench.end90k) <= 1);
      const path = await writeRendition(bench, rendition);
      const pictures = await judgePictures(path);
      assert.deepEqual(
        pictures.map(({ time90k }) => time90k),
        bench.times90k,
      );
      const keys = pictures.filter(({ isKey }) => isKey).map(({ time90k }) => time90k);
      assert.deepEqual(keys, starts[0], 'each segment begins with the only key picture in it');
    }
    const path = await writeRendition(bench, renditions[0] ?? assert.fail());
    const alike = await likeness(path, bench.path);
    assert.equal(alike.length, bench.times90k.length);
    assert.ok(Math.min(...alike) > 30, `the least alike has ${Math.min(...alike)} dB`);
  });
}

test('a stretch gives the same bytes each time, and tells how its cost falls to rungs', async () => {
  await using bench = await makeVideo({ make: [...pattern(25, 2), '-g', '25'] });
  const rungs = [rungOf(160, 90), rungOf(320, 180, { crf: null, bitsPerS: 300_000, maxBitsPerS: 450_000 })];
  const request = wholeRequest(bench, rungs, { segmentStarts90k: [0, 90_000].map(pts90k) });
  const [first, second] = [await encodeVideo(request, bench.context), await encodeVideo(request, bench.context)];
  assert.deepEqual(first.rungs, second.rungs);
  assert.deepEqual(
    first.rungs.map(({ id }) => id),
    rungs.map(({ id }) => id),
  );
  const [small = 0, large = 0] = rungs.map(({ id }) => first.shares[id]);
  assert.ok(Math.abs(small + large - 1) < 1e-9 && large > small && small > 0.05, JSON.stringify(first.shares));
  assert.ok(bench.progress.every((fraction) => fraction >= 0 && fraction <= 1) && bench.progress.length > 0);
});

test('the head of a segment shows its first picture', async () => {
  await using bench = await makeVideo({ make: [...pattern(25, 1), '-g', '25'] });
  const { rungs } = await encodeVideo(wholeRequest(bench, [rungOf(320, 180)]), bench.context);
  const [rendition] = rungs;
  const [segment] = rendition?.segments ?? [];
  const bytes = await bench.objects.get(segment?.objectKey ?? '');
  assert.equal(bytes.length, segment?.sizeBytes);
  const head = bytes.subarray(0, segment?.keyframeBytes ?? 0);
  const key = 'head/0.m4s';
  await bench.objects.put(key, Buffer.concat([head, Buffer.alloc(bytes.length - head.length)]));
  const cut = { ...(rendition ?? assert.fail()), segments: [{ ...(segment ?? assert.fail()), objectKey: key }] };
  const alike = await likeness(await writeRendition(bench, cut), bench.path);
  assert.ok((alike[0] ?? 0) > 30, `the first picture has ${alike[0]} dB`);
});

for (const { codec, preset, crf, codecs } of [
  { codec: 'h264', preset: 'veryfast', crf: 22, codecs: /^avc1\.6400[0-9A-F]{2}$/ },
  { codec: 'hevc', preset: 'ultrafast', crf: 24, codecs: /^hvc1\.1\./ },
  { codec: 'vp9', preset: '5', crf: 30, codecs: /^vp09\.00\./ },
  { codec: 'av1', preset: '11', crf: 30, codecs: /^av01\.0\./ },
] as const) {
  test(`${codec} is encoded in chunks, decodes, and gives the same bytes each time`, async () => {
    await using bench = await makeVideo({ make: [...pattern(25, 3), '-g', '20'], partSeconds: 0.5 });
    const rungs = [
      rungOf(322, 182, { codec, preset, crf }),
      rungOf(160, 90, { codec, preset, crf: null, bitsPerS: 200_000 }),
    ];
    const results = await encodeChunks(bench, rungs, RULE);
    for (const index of rungs.keys()) {
      const rendition = joined(results, index);
      assert.match(rendition.init.codecs, codecs);
      const pictures = await judgePictures(await writeRendition(bench, rendition));
      assert.deepEqual(
        pictures.map(({ time90k }) => time90k),
        bench.times90k,
      );
      const { width, height } = rungs[index]?.spec ?? assert.fail();
      assert.deepEqual([...new Set(pictures.map((one) => `${one.width}x${one.height}`))], [`${width}x${height}`]);
      assert.deepEqual([rendition.init.width, rendition.init.height], [width, height]);
      const keys = new Set(pictures.filter(({ isKey }) => isKey).map(({ time90k }) => time90k));
      assert.ok(rendition.segments.every(({ mediaStart90k }) => keys.has(mediaStart90k)));
    }
    const alike = await likeness(
      await writeRendition(bench, joined(results, 0)),
      bench.path,
      'scale=322:182:flags=bicubic',
    );
    assert.ok(Math.min(...alike) > 27, `the least alike has ${Math.min(...alike)} dB`);
    const again = await encodeChunks(bench, rungs, RULE);
    assert.deepEqual(
      again.map((result) => result.rungs),
      results.map((result) => result.rungs),
    );
  });
}

/** A test picture that changes in every frame. */
function pattern(rate: number | string, seconds: number, filter = 'null'): readonly string[] {
  return [
    '-f',
    'lavfi',
    '-i',
    `testsrc2=s=320x180:r=${rate}:d=${seconds}`,
    '-vf',
    filter,
    '-pix_fmt',
    'yuv420p',
    '-crf',
    '12',
  ];
}
