import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { wallMs } from '../../src/base/time.ts';
import type { CutClipRequest, CutClipResult } from '../../src/engine/transcoder.ts';
import {
  judgeClicks,
  judgePictures,
  makeTimedSource,
  packetsOf,
  type JudgedPicture,
  type TimedSource,
} from '../fixtures/clip-source.ts';
import { run } from '../fixtures/media-judge.ts';
import { startTranscoder, type TranscoderBench } from '../fixtures/transcoder.ts';

const START_MS = Date.UTC(2026, 10, 20, 10, 30);
const PER_SEGMENT = 12;

/** Twenty pictures a second, none where it would be by an even clock. */
function irregularTimes(count: number, fromMs = START_MS): readonly number[] {
  return Array.from({ length: count }, (_, index) => fromMs + index * 50 + ([0, 7, -3, 11, 2, -9][index % 6] ?? 0));
}

let bench: TranscoderBench;
let cuts = 0;
before(async () => {
  bench = await startTranscoder();
});
after(() => bench?.[Symbol.asyncDispose]());

interface Cut {
  readonly result: CutClipResult;
  readonly pictures: readonly JudgedPicture[];
  readonly packets: readonly string[];
  readonly path: string;
}

async function cut(
  request: Partial<CutClipRequest> & Pick<CutClipRequest, 'segments' | 'inits' | 'fromMs' | 'toMs'>,
): Promise<Cut> {
  const outputKey = `clip-${cuts++}.mp4`;
  const { value } = await bench.transcoder.cutClip({
    mode: 'exact',
    gaps: 'skip',
    speed: 1,
    gapToleranceMs: null,
    outputKey,
    ...request,
  });
  const movie = await bench.objects.get(outputKey);
  assert.equal(value.sizeBytes, movie.length);
  const path = join(bench.directory, outputKey);
  await writeFile(path, movie);
  // Decodes everything, and fails on the first complaint.
  await run('ffprobe', `-v error -count_frames -show_entries stream=nb_read_frames -i ${path}`.split(' '));
  return { result: value, pictures: judgePictures(path), packets: packetsOf(movie, path), path };
}

/** What is seen from `fromMs` to `toMs`: the picture shown at the start, then each at its time. */
function expected(timesMs: readonly number[], fromMs: number, toMs: number): readonly JudgedPicture[] {
  const shown = timesMs.findLastIndex((time) => time <= fromMs);
  return timesMs
    .slice(Math.max(0, shown))
    .filter((time) => time < toMs)
    .map((clockMs) => ({ clockMs, atMs: Math.max(0, clockMs - fromMs) }));
}

function assertPictures(got: readonly JudgedPicture[], wanted: readonly JudgedPicture[]): void {
  const rounded = (pictures: readonly JudgedPicture[]): readonly JudgedPicture[] =>
    pictures.map(({ clockMs, atMs }) => ({ clockMs, atMs: Math.round(atMs) }));
  assert.deepEqual(rounded(got), rounded(wanted));
}

/** Whether a packet is one of the source; parameter sets may stand before it. */
function isOf(source: TimedSource, packet: string): boolean {
  return source.samples.has(packet) || [...source.samples].some((sample) => packet.endsWith(sample));
}

