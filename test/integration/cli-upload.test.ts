import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { AssetChange } from '../../src/catalog/asset-store.ts';
import { sourceKey, type Asset } from '../../src/timeline/asset.ts';
import type { Uploads } from '../../src/vod/uploads/uploads.ts';
import { eventually } from '../fixtures/processes.ts';
import { vodApi } from '../fixtures/vod-api.ts';
import { ApiHarness } from './api-harness.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/zoetrope.js', import.meta.url));
const FILM = Buffer.concat([Buffer.from('00000018667479706d703432', 'hex'), Buffer.alloc(6_000_000, 7)]);

let api: ApiHarness;
let uploads: Uploads;
let film: string;
before(async () => {
  api = await ApiHarness.start({
    deps: (store) => {
      const vod = vodApi(store);
      ({ uploads } = vod);
      return { vod };
    },
  });
  await uploads.start();
  film = join(api.store.directory, 'my film.mp4');
  await writeFile(film, FILM);
});
after(async () => {
  await uploads.close();
  await api[Symbol.asyncDispose]();
});

interface Run {
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
  interrupt(): void;
}

function run(...args: readonly string[]): Run {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    cwd: api.store.directory,
    env: { PATH, XDG_STATE_HOME: join(api.store.directory, 'state') },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => void (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => void (stderr += data.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { ended, interrupt: () => void child.kill('SIGINT') };
}

/** What the settler would do, told to followers. */
async function settle(id: string, change: AssetChange): Promise<void> {
  const { catalog } = api.store.stores;
  const { version } = await catalog.getAsset(id);
  assert.ok(await catalog.settleAsset(id, version, change));
  await api.store.clock.advance(250);
}

async function assetCalled(name: string): Promise<Asset> {
  return await eventually(
    `an asset called ${name}`,
    async () => (await api.store.stores.catalog.listAssets({ query: name }, { limit: 1 })).items[0],
    { timeoutMs: 20_000 },
  );
}

test('a file is uploaded with its options', async () => {
  const options = ['--rung', '360', '--rung', '240p', '--reference', 'r-1', '--name', 'Plain', '--checksum'];
  const further = ['--options', '{"outputs":{"download":true}}'];
  const { code, stdout, stderr } = await run('upload', film, '--url', api.url, '--json', ...options, ...further).ended;
  assert.equal(code, 0, stderr);
  const [{ file, assetId } = { file: '', assetId: '' }] = JSON.parse(stdout) as { file: string; assetId: string }[];
  assert.equal(file, film);
  const { name, referenceId, request } = await api.store.stores.catalog.getAsset(assetId);
  assert.deepEqual(
    [name, referenceId, request.video, request.download],
    ['Plain', 'r-1', [{ heightPx: 360 }, { heightPx: 240 }], true],
  );
  assert.ok(FILM.equals(await api.store.stores.objects.get(sourceKey(assetId))));
  assert.deepEqual(await readdir(join(api.store.directory, 'state', 'zoetrope', 'uploads')), []);
});

test('an upload that was stopped goes on with the same command', async () => {
  const wire = await Wire.open(Number(new URL(api.url).port), 3_000_000);
  try {
    const first = run('upload', film, '--url', wire.url, '--name', 'Resumed');
    await wire.isFull;
    first.interrupt();
    const stopped = await first.ended;
    assert.equal(stopped.code, 1);
    assert.match(stopped.stderr, /cancelled: my film\.mp4 was stopped at \d+ %\. The same command goes on from there/);
    wire.mend();
    const second = await run('upload', film, '--url', wire.url, '--name', 'Resumed').ended;
    assert.equal(second.code, 0, second.stderr);
    const [, assetId = ''] = /^(ast_\w+) {2}/.exec(second.stdout) ?? [];
    assert.ok(FILM.equals(await api.store.stores.objects.get(sourceKey(assetId))));
    assert.ok(wire.bytes < FILM.length + 3_000_000, `what was there was sent again: ${wire.bytes} bytes in all`);
  } finally {
    await wire.close();
  }
});

test('watching ends with the asset: 0 when it is ready, 1 with the cause when it failed', async () => {
  const watched = run('upload', film, '--url', api.url, '--name', 'Watched', '--watch');
  const { id } = await assetCalled('Watched');
  await eventually('the command watches', () => (api.metrics.subscribers > 0 ? true : undefined), {
    timeoutMs: 10_000,
  });
  await settle(id, { asset: { state: 'transcoding' } });
  await settle(id, { asset: { state: 'ready', playableAtMs: api.store.nowMs, endedAtMs: api.store.nowMs } });
  const { code, stderr } = await watched.ended;
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    /uploaded: ast_[^]*Watched {2}ready\n.*plays at http:\/\/.*\/play\/assets\/ast_.*\/master\.m3u8/,
  );

  const failing = run('upload', film, '--url', api.url, '--name', 'Failing', '--watch');
  const failed = await assetCalled('Failing');
  const cause = { code: 'corrupt_media', message: 'The film is torn.' } as const;
  await settle(failed.id, { asset: { state: 'failed', cause, endedAtMs: api.store.nowMs } });
  const end = await failing.ended;
  assert.deepEqual(
    [end.code, /my film\.mp4: corrupt_media: The film is torn\./.test(end.stderr)],
    [1, true],
    end.stderr,
  );
});

test('what the server refuses, and a server that is not there, is told', async () => {
  const page = join(api.store.directory, 'page.mp4');
  await writeFile(page, '<html>'.padEnd(1000));
  const refused = await run('upload', page, '--url', api.url).ended;
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /unsupported_media: The file is a markup document/);
  const nobody = await run('upload', film, '--url', 'http://127.0.0.1:9').ended;
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /unavailable: Cannot reach http:\/\/127\.0\.0\.1:9/);
  assert.equal((await run('upload', join(api.store.directory, 'none.mp4')).ended).code, 2);
});

