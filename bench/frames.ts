import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cutFrames } from './frames-cut.ts';
import { BenchServer, pause } from './frames-server.ts';
import { reapedChildrenCpuS, treeCpuS } from './frames-cpu.ts';

// What a segment of six camera frames costs in CPU: Zoetrope end to end (frame events that name JPEG files → event log → segmenter → engine →
// objects and catalog), beside one long-lived single-threaded ffmpeg on the same frames with the same settings (the floor), and beside one ffmpeg
// started for each segment.

const FRAMES_PER_SEGMENT = 6;
const INTERVAL_MS = 5000;
const SIZES = ['640x480', '1280x720'];
const SPAWNED_SEGMENTS = 15;
const X264 =
  '-c:v libx264 -preset ultrafast -tune zerolatency -crf 26 -threads 1 -g 6 -keyint_min 6 -sc_threshold 0'.split(' ');

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    media: { type: 'string' },
    segments: { type: 'string', default: '150' },
    streams: { type: 'string', default: '10' },
  },
});

interface SizeResult {
  readonly size: string;
  readonly segments: number;
  readonly jpegBytes: number;
  /** Of a segment, ours and the floor's: that neither saves CPU by coding worse. */
  readonly segmentBytes: number;
  readonly floorSegmentBytes: number;
  readonly cpuPerSegmentS: number;
  readonly floorCpuPerSegmentS: number;
  readonly spawnCpuPerSegmentS: number;
  readonly ratioToFloor: number;
  readonly ratioToSpawn: number;
}

