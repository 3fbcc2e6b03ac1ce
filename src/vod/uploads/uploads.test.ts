import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { isZoetropeError, ZoetropeError } from '../../base/errors.ts';
import { FakeClock } from '../../base/fake-clock.ts';
import { randomIds } from '../../base/ids.ts';
import { silentLogger } from '../../base/logger.ts';
import type { Asset } from '../../timeline/asset.ts';
import { parseAssetOptions } from '../asset-request.ts';
import type { AssetService, AssetToMake } from '../asset-service.ts';
import { Uploads } from './uploads.ts';

/** The beginning of an MP4 file, and then anything. */
const FILM = Buffer.concat([Buffer.from('00000018667479706d703432', 'hex'), Buffer.alloc(2000, 7)]);

/** Moves files away as the service does, once for each id. */
class Shelf implements Pick<AssetService, 'create'> {
  readonly made = new Map<string, AssetToMake>();
  calls = 0;
  /** Thrown once, after the file was moved and the asset made: as if the process had died then. */
  diesAfter = false;
  refusal: ZoetropeError | null = null;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async create(asset: AssetToMake): Promise<Asset> {
    this.calls += 1;
    if (this.refusal !== null) throw this.refusal;
    const id = asset.id ?? randomIds.next('asset');
    if (!this.made.has(id)) {
      assert.equal(asset.source.kind, 'file');
      if (asset.source.kind === 'file') await rename(asset.source.path, join(this.#directory, id));
      this.made.set(id, asset);
    }
    if (this.diesAfter) {
      this.diesAfter = false;
      throw new ZoetropeError('unavailable', 'It died.');
    }
    return { id, name: asset.name } as Asset;
  }
}

async function* pieces(...all: readonly (Uint8Array | Error)[]): AsyncIterable<Uint8Array> {
  for (const piece of all) {
    if (piece instanceof Error) throw piece;
    yield piece;
  }
}

describe('uploads', () => {
  let scratch: string;
  let shelf: Shelf;
  let clock: FakeClock;
  let uploads: Uploads;
  const asset = parseAssetOptions({}, () => 'acme');
  const sha256 = createHash('sha256').update(FILM).digest('hex');
  const open = (): Uploads =>
    new Uploads({
      directory: join(scratch, 'uploads'),
      assets: shelf,
      clock,
      ids: randomIds,
      logger: silentLogger,
      maxBytes: 1_000_000,
      expiryMs: 3_600_000,
    });
  const begin = async (change: { sha256?: string; sizeBytes?: number } = {}): Promise<string> => {
    const id = randomIds.next('upload');
    const file = { filename: 'film.mp4', sizeBytes: FILM.length, sha256: null, asset, metadata: {}, ...change };
    await uploads.begin({ id, ...file });
    return id;
  };
  const files = (): Promise<string[]> => readdir(join(scratch, 'uploads'));

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'zoetrope-uploads-'));
  });
  after(() => rm(scratch, { recursive: true }));
  beforeEach(async () => {
    await rm(join(scratch, 'uploads'), { recursive: true, force: true });
    shelf = new Shelf(scratch);
    clock = new FakeClock(Date.now());
    uploads = open();
    await uploads.start();
  });
  afterEach(() => uploads.close());

  it('go on where they stopped and become one asset', async () => {
    const id = await begin({ sha256 });
    await assert.rejects(uploads.write(id, pieces(FILM.subarray(0, 700), new Error('gone')), 0), /gone/);
    assert.equal((await uploads.status(id)).offsetBytes, 700);
    assert.equal(await uploads.finish(id), null);
    assert.equal(await uploads.write(id, pieces(FILM.subarray(700)), 700), FILM.length);
    const [first, second] = await Promise.all([uploads.finish(id), uploads.finish(id)]);
    assert.equal(first, second);
    assert.deepEqual([shelf.calls, [...shelf.made.keys()]], [1, [first]]);
    const { record, offsetBytes } = await uploads.status(id);
    assert.deepEqual([record.state, offsetBytes, await files()], ['done', FILM.length, [`${id}.json`]]);
  });

  it('become one asset when the process dies between the last byte and the asset, or right after it', async () => {
    const whole = await begin();
    await uploads.write(whole, pieces(FILM), 0);
    const made = await begin();
    await uploads.write(made, pieces(FILM), 0);
    shelf.diesAfter = true;
    await assert.rejects(uploads.finish(made), /It died/);
    await uploads.close();
    uploads = open();
    await uploads.look();
    for (const id of [whole, made]) {
      const { record } = await uploads.status(id);
      assert.equal(record.state, 'done');
      assert.ok(shelf.made.has(record.assetId));
    }
    assert.equal(shelf.made.size, 2);
  });

  it('keep nothing when the bytes are not those announced', async () => {
    const id = await begin({ sha256: 'f'.repeat(64) });
    await uploads.write(id, pieces(FILM), 0);
    await assert.rejects(uploads.finish(id), (error) => isZoetropeError(error, 'corrupt_media'));
    await assert.rejects(uploads.status(id), (error) => isZoetropeError(error, 'not_found'));
    assert.deepEqual(await files(), []);
  });

  it('refuse what can be no media as soon as it shows', async () => {
    const id = await begin();
    let wasRead = false;
    async function* playlist(): AsyncIterable<Uint8Array> {
      yield Buffer.from('#EXTM3U\n'.padEnd(800, '#'));
      wasRead = true;
      yield Buffer.alloc(10);
    }
    await assert.rejects(uploads.write(id, playlist(), 0), /is a playlist/);
    assert.deepEqual([wasRead, await files()], [false, []]);
    await assert.rejects(begin({ sizeBytes: 0 }), /The file is empty/);
    await assert.rejects(begin({ sizeBytes: 1_000_001 }), (error) => isZoetropeError(error, 'payload_too_large'));
  });

  it('stay when the asset cannot be made just now, and go when it never can', async () => {
    const id = await begin();
    await uploads.write(id, pieces(FILM), 0);
    shelf.refusal = new ZoetropeError('storage_full', 'Full.');
    await assert.rejects(uploads.finish(id), /Full/);
    assert.equal((await uploads.status(id)).offsetBytes, FILM.length);
    shelf.refusal = new ZoetropeError('unsupported_media', 'No.');
    await assert.rejects(uploads.finish(id), /No/);
    assert.deepEqual(await files(), []);
  });

  it('expire when they rest too long; what is left of dead requests goes', async () => {
    const id = await begin();
    await uploads.write(id, pieces(FILM.subarray(0, 700)), 0);
    const { expiresAtMs } = await uploads.status(id);
    const orphan = join(scratch, 'uploads', randomIds.next('upload'));
    await writeFile(orphan, 'x');
    await uploads.look();
    assert.equal((await files()).length, 3);
    const old = new Date(clock.nowMs() - 7 * 3_600_000);
    await utimes(orphan, old, old);
    await uploads.look();
    assert.equal((await files()).length, 2);
    clock.jump(expiresAtMs - clock.nowMs());
    await uploads.look();
    assert.deepEqual(await files(), []);
  });

  it('come in one piece, or leave nothing', async () => {
    const whole = { asset, filename: 'film.mp4', sizeBytes: FILM.length, sha256 };
    const made = await uploads.receive({ ...whole, body: pieces(FILM.subarray(0, 9), FILM.subarray(9)) });
    assert.equal(made.name, 'film.mp4');
    assert.equal((await stat(join(scratch, made.id))).size, FILM.length);
    const broken = uploads.receive({ ...whole, body: pieces(FILM.subarray(0, 900), new Error('gone')) });
    await assert.rejects(broken, /gone/);
    const wrong = uploads.receive({ ...whole, sha256: '0'.repeat(64), body: pieces(FILM) });
    await assert.rejects(wrong, (error) => isZoetropeError(error, 'corrupt_media'));
    const huge = uploads.receive({ ...whole, sizeBytes: null, body: pieces(FILM, Buffer.alloc(1_000_000)) });
    await assert.rejects(huge, (error) => isZoetropeError(error, 'payload_too_large'));
    await assert.rejects(uploads.receive({ ...whole, sizeBytes: null, body: pieces() }), /The file is empty/);
    assert.deepEqual(await files(), []);
  });
});
