import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { randomIds } from '../src/base/ids.ts';
import { silentLogger } from '../src/base/logger.ts';
import { createSqliteCatalog } from '../src/catalog/sqlite/sqlite-catalog.ts';
import { createFilesystemObjects } from '../src/objects/filesystem/filesystem-objects.ts';
import { PushedMedia } from '../test/fixtures/pushed-media.ts';
import { PushedStream } from '../test/fixtures/pushed-stream.ts';
import { TestServer } from '../test/fixtures/server.ts';
import { bytesOf, load, medianOf, SERVER_CORE, startNginx, round, type Load, type Loaded } from './http-load.ts';

const WARM_SEGMENTS = 6;
const SEGMENT_SECONDS = 2;
/** Some 2 Mbit/s of test pictures and sound. */
const MEDIA = { size: '1280x720', crf: 0, segmentSeconds: SEGMENT_SECONDS };

/** How the figure is to be taken. */
export interface ViewersOptions {
  /** A directory of its own. */
  readonly directory: string;
  readonly viewers: number;
  /** Of each load. */
  readonly seconds: number;
  /** The two loads take turns so often, and the medians count. */
  readonly rounds: number;
}

/**
 * So many viewers of one pushed stream at once, each asking in turn for the live playlist and the newest segment, while a segment is appended every two
 * seconds by another process as its ingest would; beside nginx with the same files. A viewer's next request follows the answer to the last, so p99 is that of
 * a server at its limit.
 */
export async function measureViewers(options: ViewersOptions): Promise<Readonly<Record<string, number>>> {
  const { directory, viewers, seconds, rounds } = options;
  const dataDir = join(directory, 'data');
  mkdirSync(dataDir);
  await using server = await TestServer.start({
    dataDir,
    args: ['--roles', 'api,delivery'],
    env: { ZOETROPE_WORKERS: '1' },
  });
  await using source = await LiveSource.open(dataDir);
  const newest = await source.warmUp();
  execFileSync('taskset', ['-a', '-c', '-p', SERVER_CORE, String(server.pid)], { stdio: 'ignore' });
  const base = `${server.url}/play/streams/${source.streamId}`;
  const files = {
    'live.m3u8': await bytesOf(`${base}/live.m3u8`),
    'segment.m4s': await bytesOf(`${base}/segments/${newest}.m4s`),
  };
  await using nginx = await startNginx(join(directory, 'nginx'), files);
  const ours = alternating(directory, base, ['live.m3u8', `segments/${newest}.m4s`]);
  const theirs = alternating(directory, nginx.url, Object.keys(files));
  const readsBefore = await storeReads(server);
  const loads: { readonly ours: Loaded[]; readonly theirs: Loaded[] } = { ours: [], theirs: [] };
  const shared = { connections: viewers, seconds };
  source.begin();
  for (let turn = 0; turn < rounds; turn++) {
    loads.ours.push(await load({ ...ours, ...shared, pid: server.pid ?? 0 }));
    loads.theirs.push(await load({ ...theirs, ...shared, pid: nginx.pid }));
  }
  const appended = await source.finish();
  const [mine, beside] = [medianOf(loads.ours), medianOf(loads.theirs)];
  return {
    viewers,
    segmentBytes: files['segment.m4s'].length,
    viewersRps: mine.rps,
    nginxViewersRps: beside.rps,
    viewersRatio: round(mine.rps / beside.rps),
    viewersCpuUs: mine.cpuUs,
    nginxViewersCpuUs: beside.cpuUs,
    viewersCores: mine.cores,
    viewersP50Ms: mine.p50Ms,
    viewersP99Ms: mine.p99Ms,
    nginxViewersP99Ms: beside.p99Ms,
    segmentsAppended: appended,
    // The segment was read before; what is appended meanwhile nobody asks for.
    storeReads: (await storeReads(server)) - readsBefore,
  };
}

/** A script for wrk: its connections ask for the files in turn. */
function alternating(directory: string, url: string, names: readonly string[]): Pick<Load, 'url' | 'script'> {
  const script = join(directory, `${new URL(url).port}.lua`);
  const { pathname } = new URL(`${url}/`);
  const requests = names.map((name) => `wrk.format("GET", ${JSON.stringify(pathname + name)})`).join(', ');
  writeFileSync(
    script,
    `local requests, at = nil, 0
     request = function()
       if requests == nil then requests = { ${requests} } end
       at = at % #requests + 1
       return requests[at]
     end\n`,
  );
  return { url, script };
}

/** How many files the server read from its store so far. */
async function storeReads(server: TestServer): Promise<number> {
  const text = Buffer.from(await bytesOf(`${server.metricsUrl}/metrics`)).toString();
  return Number(/^zoetrope_delivery_files_total\{from="store"\} (\d+)/m.exec(text)?.[1] ?? 0);
}

/** What a pushed stream's ingest does, in this process: real media every two seconds, in the stores of the server. */
class LiveSource implements AsyncDisposable {
  readonly #stores: AsyncDisposable;
  readonly #pushed: PushedStream;
  readonly #stopped = Promise.withResolvers<void>();
  #running: Promise<number> = Promise.resolve(0);

  private constructor(pushed: PushedStream, stores: AsyncDisposable) {
    this.#pushed = pushed;
    this.#stores = stores;
  }

  static async open(dataDir: string): Promise<LiveSource> {
    const shared = { clock: systemClock, ids: randomIds, logger: silentLogger };
    const catalog = createSqliteCatalog({ path: join(dataDir, 'catalog.db'), ...shared });
    const objects = createFilesystemObjects({ directory: join(dataDir, 'objects') });
    await catalog.start(AbortSignal.timeout(10_000));
    await objects.start(AbortSignal.timeout(10_000));
    const media = new PushedMedia(MEDIA);
    const pushed = await PushedStream.make({ catalog, objects, clock: systemClock }, media, { tenant: 'bench' });
    return new LiveSource(pushed, {
      [Symbol.asyncDispose]: async () => {
        await catalog.close();
        await objects.close();
      },
    });
  }

  get streamId(): string {
    return this.#pushed.id;
  }

  /** Appends what a live playlist holds; answers the newest segment's id. */
  async warmUp(): Promise<string> {
    return (await this.#pushed.appendMany(WARM_SEGMENTS)).at(-1)?.segment.id ?? '';
  }

  begin(): void {
    this.#running = this.#run();
  }

  /** Ends it; answers how many segments were appended. */
  finish(): Promise<number> {
    this.#stopped.resolve();
    return this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.finish();
    await this.#stores[Symbol.asyncDispose]();
  }

  async #run(): Promise<number> {
    for (let count = 0; ; count++) {
      const { promise: due, resolve } = Promise.withResolvers<'due'>();
      const timer = setTimeout(() => resolve('due'), SEGMENT_SECONDS * 1000);
      const next = await Promise.race([due, this.#stopped.promise]);
      clearTimeout(timer);
      if (next !== 'due') return count;
      await this.#pushed.append();
    }
  }
}
