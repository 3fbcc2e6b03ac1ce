import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pts90k, TICKS_PER_MS } from '../../src/base/time.ts';
import { drawPictures } from '../../src/engine/worker/pictures/draw-pictures.ts';
import type { DrawPicturesRequest } from '../../src/engine/transcoder.ts';
import type { StoryboardSpec } from '../../src/timeline/asset.ts';
import { decodeJpegLuma, run } from '../fixtures/media-judge.ts';
import { makeVideo, type VideoBench } from '../fixtures/video-parts.ts';

/** Each picture is one grey, two steps brighter than the one before. */
const STEP = 2;
const GREYS = ['-f', 'lavfi', '-i', `color=s=64x48:r=25:d=4,geq=lum=20+N*${STEP}:cb=128:cr=128`, '-pix_fmt', 'yuv420p'];
const OPEN = ['-c:v', 'libx264', '-crf', '4', '-x264-params', 'open-gop=1:keyint=20:bframes=3:scenecut=0'];

test('a still is the picture at or before its time, in the order asked for', async () => {
  await using bench = await makeVideo({ make: [...GREYS, ...OPEN], name: 'open.mkv', partSeconds: 0.5 });
  assert.ok(
    bench.parts.some(({ hasLeading }) => hasLeading),
    'the source has no leading pictures',
  );
  const numbers = [0, 99, 19, 18, 17, 50, 20, 21, 38, 39, 40, 3, 50];
  // In the middle of a picture, at its start, and far behind the end.
  const timesMs = [...numbers.map((number) => number * 40 + 20), 800, 0, 60_000];
  const stills = await drawStills(bench, { timesMs, widthPx: 64, heightPx: 48 });
  const found = await Promise.all(stills.map(async (jpeg) => pictureNumber(await decodeJpegLuma(jpeg))));
  assert.deepEqual(found, [...numbers, 20, 0, 99]);
});

test('stills have their sizes, also odd ones, and the same bytes each time', async () => {
  await using bench = await makeVideo({ make: [...GREYS, ...OPEN] });
  const request = requestFor(bench, {
    stills: [
      { timesMs: [0, 1000], widthPx: 33, heightPx: 25, outputPrefix: 'a/' },
      { timesMs: [500], widthPx: 64, heightPx: 48, outputPrefix: 'b/' },
    ],
  });
  const { stills } = await drawPictures(request, bench.context);
  assert.deepEqual(
    stills.map((set) => set.map(({ objectKey }) => objectKey)),
    [['a/0.jpg', 'a/1.jpg'], ['b/0.jpg']],
  );
  for (const [set, size] of [
    [stills[0], 33 * 25],
    [stills[1], 64 * 48],
  ] as const) {
    for (const { objectKey, sizeBytes } of set ?? assert.fail()) {
      const jpeg = await bench.objects.get(objectKey);
      assert.equal(jpeg.length, sizeBytes);
      assert.equal((await decodeJpegLuma(jpeg)).length, size);
    }
  }
  assert.deepEqual(await drawPictures(request, bench.context), { stills, sheets: [] });
});

