import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BenchServer, pause } from './frames-server.ts';
import { reapedChildrenCpuS, treeCpuS } from './frames-cpu.ts';

// A 60 s 1080p file with sound to four rungs: Zoetrope from the first byte of the upload to `ready`, beside one ffmpeg that decodes once and encodes the
// same ladder with the same encoder settings. Both use all cores. Then the same with one worker process of one slot, and with two; beside them two single-threaded
// ffmpegs at once and one alone, which tells what a second busy core is worth on this machine.

const PROGRAM = fileURLToPath(new URL('../bin/zoetrope.js', import.meta.url));
const RUNGS = [1080, 720, 480, 360] as const;
const WIDTHS = { 1080: 1920, 720: 1280, 480: 854, 360: 640 } as const;
/** Our defaults' ceilings, for both sides. */
const CEILINGS = { 1080: '5000k', 720: '2800k', 480: '1400k', 360: '800k' } as const;
const SEGMENT_S = 4;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    media: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '1' },
    'skip-workers': { type: 'boolean', default: false },
  },
});

interface Run {
  readonly wallS: number;
  readonly cpuS: number;
  readonly bytes: number;
}

interface OurRun extends Run {
  readonly firstPlayableS: number;
}

interface AssetAnswer {
  readonly id: string;
  readonly state: string;
  readonly cause: { readonly message: string } | null;
  readonly playableAt: string | null;
  readonly endedAt: string | null;
  readonly outputs: readonly { readonly kind: string; readonly cpuSeconds: number }[];
}

