import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { EncodedMediaSegment, SplitAudio } from '../../src/engine/transcoder.ts';
import type { AudioSpec } from '../../src/timeline/asset.ts';
import { planAudioChunks } from '../../src/vod/chunks.ts';
import { makeMedia } from '../fixtures/media-files.ts';
import { ROOMY_LIMITS, startTranscoder, type TranscoderBench } from '../fixtures/transcoder.ts';

let bench: TranscoderBench;
before(async () => {
  bench = await startTranscoder();
});
after(() => bench[Symbol.asyncDispose]());

const SECONDS = 8;
/** Short chunks, for many joins. */
const RULE = { segmentMs: 1000, chunkMs: 600 };
const ONE_CHUNK = { segmentMs: 1000, chunkMs: 100_000 };

interface Case {
  readonly name: string;
  readonly sourceRateHz: number;
  readonly channels: number;
  readonly options: string;
  readonly extension: string;
  readonly rateHz: number;
  readonly outChannels: 1 | 2;
  /** Signal to noise over all that this must reach, in dB. */
  readonly leastDb: number;
}

const CASES: readonly Case[] = [
  {
    name: 'stereo at 48 kHz',
    sourceRateHz: 48_000,
    channels: 2,
    options: '-c:a flac',
    extension: 'mkv',
    rateHz: 48_000,
    outChannels: 2,
    leastDb: 20,
  },
  {
    name: 'stereo at 44.1 kHz',
    sourceRateHz: 44_100,
    channels: 2,
    options: '-c:a pcm_s16le',
    extension: 'mov',
    rateHz: 44_100,
    outChannels: 2,
    leastDb: 20,
  },
  {
    name: 'mono',
    sourceRateHz: 48_000,
    channels: 1,
    options: '-c:a alac',
    extension: 'mp4',
    rateHz: 48_000,
    outChannels: 1,
    leastDb: 20,
  },
  {
    name: '5.1 mixed down',
    sourceRateHz: 48_000,
    channels: 6,
    options: '-c:a pcm_s16le',
    extension: 'wav',
    rateHz: 48_000,
    outChannels: 2,
    leastDb: 20,
  },
  {
    name: '96 kHz to 48 kHz',
    sourceRateHz: 96_000,
    channels: 2,
    options: '-c:a flac',
    extension: 'flac',
    rateHz: 48_000,
    outChannels: 2,
    leastDb: 20,
  },
  {
    name: '22.05 kHz to 48 kHz',
    sourceRateHz: 22_050,
    channels: 2,
    options: '-c:a pcm_s16le',
    extension: 'avi',
    rateHz: 48_000,
    outChannels: 2,
    leastDb: 20,
  },
  {
    name: 'Opus',
    sourceRateHz: 48_000,
    channels: 2,
    options: '-c:a libopus -b:a 256k',
    extension: 'webm',
    rateHz: 48_000,
    outChannels: 2,
    leastDb: 12,
  },
  {
    name: 'MP3',
    sourceRateHz: 44_100,
    channels: 2,
    options: '-c:a libmp3lame -b:a 256k',
    extension: 'mp3',
    rateHz: 44_100,
    outChannels: 2,
    leastDb: 15,
  },
  {
    name: 'Vorbis',
    sourceRateHz: 44_100,
    channels: 2,
    options: '-c:a libvorbis -q:a 9',
    extension: 'ogg',
    rateHz: 44_100,
    outChannels: 2,
    leastDb: 15,
  },
  {
    name: 'AAC',
    sourceRateHz: 44_100,
    channels: 2,
    options: '-c:a aac -b:a 256k',
    extension: 'm4a',
    rateHz: 44_100,
    outChannels: 2,
    leastDb: 15,
  },
];

