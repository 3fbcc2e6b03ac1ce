import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { wallMs } from '../../src/base/time.ts';
import type { EncodeFramesRequest, EncodeFramesResult, FrameInput } from '../../src/engine/engine.ts';
import { startEngine, type EngineBench } from '../fixtures/engine.ts';
import { decodeLuma } from '../fixtures/media-judge.ts';
import { makeJpeg, psnr, sceneAt } from '../fixtures/pictures.ts';
import { writeJpeg, type WrittenJpegOptions } from '../fixtures/pictures-jpeg-writer.ts';

const T0 = Date.UTC(2026, 10, 20, 10);
const GOOD = makeJpeg();
let bench: EngineBench;
before(async () => {
  bench = await startEngine();
});
after(() => bench[Symbol.asyncDispose]());

const SHAPES: readonly (Omit<WrittenJpegOptions, 'sampleAt' | 'width' | 'height'> & { readonly name: string })[] = [
  { name: 'grayscale', sampling: [[1, 1]] },
  {
    name: 'progressive 4:2:0',
    sampling: [
      [2, 2],
      [1, 1],
      [1, 1],
    ],
    isProgressive: true,
  },
  {
    name: 'progressive 4:2:2',
    sampling: [
      [2, 1],
      [1, 1],
      [1, 1],
    ],
    isProgressive: true,
  },
  {
    name: 'progressive 4:4:4',
    sampling: [
      [1, 1],
      [1, 1],
      [1, 1],
    ],
    isProgressive: true,
  },
  { name: 'progressive grayscale', sampling: [[1, 1]], isProgressive: true },
  {
    name: 'baseline 4:1:1',
    sampling: [
      [4, 1],
      [1, 1],
      [1, 1],
    ],
  },
  {
    name: 'baseline 4:4:0',
    sampling: [
      [1, 2],
      [1, 1],
      [1, 1],
    ],
  },
];

for (const { name, ...shape } of SHAPES) {
  for (const [width, height] of [
    [64, 48],
    [75, 53],
  ] as const) {
    test(`${name} at ${width}×${height} keeps its picture`, async () => {
      const jpeg = writeJpeg({
        ...shape,
        width,
        height,
        sampleAt: (component, x, y) => sceneAt(x, y, 3)[component] ?? 0,
      });
      const { segments, rejected } = await encode([jpeg]);
      assert.deepEqual(rejected, []);
      assert.ok(segments[0]?.newEpoch);
      const [picture] = await decodeLuma(segments[0].newEpoch.init, await bench.objects.get(segments[0].objectKey));
      assert.ok(picture && psnr(picture, width & ~1, height & ~1, 3) > 30);
    });
  }
}

test('an RGB JPEG becomes the picture that it is', async () => {
  const jpeg = writeJpeg({
    width: 64,
    height: 48,
    sampling: [
      [1, 1],
      [1, 1],
      [1, 1],
    ],
    adobeTransform: 0,
    sampleAt: (component) => [200, 100, 50][component] ?? 0,
  });
  const { segments, rejected } = await encode([jpeg]);
  assert.deepEqual(rejected, []);
  assert.ok(segments[0]?.newEpoch);
  const [luma] = await decodeLuma(segments[0].newEpoch.init, await bench.objects.get(segments[0].objectKey));
  const expected = 0.299 * 200 + 0.587 * 100 + 0.114 * 50;
  assert.ok(luma?.every((value) => Math.abs(value - expected) < 4));
});

const plain = (change: Partial<WrittenJpegOptions>): Buffer =>
  writeJpeg({ width: 64, height: 48, sampling: [[1, 1]], sampleAt: () => 90, ...change });
const withSize = (width: number, height: number): Buffer => {
  const bytes = Buffer.from(GOOD);
  const frame = bytes.indexOf(Uint8Array.of(0xff, 0xc0));
  bytes.writeUInt16BE(height, frame + 5);
  bytes.writeUInt16BE(width, frame + 7);
  return bytes;
};