for (const { name, colours } of [
  { name: 'BT.709', colours: ['bt709', 'bt709', 'bt709'] },
  { name: 'BT.601', colours: ['smpte170m', 'smpte170m', 'smpte170m'] },
] as const) {
  test(`colours of ${name} come out right, upright and with square pixels`, async () => {
    const [matrix, primaries, transfer] = colours;
    const filters = [
      "geq=r='if(lt(X,32),210,40)':g='if(lt(Y,24),40,180)':b='60'",
      `scale=out_color_matrix=${matrix}:out_range=tv,format=yuv420p,setsar=3/2`,
    ].join(',');
    const tags = ['-colorspace', matrix, '-color_primaries', primaries, '-color_trc', transfer];
    await using bench = await makeVideo({
      make: ['-f', 'lavfi', '-i', 'color=s=64x48:r=25:d=0.2,format=gbrp', '-vf', filters, '-crf', '2', ...tags],
      track: { rotation: 90, width: 48, height: 96 },
    });
    const [jpeg] = await drawStills(bench, { timesMs: [0], widthPx: 48, heightPx: 96 });
    const rgb = await run(
      'ffmpeg',
      ['-v', 'error', '-i', 'pipe:0', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'],
      jpeg ?? assert.fail(),
    );
    assert.equal(rgb.length, 48 * 96 * 3);
    const at = (x: number, y: number): readonly number[] => [...rgb.subarray(3 * (48 * y + x), 3 * (48 * y + x) + 3)];
    // Turned clockwise: what was left is at the top, what was above is on the right.
    assertNear(at(36, 20), [210, 40, 60]);
    assertNear(at(12, 20), [210, 180, 60]);
    assertNear(at(36, 76), [40, 40, 60]);
    assertNear(at(12, 76), [40, 180, 60]);
  });
}

test('a storyboard shows keyframes near its times, by rows, on sheets of which the last is cropped', async () => {
  await using bench = await makeVideo({
    make: [...GREYS, '-c:v', 'libx264', '-g', '5', '-crf', '4'],
    partSeconds: 0.2,
  });
  const spec: StoryboardSpec = {
    kind: 'storyboard',
    intervalMs: 300,
    columns: 3,
    rows: 3,
    tileWidthPx: 32,
    tileHeightPx: 24,
  };
  const { sheets } = await drawPictures(
    requestFor(bench, { storyboard: { spec, outputPrefix: 'board/' } }),
    bench.context,
  );
  assert.deepEqual(
    sheets.map(({ objectKey }) => objectKey),
    ['board/0.jpg', 'board/1.jpg'],
  );
  const tiles: number[] = [];
  for (const [sheet, rows] of [3, 2].entries()) {
    const luma = await decodeJpegLuma(await bench.objects.get(`board/${sheet}.jpg`));
    assert.equal(luma.length, 96 * 24 * rows);
    for (let place = 0; place < rows * 3; place++) {
      const [x, y] = [(place % 3) * 32 + 16, Math.floor(place / 3) * 24 + 12];
      if (tiles.length < 14) tiles.push(pictureNumber(luma.subarray(96 * y + x, 96 * y + x + 1)));
      else assert.ok((luma[96 * y + x] ?? 255) < 4, 'places without a picture are black');
    }
  }
  // 4 s in steps of 300 ms; keyframes lie at every 200 ms, each the first of five pictures.
  const expected = Array.from({ length: 14 }, (_, tile) => tile * 300);
  for (const [tile, number] of tiles.entries()) {
    assert.equal(number % 5, 0, `tile ${tile} shows picture ${number}`);
    assert.ok(Math.abs(number * 40 - (expected[tile] ?? 0)) <= 100, `tile ${tile} shows picture ${number}`);
  }
});

test('tiles behind the last picture show it', async () => {
  await using bench = await makeVideo({ make: [...GREYS, '-c:v', 'libx264', '-g', '25', '-crf', '4'] });
  const spec: StoryboardSpec = {
    kind: 'storyboard',
    intervalMs: 1000,
    columns: 3,
    rows: 2,
    tileWidthPx: 32,
    tileHeightPx: 24,
  };
  const end90k = pts90k(5500 * TICKS_PER_MS);
  await drawPictures(requestFor(bench, { end90k, storyboard: { spec, outputPrefix: 'behind/' } }), bench.context);
  const luma = await decodeJpegLuma(await bench.objects.get('behind/0.jpg'));
  const last = [4, 5].map((tile) => {
    const at = 96 * (Math.floor(tile / 3) * 24 + 12) + (tile % 3) * 32 + 16;
    return pictureNumber(luma.subarray(at, at + 1));
  });
  // The first of them is still near enough to the last keyframe.
  assert.deepEqual(last, [75, 99]);
});

test('where keyframes are too rare for a storyboard, its tiles are the pictures at their times', async () => {
  await using bench = await makeVideo({ make: [...GREYS, '-c:v', 'libx264', '-g', '999', '-crf', '4'] });
  const spec: StoryboardSpec = {
    kind: 'storyboard',
    intervalMs: 500,
    columns: 4,
    rows: 2,
    tileWidthPx: 32,
    tileHeightPx: 24,
  };
  await drawPictures(requestFor(bench, { storyboard: { spec, outputPrefix: 'rare/' } }), bench.context);
  const luma = await decodeJpegLuma(await bench.objects.get('rare/0.jpg'));
  const tiles = Array.from({ length: 8 }, (_, tile) => {
    const at = 128 * (Math.floor(tile / 4) * 24 + 12) + (tile % 4) * 32 + 16;
    return pictureNumber(luma.subarray(at, at + 1));
  });
  // The second is still near enough to the keyframe at 0.
  assert.deepEqual(tiles.slice(2), [25, 37, 50, 62, 75, 87]);
  assert.equal(tiles[0], 0);
});

test('a still carries the watermark', async () => {
  await using bench = await makeVideo({
    make: ['-f', 'lavfi', '-i', 'color=c=black:s=160x120:r=25:d=0.2', '-pix_fmt', 'yuv420p'],
  });
  const white = await run(
    'ffmpeg',
    [
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      'color=c=white:s=20x10',
      '-frames:v',
      '1',
      '-c:v',
      'png',
      '-f',
      'image2pipe',
      '-',
    ],
    Buffer.alloc(0),
  );
  await bench.objects.put('marks/white.png', white);
  const request = requestFor(bench, {
    stills: [{ timesMs: [0], widthPx: 160, heightPx: 120, outputPrefix: 'marked/' }],
    watermark: { objectKey: 'marks/white.png', position: 'bottom-right', size: 0.25, opacity: 0.5, margin: 0.1 },
  });
  await drawPictures(request, bench.context);
  const luma = await decodeJpegLuma(await bench.objects.get('marked/0.jpg'));
  const at = (x: number, y: number): number => luma[160 * y + x] ?? -1;
  // 40×20 pixels, 16 from the edges: from (104, 84) to (144, 104).
  for (const [x, y] of [
    [107, 87],
    [141, 87],
    [107, 101],
    [141, 101],
  ] as const)
    assert.ok(Math.abs(at(x, y) - 128) < 8, `${x},${y} is ${at(x, y)}`);
  for (const [x, y] of [
    [100, 94],
    [148, 94],
    [124, 80],
    [124, 108],
  ] as const)
    assert.ok(at(x, y) < 8, `${x},${y} is ${at(x, y)}`);
});

test('interlaced and damaged sources give stills all the same; one that decodes nowhere is refused', async () => {
  await using woven = await makeVideo({
    make: [
      '-f',
      'lavfi',
      '-i',
      'testsrc2=s=64x48:r=50:d=1',
      '-vf',
      'tinterlace=interleave_top',
      '-c:v',
      'mpeg2video',
      '-flags',
      '+ilme+ildct',
    ],
    name: 'woven.ts',
    track: { isInterlaced: true },
  });
  assert.equal((await drawStills(woven, { timesMs: [0, 300, 900], widthPx: 64, heightPx: 48 })).length, 3);

  const make = [...GREYS, '-c:v', 'libx264', '-g', '25', '-crf', '4'];
  await using holed = await makeVideo({ make, change: (packet, index) => (index >= 25 && index < 50 ? null : packet) });
  const [still] = await drawStills(holed, { timesMs: [1500], widthPx: 64, heightPx: 48 });
  assert.equal(pictureNumber(await decodeJpegLuma(still ?? assert.fail())), 24);

  await using junk = await makeVideo({ make, change: (packet) => ({ ...packet, data: new Uint8Array(40).fill(7) }) });
  await assert.rejects(drawStills(junk, { timesMs: [0], widthPx: 64, heightPx: 48 }), { code: 'corrupt_media' });
});

function requestFor(bench: VideoBench, change: Partial<DrawPicturesRequest>): DrawPicturesRequest {
  const { track, parts, end90k } = bench;
  return { track, parts, end90k, stills: [], storyboard: null, watermark: null, ...change };
}

async function drawStills(
  bench: VideoBench,
  set: { readonly timesMs: readonly number[]; readonly widthPx: number; readonly heightPx: number },
): Promise<readonly Uint8Array[]> {
  const request = requestFor(bench, { stills: [{ ...set, outputPrefix: 'stills/' }] });
  const { stills } = await drawPictures(request, bench.context);
  return await Promise.all((stills[0] ?? []).map(({ objectKey }) => bench.objects.get(objectKey)));
}

/** Which of the grey pictures this is, from luma in full range. */
function pictureNumber(luma: Uint8Array): number {
  const mean = luma.reduce((sum, value) => sum + value, 0) / luma.length;
  return Math.round((mean * 219) / 255 + 16 - 20) / STEP;
}

function assertNear(found: readonly number[], expected: readonly number[]): void {
  const far = found.some((value, index) => Math.abs(value - (expected[index] ?? 0)) > 9);
  assert.ok(!far, `${found.join(',')} is not near ${expected.join(',')}`);
}
