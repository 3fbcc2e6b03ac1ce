/**
 * How many cameras one process tree sustains, and what idle streams cost. `node bench/capacity.ts --json [--seconds 180] [--cameras N] [--idle-only]`
 *
 * Cameras of 640×480 send one frame event every 5 s, each naming a JPEG file, for so long; sustained means: the 99th percentile of the time from
 * the capture of a segment's first frame to the segment being playable is at most the segment's duration (30 s) plus 2 s, and no frame waits
 * from before. The load generator runs on the same cores, and its cost is told apart.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { descendantsOf } from '../test/fixtures/processes.ts';
import { TestServer } from '../test/fixtures/server.ts';
import { cutFrames } from './frames-cut.ts';

const INTERVAL_MS = 5_000;
const FRAMES_PER_SEGMENT = 6;
const SEGMENT_MS = INTERVAL_MS * FRAMES_PER_SEGMENT;
const LIMIT_MS = SEGMENT_MS + 2_000;
const TICK_MS = 50;
const PROBE_SECONDS = 35;
const IDLE_STREAMS = 1_000;
const WARM_STREAMS = 20;
const SETTLE_MS = 15_000;

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '180' },
    cameras: { type: 'string' },
    start: { type: 'string', default: '4000' },
    media: { type: 'string' },
    'idle-only': { type: 'boolean', default: false },
    'cameras-only': { type: 'boolean', default: false },
  },
});

/** What a stretch of load came to. */
interface Measured {
  readonly cameras: number;
  readonly segments: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly lag: number;
  /** Cores that the server's process tree used. */
  readonly cores: number;
  readonly rssMb: number;
}

const directory = mkdtempSync(join(tmpdir(), 'zoetrope-capacity-'));

/**
 * What {@link IDLE_STREAMS} streams cost in memory when they are silent: after a restart over an empty server, and right after they were fed over a
 * server that has done the same work for {@link WARM_STREAMS} streams.
 */
async function measureIdle(): Promise<Record<string, number>> {
  const files = cutFrames({
    directory: join(directory, 'few'),
    size: '640x480',
    count: FRAMES_PER_SEGMENT,
    media: options.media ?? null,
  });
  await using server = await TestServer.start({ env: { ZOETROPE_FRAME_ROOTS: directory } });
  await delay(SETTLE_MS);
  const emptyMb = rssMb(server);
  const rounds = IDLE_STREAMS / WARM_STREAMS;
  for (let round = 0; round < rounds; round++) {
    const startMs = Date.now() - (rounds - round + 4) * SEGMENT_MS;
    await feed(server, files, 'warm', WARM_STREAMS, startMs);
  }
  await segmentsReach(server, IDLE_STREAMS);
  await delay(SETTLE_MS);
  const warmMb = rssMb(server);
  await feed(server, files, 'idle', IDLE_STREAMS, Date.now() - 4 * SEGMENT_MS);
  await segmentsReach(server, 2 * IDLE_STREAMS);
  await delay(SETTLE_MS);
  const fedMb = rssMb(server);
  await server.restart();
  await delay(SETTLE_MS);
  const idleMb = rssMb(server);
  return {
    emptyRssMb: emptyMb,
    warmRssMb: warmMb,
    fedStreamsRssMb: fedMb,
    idleStreamsRssMb: idleMb,
    idleMbPer1000Streams: round(Math.max(0, idleMb - emptyMb)),
    fedMbPer1000Streams: round(Math.max(0, fedMb - warmMb)),
  };
}

/** One segment's frames for each of so many streams. */
async function feed(
  server: TestServer,
  files: readonly string[],
  name: string,
  streams: number,
  startMs: number,
): Promise<void> {
  const events = Array.from({ length: streams }, (_, camera) =>
    files.map((file, at) => eventOf(`${name}-${camera}`, startMs + at * INTERVAL_MS, file)),
  ).flat();
  for (let first = 0; first < events.length; first += 900) await post(server, events.slice(first, first + 900));
}

async function segmentsReach(server: TestServer, count: number): Promise<void> {
  while ((await totals(server)).segments < count) await delay(500);
}

async function findCapacity(): Promise<object> {
  const files = cutFrames({
    directory: join(directory, 'many'),
    size: '640x480',
    count: 60,
    media: options.media ?? null,
  });
  await using server = await TestServer.start({
    env: { ZOETROPE_FRAME_ROOTS: directory, ZOETROPE_MAX_PIXELS: '1000000' },
  });
  const load = new Load(server, files);
  try {
    let good = 0;
    let cameras = Number(options.cameras ?? options.start);
    if (options.cameras === undefined) {
      for (let bad = Number.POSITIVE_INFINITY; bad - good > 0.08 * good || good === 0;) {
        const probe = await load.measure(cameras, PROBE_SECONDS);
        if (isSustained(probe)) good = cameras;
        else {
          bad = cameras;
          await load.rest();
        }
        cameras = bad === Number.POSITIVE_INFINITY ? Math.round(cameras * 1.3) : Math.round((good + bad) / 2);
      }
      cameras = good;
    }
    for (;;) {
      const confirmed = await load.measure(cameras, Number(options.seconds));
      if (isSustained(confirmed))
        return { maxCameras: cameras, seconds: Number(options.seconds), limitMs: LIMIT_MS, ...confirmed };
      await load.rest();
      cameras = Math.round(cameras * 0.93);
    }
  } finally {
    await load.stop();
  }
}