const BAD: readonly {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly code: string;
  readonly message: RegExp;
}[] = [
  { name: 'nothing', bytes: Buffer.alloc(0), code: 'unsupported_media', message: /0 bytes/ },
  {
    name: 'text',
    bytes: Buffer.from('<html>no such picture</html>'),
    code: 'unsupported_media',
    message: /begin with 3c68/,
  },
  {
    name: 'a PNG',
    bytes: Buffer.from('89504e470d0a1a0a0000', 'hex'),
    code: 'unsupported_media',
    message: /not ffd8ff/,
  },
  { name: 'half a JPEG', bytes: GOOD.subarray(0, GOOD.length >> 1), code: 'corrupt_media', message: /cut off/ },
  {
    name: 'a JPEG without its end',
    bytes: GOOD.subarray(0, GOOD.length - 2),
    code: 'corrupt_media',
    message: /no end-of-image/,
  },
  {
    name: 'half a JPEG with an end',
    bytes: Buffer.concat([GOOD.subarray(0, GOOD.length >> 1), Buffer.from('ffd9', 'hex')]),
    code: 'corrupt_media',
    message: /Could not decode/,
  },
  { name: 'a header alone', bytes: GOOD.subarray(0, 100), code: 'corrupt_media', message: /cut off/ },
  { name: 'a size that is a lie', bytes: withSize(1280, 960), code: 'corrupt_media', message: /decode/ },
  { name: 'a bomb', bytes: withSize(15_000, 15_000), code: 'payload_too_large', message: /15000×15000/ },
  { name: 'one pixel', bytes: plain({ width: 1, height: 1 }), code: 'unsupported_media', message: /at least 2×2/ },
  {
    name: 'CMYK',
    bytes: plain({
      sampling: [
        [1, 1],
        [1, 1],
        [1, 1],
        [1, 1],
      ],
      adobeTransform: 0,
    }),
    code: 'unsupported_media',
    message: /CMYK/,
  },
  { name: '12 bits', bytes: plain({ precision: 12 }), code: 'unsupported_media', message: /12 bits/ },
  { name: 'lossless coding', bytes: plain({ sof: 0xc3 }), code: 'unsupported_media', message: /SOF3/ },
  { name: 'arithmetic coding', bytes: plain({ sof: 0xc9 }), code: 'unsupported_media', message: /SOF9/ },
  {
    name: 'too many bytes',
    bytes: Buffer.concat([GOOD, Buffer.alloc(2 << 20)]),
    code: 'payload_too_large',
    message: /more than the 2097152 allowed/,
  },
];

for (const { name, bytes, code, message } of BAD) {
  test(`${name} is refused with its cause, and the frames around it go on`, async () => {
    const { segments, rejected } = await encode([GOOD, bytes, GOOD]);
    assert.deepEqual(
      segments.map((segment) => segment.frameTimesMs),
      [[T0, T0 + 2000]],
    );
    assert.equal(segments[0]?.duration90k, 7000 * 90, 'the frame before lasts on');
    assert.equal(rejected.length, 1);
    assert.equal(rejected[0]?.capturedAtMs, T0 + 1000);
    assert.equal(rejected[0].code, code);
    assert.match(rejected[0].message, message);
    assert.equal(rejected[0].retryable, false);
  });
}

test('1,000 damaged pictures neither crash nor stop the engine', async () => {
  const [pid] = bench.engine.stats().pids;
  const small = makeJpeg({ width: 96, height: 64 });
  let rejected = 0;
  for (let batch = 0; batch < 10; batch++) {
    const frames = Array.from({ length: 100 }, (_, index) => {
      const bytes = Buffer.from(small);
      const n = batch * 100 + index;
      for (let flip = 0; flip <= n % 4; flip++) {
        const at = (n * 7919 + flip * 104_729) % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ (1 << ((n + flip) % 8));
      }
      return bytes;
    });
    const result = await encode(frames);
    const encoded = result.segments.reduce((sum, segment) => sum + segment.frameTimesMs.length, 0);
    assert.equal(encoded + result.rejected.length, 100);
    rejected += result.rejected.length;
  }
  assert.ok(rejected > 100, `${rejected} were refused`);
  assert.equal(bench.engine.stats().pids[0], pid);
  assert.equal((await encode([GOOD])).segments.length, 1);
});

test('a batch without a good frame has no segment', async () => {
  const { segments, rejected } = await encode([Buffer.alloc(10), Buffer.alloc(10)]);
  assert.deepEqual([segments.length, rejected.length], [0, 2]);
});