test('simulated films are uploaded and what becomes of them is counted', async () => {
  await mkdir(join(api.store.directory, 'films'), { recursive: true });
  const films = ['--count', '2', '--every', '0.05', '--duration', '0.5', '--size', '160x120'];
  const simulation = run('simulate', 'uploads', ...films, '--url', api.url, '--json');
  const [first, second] = [await assetCalled('film-1'), await assetCalled('film-2')];
  await settle(first.id, { asset: { state: 'ready', playableAtMs: api.store.nowMs, endedAtMs: api.store.nowMs } });
  const cause = { code: 'engine_failed', message: 'No.' } as const;
  await settle(second.id, { asset: { state: 'failed', cause, endedAtMs: api.store.nowMs } });
  const { code, stdout, stderr } = await simulation.ended;
  assert.equal(code, 1, stderr);
  const { playableAfterSeconds, ...counts } = JSON.parse(stdout) as { readonly playableAfterSeconds: object };
  assert.deepEqual(counts, {
    uploads: 2,
    accepted: 2,
    refused: 0,
    ready: 1,
    failed: 1,
    cancelled: 0,
    unfinished: 0,
    causes: ['engine_failed: No.'],
  });
  assert.deepEqual(Object.keys(playableAfterSeconds), ['median', 'max']);
});

/** A connection that takes so many bytes and then stands still, until it is mended. */
class Wire {
  readonly isFull: Promise<void>;
  bytes = 0;
  readonly #server: Server;
  readonly #target: number;
  #mostBytes: number;
  #full: () => void;

  private constructor(target: number, mostBytes: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.isFull = promise;
    this.#full = resolve;
    this.#target = target;
    this.#mostBytes = mostBytes;
    this.#server = createServer((from) => {
      const to = connect(this.#target, '127.0.0.1');
      from.on('error', () => to.destroy()).on('close', () => to.destroy());
      to.on('error', () => from.destroy()).on('close', () => from.destroy());
      to.pipe(from);
      from.on('data', (data: Buffer) => {
        this.bytes += data.length;
        to.write(data);
        if (this.bytes < this.#mostBytes) return;
        from.pause();
        this.#full();
      });
    });
  }

  static async open(target: number, mostBytes: number): Promise<Wire> {
    const wire = new Wire(target, mostBytes);
    wire.#server.listen(0, '127.0.0.1');
    await once(wire.#server, 'listening');
    return wire;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  mend(): void {
    this.#mostBytes = Number.POSITIVE_INFINITY;
  }

  async close(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }
}
