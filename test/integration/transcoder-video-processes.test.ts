import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pts90k } from '../../src/base/time.ts';
import type { EncodedRendition, EncodeVideoRequest } from '../../src/engine/transcoder.ts';
import { planVideoChunks } from '../../src/vod/chunks.ts';
import { H264, makeMedia } from '../fixtures/media-files.ts';
import { ROOMY_LIMITS, startTranscoder, type TranscoderBench } from '../fixtures/transcoder.ts';
import { judgePictures, likeness, rungOf } from '../fixtures/video-judge.ts';

let bench: TranscoderBench;
before(async () => {
  bench = await startTranscoder();
});
after(() => bench[Symbol.asyncDispose]());

const PICTURES = '-f lavfi -i testsrc2=size=160x120:rate=25:duration=3';
const SHARP = '-pix_fmt yuv420p -b:v 4M';

/** Whole files, from the bytes to the joined rendition, each step in a process of its own. */
const FILES: readonly (readonly [string, readonly string[]])[] = [
  ['plain.mp4', [PICTURES, H264, SHARP]],
  ['open-gop.mkv', [PICTURES, '-c:v libx264 -x264opts keyint=30:bframes=3:open-gop=1:scenecut=0', SHARP]],
  ['vp9.webm', [PICTURES, '-c:v libvpx-vp9 -g 30', SHARP]],
  ['plain.ts', [PICTURES, H264, SHARP]],
  ['packed.avi', [PICTURES, '-c:v mpeg4 -bf 2 -g 25', SHARP]],
  ['untimed.avi', [PICTURES, H264, SHARP]],
];

for (const [name, options] of FILES) {
  test(`${name} becomes a rendition with each of its pictures once`, async () => {
    const path = await makeMedia(bench.directory, name, options);
    const { track, rendition, frames, usage } = await transcode(path, name);
    assert.ok(usage.cpuMs > 0 && usage.peakMemoryBytes > 0 && usage.wallMs > 0);
    assert.equal(frames, 75);
    assert.equal(track.width, 160);
    const joined = join(bench.directory, `${name}.joined.mp4`);
    const pieces = await Promise.all(rendition.segments.map(({ objectKey }) => bench.objects.get(objectKey)));
    await writeFile(joined, Buffer.concat([Buffer.from(rendition.init.base64, 'base64'), ...pieces]));
    const pictures = await judgePictures(joined);
    assert.equal(pictures.length, 75);
    for (const [index, { time90k }] of pictures.entries()) {
      // Containers that count milliseconds are half of one off.
      assert.ok(Math.abs(time90k - index * 3600) <= 90, `picture ${index} is shown at ${time90k}`);
    }
    const alike = await likeness(joined, path);
    assert.equal(alike.length, 75);
    assert.ok(Math.min(...alike) > 30, `the least alike has ${Math.min(...alike)} dB`);
  });
}

test('an aborted run ends its process and writes no more', async () => {
  const path = await makeMedia(bench.directory, 'abort.mp4', [PICTURES.replace('160x120', '640x480'), H264, SHARP]);
  const { request } = await prepare(path, 'abort');
  const aborting = new AbortController();
  const run = bench.transcoder.encodeVideo(
    { ...request, rungs: [rungOf(640, 480, { preset: 'placebo' })] },
    { signal: aborting.signal, onProgress: (fraction) => fraction > 0.1 && aborting.abort() },
  );
  await assert.rejects(run, { code: 'cancelled' });
  assert.equal(bench.transcoder.stats().running, 0);
  assert.deepEqual(await Array.fromAsync(bench.objects.list('media/h264-640x480/')), []);
});

async function prepare(
  path: string,
  name: string,
): Promise<{ readonly request: EncodeVideoRequest; readonly split: Awaited<ReturnType<typeof split>> }> {
  const parts = await split(path, name);
  const request: EncodeVideoRequest = {
    track: parts.track,
    parts: parts.video.parts.map(({ key }) => key),
    from90k: pts90k(0),
    to90k: null,
    end90k: parts.video.end90k,
    segmentStarts90k: [pts90k(0)],
    rungs: [rungOf(160, 120, { frameRate: parts.video.frameRate })],
    watermark: null,
    expectedFrames: parts.video.frames,
  };
  return { request, split: parts };
}

async function split(path: string, name: string) {
  const ref = { path };
  const media = await bench.transcoder.describe({ ref, limits: ROOMY_LIMITS });
  const track = media.video[0] ?? assert.fail();
  const request = { ref, limits: ROOMY_LIMITS, video: track, audio: [], subtitles: [], outputPrefix: `parts/${name}/` };
  const { value } = await bench.transcoder.split(request);
  return { track, video: value.video ?? assert.fail() };
}

async function transcode(path: string, name: string) {
  const { request, split: parts } = await prepare(path, name);
  const chunks = planVideoChunks(parts.video, { segmentMs: 500, chunkMs: 1000 });
  assert.ok(chunks.length > 1, 'nothing is joined');
  const runs = await Promise.all(
    chunks.map((chunk, index) => {
      const rungs = request.rungs.map((rung) => ({ ...rung, outputPrefix: `media/${name}/${index}-` }));
      return bench.transcoder.encodeVideo({ ...request, ...chunk, rungs });
    }),
  );
  const renditions = runs.flatMap(({ value }) => value.rungs);
  const first = renditions[0] ?? assert.fail();
  const rendition: EncodedRendition = { ...first, segments: renditions.flatMap(({ segments }) => segments) };
  const frames = runs.reduce((sum, { value }) => sum + value.frames, 0);
  return { track: parts.track, rendition, frames, usage: runs[0]?.usage ?? assert.fail() };
}