for (const one of CASES) {
  test(`${one.name}: chunks join without a seam`, async () => {
    const source = await makeSource(one);
    const expected = await decode(source, one.rateHz, one.outChannels);
    const track = await splitSound(source);
    const spec = specFor(one);
    const chunked = await encode(track, spec, RULE);
    assert.ok(chunked.joins.length >= 4, `${chunked.joins.length} joins`);
    const sound = await decodeEncoded(chunked.path, track, spec);
    const gain = gainOf(expected, sound);
    const overallDb = ratioDb(expected, sound, gain, 0, Math.min(sound.length, expected.length));
    const whole = await decodeEncoded((await encode(track, spec, ONE_CHUNK)).path, track, spec);
    const wholeDb = ratioDb(expected, whole, gain, 0, Math.min(whole.length, expected.length));
    assert.ok(overallDb > one.leastDb, `signal to noise is ${overallDb} dB`);
    assert.ok(overallDb > wholeDb - 1, `${overallDb} dB in chunks, ${wholeDb} dB in one piece`);
    const around = (at: number): number =>
      ratioDb(expected, sound, gain, (at - 1024) * one.outChannels, (at + 1024) * one.outChannels);
    const elsewhere = Array.from({ length: 200 }, (_, index) => Math.round(((index + 1) * SECONDS * one.rateHz) / 202))
      .filter((at) => chunked.joins.every((join) => Math.abs(at - join) > 4096))
      .map(around);
    const worstDb = Math.min(...elsewhere);
    for (const join of chunked.joins) {
      assert.ok(
        around(join) > worstDb - 1,
        `${around(join)} dB around the join at ${join}, elsewhere never below ${worstDb}`,
      );
    }
  });
}

test('segments meet, and begin where they were asked to', async () => {
  const [one] = CASES;
  assert.ok(one !== undefined);
  const track = await splitSound(await makeSource(one));
  const { segments } = await encode(track, specFor(one), RULE);
  const [first] = segments;
  assert.equal(first?.mediaStart90k, 0);
  for (const [index, { mediaStart90k, duration90k }] of segments.entries()) {
    const next = segments[index + 1];
    assert.equal(mediaStart90k + duration90k, next?.mediaStart90k ?? SECONDS * 90_000);
  }
});

test('a hole in the sound becomes silence of its length', async () => {
  const path = await makeMedia(bench.directory, 'hole.mkv', [
    '-f lavfi -i sine=frequency=440:sample_rate=48000:duration=6',
    ['-af', "aselect='not(between(t,2,3))'"],
    '-c:a pcm_s16le',
  ]);
  const track = await splitSound(path, 1);
  const [spec] = CASES.map(specFor);
  assert.ok(spec !== undefined);
  const mono: AudioSpec = { ...spec, channels: 1 };
  const sound = await decodeEncoded((await encode(track, mono, RULE)).path, track, mono);
  assert.equal(sound.length, 288_000);
  const power = (fromS: number, toS: number): number =>
    energy(sound.subarray(fromS * 48_000, toS * 48_000)) / (toS - fromS);
  assert.ok(power(2.1, 2.9) < power(1, 1.9) / 1e6);
  assert.ok(power(3.1, 3.9) > power(1, 1.9) / 2);
});

test('the same request gives the same bytes', async () => {
  const [one] = CASES;
  assert.ok(one !== undefined);
  const track = await splitSound(await makeSource(one));
  const hashes = async (): Promise<readonly string[]> =>
    (await encode(track, specFor(one), RULE)).segments.map(({ sha256 }) => sha256);
  assert.deepEqual(await hashes(), await hashes());
});

function specFor({ rateHz, outChannels }: Case): AudioSpec {
  return {
    kind: 'audio',
    codec: 'aac',
    track: 0,
    bitsPerS: outChannels * 96_000,
    channels: outChannels,
    sampleRateHz: rateHz,
    language: null,
    title: null,
    isDefault: true,
  };
}

/** Tones, clicks and noise: what is smooth, what is sudden, and what nothing predicts. The same samples each time. */
async function makeSource({ sourceRateHz, channels, options, extension, name }: Case): Promise<string> {
  const samples = new Int16Array(SECONDS * sourceRateHz * channels);
  let seed = 1;
  for (let at = 0; at < SECONDS * sourceRateHz; at++) {
    const t = at / sourceRateHz;
    for (let channel = 0; channel < channels; channel++) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      const noise = (seed / 0xffff_ffff - 0.5) * 0.01;
      const tone = 0.3 * Math.sin(2 * Math.PI * (300 + 110 * channel) * t) + 0.1 * Math.sin(2 * Math.PI * 1700 * t);
      const sinceClickS = t % 0.73;
      const click = sinceClickS < 0.004 ? 0.4 * Math.sin(2 * Math.PI * 900 * sinceClickS) : 0;
      samples[at * channels + channel] = Math.round((tone + click + noise) * 32_000);
    }
  }
  const raw = join(bench.directory, `${sourceRateHz}-${channels}.raw`);
  await writeFile(raw, samples);
  return await makeMedia(bench.directory, `${name.replaceAll(/\W/g, '-')}.${extension}`, [
    `-f s16le -ar ${sourceRateHz} -ac ${channels}`,
    ['-i', raw],
    options,
  ]);
}

