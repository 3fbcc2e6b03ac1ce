/**
 * Requests per second of a live playlist and of a 500 kB segment, beside nginx serving the same bytes. `node bench/delivery.ts --json [--seconds 3] [--rounds 5]`
 *
 * The real server on one core (a process of the roles api and delivery), nginx with one worker on the same core, wrk on another. The four loads take
 * turns, and the median of the rounds counts, so that what else the machine does hits all alike. The CPU time of a request says the same where the
 * machine is too busy for rates to mean anything.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { randomIds } from '../src/base/ids.ts';
import { silentLogger } from '../src/base/logger.ts';
import { pts90k, wallMs } from '../src/base/time.ts';
import { createSqliteCatalog } from '../src/catalog/sqlite/sqlite-catalog.ts';
import { createFilesystemObjects } from '../src/objects/filesystem/filesystem-objects.ts';
import { writeInitSegment } from '../src/packager/cmaf/init-writer.ts';
import { writeMediaSegment } from '../src/packager/cmaf/media-writer.ts';
import { TestServer } from '../test/fixtures/server.ts';
import { bytesOf, load, medianOf, round, SERVER_CORE, startNginx, type Loaded } from './http-load.ts';

const SEGMENTS = 6;
const FRAMES = 6;
const INTERVAL_MS = 5000;
const SAMPLE_BYTES = 83_300;
const CONNECTIONS = 32;
/** Parameter sets of a 64×48 picture; nothing here is decoded. */
const TRACK = {
  codec: 'avc1',
  sps: Buffer.from('6742c00ada11ec0440000003004000000ca3c489a8', 'hex'),
  pps: Buffer.from('68ce0fc8', 'hex'),
  width: 64,
  height: 48,
} as const;

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
  },
});

const directory = mkdtempSync(join(tmpdir(), 'zoetrope-bench-delivery-'));
try {
  const { streamId, segmentId } = await seed(join(directory, 'data'));
  await using server = await TestServer.start({
    dataDir: join(directory, 'data'),
    args: ['--roles', 'api,delivery'],
    env: { ZOETROPE_WORKERS: '1' },
  });
  execFileSync('taskset', ['-a', '-c', '-p', SERVER_CORE, String(server.pid)], { stdio: 'ignore' });
  const base = `${server.url}/play/streams/${streamId}`;
  const ours = { playlist: `${base}/live.m3u8`, segment: `${base}/segments/${segmentId}.m4s` };
  await using nginx = await startNginx(join(directory, 'nginx'), {
    'live.m3u8': await bytesOf(ours.playlist),
    'segment.m4s': await bytesOf(ours.segment),
  });
  const theirs = { playlist: `${nginx.url}/live.m3u8`, segment: `${nginx.url}/segment.m4s` };
  const [playlist, nginxPlaylist, segment, nginxSegment] = await measure([
    { url: ours.playlist, pid: server.pid },
    { url: theirs.playlist, pid: nginx.pid },
    { url: ours.segment, pid: server.pid },
    { url: theirs.segment, pid: nginx.pid },
  ]);
  const result = {
    bench: 'delivery',
    playlistRps: playlist.rps,
    nginxPlaylistRps: nginxPlaylist.rps,
    playlistRatio: round(playlist.rps / nginxPlaylist.rps),
    segmentRps: segment.rps,
    nginxSegmentRps: nginxSegment.rps,
    segmentRatio: round(segment.rps / nginxSegment.rps),
    playlistCpuUs: playlist.cpuUs,
    nginxPlaylistCpuUs: nginxPlaylist.cpuUs,
    segmentCpuUs: segment.cpuUs,
    nginxSegmentCpuUs: nginxSegment.cpuUs,
  };
  console.log(options.json ? JSON.stringify(result) : JSON.stringify(result, null, 2));
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** Puts a stream with a few segments into fresh stores, as ingest would. */
async function seed(dataDir: string): Promise<{ readonly streamId: string; readonly segmentId: string }> {
  mkdirSync(dataDir, { recursive: true });
  const shared = { clock: systemClock, ids: randomIds, logger: silentLogger };
  const catalog = createSqliteCatalog({ path: join(dataDir, 'catalog.db'), ...shared });
  const objects = createFilesystemObjects({ directory: join(dataDir, 'objects') });
  await catalog.start(AbortSignal.timeout(10_000));
  await objects.start(AbortSignal.timeout(10_000));
  const streamId = randomIds.next('stream');
  await catalog.createStream({
    id: streamId,
    tenant: 'bench',
    kind: 'frames',
    name: 'bench',
    deviceId: null,
    settings: {},
  });
  await catalog.claimRendition(streamId, 'main', 1);
  const anchorMs = systemClock.nowMs() - SEGMENTS * FRAMES * INTERVAL_MS;
  const init = writeInitSegment(TRACK);
  const epochId = randomIds.next('epoch');
  let segmentId = '';
  for (let index = 0; index < SEGMENTS; index++) {
    const mediaStart90k = index * FRAMES * INTERVAL_MS * 90;
    const bytes = writeMediaSegment({
      sequenceNumber: index,
      baseMediaDecodeTime: mediaStart90k,
      samples: Array.from({ length: FRAMES }, (_, frame) => ({
        data: Buffer.alloc(SAMPLE_BYTES, frame + index),
        duration: INTERVAL_MS * 90,
        isSync: frame === 0,
      })),
    });
    segmentId = randomIds.next('segment');
    const objectKey = `media/${streamId}/${segmentId}.m4s`;
    await objects.put(objectKey, bytes);
    const startMs = wallMs(anchorMs + index * FRAMES * INTERVAL_MS);
    const begin = { id: epochId, anchorMs: wallMs(anchorMs), init, initSha256: sha256(init), codecs: 'avc1.42C00A' };
    await catalog.appendSegment({
      id: segmentId,
      streamId,
      objectKey,
      fence: 1,
      offlineAfterMs: 60_000,
      placement: 'onTime',
      startMs,
      mediaStart90k: pts90k(mediaStart90k),
      duration90k: pts90k(FRAMES * INTERVAL_MS * 90),
      frameTimesMs: Array.from({ length: FRAMES }, (_, frame) => wallMs(startMs + frame * INTERVAL_MS)),
      sizeBytes: bytes.length,
      sha256: sha256(bytes),
      keyframeBytes: null,
      epoch: index === 0 ? { begin: { ...begin, width: 64, height: 48 } } : { existingId: epochId },
    });
  }
  await catalog.close();
  await objects.close();
  return { streamId, segmentId };
}

/** Who is asked for what. */
interface Target {
  readonly url: string;
  /** The process that answers. */
  readonly pid: number;
}

/** The medians for each target over interleaved rounds. */
async function measure<const T extends readonly Target[]>(targets: T): Promise<{ readonly [K in keyof T]: Loaded }> {
  const loads = targets.map((): Loaded[] => []);
  for (const target of targets) await load({ ...target, connections: CONNECTIONS, seconds: 1 });
  for (let turn = 0; turn < Number(options.rounds); turn++) {
    for (const [index, target] of targets.entries()) {
      loads[index]?.push(await load({ ...target, connections: CONNECTIONS, seconds: Number(options.seconds) }));
    }
  }
  return loads.map(medianOf) as unknown as { readonly [K in keyof T]: Loaded };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
