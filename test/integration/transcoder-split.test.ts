import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Frame, Packet } from 'node-av/lib';
import { isZoetropeError } from '../../src/base/errors.ts';
import { fillPacket, openDecoder } from '../../src/engine/packets/decoder.ts';
import { readPacketFile } from '../../src/engine/packets/packet-file.ts';
import type { MediaLimits, SplitResult, SplitVideo } from '../../src/engine/transcoder.ts';
import { H264, makeMedia, PICTURES, TONE } from '../fixtures/media-files.ts';
import { ROOMY_LIMITS, startTranscoder, type TranscoderBench } from '../fixtures/transcoder.ts';

const FRAME_90K = 3600;

let bench: TranscoderBench;
before(async () => {
  bench = await startTranscoder();
});
after(() => bench[Symbol.asyncDispose]());

const LONG_PICTURES = PICTURES.replace('duration=3', 'duration=6');
const LONG_TONE = TONE.replace('duration=3', 'duration=6');

/** Every file here has 150 pictures at 25 Hz. */
const FILES: readonly (readonly [string, readonly string[]])[] = [
  ['plain.mp4', [LONG_PICTURES, LONG_TONE, H264, '-c:a aac']],
  ['open-gop.mkv', [LONG_PICTURES, '-c:v libx264 -x264opts keyint=30:bframes=3:open-gop=1:scenecut=0']],
  ['intra.mov', [LONG_PICTURES, LONG_TONE, '-c:v mjpeg -c:a pcm_s16le']],
  ['plain.webm', [LONG_PICTURES, LONG_TONE, '-c:v libvpx -g 30 -auto-alt-ref 1 -lag-in-frames 10 -c:a libopus']],
  ['vp9.webm', [LONG_PICTURES, LONG_TONE, '-c:v libvpx-vp9 -g 30 -c:a libvorbis']],
  ['plain.ts', [LONG_PICTURES, LONG_TONE, H264, '-c:a mp2']],
  ['plain.mpg', [LONG_PICTURES, LONG_TONE, '-c:v mpeg2video -bf 2 -c:a mp2 -f vob']],
  ['packed.avi', [LONG_PICTURES, LONG_TONE, '-c:v mpeg4 -bf 2 -c:a libmp3lame']],
  ['untimed.avi', [LONG_PICTURES, LONG_TONE, H264, '-c:a libmp3lame']],
  ['plain.flv', [LONG_PICTURES, LONG_TONE, H264, '-c:a aac']],
  ['plain.wmv', [LONG_PICTURES, LONG_TONE, '-c:v wmv2 -c:a wmav2']],
];

for (const [name, options] of FILES) {
  test(`${name} comes apart without losing a picture`, async () => {
    const path = await makeMedia(bench.directory, name, options);
    const { video, audio, durationMs, warnings } = await split(path);
    assert.ok(video !== null);
    assert.deepEqual(warnings, []);
    assert.equal(video.frames, 150);
    assert.equal(video.frameRate, 25);
    assert.ok(Math.abs(video.end90k - 540_000) <= 200, `the end is ${video.end90k}`);
    assert.ok(Math.abs(durationMs - 6000) < 60, `it lasts ${durationMs} ms`);
    for (const track of audio) {
      const seconds = track.endSample / track.sampleRateHz;
      assert.ok(Math.abs(seconds - 6) < 0.06, `the sound ends at ${seconds} s`);
    }
    const times = await shownTimes(video);
    const expected = Array.from({ length: 150 }, (_, index) => index * FRAME_90K);
    assert.equal(times.length, 150);
    // Containers that count milliseconds are half of one off.
    for (const [index, time] of times.entries())
      assert.ok(Math.abs(time - (expected[index] ?? 0)) <= 90, `${index}: ${time}`);
  });
}

test('parts begin with keyframes every two seconds, the first as soon as it can', async () => {
  const path = await makeMedia(bench.directory, 'parts.mp4', [LONG_PICTURES, H264]);
  const { video } = await split(path);
  assert.deepEqual(
    video?.parts.map(({ from90k, frames, hasLeading, cuts90k }) => [from90k, frames, hasLeading, cuts90k]),
    [
      [0, 25, false, []],
      [90_000, 50, false, []],
      [270_000, 50, false, []],
      [450_000, 25, false, []],
    ],
  );
});

test('pictures that lead a keyframe are told', async () => {
  const path = await makeMedia(bench.directory, 'leading.mp4', [
    LONG_PICTURES,
    '-c:v libx264 -x264opts keyint=50:bframes=3:open-gop=1:scenecut=0',
  ]);
  const { video } = await split(path);
  assert.deepEqual(
    video?.parts.map(({ hasLeading }) => hasLeading),
    [false, true, true],
  );
});

