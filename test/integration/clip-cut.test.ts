import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { wallMs } from '../../src/base/time.ts';
import type { CutClipRequest, CutClipResult } from '../../src/engine/transcoder.ts';
import {
  judgePictures,
  makeTimedSource,
  packetsOf,
  type JudgedPicture,
  type TimedSource,
} from '../fixtures/clip-source.ts';
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
