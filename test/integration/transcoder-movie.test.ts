import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { isZoetropeError } from '../../src/base/errors.ts';
import { pts90k } from '../../src/base/time.ts';
import type { EncodedRendition } from '../../src/engine/transcoder.ts';
import { readBoxes } from '../../src/packager/cmaf/box-reader.ts';
import { H264, makeMedia, PICTURES, TONE } from '../fixtures/media-files.ts';
import { ROOMY_LIMITS, startTranscoder, type TranscoderBench } from '../fixtures/transcoder.ts';

let bench: TranscoderBench;
before(async () => {
  bench = await startTranscoder();
});
after(() => bench[Symbol.asyncDispose]());

test('renditions become one movie', async () => {
  const { video, audio } = await encodeFile();
  const { value } = await bench.transcoder.writeMovie({ tracks: [video, audio].map(movieTrack), outputKey: 'out.mp4' });
  const movie = await bench.objects.get('out.mp4');
  assert.equal(value.sizeBytes, movie.length);
  assert.equal(value.sha256, createHash('sha256').update(movie).digest('hex'));
  // The sound ends with its last packet.
  assert.ok(value.durationMs >= 3000 && value.durationMs < 3022, `${value.durationMs} ms`);
  assert.deepEqual(
    readBoxes(movie, 0, movie.length).map(({ type }) => type),
    ['ftyp', 'moov', 'mdat'],
  );
  const path = join(bench.directory, 'out.mp4');
  await writeFile(path, movie);
  const options = '-v error -count_frames -show_entries stream=codec_name,nb_read_frames,start_time,duration -of json';
  const { stdout } = await promisify(execFile)('/usr/bin/ffprobe', [...options.split(' '), path]);
  assert.deepEqual((JSON.parse(stdout) as { readonly streams: unknown }).streams, [
    { codec_name: 'h264', start_time: '0.000000', duration: '3.000000', nb_read_frames: '75' },
    { codec_name: 'aac', start_time: '0.000000', duration: '3.008000', nb_read_frames: '141' },
  ]);
  const decoded = await promisify(execFile)('/usr/bin/ffmpeg', ['-v', 'error', '-i', path, '-f', 'null', '-']);
  assert.equal(decoded.stderr, '');
  assert.deepEqual(scratchFiles(), []);
});

test('a movie of a segment that is gone is refused, and nothing stays', async () => {
  const { video } = await encodeFile();
  const [key = ''] = video.segments.map(({ objectKey }) => objectKey);
  await bench.objects.delete([key]);
  const writing = bench.transcoder.writeMovie({ tracks: [movieTrack(video)], outputKey: 'none.mp4' });
  await assert.rejects(writing, (error) => isZoetropeError(error, 'missing_input'));
  await assert.rejects(bench.objects.head('none.mp4'), (error) => isZoetropeError(error, 'missing_input'));
  assert.deepEqual(scratchFiles(), []);
});

async function encodeFile(): Promise<{ readonly video: EncodedRendition; readonly audio: EncodedRendition }> {
  const ref = { path: await makeMedia(bench.directory, 'in.mp4', [PICTURES, TONE, H264, '-c:a pcm_s16le -f mov']) };
  const limits = ROOMY_LIMITS;
  const { transcoder } = bench;
  const found = await transcoder.describe({ ref, limits });
  const [track] = found.video;
  assert.ok(track !== undefined);
  const { value } = await transcoder.split({
    ref,
    limits,
    video: track,
    audio: found.audio,
    subtitles: [],
    outputPrefix: 'parts/',
  });
  const [source] = value.audio;
  assert.ok(value.video !== null && source !== undefined);
  const video = await transcoder.encodeVideo({
    track,
    parts: value.video.parts.map(({ key }) => key),
    from90k: pts90k(0),
    to90k: null,
    end90k: value.video.end90k,
    segmentStarts90k: [0, 90_000, 180_000].map(pts90k),
    rungs: [
      {
        id: 'video',
        spec: {
          kind: 'video',
          codec: 'h264',
          width: 160,
          height: 120,
          crf: 30,
          bitsPerS: null,
          maxBitsPerS: null,
          preset: 'ultrafast',
          frameRate: 25,
        },
        outputPrefix: 'media/video-',
      },
    ],
    watermark: null,
    expectedFrames: 75,
  });
  const audio = await transcoder.encodeAudio({
    source,
    parts: source.parts.map(({ key }) => key),
    spec: {
      kind: 'audio',
      codec: 'aac',
      track: source.track,
      bitsPerS: 96_000,
      channels: 1,
      sampleRateHz: 48_000,
      language: null,
      title: null,
      isDefault: true,
    },
    fromSample: 0,
    toSample: source.endSample,
    isFirst: true,
    isLast: true,
    segmentStarts: [0, 47 * 1024, 94 * 1024],
    id: 'audio',
    outputPrefix: 'media/audio-',
  });
  const [rung] = video.value.rungs;
  assert.ok(rung !== undefined);
  return { video: rung, audio: audio.value.rendition };
}

function movieTrack({ init, segments }: EncodedRendition): {
  readonly init: Uint8Array;
  readonly segmentKeys: readonly string[];
} {
  return {
    init: new Uint8Array(Buffer.from(init.base64, 'base64')),
    segmentKeys: segments.map(({ objectKey }) => objectKey),
  };
}

function scratchFiles(): readonly string[] {
  const root = join(bench.directory, 'scratch');
  return readdirSync(root).flatMap((name) => readdirSync(join(root, name)));
}
