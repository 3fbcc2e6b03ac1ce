import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { isZoetropeError } from '../../src/base/errors.ts';
import { FakeClock } from '../../src/base/fake-clock.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { ObjectStore } from '../../src/objects/object-store.ts';
import { parseS3Address } from '../../src/objects/s3/s3-address.ts';
import { createS3Objects } from '../../src/objects/s3/s3-objects.ts';
import { S3Server, type S3UrlOptions } from '../fixtures/servers/s3.ts';
import { TestLink } from '../fixtures/test-link.ts';
import { TestServer } from '../fixtures/server.ts';
import { makeJpeg } from '../fixtures/pictures.ts';
import { eventually } from '../fixtures/processes.ts';

const MIB = 1 << 20;

describe('an S3 server that fails', () => {
  let s3: S3Server;
  let store: ObjectStore;
  before(async () => {
    s3 = await S3Server.start();
    store = open();
    await store.start(AbortSignal.timeout(30_000));
  });
  afterEach(() => {
    s3.judge = () => null;
  });
  after(async () => {
    await store.close();
    await s3[Symbol.asyncDispose]();
  });

  function open(options: S3UrlOptions = {}): ObjectStore {
    return createS3Objects({ address: parseS3Address(s3.url(options)), checksAtStart: true });
  }

  async function keys(prefix: string): Promise<readonly string[]> {
    return (await Array.fromAsync(store.list(prefix))).map(({ key }) => key);
  }

  async function* pieces(count: number, hash = createHash('md5'), failsAt = Infinity): AsyncIterable<Uint8Array> {
    // The same memory again and again: what grows is not the source's.
    const piece = randomBytes(MIB);
    for (let index = 0; index < count; index++) {
      if (index === failsAt) throw new Error('the source broke');
      piece.writeUInt32LE(index, index);
      hash.update(piece);
      yield piece;
    }
  }

  test('100 MiB of unknown length are put with a few parts in memory', async () => {
    const hash = createHash('md5');
    // Whatever its length, it takes as much as a shorter one.
    await store.put('large/before', pieces(40));
    const before = process.memoryUsage().rss;
    let highest = before;
    const timer = setInterval(() => (highest = Math.max(highest, process.memoryUsage().rss)), 20);
    await store.put('large/a', pieces(100, hash)).finally(() => clearInterval(timer));
    assert.equal((await store.head('large/a')).sizeBytes, 100 * MIB);
    const read = createHash('md5');
    for await (const piece of store.open('large/a')) read.update(piece);
    assert.equal(read.digest('hex'), hash.digest('hex'));
    assert.ok(highest - before < 48 * MIB, `${(highest - before) / MIB} MiB more`);
    assert.equal(await s3.unfinishedUploads(), 0);
  });

  test('a source that breaks in the middle of many parts leaves nothing, not even parts', async () => {
    await assert.rejects(store.put('broken/a', pieces(40, undefined, 30)), /the source broke/);
    assert.deepEqual(await keys('broken/'), []);
    assert.equal(await s3.unfinishedUploads(), 0);
    const controller = new AbortController();
    s3.judge = ({ url = '' }) => (url.includes('partNumber=3') && controller.abort(new Error('stopped')), null);
    await assert.rejects(store.put('broken/b', pieces(40), { signal: controller.signal }), /stopped/);
    assert.deepEqual(await keys('broken/'), []);
    assert.equal(await s3.unfinishedUploads(), 0);
  });

  test('a part that the server refuses for good ends the upload; the file to be adopted stays', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'zoetrope-s3-adopt-'));
    t.after(() => rm(directory, { recursive: true }));
    const path = join(directory, 'film');
    await writeFile(path, randomBytes(20 * MIB));
    s3.judge = ({ url = '' }) => (url.includes('partNumber=2') ? 507 : null);
    await assert.rejects(store.adopt('adopted/a', path), (error) => isZoetropeError(error, 'storage_full'));
    assert.equal((await stat(path)).size, 20 * MIB);
    assert.deepEqual([await keys('adopted/'), await s3.unfinishedUploads()], [[], 0]);
  });

  test('a moment’s 503 is not noticed, whatever is asked', async () => {
    let count = 0;
    s3.judge = () => (count++ % 2 === 0 ? 503 : null);
    await store.put('moment/a', Buffer.from('abc'));
    assert.equal(Buffer.from(await store.get('moment/a')).toString(), 'abc');
    assert.equal((await store.head('moment/a')).sizeBytes, 3);
    await store.put('moment/b', pieces(20));
    assert.deepEqual(await keys('moment/'), ['moment/a', 'moment/b']);
    await store.delete(['moment/a', 'moment/b']);
    assert.deepEqual(await keys('moment/'), []);
  });

  test('a server without DeleteObjects deletes one by one', async () => {
    s3.judge = ({ method, url = '' }) => (method === 'POST' && url.includes('delete') ? 501 : null);
    for (const key of ['one/a', 'one/b', 'one/c']) await store.put(key, Buffer.from('x'));
    await store.delete(['one/a', 'one/b', 'one/never']);
    assert.deepEqual(await keys('one/'), ['one/c']);
  });

  test('a connection that breaks in the middle of an object is taken up again where it broke', async () => {
    const link = await TestLink.start(() => Number(new URL(s3.endpoint).port));
    const linked = open({ endpoint: link.url });
    try {
      const bytes = randomBytes(30 * MIB);
      await store.put('long/a', bytes);
      const hash = createHash('md5');
      let [read, cuts] = [0, 0];
      for await (const piece of linked.open('long/a')) {
        hash.update(piece);
        read += piece.length;
        if (read > (cuts + 1) * 8 * MIB) {
          cuts += 1;
          await link.set('reset');
          await link.set('up');
        }
      }
      assert.equal(cuts, 3);
      assert.equal(hash.digest('hex'), createHash('md5').update(bytes).digest('hex'));
    } finally {
      await linked.close();
      await link[Symbol.asyncDispose]();
    }
  });

  test('a server that is not there is unavailable, within a stated time', async () => {
    s3.judge = () => 503;
    const since = performance.now();
    await assert.rejects(store.put('away', Buffer.from('x')), (error) => isZoetropeError(error, 'unavailable'));
    assert.ok(performance.now() - since < 25_000);
  });

  test('what is wrong with the configuration is said at the start', async () => {
    for (const [options, message] of [
      [{ secret: 'wrong' }, /does not accept the keys/],
      [{ accessKeyId: 'nobody' }, /does not accept the keys/],
      [{ bucket: 'no-such-bucket' }, /no such bucket/],
      [{ more: '&region=mars-1' }, /another region/],
    ] as const) {
      await assert.rejects(open(options).start(AbortSignal.timeout(20_000)), (error: Error) => {
        assert.ok(isZoetropeError(error, 'invalid_configuration'), String(error));
        assert.match(error.message, message);
        return true;
      });
    }
    const clock = Object.assign(new FakeClock(Date.now() - 3_600_000), {
      wait: (ms: number, signal?: AbortSignal) => systemClock.wait(ms, signal),
    });
    const behind = createS3Objects({ address: parseS3Address(s3.url()), checksAtStart: true, clock });
    await assert.rejects(
      behind.start(AbortSignal.timeout(20_000)),
      /clocks of this machine and of the S3 server differ/,
    );
  });
});

