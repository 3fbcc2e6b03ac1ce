import assert from 'node:assert/strict';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isZoetropeError, type ErrorCode } from '../../src/base/errors.ts';
import type { MediaLimits } from '../../src/engine/transcoder.ts';
import type { MediaDescription } from '../../src/timeline/media-description.ts';
import { H264, makeMedia, PICTURES, TONE } from '../fixtures/media-files.ts';
import { ROOMY_LIMITS, startTranscoder, type TranscoderBench } from '../fixtures/transcoder.ts';

let bench: TranscoderBench;
before(async () => {
  bench = await startTranscoder();
});
after(() => bench[Symbol.asyncDispose]());

/** Name, container found, options, codecs found. */
const FILES: readonly (readonly [string, string, readonly string[], string])[] = [
  ['plain.mp4', 'mp4', [PICTURES, TONE, H264, '-c:a', 'aac'], 'h264 aac'],
  ['plain.mov', 'mov', [PICTURES, TONE, '-c:v', 'mjpeg', '-c:a', 'pcm_s16le'], 'mjpeg pcm_s16le'],
  ['plain.mkv', 'matroska', [PICTURES, TONE, H264, '-c:a', 'flac'], 'h264 flac'],
  ['plain.webm', 'matroska', [PICTURES, TONE, '-c:v', 'libvpx', '-c:a', 'libopus'], 'vp8 opus'],
  ['plain.ts', 'mpegts', [PICTURES, TONE, H264, '-c:a', 'mp2'], 'h264 mp2'],
  ['plain.m2ts', 'mpegts', [PICTURES, TONE, H264, '-c:a', 'ac3'], 'h264 ac3'],
  ['plain.mpg', 'mpegps', [PICTURES, TONE, '-c:v', 'mpeg2video', '-c:a', 'mp2', '-f', 'vob'], 'mpeg2video mp2'],
  ['plain.avi', 'avi', [PICTURES, TONE, '-c:v', 'mpeg4', '-c:a', 'libmp3lame'], 'mpeg4 mp3'],
  ['plain.flv', 'flv', [PICTURES, TONE, H264, '-c:a', 'aac'], 'h264 aac'],
  ['plain.wmv', 'asf', [PICTURES, TONE, '-c:v', 'wmv2', '-c:a', 'wmav2'], 'wmv2 wmav2'],
  ['plain.ogg', 'ogg', [TONE, '-c:a', 'libvorbis'], ' vorbis'],
  ['plain.wav', 'wav', [TONE], ' pcm_s16le'],
  ['plain.flac', 'flac', [TONE], ' flac'],
  ['plain.mp3', 'mp3', [TONE], ' mp3'],
  ['plain.m4a', 'mp4', [TONE, '-c:a', 'aac'], ' aac'],
  ['plain.aac', 'aac', [TONE, '-c:a', 'aac', '-f', 'adts'], ' aac'],
];

for (const [name, container, options, codecs] of FILES) {
  test(`${name} is told by its bytes`, async () => {
    const path = await makeMedia(bench.directory, name, options);
    const found = await describe(path);
    assert.equal(found.container, container);
    assert.equal([found.video[0]?.codec, found.audio[0]?.codec].join(' '), codecs);
    if (container === 'aac') assert.equal(found.durationMs, null);
    else assert.ok(Math.abs((found.durationMs ?? 0) - 3000) < 150, `it lasts ${found.durationMs} ms`);
    for (const { codedWidth, codedHeight, frameRate } of found.video) {
      assert.deepEqual([codedWidth, codedHeight], [160, 120]);
      assert.ok(Math.abs((frameRate ?? 0) - 25) < 0.1);
    }
    assert.equal(found.audio[0]?.sampleRateHz, 48_000);
  });
}

test('a film is described as it is to be seen', async () => {
  const plain = await makeMedia(bench.directory, 'wide.mp4', [PICTURES, '-vf', 'setsar=4/3', H264]);
  // A quarter turn against the clock for the muxer is one with it for the viewer.
  const turned = await makeMedia(bench.directory, 'turned.mp4', [['-i', plain], '-c copy -metadata:s:v rotate=270']);
  const [video] = (await describe(turned)).video;
  assert.deepEqual(
    [video?.codedWidth, video?.codedHeight, video?.rotation, video?.width, video?.height],
    [160, 120, 90, 120, 213],
  );
});

test('depth, range and fields are found', async () => {
  const tenBit = await makeMedia(bench.directory, 'hdr.mkv', [
    PICTURES,
    '-c:v libx265 -pix_fmt yuv420p10le -color_trc smpte2084',
    '-color_primaries bt2020 -colorspace bt2020nc -x265-params log-level=none',
  ]);
  const [deep] = (await describe(tenBit)).video;
  assert.deepEqual(
    [deep?.codec, deep?.bitDepth, deep?.hdr, deep?.pixelFormat, deep?.isInterlaced],
    ['hevc', 10, 'pq', 'yuv420p10le', false],
  );
  const fields = await makeMedia(bench.directory, 'fields.ts', [
    PICTURES,
    '-vf tinterlace=interleave_top,setfield=tff -c:v mpeg2video -flags +ilme+ildct',
  ]);
  assert.equal((await describe(fields)).video[0]?.isInterlaced, true);
});