const scratch = mkdtempSync(join(tmpdir(), 'zoetrope-bench-'));
try {
  const sizes: SizeResult[] = [];
  for (const size of SIZES) sizes.push(await measure(size, Number(values.segments), Number(values.streams)));
  const worst = sizes.toSorted((a, b) => b.ratioToFloor - a.ratioToFloor)[0];
  const ratioToSpawn = Math.max(...sizes.map((result) => result.ratioToSpawn));
  const result = { bench: 'frames', ...worst, ratioToSpawn, sizes };
  if (values.json) console.log(JSON.stringify(result));
  else console.table(sizes);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function measure(size: string, segments: number, streams: number): Promise<SizeResult> {
  const directory = join(scratch, size);
  const paths = cutFrames({
    directory: join(directory, 'frames'),
    size,
    count: segments * FRAMES_PER_SEGMENT,
    media: values.media ?? null,
  });
  // The floor before and after, so that a machine that warms up or is busier by then wrongs neither side.
  const floorBefore = measureFloor(join(directory, 'before'), segments);
  const ours = await measureServer(directory, paths, streams);
  const floor = (floorBefore + measureFloor(join(directory, 'after'), segments)) / 2;
  const spawned = measureSpawned(directory);
  return {
    size,
    segments,
    jpegBytes: Math.round(paths.reduce((sum, path) => sum + statSync(path).size, 0) / paths.length),
    segmentBytes: Math.round(ours.segmentBytes),
    floorSegmentBytes: Math.round(segmentBytesIn(join(directory, 'after', String(segments)))),
    cpuPerSegmentS: round(ours.cpuS),
    floorCpuPerSegmentS: round(floor),
    spawnCpuPerSegmentS: round(spawned),
    ratioToFloor: round(ours.cpuS / floor),
    ratioToSpawn: round(ours.cpuS / spawned),
  };
}

/** The whole tree's CPU while it turns the frames into segments, after it has warmed up on a few, less what it uses when idle. */
async function measureServer(
  directory: string,
  paths: readonly string[],
  streams: number,
): Promise<{ readonly cpuS: number; readonly segmentBytes: number }> {
  await using server = await BenchServer.start(directory, {
    ZOETROPE_FRAME_ROOTS: join(directory, 'frames'),
    ZOETROPE_ROLES: 'api,ingest,worker',
    // One engine process beside one ffmpeg: two busy hardware threads of one core would slow each other and count as more CPU.
    ZOETROPE_WORKERS: '1',
  });
  const segmentCount = async (): Promise<number> =>
    (await server.get<{ readonly segments: number }>('/v1/server')).segments;
  const batches = eventBatches(paths, streams);
  const warmUp = batches.slice(0, streams);
  const measured = batches.slice(streams);
  for (const batch of warmUp) await server.post('/v1/events/frames', batch);
  while ((await segmentCount()) < warmUp.length) await pause(100);
  const idleFrom = treeCpuS(server.pid);
  await pause(2000);
  const idlePerMs = (treeCpuS(server.pid) - idleFrom) / 2000;
  const from = treeCpuS(server.pid);
  const startedAt = performance.now();
  for (let at = 0; at < measured.length; at += 20) {
    await server.post('/v1/events/frames', measured.slice(at, at + 20).flat());
  }
  while ((await segmentCount()) < batches.length) await pause(250);
  const used = treeCpuS(server.pid) - from - idlePerMs * (performance.now() - startedAt);
  const { segmentBytes } = await server.get<{ readonly segmentBytes: number }>('/v1/server');
  return { cpuS: used / measured.length, segmentBytes: segmentBytes / batches.length };
}

/** Frame events, a segment's worth at a time, the streams in turn. */
function eventBatches(paths: readonly string[], streams: number): readonly (readonly unknown[])[] {
  const count = Math.floor(paths.length / FRAMES_PER_SEGMENT);
  const startMs = Date.now() - (count / streams + 1) * FRAMES_PER_SEGMENT * INTERVAL_MS;
  return Array.from({ length: count }, (_, segment) =>
    Array.from({ length: FRAMES_PER_SEGMENT }, (_, frame) => ({
      eventId: randomUUID(),
      clientId: 'bench',
      deviceId: `camera-${segment % streams}`,
      timestamp: new Date(
        startMs + (Math.floor(segment / streams) * FRAMES_PER_SEGMENT + frame) * INTERVAL_MS + (segment % streams),
      ).toISOString(),
      framePath: paths[segment * FRAMES_PER_SEGMENT + frame],
    })),
  );
}

/** One ffmpeg over all frames, less its own start: the difference of a long and a short run. */
function measureFloor(scratchDirectory: string, segments: number): number {
  const short = 5;
  const run = (count: number): number => {
    const out = join(scratchDirectory, String(count));
    mkdirSync(out, { recursive: true });
    const input = [
      '-threads',
      '1',
      '-f',
      'image2',
      '-framerate',
      '25',
      '-i',
      join(scratchDirectory, '..', 'frames', '%05d.jpg'),
    ];
    const limit = ['-frames:v', String(count * FRAMES_PER_SEGMENT), '-filter_threads', '1'];
    const hls = `-f hls -hls_time 0.24 -hls_segment_type fmp4 -hls_list_size 0 -y`.split(' ');
    return childCpuS(() => ffmpeg([...input, ...limit, ...X264, ...hls, join(out, 'out.m3u8')]));
  };
  return (run(segments) - run(short)) / (segments - short);
}

function segmentBytesIn(directory: string): number {
  const sizes = readdirSync(directory).flatMap((name) =>
    name.endsWith('.m4s') ? [statSync(join(directory, name)).size] : [],
  );
  return sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
}

/** A process for each segment, as is simplest to build. */
function measureSpawned(directory: string): number {
  const used = childCpuS(() => {
    for (let segment = 0; segment < SPAWNED_SEGMENTS; segment++) {
      const start = String(segment * FRAMES_PER_SEGMENT + 1);
      const frames = join(directory, 'frames', '%05d.jpg');
      const input = ['-threads', '1', '-f', 'image2', '-framerate', '25', '-start_number', start, '-i', frames];
      const out = join(directory, `spawned-${segment}.ts`);
      ffmpeg([...input, '-frames:v', String(FRAMES_PER_SEGMENT), '-filter_threads', '1', ...X264, '-y', out]);
    }
  });
  return used / SPAWNED_SEGMENTS;
}

function ffmpeg(args: readonly string[]): void {
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function childCpuS(work: () => void): number {
  const from = reapedChildrenCpuS();
  work();
  return reapedChildrenCpuS() - from;
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
