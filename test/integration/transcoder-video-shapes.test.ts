import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pts90k } from '../../src/base/time.ts';
import type { EncodedRendition } from '../../src/engine/transcoder.ts';
import { readPacketFile, PacketFileWriter } from '../../src/engine/packets/packet-file.ts';
import { encodeVideo } from '../../src/engine/worker/video/encode-video.ts';
import type { WatermarkRequest } from '../../src/timeline/asset.ts';
import { run } from '../fixtures/media-judge.ts';
import {
  black,
  encodeOne,
  firstPlanes,
  judgePictures,
  likeness,
  rungOf,
  wholeRequest,
  whitePicture,
  writeRendition,
} from '../fixtures/video-judge.ts';
import { makeVideo, type VideoBenchOptions } from '../fixtures/video-parts.ts';

/** Sources of other shapes than their renditions, and what makes them what those should look like. */
const SHAPES: readonly {
  readonly name: string;
  readonly bench: VideoBenchOptions;
  readonly size: readonly [width: number, height: number];
  readonly judge: string;
  readonly least?: number;
}[] = [
  {
    name: 'an odd size',
    bench: { make: [...pattern('161x121'), '-pix_fmt', 'yuv444p', '-c:v', 'ffv1'], name: 'odd.mkv' },
    size: [160, 120],
    judge: 'crop=160:120:0:0,format=yuv420p',
  },
  {
    name: 'a quarter turn',
    bench: { make: [...pattern('160x120'), '-pix_fmt', 'yuv420p'], track: { rotation: 90, width: 120, height: 160 } },
    size: [120, 160],
    judge: 'transpose=clock',
  },
  {
    name: 'three quarters of a turn, smaller',
    bench: { make: [...pattern('320x240'), '-pix_fmt', 'yuv420p'], track: { rotation: 270, width: 240, height: 320 } },
    size: [120, 160],
    judge: 'transpose=cclock,scale=120:160:flags=bicubic',
  },
  {
    name: 'half a turn',
    bench: { make: [...pattern('160x120'), '-pix_fmt', 'yuv420p'], track: { rotation: 180 } },
    size: [160, 120],
    judge: 'hflip,vflip',
  },
  {
    name: 'pixels that are not square',
    bench: { make: [...pattern('180x144', 'setsar=16/15'), '-pix_fmt', 'yuv420p'] },
    size: [192, 144],
    judge: 'scale=192:144:flags=bicubic',
  },
  {
    name: 'ten bits',
    bench: {
      make: [...pattern('160x120'), '-pix_fmt', 'yuv420p10le', '-c:v', 'libx265', '-x265-params', 'log-level=none'],
    },
    size: [160, 120],
    judge: 'format=yuv420p',
  },
  {
    name: '4:2:2',
    bench: {
      make: [...pattern('160x120'), '-pix_fmt', 'yuv422p', '-c:v', 'mpeg2video', '-q:v', '2'],
      name: 'studio.ts',
    },
    size: [160, 120],
    judge: 'format=yuv420p',
  },
  {
    name: 'full range',
    bench: {
      make: [
        ...pattern('160x120'),
        '-vf',
        'scale=out_range=full',
        '-pix_fmt',
        'yuvj420p',
        '-c:v',
        'mjpeg',
        '-q:v',
        '2',
      ],
      name: 'full.mov',
    },
    size: [160, 120],
    judge: 'scale=in_range=full:out_range=tv,format=yuv420p',
  },
  {
    name: 'red, green and blue',
    bench: { make: [...pattern('160x120'), '-pix_fmt', 'bgr0', '-c:v', 'ffv1'], name: 'screen.mkv' },
    size: [160, 120],
    judge: 'scale=out_color_matrix=bt709:out_range=tv,format=yuv420p',
  },
  {
    name: 'interlaced pictures',
    bench: {
      make: [
        '-f',
        'lavfi',
        '-i',
        'testsrc2=s=160x120:r=50:d=1',
        '-vf',
        'tinterlace=interleave_top,setfield=tff',
        '-c:v',
        'mpeg2video',
        '-q:v',
        '2',
        '-flags',
        '+ilme+ildct',
      ],
      name: 'woven.ts',
      track: { isInterlaced: true },
    },
    size: [160, 120],
    judge: 'bwdif=mode=send_frame',
  },
];

for (const { name, bench: options, size, judge, least = 30 } of SHAPES) {
  test(`a source with ${name} becomes upright, progressive 4:2:0 with square pixels`, async () => {
    await using bench = await makeVideo(options);
    const rendition = await encodeOne(bench, rungOf(...size));
    const path = await writeRendition(bench, rendition);
    const pictures = await judgePictures(path);
    assert.deepEqual(
      pictures.map(({ time90k }) => time90k),
      bench.times90k,
    );
    assert.deepEqual(
      [...new Set(pictures.map((one) => [one.width, one.height, one.pixelFormat].join()))],
      [[...size, 'yuv420p'].join()],
    );
    const alike = await likeness(path, bench.path, judge);
    assert.equal(alike.length, bench.times90k.length);
    assert.ok(Math.min(...alike) > least, `the least alike has ${Math.min(...alike)} dB`);
  });
}