test('languages, titles, defaults and captions are found; a cover picture is no film', async () => {
  const captions = join(bench.directory, 'captions.srt');
  await writeFile(captions, '1\n00:00:00,500 --> 00:00:01,500\nHello\n');
  const cover = await makeMedia(bench.directory, 'cover.jpg', [PICTURES, '-frames:v', '1']);
  const path = await makeMedia(bench.directory, 'rich.mkv', [
    PICTURES,
    TONE,
    TONE,
    ['-i', captions],
    '-map 0 -map 1 -map 2 -map 3',
    H264,
    '-c:a aac -c:s srt -metadata:s:a:0 language=deu -metadata:s:a:1 language=eng',
    '-metadata:s:a:1 title=Commentary -disposition:a:1 default -disposition:a:0 0',
    '-metadata:s:s:0 language=fra -disposition:s:0 forced',
    ['-attach', cover],
    '-metadata:s:t mimetype=image/jpeg',
  ]);
  const found = await describe(path);
  assert.equal(found.video.length, 1);
  assert.deepEqual(
    found.audio.map(({ language, title, isDefault }) => [language, title, isDefault]),
    [
      ['deu', null, false],
      ['eng', 'Commentary', true],
    ],
  );
  assert.deepEqual(
    found.subtitles.map(({ language, isText, isForced, codec }) => [language, isText, isForced, codec]),
    [['fra', true, true, 'subrip']],
  );
});

test('what is no media, or no film, is refused with what it is', async () => {
  const cases: readonly (readonly [string, string, ErrorCode, RegExp])[] = [
    ['list.mp4', '#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\n/etc/passwd\n', 'unsupported_media', /playlist/],
    ['list.mkv', 'ffconcat version 1.0\nfile /etc/passwd\n', 'unsupported_media', /playlist/],
    ['page.mp4', '<!DOCTYPE html><html></html>', 'unsupported_media', /markup/],
    ['empty.mp4', '', 'unsupported_media', /empty/],
    ['noise.mp4', 'abcdefghijklmnopqrstuvwxyz'.repeat(50), 'unsupported_media', /no known kind/],
  ];
  for (const [name, content, code, message] of cases) {
    const path = join(bench.directory, name);
    await writeFile(path, content);
    await refused(path, code, message);
  }
  const picture = await makeMedia(bench.directory, 'still.jpg', [PICTURES, '-frames:v', '1']);
  await refused(picture, 'unsupported_media', /single jpeg picture/);
});

test('a truncated movie is refused and says so', async () => {
  const whole = await makeMedia(bench.directory, 'whole.mp4', [PICTURES, H264]);
  const bytes = await readFile(whole);
  const late = join(bench.directory, 'late.mp4');
  await writeFile(late, bytes);
  await truncate(late, Math.floor(bytes.length / 2));
  await refused(late, 'corrupt_media', /cut off before its index \(moov\)/);
  const fast = await makeMedia(bench.directory, 'fast.mp4', [PICTURES, H264, '-movflags', '+faststart']);
  await truncate(fast, 500);
  await refused(fast, 'corrupt_media', /index \(moov\) ends at byte/);
});

test('an encrypted movie is refused', async () => {
  const path = await makeMedia(bench.directory, 'secret.mp4', [
    PICTURES,
    H264,
    '-encryption_scheme cenc-aes-ctr',
    '-encryption_key 00112233445566778899aabbccddeeff -encryption_kid 00112233445566778899aabbccddeeff',
  ]);
  await refused(path, 'unsupported_media', /encrypted \(DRM\)/);
});

test('each limit is named when it is crossed', async () => {
  const path = await makeMedia(bench.directory, 'limits.mp4', [PICTURES, TONE, H264]);
  await refused(path, 'payload_too_large', /more than the 1000 allowed/, { maxBytes: 1000 });
  await refused(path, 'out_of_range', /lasts 3 s, longer than the 2 s allowed/, { maxDurationMs: 2000 });
  await refused(path, 'payload_too_large', /160×120, more than the 19199 pixels/, { maxPixels: 19_199 });
  await refused(path, 'payload_too_large', /more than the 1 tracks allowed/, { maxTracks: 1 });
});

function describe(path: string, limits: Partial<MediaLimits> = {}): Promise<MediaDescription> {
  return bench.transcoder.describe({ ref: { path }, limits: { ...ROOMY_LIMITS, ...limits } });
}

async function refused(
  path: string,
  code: ErrorCode,
  message: RegExp,
  limits: Partial<MediaLimits> = {},
): Promise<void> {
  await assert.rejects(describe(path, limits), (error) => {
    assert.ok(isZoetropeError(error, code), String(error));
    assert.match(error.message, message);
    return true;
  });
}
