import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { request } from 'undici';
import { randomIds } from '../src/base/ids.ts';
import { silentLogger } from '../src/base/logger.ts';
import { systemClock } from '../src/base/clock.ts';
import type { AgentJson } from '../src/api/rest/agent-shapes.ts';
import { createSqliteCatalog } from '../src/catalog/sqlite/sqlite-catalog.ts';
import { createFilesystemObjects } from '../src/objects/filesystem/filesystem-objects.ts';
import { wallMs } from '../src/base/time.ts';
import type { ObjectStore } from '../src/objects/object-store.ts';
import { eventually } from '../test/fixtures/processes.ts';
import { PushedMedia } from '../test/fixtures/pushed-media.ts';
import { PushedStream } from '../test/fixtures/pushed-stream.ts';
import { TestServer } from '../test/fixtures/server.ts';
import { round } from './http-load.ts';

const SEGMENT_SECONDS = 2;
/** Some 2 Mbit/s of test pictures and sound. */
const MEDIA = { size: '1280x720', crf: 0, segmentSeconds: SEGMENT_SECONDS };
/** Requests at once: as many as an edge has for what fills up. */
const LANES = 6;

/** How the figure is to be taken. */
export interface ForwardingOptions {
  /** A directory of its own. */
  readonly directory: string;
  /** Of each round. */
  readonly segments: number;
  /** The two take turns so often, and the medians count. */
  readonly rounds: number;
}

interface Recorded {
  readonly streamId: string;
  readonly startMs: number;
  readonly keys: readonly string[];
  readonly bytes: number;
}

/**
 * How fast an edge fills up a recording of its past at control, a real process beside a real process, with checks, rows and durable objects; beside the same
 * objects, read from the same store, PUT to a plain HTTP server that writes each to a file and syncs it. Megabytes a second.
 */
export async function measureForwarding(options: ForwardingOptions): Promise<Readonly<Record<string, number>>> {
  const { directory, segments, rounds } = options;
  const [controlDir, edgeDir, plainDir] = ['control', 'edge', 'plain'].map((name) => {
    const made = join(directory, name);
    mkdirSync(made);
    return made;
  }) as [string, string, string];
  const objects = createFilesystemObjects({ directory: join(edgeDir, 'objects') });
  await objects.start(AbortSignal.timeout(10_000));
  const recorded = await recordStreams(edgeDir, objects, segments, rounds);
  const env = { ZOETROPE_WORKERS: '1' };
  await using control = await TestServer.start({ dataDir: controlDir, env });
  await using edge = await TestServer.start({
    command: 'edge',
    dataDir: edgeDir,
    env: { ...env, ZOETROPE_EDGE_CONTROL: control.url, ZOETROPE_EDGE_FILL_MBIT_PER_S: '0' },
  });
  await until(edge, 'control has all rows', (status) => status.connected && status.backlogRows === 0);
  await using plain = await startPlain(plainDir);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (const one of recorded) {
    ours.push(one.bytes / (await fill(control, edge, one)));
    theirs.push(one.bytes / (await put(objects, plain.url, one.keys)));
  }
  const [mine, beside] = [median(ours), median(theirs)];
  return {
    forwardedSegments: segments,
    forwardedSegmentBytes: Math.round((recorded[0]?.bytes ?? 0) / segments),
    forwardingMBPerS: round(mine / 1e6),
    plainPutMBPerS: round(beside / 1e6),
    forwardingRatio: round(mine / beside),
  };
}

/** Streams with a past, as an edge's ingest would have written them. */
async function recordStreams(
  dataDir: string,
  objects: ObjectStore,
  segments: number,
  streams: number,
): Promise<readonly Recorded[]> {
  const shared = { clock: systemClock, ids: randomIds, logger: silentLogger };
  const catalog = createSqliteCatalog({ path: join(dataDir, 'catalog.db'), ...shared });
  await catalog.start(AbortSignal.timeout(10_000));
  const media = new PushedMedia(MEDIA);
  const startMs = Date.now() - (segments + 5) * SEGMENT_SECONDS * 1000;
  const clock = { nowMs: () => wallMs(startMs) };
  const recorded: Recorded[] = [];
  try {
    for (let index = 0; index < streams; index++) {
      const pushed = await PushedStream.make({ catalog, objects, clock }, media, { tenant: 'default' });
      const appended = await pushed.appendMany(segments);
      const keys = appended.map(({ segment }) => segment.objectKey);
      const bytes = appended.reduce((sum, { segment }) => sum + segment.sizeBytes, 0);
      recorded.push({ streamId: pushed.id, startMs, keys, bytes });
    }
  } finally {
    await catalog.close();
  }
  return recorded;
}

/** Seconds from the wish for a recording until control has all of it. */
async function fill(control: TestServer, edge: TestServer, { streamId, startMs, keys }: Recorded): Promise<number> {
  const before = await edge.api.json<AgentJson>('/v1/edge');
  const startedMs = performance.now();
  const from = new Date(startMs).toISOString();
  const answer = await control.api.postJson(`/v1/streams/${streamId}/recordings`, { from });
  assert.equal(answer.status, 201, answer.bytes.toString());
  await until(edge, 'control has all bytes', (now) => now.sentSegments - before.sentSegments >= keys.length);
  return (performance.now() - startedMs) / 1000;
}

/** Seconds that the same objects take. */
async function put(objects: ObjectStore, url: string, keys: readonly string[]): Promise<number> {
  const left = [...keys];
  const startedMs = performance.now();
  const lane = async (): Promise<void> => {
    for (let key = left.shift(); key !== undefined; key = left.shift()) {
      const { statusCode, body } = await request(`${url}/${key}`, { method: 'PUT', body: await objects.get(key) });
      await body.dump();
      assert.equal(statusCode, 204);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return (performance.now() - startedMs) / 1000;
}

async function startPlain(directory: string): Promise<AsyncDisposable & { readonly url: string }> {
  const script = join(import.meta.dirname, 'put-server.ts');
  const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

function until(edge: TestServer, what: string, is: (status: AgentJson) => boolean): Promise<true> {
  const ask = async (): Promise<true | undefined> => is(await edge.api.json<AgentJson>('/v1/edge')) || undefined;
  return eventually(what, ask, { timeoutMs: 120_000, everyMs: 10, describe: () => edge.logs });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