test('a long group of pictures tells where it may be cut, and one picture is enough', async () => {
  const path = await makeMedia(bench.directory, 'long-group.mp4', [
    LONG_PICTURES,
    ['-vf', "select='not(between(t,1.99,3.01))'", '-fps_mode', 'vfr'],
    '-c:v libx264 -g 1000 -bf 2 -sc_threshold 0',
  ]);
  const { video } = await split(path);
  assert.deepEqual(
    video?.parts.map(({ cuts90k }) => cuts90k),
    // Of the second from 2 to 3 no picture is left but for those at its end, 0.04 s later.
    [[90_000, 273_600, 360_000, 450_000]],
  );
  const one = await split(await makeMedia(bench.directory, 'one.mp4', [PICTURES, '-frames:v 1', H264]));
  assert.deepEqual([one.video?.frames, one.video?.end90k, one.video?.parts.length], [1, FRAME_90K, 1]);
});

test('a recording that begins between keyframes begins with the first keyframe', async () => {
  const whole = await readFile(
    await makeMedia(bench.directory, 'begin.ts', [LONG_PICTURES, LONG_TONE, H264, '-c:a mp2']),
  );
  const path = join(bench.directory, 'middle.ts');
  await writeFile(path, whole.subarray(Math.floor(whole.length / 3)));
  const { video, audio, warnings } = await split(path);
  assert.ok(video !== null && video.frames > 25 && video.frames % 25 === 0, `${video?.frames} pictures`);
  assert.match(warnings.join('\n'), /first \d+ pictures cannot be decoded/);
  assert.equal((await shownTimes(video))[0], 0);
  assert.ok((audio[0]?.endSample ?? 0) / 48_000 - video.end90k / 90_000 < 0.1);
});

test('what an edit list hides is decoded and not counted', async () => {
  const whole = await makeMedia(bench.directory, 'edit.mp4', [LONG_PICTURES, H264]);
  const path = await makeMedia(bench.directory, 'edited.mp4', ['-ss 2.48', ['-i', whole], '-c copy']);
  const { video } = await split(path);
  assert.ok(video !== null);
  assert.equal(video.frames, 88);
  const times = await shownTimes(video);
  assert.deepEqual(times.slice(0, 3), [0, FRAME_90K, 2 * FRAME_90K]);
  assert.equal(times.length, 88);
});

test('recordings that were joined have one clock', async () => {
  const one = await readFile(await makeMedia(bench.directory, 'join.ts', [LONG_PICTURES, LONG_TONE, H264, '-c:a mp2']));
  const path = join(bench.directory, 'joined.ts');
  await writeFile(path, Buffer.concat([one, one]));
  const { video, audio, warnings } = await split(path);
  assert.ok(video !== null);
  assert.equal(video.frames, 300);
  assert.equal(video.end90k, 1_080_000);
  assert.ok(Math.abs((audio[0]?.endSample ?? 0) / 48_000 - 12) < 0.05);
  assert.match(warnings.join('\n'), /begins anew 1 times/);
  assert.equal((await shownTimes(video)).length, 300);
});

test('holes in the sound stay where they are', async () => {
  const path = await makeMedia(bench.directory, 'hole.mkv', [
    LONG_TONE,
    ['-af', "aselect='not(between(t,2,3))'"],
    '-c:a pcm_s16le',
  ]);
  const { audio, video, warnings, durationMs } = await split(path);
  assert.equal(video, null);
  assert.equal(durationMs, 6000);
  assert.equal(audio[0]?.endSample, 288_000);
  assert.match(warnings.join('\n'), /missing in 1 places, 1\.00 s in all/);
  const positions: number[] = [];
  for (const { key } of audio[0]?.parts ?? []) {
    const { packets } = readPacketFile(await bench.objects.get(key));
    for (const { pts, duration } of packets) positions.push(pts ?? 0, (pts ?? 0) + duration);
  }
  const jumps = positions.filter((end, index) => index % 2 === 1 && (positions[index + 1] ?? end) !== end);
  assert.equal(jumps.length, 1);
});

test('sound whose packets vary is counted exactly', async () => {
  for (const [name, codec] of [
    ['count.mkv', 'libvorbis'],
    ['count.ogg', 'libvorbis'],
    ['count-flac.mkv', 'flac'],
    ['count.mp3', 'libmp3lame'],
    ['count.m4a', 'aac'],
  ] as const) {
    const path = await makeMedia(bench.directory, name, [LONG_TONE, `-c:a ${codec}`]);
    const { audio, warnings } = await split(path);
    assert.deepEqual(warnings, []);
    const [track] = audio;
    assert.ok(track !== undefined);
    // Matroska keeps neither the end nor the start of Vorbis to the sample.
    const slack = name === 'count.mkv' ? 1024 : 0;
    assert.ok(Math.abs(track.endSample - 288_000) <= slack, `${name} ends at ${track.endSample}`);
  }
});