async function splitSound(path: string, holes = 0): Promise<SplitAudio> {
  const ref = { path };
  const { audio } = await bench.transcoder.describe({ ref, limits: ROOMY_LIMITS });
  const { value } = await bench.transcoder.split({
    ref,
    limits: ROOMY_LIMITS,
    video: null,
    audio,
    subtitles: [],
    outputPrefix: 'parts/',
  });
  const [track] = value.audio;
  assert.equal(value.warnings.length, holes, value.warnings.join('\n'));
  assert.ok(track !== undefined);
  return track;
}

async function encode(
  track: SplitAudio,
  spec: AudioSpec,
  rule: typeof RULE,
): Promise<{
  readonly path: string;
  readonly joins: readonly number[];
  readonly segments: readonly EncodedMediaSegment[];
}> {
  const chunks = planAudioChunks(track, spec.sampleRateHz, rule);
  const pieces: Uint8Array[] = [];
  const segments: EncodedMediaSegment[] = [];
  const inits = new Set<string>();
  for (const [index, chunk] of chunks.entries()) {
    const { value } = await bench.transcoder.encodeAudio({
      source: track,
      spec,
      id: 'out',
      outputPrefix: `media/${index}-`,
      parts: chunk.parts.map(({ key }) => key),
      fromSample: chunk.fromSample,
      toSample: chunk.toSample,
      segmentStarts: chunk.segmentStarts,
      isFirst: index === 0,
      isLast: index === chunks.length - 1,
    });
    inits.add(value.rendition.init.base64);
    segments.push(...value.rendition.segments);
    for (const { objectKey } of value.rendition.segments) pieces.push(await bench.objects.get(objectKey));
  }
  assert.equal(inits.size, 1, 'all chunks have one init segment');
  const path = join(bench.directory, `joined-${chunks.length}.mp4`);
  await writeFile(path, Buffer.concat([...[...inits].map((init) => Buffer.from(init, 'base64')), ...pieces]));
  return { path, segments, joins: chunks.slice(1).map(({ fromSample }) => fromSample) };
}

/** What was encoded, as a player hears it: Debian's ffmpeg heeds no edit list in fragmented files, so the priming is taken off here, and the padding. */
async function decodeEncoded(
  path: string,
  { endSample, sampleRateHz }: SplitAudio,
  spec: AudioSpec,
): Promise<Float32Array> {
  const { channels } = spec;
  const end = Math.round((endSample * spec.sampleRateHz) / sampleRateHz);
  const sound = await decode(path, spec.sampleRateHz, channels);
  assert.equal(sound.length, (Math.ceil(end / 1024) + 1) * 1024 * channels, 'no packet is lost or doubled');
  return sound.subarray(1024 * channels, (1024 + end) * channels);
}

/** All samples that Debian's ffmpeg finds. */
async function decode(path: string, rateHz: number, channels: number): Promise<Float32Array> {
  const output = `-map 0:a:0 -af aresample=rematrix_maxval=1.0 -ar ${rateHz} -ac ${channels} -f f32le -`;
  const { stdout } = await promisify(execFile)(
    '/usr/bin/ffmpeg',
    ['-v', 'error', '-nostdin', '-i', path, ...output.split(' ')],
    { encoding: 'buffer', maxBuffer: 1 << 28 },
  );
  return new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.byteLength));
}

/** The factor that the expected signal has in the actual one. */
function gainOf(expected: Float32Array, actual: Float32Array): number {
  let [product, power] = [0, 0];
  for (const [at, value] of actual.entries()) {
    const wanted = expected[at] ?? 0;
    product += wanted * value;
    power += wanted * wanted;
  }
  return product / power;
}

function ratioDb(expected: Float32Array, actual: Float32Array, gain: number, from: number, to: number): number {
  let [signal, noise] = [0, 0];
  for (let at = from; at < to; at++) {
    const wanted = (expected[at] ?? 0) * gain;
    signal += wanted ** 2;
    noise += ((actual[at] ?? 0) - wanted) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

function energy(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample ** 2;
  return sum;
}