test('one picture alone is a segment as long as it stays', async () => {
  await using bench = await makeVideo({ make: [...pattern('160x120'), '-frames:v', '1', '-pix_fmt', 'yuv420p'] });
  const { segments } = await encodeOne(bench, rungOf(160, 120), { end90k: pts90k(270_000) });
  assert.deepEqual(
    segments.map(({ mediaStart90k, duration90k }) => [mediaStart90k, duration90k]),
    [[0, 270_000]],
  );
});

for (const { name, tags, expected } of [
  {
    name: 'standard definition',
    tags: ['smpte170m', 'smpte170m', 'smpte170m'],
    expected: 'smpte170m,smpte170m,smpte170m',
  },
  { name: 'high definition', tags: ['bt709', 'bt709', 'bt709'], expected: 'bt709,bt709,bt709' },
] as const) {
  test(`the colours of ${name} are named in every codec, and stay`, async () => {
    const [matrix, primaries, transfer] = tags;
    const flags = ['-colorspace', matrix, '-color_primaries', primaries, '-color_trc', transfer];
    await using bench = await makeVideo({ make: [...pattern('160x120'), '-pix_fmt', 'yuv420p', ...flags] });
    for (const rung of [
      rungOf(160, 120),
      rungOf(160, 120, { codec: 'hevc', preset: 'ultrafast' }),
      rungOf(160, 120, { codec: 'av1', preset: '12' }),
    ]) {
      const path = await writeRendition(bench, await encodeOne(bench, rung));
      const said = await run('ffprobe', [
        '-v',
        'error',
        '-show_entries',
        'stream=color_space,color_transfer,color_primaries,color_range',
        '-of',
        'csv=p=0',
        path,
      ]);
      assert.equal(said.toString().trim(), `tv,${expected}`, rung.id);
    }
  });
}

for (const hdr of ['pq', 'hlg'] as const) {
  test(`pictures of high dynamic range (${hdr}) are brought into the standard range`, async () => {
    const transfer = hdr === 'pq' ? 'smpte2084' : 'arib-std-b67';
    const tags = ['-colorspace', 'bt2020nc', '-color_primaries', 'bt2020', '-color_trc', transfer];
    const ramp = 'color=s=160x120:r=25:d=0.2,format=yuv420p10le,geq=lum=64+X*5:cb=512:cr=512';
    await using bench = await makeVideo({
      make: ['-f', 'lavfi', '-i', ramp, '-c:v', 'libx265', '-x265-params', 'log-level=none', '-crf', '4', ...tags],
      track: { hdr, bitDepth: 10 },
    });
    const path = await writeRendition(bench, await encodeOne(bench, rungOf(160, 120)));
    const said = await run('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'stream=color_transfer,pix_fmt',
      '-of',
      'csv=p=0',
      path,
    ]);
    assert.equal(said.toString().trim(), 'yuv420p,bt709');
    const { y, u } = await firstPlanes(path, 160, 120);
    const row = y.subarray(160 * 60, 160 * 61);
    const [dark = 0, middle = 0, bright = 0] = [row[4], row[80], row[155]];
    assert.ok(dark < 40 && middle > 90 && bright > 200, `the ramp goes ${dark}, ${middle}, ${bright}`);
    assert.ok(
      u.every((value) => Math.abs(value - 128) <= 3),
      'grey stays grey',
    );
  });
}

const MARK = { objectKey: 'marks/mark', size: 0.25, margin: 0.1 } as const;

test('a source may change its size on the way', async () => {
  // A codec without reordering: decoders of others let go of a picture that waits for its turn when the size changes.
  const direct = ['-pix_fmt', 'yuv420p', '-c:v', 'libvpx', '-qmax', '8', '-b:v', '20M', '-auto-alt-ref', '0'];
  await using small = await makeVideo({ make: [...pattern('160x120'), ...direct], name: 'small.mkv' });
  await using large = await makeVideo({ make: [...pattern('320x240'), ...direct], name: 'large.mkv' });
  const [first, second] = await Promise.all(
    [small, large].map(async (bench) => readPacketFile(await bench.objects.get(bench.parts[0]?.key ?? ''))),
  );
  const writer = new PacketFileWriter(first ?? assert.fail());
  for (const { pts, dts, ...rest } of second?.packets ?? []) {
    writer.add({ ...rest, pts: (pts ?? 0) + small.end90k, dts: (dts ?? 0) + small.end90k });
  }
  await small.objects.put('parts/later', writer.finish());
  for (const watermark of [null, { ...MARK, position: 'center', opacity: 0 } as const]) {
    await small.objects.put(MARK.objectKey, await whitePicture('png', '40x20'));
    const rendition = await encodeOne(small, rungOf(160, 120), {
      parts: [...small.parts.map(({ key }) => key), 'parts/later'],
      end90k: pts90k(2 * small.end90k),
      watermark,
    });
    const path = await writeRendition(small, rendition);
    assert.equal((await judgePictures(path)).length, small.times90k.length + large.times90k.length);
    const twice = join(small.directory, 'twice.mkv');
    const graph = '[1]scale=160:120:flags=bicubic[b];[0][b]concat';
    await run('ffmpeg', [
      '-v',
      'error',
      '-y',
      '-i',
      small.path,
      '-i',
      large.path,
      '-lavfi',
      graph,
      '-c:v',
      'ffv1',
      twice,
    ]);
    const alike = await likeness(path, twice);
    assert.ok(Math.min(...alike) > 30, `the least alike has ${Math.min(...alike)} dB`);
  }
});

