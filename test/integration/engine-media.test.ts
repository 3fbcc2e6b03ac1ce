import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { EncodedSegment } from '../../src/engine/engine.ts';
import { readJpegHeader } from '../../src/engine/jpeg/read-header.ts';
import { startEngine, type EngineBench } from '../fixtures/engine.ts';
import { decodeJpegLuma, run } from '../fixtures/media-judge.ts';
import { makeJpeg, psnr } from '../fixtures/pictures.ts';

const T0 = Date.UTC(2026, 10, 20, 10);
const LIMITS = { maxBytes: 16 << 20, maxPixels: 4_000_000 };
let bench: EngineBench;
let segments: readonly EncodedSegment[];
let init: Uint8Array;
before(async () => {
  bench = await startEngine();
  const made: EncodedSegment[] = [];
  let epoch = null;
  for (const start of [0, 15_000, 60_000]) {
    const frames = await Promise.all(
      [0, 1, 2].map((index) => bench.frame(T0 + start + index * 5000, makeJpeg({ seed: made.length * 3 + index }))),
    );
    const result = await bench.engine.encodeFrames(bench.request(frames, { epoch }));
    assert.ok(result.segments[0]);
    made.push(result.segments[0]);
    epoch ??= result.segments[0].newEpoch;
  }
  assert.ok(epoch);
  segments = made;
  init = epoch.init;
});
after(() => bench[Symbol.asyncDispose]());

test('snapshot shows the sample asked for', async () => {
  for (const sampleIndex of [0, 1, 2]) {
    const jpeg = await snapshot(sampleIndex, null);
    const { width, height, sampling } = readJpegHeader(jpeg, LIMITS);
    assert.deepEqual([width, height, sampling], [640, 480, '4:2:0']);
    assert.ok(psnr(await decodeJpegLuma(jpeg), 640, 480, sampleIndex) > 30);
  }
});

test('snapshot scales down in the shape of the picture, and never up', async () => {
  const small = readJpegHeader(await snapshot(1, 161), LIMITS);
  assert.deepEqual([small.width, small.height], [162, 120]);
  const large = readJpegHeader(await snapshot(1, 5000), LIMITS);
  assert.deepEqual([large.width, large.height], [640, 480]);
});

test('snapshot of a sample that is not there, or a segment that is gone', async () => {
  await assert.rejects(snapshot(3, null), { code: 'out_of_range' });
  await assert.rejects(
    bench.engine.snapshot({ init, segmentKey: 'segments/none.m4s', sampleIndex: 0, widthPx: null }),
    { code: 'missing_input' },
  );
});

test('snapshot of a damaged segment', async () => {
  const bytes = Buffer.from(await bench.objects.get(segments[0]?.objectKey ?? ''));
  await bench.objects.put('segments/damaged.m4s', bytes.subarray(0, bytes.length - 2000));
  await assert.rejects(
    bench.engine.snapshot({ init, segmentKey: 'segments/damaged.m4s', sampleIndex: 0, widthPx: null }),
    { code: 'corrupt_media' },
  );
});