test('missing frames: waited for, or left out', async () => {
  const there = await bench.frame(T0, GOOD);
  const missing: FrameInput = { capturedAtMs: wallMs(T0 + 1000), ref: { path: join(bench.directory, 'none.jpg') } };
  const gone: FrameInput = { capturedAtMs: wallMs(T0 + 2000), ref: { objectKey: 'frames/none.jpg' } };
  const bad = await bench.frame(T0 + 3000, Buffer.alloc(10));
  const frames = [there, missing, gone, bad];
  const waiting = await bench.engine.encodeFrames(bench.request(frames, { allowMissing: false }));
  assert.deepEqual(waiting.segments, []);
  assert.deepEqual(
    waiting.rejected.map(({ capturedAtMs, code, retryable }) => [capturedAtMs - T0, code, retryable]),
    [
      [1000, 'missing_input', true],
      [2000, 'missing_input', true],
    ],
  );
  const going = await bench.engine.encodeFrames(bench.request(frames, { allowMissing: true }));
  assert.deepEqual(
    going.segments.map((segment) => segment.frameTimesMs),
    [[T0]],
  );
  assert.deepEqual(
    going.rejected.map((frame) => frame.code),
    ['missing_input', 'missing_input', 'unsupported_media'],
  );
});

test('a link instead of a file is not followed', async () => {
  const target = await bench.frame(T0, GOOD);
  const path = join(bench.directory, 'link.jpg');
  await symlink('path' in target.ref ? target.ref.path : '', path);
  const { rejected } = await bench.engine.encodeFrames(bench.request([{ capturedAtMs: wallMs(T0), ref: { path } }]));
  assert.equal(rejected[0]?.code, 'unsupported_media');
  assert.match(rejected[0].message, /symbolic link/);
});

test('frames from the object store', async () => {
  await bench.objects.put('frames/a.jpg', GOOD);
  const frames = [{ capturedAtMs: wallMs(T0), ref: { objectKey: 'frames/a.jpg' } }];
  assert.equal((await bench.engine.encodeFrames(bench.request(frames))).segments.length, 1);
});

test('frames that do not rise in time are a mistake of the caller', async () => {
  const frames = [await bench.frame(T0, GOOD), await bench.frame(T0, GOOD)];
  await assert.rejects(bench.engine.encodeFrames(bench.request(frames)), {
    code: 'invalid_argument',
    message: /must rise/,
  });
});

test('the capture time is drawn where it was asked for and nowhere else', async () => {
  const frames = [await bench.frame(T0 + 250, GOOD)];
  const overlay = { position: 'bottom-right', sizePx: 20, timeZone: 'Europe/Berlin' } as const;
  const stamped = await picture({ frames, overlay });
  const plainPicture = await picture({ frames, overlay: null });
  let changedInside = 0;
  let changedOutside = 0;
  for (const [index, value] of stamped.entries()) {
    if (Math.abs(value - (plainPicture[index] ?? 0)) < 40) continue;
    const inCorner = index % 640 > 120 && Math.floor(index / 640) > 430;
    if (inCorner) changedInside += 1;
    else changedOutside += 1;
  }
  assert.ok(changedInside > 3000, `${changedInside} pixels changed in the corner`);
  assert.equal(changedOutside, 0);
});

async function picture(
  change: Partial<EncodeFramesRequest> & { readonly frames: readonly FrameInput[] },
): Promise<Uint8Array> {
  const { segments } = await bench.engine.encodeFrames(bench.request(change.frames, { crf: 12, ...change }));
  assert.ok(segments[0]?.newEpoch);
  const [luma] = await decodeLuma(segments[0].newEpoch.init, await bench.objects.get(segments[0].objectKey));
  assert.ok(luma);
  return luma;
}

async function encode(jpegs: readonly Uint8Array[]): Promise<EncodeFramesResult> {
  const frames = await Promise.all(jpegs.map((jpeg, index) => bench.frame(T0 + index * 1000, jpeg)));
  return bench.engine.encodeFrames(bench.request(frames, { limits: { maxBytes: 2 << 20, maxPixels: 4_000_000 } }));
}