test('damage costs the pictures that it hits; what comes after is in its place', async () => {
  const make = [...pattern('160x120'), '-pix_fmt', 'yuv420p', '-g', '10', '-bf', '0'];
  await using bench = await makeVideo({
    make,
    partSeconds: 0.4,
    change: (packet, index) => ({
      ...packet,
      data: index >= 10 && index < 15 ? new Uint8Array(50).fill(255) : packet.data,
    }),
  });
  const [from, to] = [bench.parts[1]?.from90k ?? assert.fail(), bench.parts[2]?.from90k ?? assert.fail()];
  const damaged = await encodeOne(bench, rungOf(160, 120), {
    parts: bench.parts.slice(1, 3).map(({ key }) => key),
    from90k: from,
    to90k: to,
    segmentStarts90k: [from],
  });
  // Whatever the decoder makes of it, the stretch is filled: the ones before and behind it meet it.
  assert.deepEqual(
    damaged.segments.map((segment) => [segment.mediaStart90k, segment.mediaStart90k + segment.duration90k]),
    [[from, to]],
  );
  await judgePictures(await writeRendition(bench, damaged));
});

test('a stretch in which nothing decodes is corrupt', async () => {
  await using bench = await makeVideo({
    make: [...pattern('160x120'), '-pix_fmt', 'yuv420p'],
    change: (packet) => ({ ...packet, data: new Uint8Array(50).fill(255) }),
  });
  await assert.rejects(encodeOne(bench, rungOf(160, 120)), {
    code: 'corrupt_media',
    message: /25 packets were refused/,
  });
});

test('what no encoder can do is refused before anything is written', async () => {
  await using bench = await makeVideo({ make: black('160x120') });
  for (const rung of [
    rungOf(160, 120, { preset: 'hasty' }),
    rungOf(160, 120, { bitsPerS: 100_000 }),
    rungOf(161, 120),
    rungOf(160, 120, { frameRate: 0 }),
  ]) {
    await assert.rejects(encodeOne(bench, rung), { code: 'invalid_argument' });
  }
  assert.deepEqual(await Array.fromAsync(bench.objects.list('media/')), []);
});

test('a bit rate is kept to, and so is the ceiling of a quality', async () => {
  await using bench = await makeVideo({
    make: [
      '-f',
      'lavfi',
      '-i',
      'testsrc2=s=320x180:r=25:d=4,noise=alls=40:allf=t',
      '-pix_fmt',
      'yuv420p',
      '-crf',
      '10',
    ],
  });
  const bytesOf = ({ segments }: EncodedRendition): number =>
    segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  for (const [codec, preset, most] of [
    ['h264', 'veryfast', 500],
    ['hevc', 'ultrafast', 500],
    // In one pass these take their time to learn that they are above: 20 % over 20 seconds, more over four.
    ['vp9', '7', 750],
    ['av1', '10', 750],
  ] as const) {
    const average = rungOf(320, 180, { codec, preset, crf: null, bitsPerS: 400_000, maxBitsPerS: 600_000 });
    const capped = rungOf(320, 180, { codec, preset, crf: 12, maxBitsPerS: 400_000 });
    for (const rung of [average, capped]) {
      const kbps = (bytesOf(await encodeOne(bench, rung)) * 8) / 4 / 1000;
      assert.ok(kbps > 200 && kbps < most, `${codec} ${rung === average ? 'average' : 'ceiling'}: ${kbps} kbit/s`);
    }
  }
});

test('stretch after stretch, no memory is kept', async () => {
  await using bench = await makeVideo({ make: [...pattern('640x360'), '-pix_fmt', 'yuv420p'] });
  const watermark: WatermarkRequest = { ...MARK, position: 'center', opacity: 0.5 };
  await bench.objects.put(MARK.objectKey, await whitePicture('png', '400x200'));
  const rungs = [rungOf(640, 360, { preset: 'ultrafast' }), rungOf(320, 180, { preset: 'ultrafast' })];
  const rounds = async (count: number): Promise<number> => {
    for (let round = 0; round < count; round++) {
      await encodeVideo(wholeRequest(bench, rungs, { watermark: round % 2 === 0 ? null : watermark }), bench.context);
    }
    return Number(/VmRSS:\s+(\d+)/.exec(await readFile('/proc/self/status', 'latin1'))?.[1]) / 1024;
  };
  const before = await rounds(6);
  const after = await rounds(12);
  // A picture takes 0.35 MB: one kept of each round's 25 would be 105 MB.
  assert.ok(after - before < 60, `${after - before} MB more`);
});

function pattern(size: string, filter = 'null'): readonly string[] {
  return ['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=25:d=1,${filter}`, '-crf', '8'];
}