for (const container of ['mp4', 'mpegts'] as const) {
  test(`remux to ${container} keeps every picture at its time, across a gap`, async () => {
    const segmentKeys = segments.map((segment) => segment.objectKey);
    const outputKey = `clips/test.${container}`;
    const result = await bench.engine.remux({ source: { init, segmentKeys }, container, outputKey });
    const path = join(bench.directory, `out.${container}`);
    const bytes = await bench.objects.get(outputKey);
    await writeFile(path, bytes);
    assert.equal(result.sizeBytes, bytes.length);
    assert.equal(result.durationMs, 75_000);
    const probed = await run('ffprobe', ['-v', 'error', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', path]);
    const times =
      probed
        .toString()
        .match(/[\d.]+/g)
        ?.map(Number) ?? [];
    const first = times[0] ?? 0;
    assert.deepEqual(
      times.map((time) => Math.round(time - first)),
      [0, 5, 10, 15, 20, 25, 60, 65, 70],
    );
    await run('ffmpeg', ['-v', 'error', '-xerror', '-i', path, '-enc_time_base', '1:90000', '-f', 'null', '-']);
    if (container === 'mp4') {
      const duration = await run('ffprobe', [
        '-v',
        'error',
        '-show_entries',
        'format=duration',
        '-of',
        'csv=p=0',
        path,
      ]);
      assert.equal(Number(duration.toString()), 75);
    }
    const probe = await bench.engine.probe({ ref: { objectKey: outputKey }, limits: LIMITS });
    assert.equal(probe.container, container);
    assert.deepEqual(
      probe.tracks.map(({ kind, codec, width, height }) => [kind, codec, width, height]),
      [['video', 'h264', 640, 480]],
    );
  });
}

test('remux refuses segments out of order', async () => {
  const segmentKeys = segments.map((segment) => segment.objectKey).reverse();
  await assert.rejects(
    bench.engine.remux({ source: { init, segmentKeys }, container: 'mp4', outputKey: 'clips/never.mp4' }),
    { code: 'invalid_argument', message: /must rise in time/ },
  );
});

test('probe reads files as they are, whatever they are called', async () => {
  const cases = [
    { args: ['-c:v', 'libx264', '-c:a', 'aac', '-f', 'mp4'], container: 'mp4', codecs: ['h264', 'aac'] },
    { args: ['-c:v', 'libx264', '-c:a', 'mp2', '-f', 'mpegts'], container: 'mpegts', codecs: ['h264', 'mp2'] },
    {
      args: ['-c:v', 'libx264', '-c:a', 'pcm_s16le', '-f', 'matroska'],
      container: 'matroska',
      codecs: ['h264', 'pcm_s16le'],
    },
    { args: ['-c:v', 'mjpeg', '-c:a', 'pcm_s16le', '-f', 'avi'], container: 'avi', codecs: ['mjpeg', 'pcm_s16le'] },
    { args: ['-c:v', 'flv1', '-an', '-f', 'flv'], container: 'flv', codecs: ['flv1'] },
    { args: ['-vn', '-c:a', 'pcm_s16le', '-f', 'wav'], container: 'wav', codecs: ['pcm_s16le'] },
    { args: ['-vn', '-c:a', 'flac', '-f', 'ogg'], container: 'ogg', codecs: ['flac'] },
  ];
  for (const [index, { args, container, codecs }] of cases.entries()) {
    const path = join(bench.directory, `probe-${index}.jpg`);
    const sources = [
      '-f',
      'lavfi',
      '-i',
      'testsrc=s=320x180:r=10:d=2,format=yuv420p',
      '-f',
      'lavfi',
      '-i',
      'sine=r=48000:d=2',
    ];
    await run('ffmpeg', ['-v', 'error', '-y', ...sources, ...args, path]);
    const result = await bench.engine.probe({ ref: { path }, limits: LIMITS });
    assert.equal(result.container, container);
    assert.ok(Math.abs((result.durationMs ?? 0) - 2000) < 150, `${container}: ${result.durationMs} ms`);
    assert.deepEqual(
      result.tracks.map((track) => track.codec),
      codecs,
    );
    const video = result.tracks.find((track) => track.kind === 'video');
    if (video !== undefined) assert.deepEqual([video.width, video.height], [320, 180]);
    const audio = result.tracks.find((track) => track.kind === 'audio');
    if (audio !== undefined) assert.deepEqual([audio.sampleRateHz, audio.channels], [48_000, 1]);
  }
  const { ref } = await bench.frame(T0, makeJpeg({ width: 320, height: 200 }));
  const jpeg = await bench.engine.probe({ ref, limits: LIMITS });
  assert.deepEqual([jpeg.container, jpeg.tracks[0]?.width, jpeg.tracks[0]?.height], ['jpeg', 320, 200]);
});

test('probe follows nothing: playlists, links, devices and markup are refused with their cause', async () => {
  const write = async (name: string, content: string | Uint8Array): Promise<string> => {
    const path = join(bench.directory, name);
    await writeFile(path, content);
    return path;
  };
  const target = await write('target.mp4', 'ftyp');
  const link = join(bench.directory, 'link.mp4');
  await symlink(target, link);
  const cases = [
    { path: await write('playlist.mp4', '#EXTM3U\n#EXTINF:5,\nfile:///etc/passwd\n'), message: /playlist/ },
    { path: await write('concat.mp4', "ffconcat version 1.0\nfile '/etc/passwd'\n"), message: /playlist/ },
    { path: await write('manifest.mp4', '<?xml version="1.0"?><MPD/>'), message: /markup/ },
    { path: await write('empty.mp4', ''), message: /empty/ },
    { path: await write('noise.mp4', randomBytes(4096).fill(7, 0, 16)), message: /no known kind/ },
    { path: link, message: /symbolic link/ },
    { path: '/dev/zero', message: /not a plain file/ },
    { path: bench.directory, message: /not a plain file/ },
  ];
  for (const { path, message } of cases) {
    await assert.rejects(bench.engine.probe({ ref: { path }, limits: LIMITS }), { code: 'unsupported_media', message });
  }
  const path = join(bench.directory, 'none.mp4');
  await assert.rejects(bench.engine.probe({ ref: { path }, limits: LIMITS }), {
    code: 'missing_input',
    retryable: true,
  });
  const broken = await write('broken.mp4', Buffer.concat([Buffer.from('\0\0\0\u0018ftypisom'), randomBytes(4000)]));
  await assert.rejects(bench.engine.probe({ ref: { path: broken }, limits: LIMITS }), { code: 'corrupt_media' });
});

function snapshot(sampleIndex: number, widthPx: number | null): Promise<Uint8Array> {
  return bench.engine.snapshot({ init, segmentKey: segments[0]?.objectKey ?? '', sampleIndex, widthPx });
}