test('captions become cues', async () => {
  const srt = join(bench.directory, 'captions.srt');
  await writeFile(
    srt,
    '1\n00:00:00,500 --> 00:00:01,500\n<i>Tom</i> & <font color="red">Jerry</font>\n\n2\n00:00:02,000 --> 00:00:03,000\n2 < 3\n',
  );
  for (const [name, codec] of [
    ['srt.mkv', 'srt'],
    ['ass.mkv', 'ass'],
    ['text.mp4', 'mov_text'],
    ['vtt.mkv', 'webvtt'],
  ] as const) {
    const path = await makeMedia(bench.directory, name, [LONG_PICTURES, ['-i', srt], H264, `-c:s ${codec}`]);
    const { subtitles } = await split(path);
    const [track] = subtitles;
    assert.deepEqual(
      track?.cues.map(({ startMs, endMs }) => [startMs, endMs]),
      [
        [500, 1500],
        [2000, 3000],
      ],
      name,
    );
    const texts = track?.cues.map(({ text }) => text) ?? [];
    assert.match(texts[0] ?? '', /^(<i>)?Tom(<\/i>)? &amp; Jerry$/, name);
    assert.equal(texts[1], '2 &lt; 3', name);
  }
});

test('of a file that is cut off, what is there is taken', async () => {
  const fast = await makeMedia(bench.directory, 'cut.mp4', [
    LONG_PICTURES,
    LONG_TONE,
    H264,
    '-c:a aac -movflags +faststart',
  ]);
  await truncate(fast, Math.floor((await stat(fast)).size * 0.6));
  const cut = await split(fast);
  assert.ok(cut.video !== null && cut.video.frames > 50 && cut.video.frames < 120);
  assert.match(cut.warnings.join('\n'), /says that it lasts 6\.0 s; it holds 3\./);
});

test('a file is refused when it turns out longer than allowed', async () => {
  const path = await makeMedia(bench.directory, 'long.ts', [LONG_PICTURES, H264]);
  await assert.rejects(split(path, { maxDurationMs: 3000 }), (error) => isZoetropeError(error, 'out_of_range'));
});

test('the same file gives the same bytes', async () => {
  const path = await makeMedia(bench.directory, 'twice.mp4', [PICTURES, TONE, H264, '-c:a aac']);
  const first = await split(path);
  const keys = [...(first.video?.parts ?? []), ...(first.audio[0]?.parts ?? [])].map(({ key }) => key);
  const before = await Promise.all(keys.map((key) => bench.objects.get(key)));
  assert.deepEqual(await split(path), first);
  assert.deepEqual(await Promise.all(keys.map((key) => bench.objects.get(key))), before);
});

test('the judge agrees about the pictures', async () => {
  const path = await makeMedia(bench.directory, 'judge.mp4', [
    LONG_PICTURES,
    '-c:v libx265 -x265-params keyint=40:log-level=none',
  ]);
  const { video } = await split(path);
  assert.ok(video !== null);
  const options = '-v error -show_entries frame=best_effort_timestamp_time -of csv=p=0'.split(' ');
  const { stdout } = await promisify(execFile)('/usr/bin/ffprobe', [...options, path]);
  const judged = [...stdout.matchAll(/^[\d.]+/gm)].map(([time]) => Math.round(Number(time) * 90_000));
  const [first = 0] = judged;
  assert.deepEqual(
    await shownTimes(video),
    judged.map((time) => time - first),
  );
});

async function split(path: string, limits: Partial<MediaLimits> = {}): Promise<SplitResult> {
  const ref = { path };
  const found = await bench.transcoder.describe({ ref, limits: ROOMY_LIMITS });
  const { value } = await bench.transcoder.split({
    ref,
    limits: { ...ROOMY_LIMITS, ...limits },
    video: found.video[0] ?? null,
    audio: found.audio,
    subtitles: found.subtitles,
    outputPrefix: 'parts/',
  });
  return value;
}

/** Decodes all parts in a row: when each picture is shown, in the order in which they come. */
async function shownTimes(video: SplitVideo): Promise<readonly number[]> {
  const files = await Promise.all(video.parts.map(async ({ key }) => readPacketFile(await bench.objects.get(key))));
  const [first] = files;
  assert.ok(first !== undefined);
  using decoder = openDecoder(first);
  using packet = new Packet();
  using frame = new Frame();
  packet.alloc();
  frame.alloc();
  const times: number[] = [];
  const receive = (): void => {
    while (decoder.receiveFrameSync(frame) >= 0) times.push(Number(frame.pts));
  };
  for (const { packets } of files) {
    for (const stored of packets) {
      fillPacket(packet, stored);
      assert.ok(decoder.sendPacketSync(packet) >= 0);
      receive();
    }
  }
  decoder.sendPacketSync(null);
  receive();
  return times;
}