function isSustained(measured: Measured): boolean {
  // What is being read just now is no backlog: an event is committed when its segment is durable, half a minute later.
  const open = measured.cameras * (FRAMES_PER_SEGMENT + 2);
  return measured.segments > 0 && measured.p99Ms <= LIMIT_MS && measured.lag <= open;
}

/** Cameras that send at their own phase of the interval. */
class Load {
  readonly #server: TestServer;
  readonly #files: readonly string[];
  #cameras = 0;
  #running = true;
  readonly #loop: Promise<void>;
  #sent = 0;
  #slot = 0;
  readonly #joinSlots: number[] = [];

  constructor(server: TestServer, files: readonly string[]) {
    this.#server = server;
    this.#files = files;
    this.#loop = this.#send();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#loop;
  }

  /** Runs with so many cameras: lets the change settle for a segment and a half, then measures for so long. */
  async measure(cameras: number, seconds: number): Promise<Measured> {
    // New cameras join over the length of a segment, so that segments do not all close in the same seconds.
    for (let camera = this.#joinSlots.length; camera < cameras; camera++) {
      this.#joinSlots.push(this.#slot + ((camera * 7919) % (SEGMENT_MS / TICK_MS)));
    }
    this.#cameras = cameras;
    await delay(2.5 * SEGMENT_MS);
    const fromMs = Date.now();
    const cpuBefore = cpuSeconds(this.#server);
    await delay(seconds * 1000);
    const cores = (cpuSeconds(this.#server) - cpuBefore) / ((Date.now() - fromMs) / 1000);
    const latencies = playableLatencies(this.#server.dataDir, fromMs);
    const at = (share: number): number =>
      latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))] ?? Number.NaN;
    const measured: Measured = {
      cameras,
      segments: latencies.length,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      lag: await lagOf(this.#server),
      cores: round(cores),
      rssMb: rssMb(this.#server),
    };
    process.stderr.write(`${JSON.stringify({ ...measured, sent: this.#sent })}\n`);
    return measured;
  }

  /** Stops sending until what has piled up is worked off, so that the next try does not pay for this one. */
  async rest(): Promise<void> {
    this.#cameras = 0;
    this.#joinSlots.length = 0;
    while ((await lagOf(this.#server)) > 0) await delay(2_000);
  }

  async #send(): Promise<void> {
    const slots = INTERVAL_MS / TICK_MS;
    const startMs = Date.now();
    while (this.#running) {
      const slot = this.#slot;
      const dueMs = startMs + slot * TICK_MS;
      if (dueMs > Date.now()) await delay(dueMs - Date.now());
      const events = [];
      for (let camera = slot % slots; camera < this.#cameras; camera += slots) {
        if (slot < (this.#joinSlots[camera] ?? 0)) continue;
        const file = this.#files[(camera + Math.floor(slot / slots)) % this.#files.length] ?? '';
        events.push(eventOf(`camera-${camera}`, dueMs, file));
      }
      this.#slot += 1;
      if (events.length > 0) await post(this.#server, events);
      this.#sent += events.length;
    }
  }
}

function eventOf(deviceId: string, atMs: number, framePath: string): object {
  return {
    eventId: `${deviceId}-${atMs}`,
    clientId: 'bench',
    deviceId,
    timestamp: new Date(atMs).toISOString(),
    framePath,
  };
}

async function post(server: TestServer, events: readonly object[]): Promise<void> {
  const answer = await server.api.postJson('/v1/events/frames', events);
  if (answer.status !== 202) throw new Error(`Events were refused: ${answer.status} ${answer.bytes.toString()}`);
}

/** From the capture of the first frame to the commit of the segment's row; milliseconds, rising. */
function playableLatencies(dataDir: string, sinceMs: number): readonly number[] {
  const database = new DatabaseSync(join(dataDir, 'catalog.db'), { readOnly: true });
  try {
    const rows = database
      .prepare(
        'select created_at_ms - start_ms as latency from segment where is_late = 0 and created_at_ms >= ? order by latency',
      )
      .all(sinceMs);
    return rows.map((row) => Number(row['latency']));
  } finally {
    database.close();
  }
}

async function totals(server: TestServer): Promise<{ readonly segments: number }> {
  return server.api.json('/v1/server');
}

async function lagOf(server: TestServer): Promise<number> {
  const text = await (await fetch(`${server.metricsUrl}/metrics`)).text();
  return Number(/^zoetrope_event_log_lag_events(?:\{[^}]*\})? (\S+)/m.exec(text)?.[1] ?? Number.NaN);
}

function treeOf(server: TestServer): readonly number[] {
  return [server.pid, ...descendantsOf(server.pid)];
}

function rssMb(server: TestServer): number {
  const kilobytes = treeOf(server).map((pid) =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0),
  );
  return round(kilobytes.reduce((sum, value) => sum + value, 0) / 1024);
}

function cpuSeconds(server: TestServer): number {
  const ticks = treeOf(server).map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, value) => sum + value, 0) / 100;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

try {
  const idle = options['cameras-only'] ? null : await measureIdle();
  const found = options['idle-only'] ? null : await findCapacity();
  const result = { bench: 'capacity', ...found, ...idle };
  console.log(options.json ? JSON.stringify(result) : JSON.stringify(result, null, 2));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