for (const [name, encoder] of [
  ['without reordering', ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency']],
  ['with B-pictures', ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2']],
  [
    'in HEVC',
    [
      '-c:v',
      'libx265',
      '-preset',
      'ultrafast',
      '-x265-params',
      'log-level=none:bframes=2:open-gop=0',
      '-tag:v',
      'hvc1',
    ],
  ],
] as const) {
  describe(`pictures ${name}`, () => {
    const times = irregularTimes(60);
    let source: TimedSource;
    before(async () => {
      source = await makeTimedSource(
        { timesMs: times, lastsMs: 50, perSegment: PER_SEGMENT, encoder, prefix: `${name.replaceAll(' ', '-')}/` },
        bench.objects,
      );
    });

    for (const [fromOffset, toOffset] of [
      [0, 3000],
      [333, 2222],
      [601, 1804],
      [140, 461],
      [1, 2999],
      [-500, 1000],
      [2000, 9000],
    ] as const) {
      test(`from ${fromOffset} to ${toOffset} ms: each picture at its time, and only the edges are encoded`, async () => {
        const [fromMs, toMs] = [wallMs(START_MS + fromOffset), wallMs(START_MS + toOffset)];
        const { result, pictures, packets } = await cut({
          segments: source.segments,
          inits: [source.init],
          fromMs,
          toMs,
        });
        const begins = Math.max(fromMs, START_MS);
        assertPictures(pictures, expected(times, begins, toMs));
        assert.equal(result.startMs, begins);
        const copied = packets.filter((packet) => isOf(source, packet));
        assert.equal(copied.length, result.copiedPictures);
        assert.equal(packets.length - copied.length, result.encodedPictures);
        assert.ok(result.encodedPictures <= 2 * PER_SEGMENT, `${result.encodedPictures} were encoded`);
      });
    }
  });
}

describe('what is not there, and what does not fit', () => {
  const GAP_MS = 7000;
  const before12 = irregularTimes(24);
  const behind = irregularTimes(24, START_MS + 24 * 50 + GAP_MS);
  const times = [...before12, ...behind];
  const lastsMs = 50;
  let first: TimedSource;
  let second: TimedSource;
  const segmentsOf = (a: TimedSource, b: TimedSource, init = 0): CutClipRequest['segments'] => [
    ...a.segments,
    ...b.segments.map((segment) => ({ ...segment, init, clock: 1 })),
  ];
  /** When the picture before the gap is shown no more. */
  const gapFromMs = (before12.at(-1) ?? 0) + lastsMs;
  const [resumesMs = 0] = behind;
  before(async () => {
    const common = { lastsMs, perSegment: PER_SEGMENT };
    first = await makeTimedSource({ ...common, timesMs: before12, prefix: 'gap/a/' }, bench.objects);
    second = await makeTimedSource({ ...common, timesMs: behind, prefix: 'gap/b/' }, bench.objects);
  });

  test('a gap that is skipped takes no time', async () => {
    const [fromMs, toMs] = [wallMs(START_MS + 333), wallMs(resumesMs + 777)];
    const { pictures, result } = await cut({ segments: segmentsOf(first, second), inits: [first.init], fromMs, toMs });
    const skipped = resumesMs - gapFromMs;
    const wanted = expected(times, fromMs, toMs).map(({ clockMs, atMs }) => ({
      clockMs,
      atMs: (clockMs ?? 0) >= resumesMs ? atMs - skipped : atMs,
    }));
    assertPictures(pictures, wanted);
    assert.equal(Math.round(result.durationMs), toMs - fromMs - skipped);
  });

  test('a gap that is black lasts as long as it did; so does what is missing at the ends', async () => {
    const [fromMs, toMs] = [wallMs(START_MS - 3000), wallMs((times.at(-1) ?? 0) + lastsMs + 2500)];
    const source = { segments: segmentsOf(first, second), inits: [first.init] };
    const { pictures, result, path } = await cut({ ...source, fromMs, toMs, gaps: 'black' });
    assertPictures(
      pictures.filter(({ clockMs }) => clockMs !== null),
      times.map((clockMs) => ({ clockMs, atMs: clockMs - fromMs })),
    );
    const black = pictures.filter(({ clockMs }) => clockMs === null).map(({ atMs }) => Math.round(atMs));
    assert.equal(black[0], 0);
    assert.ok(black.includes(gapFromMs - fromMs), `${gapFromMs - fromMs} in ${black.join()}`);
    assert.ok(black.includes((times.at(-1) ?? 0) + lastsMs - fromMs));
    assert.equal(Math.round(result.durationMs), toMs - fromMs);
    assert.equal(result.encodedPictures, 0);
    assert.equal(await brightnessAt(path, gapFromMs - fromMs + 1), 0);
  });

  test('faster: the same pictures at a part of the time, none encoded for it', async () => {
    const [fromMs, toMs] = [wallMs(START_MS), wallMs(gapFromMs)];
    const { pictures, packets, result } = await cut({
      segments: first.segments,
      inits: [first.init],
      fromMs,
      toMs,
      speed: 5,
    });
    const wanted = expected(before12, fromMs, toMs).map(({ clockMs, atMs }) => ({ clockMs, atMs: atMs / 5 }));
    assert.deepEqual(
      pictures.map(({ clockMs }) => clockMs),
      wanted.map(({ clockMs }) => clockMs),
    );
    for (const [index, { atMs }] of pictures.entries()) assert.ok(Math.abs(atMs - (wanted[index]?.atMs ?? 0)) < 0.01);
    assert.ok(packets.every((packet) => isOf(first, packet)));
    assert.equal(result.encodedPictures, 0);
    assert.ok(Math.abs(result.durationMs - (toMs - fromMs) / 5) < 0.01);
  });

  test('on keyframes: copied from the one before, nothing encoded', async () => {
    const [fromMs, toMs] = [wallMs(START_MS + 900), wallMs(START_MS + 1111)];
    const { pictures, packets, result } = await cut({
      segments: first.segments,
      inits: [first.init],
      fromMs,
      toMs,
      mode: 'keyframes',
    });
    const keyframeMs = before12[PER_SEGMENT] ?? 0;
    assert.equal(result.startMs, keyframeMs);
    assert.equal(result.encodedPictures, 0);
    assert.ok(packets.every((packet) => isOf(first, packet)));
    const wanted = expected(before12, keyframeMs, toMs);
    assertPictures(pictures.slice(0, wanted.length), wanted);
  });

  for (const [name, change] of [
    ['of another size', { width: 640, height: 480 }],
    ['of other parameters', { encoder: ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-profile:v', 'main'] }],
  ] as const) {
    test(`a second stretch ${name}: each picture at its time`, async () => {
      const other = await makeTimedSource(
        { timesMs: behind, lastsMs, perSegment: PER_SEGMENT, prefix: `${name.replaceAll(' ', '-')}/`, ...change },
        bench.objects,
      );
      const [fromMs, toMs] = [wallMs(START_MS + 333), wallMs(resumesMs + 777)];
      const source = { segments: segmentsOf(first, other, 1), inits: [first.init, other.init] };
      const { pictures, result } = await cut({ ...source, fromMs, toMs, gaps: 'black' });
      assertPictures(
        pictures.filter(({ clockMs }) => clockMs !== null),
        expected(times, fromMs, toMs),
      );
      assert.ok(result.encodedPictures <= 2 * PER_SEGMENT);
    });
  }

  test('late pictures between others come at their times', async () => {
    const lateTimes = [START_MS + 220, START_MS + 730, START_MS + 780];
    const late = await makeTimedSource(
      { timesMs: lateTimes, lastsMs: 10, perSegment: 3, prefix: 'late/' },
      bench.objects,
    );
    const segments = [...first.segments, ...late.segments.map((segment) => ({ ...segment, clock: 2 }))].toSorted(
      (a, b) => a.startMs - b.startMs,
    );
    const [fromMs, toMs] = [wallMs(START_MS), wallMs(gapFromMs)];
    const { pictures } = await cut({ segments, inits: [first.init], fromMs, toMs });
    const all = [...before12, ...lateTimes].sort((a, b) => a - b);
    assertPictures(pictures, expected(all, fromMs, toMs));
  });

  test('nothing to be seen is refused', async () => {
    const [fromMs, toMs] = [wallMs(gapFromMs + 1000), wallMs(gapFromMs + 2000)];
    await assert.rejects(cut({ segments: segmentsOf(first, second), inits: [first.init], fromMs, toMs }), {
      code: 'out_of_range',
    });
  });
});

describe('a source whose groups of pictures lean on each other', () => {
  const times = irregularTimes(60);
  let source: TimedSource;
  before(async () => {
    const encoder = '-c:v libx264 -preset veryfast -bf 2 -b_strategy 0 -x264-params open-gop=1'.split(' ');
    source = await makeTimedSource(
      { timesMs: times, lastsMs: 50, perSegment: PER_SEGMENT, encoder, prefix: 'open/' },
      bench.objects,
    );
  });

  test('copied in step where nothing is cut', async () => {
    const [fromMs, toMs] = [wallMs(START_MS), wallMs(START_MS + 3000)];
    const { pictures, result } = await cut({ segments: source.segments, inits: [source.init], fromMs, toMs });
    assertPictures(pictures, expected(times, fromMs, toMs));
    assert.equal(result.encodedPictures, 0);
  });

  test('encoded from the cut on, where no keyframe stands alone', async () => {
    const [fromMs, toMs] = [wallMs(START_MS + 333), wallMs(START_MS + 2222)];
    const { pictures, result } = await cut({ segments: source.segments, inits: [source.init], fromMs, toMs });
    assertPictures(pictures, expected(times, fromMs, toMs));
    assert.equal(source.segments.length, times.length / PER_SEGMENT);
    assert.equal(result.copiedPictures, 0);
  });

  test('on keyframes: what leans on what is cut off is left out', async () => {
    const [fromMs, toMs] = [wallMs(START_MS + 1400), wallMs(START_MS + 3000)];
    const { pictures, result } = await cut({
      segments: source.segments,
      inits: [source.init],
      fromMs,
      toMs,
      mode: 'keyframes',
    });
    assert.ok(result.startMs <= fromMs);
    assertPictures(pictures, expected(times, result.startMs, toMs));
  });
});

test('a source whose wall clock trembles: nothing is lost, nothing encoded, no sound has holes', async () => {
  const times = irregularTimes(72);
  const source = await makeTimedSource(
    { timesMs: times, lastsMs: 50, perSegment: PER_SEGMENT, clicksFromMs: START_MS, prefix: 'trembles/' },
    bench.objects,
  );
  const [fromMs, toMs] = [wallMs(START_MS), wallMs(START_MS + 3600)];
  const trembling = (byMs: readonly number[]): CutClipRequest['segments'] =>
    source.segments.map((segment, index) => ({ ...segment, startMs: wallMs(segment.startMs + (byMs[index] ?? 0)) }));
  const little = await cut({ segments: trembling([0, 17, -12, 9, -18, 3]), inits: [source.init], fromMs, toMs });
  assertPictures(little.pictures, expected(times, fromMs, toMs));
  const much = await cut({ segments: trembling([0, 0, -130, 0, 0, 0]), inits: [source.init], fromMs, toMs });
  assert.deepEqual(
    much.pictures.map(({ clockMs }) => clockMs),
    times,
  );
  assert.ok(much.pictures.every(({ atMs }, index) => Math.abs(atMs - ((times[index] ?? 0) - fromMs)) < 1));
  assert.deepEqual([little.result.encodedPictures, much.result.encodedPictures], [0, 0]);
  const clicks = judgeClicks(little.path);
  for (const [index, at] of clicks.slice(1).entries()) assert.ok(Math.abs(at - (index + 1) * 500) < 1.5, clicks.join());
});

describe('sound', () => {
  const GAP_MS = 3400;
  const first = irregularTimes(48);
  const second = irregularTimes(48, START_MS + 48 * 50 + GAP_MS);
  const endMs = (second.at(-1) ?? 0) + 50;
  const gapFromMs = (first.at(-1) ?? 0) + 50;
  const [resumesMs = 0] = second;
  let source: Pick<CutClipRequest, 'segments' | 'inits'>;
  before(async () => {
    const common = { lastsMs: 50, perSegment: PER_SEGMENT, clicksFromMs: START_MS };
    const a = await makeTimedSource({ ...common, timesMs: first, prefix: 'sound/a/' }, bench.objects);
    const b = await makeTimedSource({ ...common, timesMs: second, prefix: 'sound/b/' }, bench.objects);
    source = { segments: [...a.segments, ...b.segments.map((segment) => ({ ...segment, clock: 1 }))], inits: [a.init] };
  });

  /** Clicks at every half second of wall time that is in one of the stretches. */
  const clicks = (...stretches: readonly (readonly [from: number, to: number, at: number])[]): readonly number[] =>
    stretches.flatMap(([from, to, at]) => {
      const times: number[] = [];
      for (let time = START_MS; time < to; time += 500) if (time >= from) times.push(time - from + at);
      return times;
    });
  const assertClicks = (got: readonly number[], wanted: readonly number[], toleranceMs: number): void => {
    assert.equal(got.length, wanted.length, `${got.join()} for ${wanted.join()}`);
    for (const [index, at] of got.entries()) {
      assert.ok(Math.abs(at - (wanted[index] ?? 0)) <= toleranceMs, `${at} for ${wanted[index]}`);
    }
  };

  for (const offset of [90, 333, 1271]) {
    test(`from ${offset} ms: every click at its time`, async () => {
      const [fromMs, toMs] = [wallMs(START_MS + offset), wallMs(gapFromMs - 77)];
      const { path, pictures, result } = await cut({ ...source, fromMs, toMs });
      assert.equal(result.hasSound, true);
      assertPictures(pictures, expected(first, fromMs, toMs));
      // A sine needs some samples to become loud.
      assertClicks(judgeClicks(path), clicks([fromMs, toMs, 0]), 1.5);
    });
  }

  test('silence where it is black', async () => {
    const [fromMs, toMs] = [wallMs(START_MS + 333), wallMs(endMs)];
    const { path } = await cut({ ...source, fromMs, toMs, gaps: 'black' });
    assertClicks(judgeClicks(path), clicks([fromMs, gapFromMs, 0], [resumesMs, endMs, resumesMs - fromMs]), 12.5);
  });

  test('nothing where it is skipped', async () => {
    const [fromMs, toMs] = [wallMs(START_MS + 333), wallMs(endMs)];
    const { path } = await cut({ ...source, fromMs, toMs });
    assertClicks(judgeClicks(path), clicks([fromMs, gapFromMs, 0], [resumesMs, endMs, gapFromMs - fromMs]), 12.5);
  });

  test('none when it is faster', async () => {
    const { result } = await cut({ ...source, fromMs: wallMs(START_MS), toMs: wallMs(gapFromMs), speed: 2 });
    assert.equal(result.hasSound, false);
  });
});

/** The brightest pixel of what is shown at a time. */
async function brightnessAt(path: string, atMs: number): Promise<number> {
  const args = `-v error -ss ${atMs / 1000} -i ${path} -frames:v 1 -f rawvideo -pix_fmt yuvj420p pipe:1`.split(' ');
  const raw = await run('ffmpeg', args);
  return raw.subarray(0, (raw.length * 2) / 3).reduce((most, value) => Math.max(most, value), 0);
}