test('frames that are posted while the S3 server is away are refused or kept, and none that was taken is lost', async () => {
  await using s3 = await S3Server.start();
  await using server = await TestServer.start({ env: { ZOETROPE_OBJECTS_URL: s3.url() } });
  const firstMs = Date.now() - 300_000;
  const taken: number[] = [];
  const refused: number[] = [];
  const post = async (index: number): Promise<void> => {
    const { status, bytes } = await server.api.postFrame('cam', firstMs + index * 1000, makeJpeg({ seed: index }));
    assert.ok([202, 503].includes(status), `${status} ${bytes.toString()}`);
    (status === 202 ? taken : refused).push(index);
  };
  for (let index = 0; index < 9; index++) await post(index);
  await s3.crash();
  await Promise.all([9, 10, 11].map(post));
  assert.deepEqual(
    refused.toSorted((a, b) => a - b),
    [9, 10, 11],
  );
  await s3.resume();
  for (const index of refused.splice(0).toSorted((a, b) => a - b)) await post(index);
  for (let index = 12; index < 18; index++) await post(index);
  const stream = await server.api.streamOf('cam');
  await eventually(
    'every frame is on the timeline',
    async () => ((await server.api.frameCount(stream.id, firstMs, Date.now())) === 18 ? true : undefined),
    { timeoutMs: 60_000, describe: () => server.logs },
  );
  assert.deepEqual([taken.length, refused.length], [18, 0]);
  assert.deepEqual(await server.api.deadLetters(), []);
});