const scratch = mkdtempSync(join(tmpdir(), 'zoetrope-bench-'));
try {
  const source = makeSource(Number(values.seconds));
  const peers: Run[] = [];
  const ours: OurRun[] = [];
  // The peer before and after, so that a machine that warms up or is busier by then wrongs neither side.
  for (let round = 0; round < Number(values.rounds); round++) {
    peers.push(runPeer(source, `before-${round}`));
    ours.push(await runServer(source, `ours-${round}`, null));
    peers.push(runPeer(source, `after-${round}`));
  }
  const peer = middle(peers);
  const own = middle(ours);
  const firstPlayableS = median(ours.map((run) => run.firstPlayableS));
  const workers = values['skip-workers'] ? null : await measureWorkers(source);
  const result = {
    bench: 'vod',
    wallRatioToOnePassFfmpeg: round(own.wallS / peer.wallS),
    firstPlayableFraction: round(firstPlayableS / own.wallS),
    cpuRatio: round(own.cpuS / peer.cpuS),
    workersEfficiency: workers === null ? null : round(workers.oneS / (2 * workers.twoS)),
    machineEfficiency: workers === null ? null : round(workers.machineEfficiency),
    bytesRatio: round(own.bytes / peer.bytes),
    wallS: round(own.wallS),
    peerWallS: round(peer.wallS),
    cpuS: round(own.cpuS),
    peerCpuS: round(peer.cpuS),
    firstPlayableS: round(firstPlayableS),
    oneWorkerS: workers === null ? null : round(workers.oneS),
    twoWorkersS: workers === null ? null : round(workers.twoS),
    seconds: Number(values.seconds),
  };
  if (values.json) console.log(JSON.stringify(result));
  else console.table([result]);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** Detailed, moving pictures with noise in them at what a phone writes, 12 Mbit/s, keyframes where x264 puts them by itself; or a file given, looped and scaled. */
function makeSource(seconds: number): string {
  const path = join(scratch, 'source.mp4');
  const input =
    values.media === undefined
      ? ['-f', 'lavfi', '-i', 'testsrc2=size=1920x1080:rate=25,noise=alls=4:allf=t,rotate=t/40:fillcolor=gray']
      : ['-stream_loop', '-1', '-i', values.media];
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=330:sample_rate=48000,tremolo=f=3'];
  const filter = ['-filter_complex', '[0:v]scale=1920:1080:flags=bicubic,setsar=1,fps=25,format=yuv420p[v]'];
  const coding = '-c:v libx264 -preset veryfast -crf 23 -maxrate 12M -bufsize 24M -c:a aac -b:a 160k -ac 2'.split(' ');
  ffmpeg([...input, ...sound, ...filter, '-map', '[v]', '-map', '1:a', '-t', String(seconds), ...coding, '-y', path]);
  return path;
}

/** The peer's ladder of a file, as arguments of ffmpeg. */
function peerArguments(source: string, directory: string): readonly string[] {
  mkdirSync(directory);
  const scales = RUNGS.map((height) => `[s${height}]scale=${WIDTHS[height]}:${height}:flags=bicubic[v${height}]`);
  const split = `[0:v]split=${RUNGS.length}${RUNGS.map((height) => `[s${height}]`).join('')}`;
  const outputs = RUNGS.flatMap((height, index) => [
    '-map',
    `[v${height}]`,
    ...(index === 0 ? ['-map', '0:a', '-c:a', 'aac', '-b:a', '128k'] : []),
    ...`-c:v libx264 -preset veryfast -crf 23 -maxrate ${CEILINGS[height]} -sc_threshold 0`.split(' '),
    '-bufsize',
    `${Number.parseInt(CEILINGS[height], 10) * 2}k`,
    '-force_key_frames',
    `expr:gte(t,n_forced*${SEGMENT_S})`,
    '-f',
    'mp4',
    '-movflags',
    '+frag_keyframe+empty_moov',
    '-y',
    join(directory, `${height}.mp4`),
  ]);
  return ['-i', source, '-filter_complex', [split, ...scales].join(';'), ...outputs];
}

function runPeer(source: string, name: string): Run {
  const directory = join(scratch, name);
  const args = peerArguments(source, directory);
  const cpuFrom = reapedChildrenCpuS();
  const from = performance.now();
  ffmpeg(args);
  const wallS = (performance.now() - from) / 1000;
  const bytes = RUNGS.reduce((sum, height) => sum + statSync(join(directory, `${height}.mp4`)).size, 0);
  return { wallS, cpuS: reapedChildrenCpuS() - cpuFrom, bytes };
}

/** Uploads the file and waits for its end. `workers`: so many processes of one slot beside the server; null: the server does all. */
async function runServer(source: string, name: string, workers: number | null): Promise<OurRun> {
  const directory = join(scratch, name);
  mkdirSync(directory);
  const environment = workers === null ? {} : { ZOETROPE_ROLES: 'api,delivery,upkeep' };
  await using server = await BenchServer.start(directory, environment);
  await using helpers = new AsyncDisposableStack();
  const pids = [server.pid];
  for (let index = 0; index < (workers ?? 0); index++) {
    const child = spawn(process.execPath, [PROGRAM, 'worker', '--slots', '1', '--metrics-port', '0'], {
      env: { PATH: '/usr/bin:/bin', ZOETROPE_DATA_DIR: join(directory, 'data'), ZOETROPE_LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    await once(child, 'spawn');
    pids.push(child.pid ?? 0);
    helpers.defer(async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    });
  }
  // Workers are ready when they have opened the stores; until then they would count as slow.
  await pause(3000);
  const cpuOf = (): number => pids.reduce((sum, pid) => sum + treeCpuS(pid), 0);
  const cpuFrom = cpuOf();
  const from = performance.now();
  const fromMs = Date.now();
  const { id } = await upload(server.url, source);
  const asset = await untilEnded(server, id);
  const wallS = (performance.now() - from) / 1000;
  const cpuS = cpuOf() - cpuFrom;
  const bytes = await videoBytes(server.url, id);
  const endedS = (Date.parse(asset.endedAt ?? '') - fromMs) / 1000;
  const firstPlayableS = (Date.parse(asset.playableAt ?? '') - fromMs) / 1000;
  return { wallS: Math.min(wallS, endedS), cpuS, bytes, firstPlayableS };
}

async function upload(url: string, source: string): Promise<AssetAnswer> {
  const outputs = { video: RUNGS.map((heightPx) => ({ heightPx })), poster: false, storyboard: false, download: false };
  const query = new URLSearchParams({ asset: JSON.stringify({ outputs }) }).toString();
  const response = await fetch(`${url}/v1/uploads/source.mp4?${query}`, {
    method: 'PUT',
    body: Readable.toWeb(createReadStream(source)),
    headers: { 'content-length': String(statSync(source).size) },
    duplex: 'half',
  });
  if (!response.ok) throw new Error(`The upload was refused: ${response.status} ${await response.text()}`);
  return (await response.json()) as AssetAnswer;
}

async function untilEnded(server: BenchServer, id: string): Promise<AssetAnswer> {
  for (;;) {
    const asset = await server.get<AssetAnswer>(`/v1/assets/${id}`);
    if (asset.state === 'ready') return asset;
    if (asset.state === 'failed') throw new Error(`The asset failed: ${asset.cause?.message ?? ''}`);
    await pause(500);
  }
}

/** The sum of all video segments, as a player would load them. */
async function videoBytes(url: string, id: string): Promise<number> {
  const base = `${url}/play/assets/${id}/`;
  const master = await (await fetch(`${base}master.m3u8`)).text();
  const variants = master.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  let bytes = 0;
  for (const variant of variants) {
    const playlistUrl = new URL(variant, `${base}master.m3u8`);
    const playlist = await (await fetch(playlistUrl)).text();
    for (const line of playlist.split('\n')) {
      if (line === '' || line.startsWith('#')) continue;
      const response = await fetch(new URL(line, playlistUrl));
      bytes += (await response.arrayBuffer()).byteLength;
    }
  }
  return bytes;
}

async function measureWorkers(
  source: string,
): Promise<{ readonly oneS: number; readonly twoS: number; readonly machineEfficiency: number }> {
  const one = await runServer(source, 'one-worker', 1);
  const two = await runServer(source, 'two-workers', 2);
  const aloneS = await timeSingleThreaded(source, ['alone']);
  const togetherS = await timeSingleThreaded(source, ['together-a', 'together-b']);
  return { oneS: one.wallS, twoS: two.wallS, machineEfficiency: aloneS / togetherS };
}

/** Wall time of so many ffmpegs of one thread each at once, over a third of the source. */
async function timeSingleThreaded(source: string, names: readonly string[]): Promise<number> {
  const third = Number(values.seconds) / 3;
  const single = ['-v', 'error', '-nostdin', '-filter_complex_threads', '1', '-threads', '1', '-ss', String(third)];
  const from = performance.now();
  const ends = names.map(async (name) => {
    const [input = '', path = '', ...rest] = peerArguments(source, join(scratch, name));
    const ladder = rest.flatMap((word) => (word === 'libx264' ? [word, '-threads', '1'] : [word]));
    const child = spawn('ffmpeg', [...single, '-t', String(third), input, path, ...ladder], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`ffmpeg ended with code ${code}.`);
  });
  await Promise.all(ends);
  return (performance.now() - from) / 1000;
}

function middle(runs: readonly Run[]): Run {
  return {
    wallS: median(runs.map((run) => run.wallS)),
    cpuS: median(runs.map((run) => run.cpuS)),
    bytes: median(runs.map((run) => run.bytes)),
  };
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2;
}

function ffmpeg(args: readonly string[]): void {
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
