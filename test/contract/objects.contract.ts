import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { type ErrorCode, isZoetropeError, ZoetropeError } from '../../src/base/errors.ts';
import type { ObjectStore, PresignedRequest } from '../../src/objects/object-store.ts';

/** An object store under test. */
export interface ObjectsUnderTest {
  /** A store over the same bytes each time: what a second process would see. Not started. */
  open(): ObjectStore;
  /** Sends a presigned request with these bytes, as somebody without keys; answers with the status. */
  send(request: PresignedRequest, bytes: Uint8Array): Promise<number>;
  /** Lets time pass for whoever judges presigned requests: in truth, where that is another process. */
  pass(ms: number): Promise<void>;
  dispose(): Promise<void>;
}

/** Registers the contract of {@link ObjectStore} for an adapter. */
export function objectsContract(adapter: string, make: () => Promise<ObjectsUnderTest>): void {
  describe(`objects contract: ${adapter}`, () => {
    let world: ObjectsUnderTest;
    let store: ObjectStore;
    let other: ObjectStore;

    before(async () => {
      world = await make();
      store = world.open();
      other = world.open();
      await store.start(AbortSignal.timeout(30_000));
      await other.start(AbortSignal.timeout(30_000));
    });
    after(async () => {
      await store.close();
      await other.close();
      await store.close();
      await world.dispose();
    });

    test('what was put is got, by every process', async () => {
      const bytes = randomBytes(700_000);
      await store.put('roundtrip/a.m4s', bytes);
      assert.deepEqual(Buffer.from(await store.get('roundtrip/a.m4s')), bytes);
      assert.deepEqual(Buffer.from(await other.get('roundtrip/a.m4s')), bytes);
      assert.deepEqual(await collect(other.open('roundtrip/a.m4s')), bytes);
      const head = await other.head('roundtrip/a.m4s');
      assert.equal(head.key, 'roundtrip/a.m4s');
      assert.equal(head.sizeBytes, 700_000);
      assert.ok(Math.abs(head.modifiedAtMs - Date.now()) < 120_000);
    });

    test('an empty object is an object', async () => {
      await store.put('empty', new Uint8Array());
      assert.equal((await store.get('empty')).length, 0);
      assert.equal((await store.head('empty')).sizeBytes, 0);
      assert.equal((await collect(store.open('empty'))).length, 0);
      await throwsCode(store.get('empty', { start: 0 }), 'range_not_satisfiable');
    });

    test('putting a key again replaces it as a whole', async () => {
      await store.put('replace/a', Buffer.alloc(100_000, 'x'));
      await other.put('replace/a', Buffer.from('short'));
      assert.equal(Buffer.from(await store.get('replace/a')).toString(), 'short');
    });

    test('a reader sees all of an old or all of a new object, never a mixture', async () => {
      const size = 300_000;
      await store.put('atomic', Buffer.alloc(size, 0));
      const writing = (async () => {
        for (let round = 1; round <= 15; round++) await other.put('atomic', Buffer.alloc(size, round));
      })();
      for (let round = 0; round < 30; round++) {
        const bytes = await store.get('atomic');
        assert.equal(bytes.length, size);
        assert.ok(bytes.every((byte) => byte === bytes[0]));
      }
      await writing;
    });

    test('an adopted file is an object, durable as one that was put, and gone from where it lay', async (t) => {
      const directory = await mkdtemp(join(tmpdir(), 'zoetrope-adopt-'));
      t.after(() => rm(directory, { recursive: true }));
      const path = join(directory, 'upload');
      const bytes = randomBytes(600_000);
      await writeFile(path, bytes);
      await utimes(path, 1_000_000_000, 1_000_000_000);
      await store.adopt('assets/ast_1/source', path);
      assert.deepEqual(Buffer.from(await other.get('assets/ast_1/source')), bytes);
      assert.deepEqual(await readdir(directory), []);
      const { modifiedAtMs } = await other.head('assets/ast_1/source');
      assert.ok(Math.abs(modifiedAtMs - Date.now()) < 120_000, 'it is as young as one that was put');
      await writeFile(path, 'other');
      await store.adopt('assets/ast_1/source', path);
      assert.equal(Buffer.from(await other.get('assets/ast_1/source')).toString(), 'other');
    });

    test('a file that cannot be adopted stays where it is', async (t) => {
      const directory = await mkdtemp(join(tmpdir(), 'zoetrope-adopt-'));
      t.after(() => rm(directory, { recursive: true }));
      const path = join(directory, 'upload');
      await throwsCode(store.adopt('adopted', path), 'missing_input');
      await throwsCode(store.adopt('adopted', directory), 'missing_input');
      await writeFile(path, 'kept');
      await throwsCode(store.adopt('../adopted', path), 'invalid_argument');
      const link = join(directory, 'link');
      await symlink(path, link);
      await throwsCode(store.adopt('adopted', link), 'missing_input');
      assert.equal(await readFile(path, 'utf8'), 'kept');
      await throwsCode(store.head('adopted'), 'missing_input');
    });

    test('a local path is a file with the object’s bytes, where the store has files', async () => {
      const bytes = randomBytes(1_000);
      await store.put('local/a', bytes);
      const path = await other.localPath('local/a');
      assert.equal(path !== null, other.capabilities.localFiles);
      if (path !== null) assert.deepEqual(await readFile(path), bytes);
      await throwsCode(store.localPath('../local/a'), 'invalid_argument');
      if (store.capabilities.localFiles) await throwsCode(store.localPath('local/missing'), 'missing_input');
    });

    test('a range is its bytes, ends included', async () => {
      const bytes = randomBytes(5_000);
      await store.put('range', bytes);
      await fc.assert(
        fc.asyncProperty(fc.nat(4_999), fc.nat(4_999), async (one, two) => {
          const [start, end] = one < two ? [one, two] : [two, one];
          assert.deepEqual(Buffer.from(await store.get('range', { start, end })), bytes.subarray(start, end + 1));
          assert.deepEqual(await collect(store.open('range', { start, end })), bytes.subarray(start, end + 1));
        }),
        { numRuns: 40 },
      );
      assert.deepEqual(Buffer.from(await store.get('range', { start: 4_990 })), bytes.subarray(4_990));
      assert.deepEqual(Buffer.from(await store.get('range', { end: 9 })), bytes.subarray(0, 10));
    });

    test('a range outside the object is refused', async () => {
      await store.put('bounds', Buffer.alloc(10));
      const outside = [
        { start: 10 },
        { end: 10 },
        { start: 5, end: 4 },
        { start: -1 },
        { start: 0.5 },
        { start: Number.NaN },
      ];
      for (const range of outside) {
        await throwsCode(store.get('bounds', range), 'range_not_satisfiable');
        await throwsCode(collect(store.open('bounds', range)), 'range_not_satisfiable');
      }
    });

    test('a missing key is missing_input', async () => {
      await throwsCode(store.get('missing/a'), 'missing_input');
      await throwsCode(store.head('missing/a'), 'missing_input');
      await throwsCode(collect(store.open('missing/a')), 'missing_input');
    });

    test('a deleted object is gone everywhere, and deleting what is missing is no error', async () => {
      await store.put('delete/a', Buffer.from('a'));
      await store.put('delete/b', Buffer.from('b'));
      await store.delete(['delete/a', 'delete/never-there', 'no/such/parent']);
      await throwsCode(other.get('delete/a'), 'missing_input');
      assert.deepEqual(await keys(other.list('delete/')), ['delete/b']);
      await store.delete(['delete/b', 'delete/b']);
      await store.delete([]);
      assert.deepEqual(await keys(store.list('delete/')), []);
      await store.put('delete/a', Buffer.from('back'));
      assert.equal(Buffer.from(await other.get('delete/a')).toString(), 'back');
    });

    test('puts and deletes in one place by two processes do not disturb each other', async () => {
      const churn = async (mine: ObjectStore, name: string): Promise<void> => {
        for (let round = 0; round < 25; round++) {
          await mine.put(`churn/deep/er/${name}${round}`, Buffer.from(name));
          await mine.delete([`churn/deep/er/${name}${round}`]);
        }
      };
      await Promise.all([churn(store, 'a'), churn(other, 'b'), churn(store, 'c')]);
      assert.deepEqual(await keys(store.list('churn/')), []);
    });

    test('no key that breaks the grammar is taken by any call', async () => {
      const long = 'k'.repeat(513);
      const bad = [
        '',
        '/',
        '/abs',
        'a/',
        'a//b',
        '.',
        '..',
        'a/..',
        '../a',
        'a/../b',
        './a',
        'a/.b',
        '.hidden',
        'a b',
        'ä',
        'a\0b',
        'a\\b',
      ];
      for (const key of [...bad, 'a%2e%2e', 'a:b', 'a\nb', 'key?x', '~', long]) {
        await throwsCode(store.put(key, Buffer.from('x')), 'invalid_argument');
        await throwsCode(store.get(key), 'invalid_argument');
        await throwsCode(store.head(key), 'invalid_argument');
        await throwsCode(store.delete([key]), 'invalid_argument');
        await throwsCode(collect(store.open(key)), 'invalid_argument');
      }
      await throwsCode(keys(store.list('../')), 'invalid_argument');
      await throwsCode(keys(store.list('/')), 'invalid_argument');
    });

    test('keys as long as the grammar allows work', async () => {
      const key = `${'d'.repeat(200)}/${'e'.repeat(200)}/${'f'.repeat(110)}`;
      assert.equal(key.length, 512);
      await store.put(key, Buffer.from('long'));
      assert.equal(Buffer.from(await other.get(key)).toString(), 'long');
      await store.delete([key]);
    });

    test('a list is in key order, whatever the order of writing, and starts with the prefix', async () => {
      const names = ['a/b', 'a-b', 'a.b', 'a/b.c', 'a0', 'a/b-c/d', 'a/bc', 'b', 'A/z', 'a_b', 'a/b_/x', 'a/a/a/a'];
      for (const name of [...names].reverse()) await store.put(`order/${name}`, Buffer.from(name));
      const all = names.map((name) => `order/${name}`).sort(byCodeUnit);
      assert.deepEqual(await keys(other.list('order/')), all);
      for (const prefix of ['order/a', 'order/a/b', 'order/a/', 'order/b', 'order/none', 'orde']) {
        assert.deepEqual(
          await keys(store.list(prefix)),
          all.filter((key) => key.startsWith(prefix)),
          prefix,
        );
      }
      for (const head of await heads(store.list('order/a.'))) assert.equal(head.sizeBytes, 3);
    });

    test('a list goes on after any key, there or not', async () => {
      const all = await keys(store.list('order/'));
      for (const after of [...all, 'order/a', 'order/a/b/', 'order/a.', 'order/zzz', 'nothing', 'order/a/b-c/']) {
        assert.deepEqual(
          await keys(store.list('order/', { after })),
          all.filter((key) => key > after),
          after,
        );
      }
    });

    test('a list that is left early leaves nothing open', async () => {
      for await (const head of store.list('order/')) {
        assert.ok(head.key.startsWith('order/'));
        break;
      }
    });

    test('an aborted put leaves nothing behind', async () => {
      const reason = new Error('no longer wanted');
      await assert.rejects(store.put('aborted/a', Buffer.alloc(10), { signal: AbortSignal.abort(reason) }));
      assert.deepEqual(await keys(other.list('aborted/')), []);
      await store.put('aborted/b', Buffer.alloc(10));
      await assert.rejects(store.get('aborted/b', { signal: AbortSignal.abort(reason) }));
    });

    test('many puts at once all land', async () => {
      const names = Array.from({ length: 200 }, (_, index) => `many/${index % 7}/${index}`);
      await Promise.all(names.map((name) => store.put(name, Buffer.from(name))));
      const found = await keys(other.list('many/'));
      assert.deepEqual(found, names.sort(byCodeUnit));
      for (const name of found) assert.equal(Buffer.from(await other.get(name)).toString(), name);
    });

    test('what comes in pieces is put whole, and not at all when its source fails', async () => {
      const bytes = randomBytes(3_000_000);
      async function* pieces(failsAt: number): AsyncIterable<Uint8Array> {
        for (let at = 0; at < bytes.length; at += 70_000) {
          if (at >= failsAt) throw new ZoetropeError('payload_too_large', 'It is too long.');
          yield bytes.subarray(at, at + 70_000);
        }
      }
      await store.put('pieces/whole', pieces(Infinity));
      assert.deepEqual(Buffer.from(await other.get('pieces/whole')), bytes);
      await throwsCode(store.put('pieces/broken', pieces(1_000_000)), 'payload_too_large');
      await throwsCode(store.put('pieces/whole', pieces(0)), 'payload_too_large');
      assert.deepEqual(await keys(other.list('pieces/')), ['pieces/whole']);
      assert.deepEqual(Buffer.from(await other.get('pieces/whole')), bytes);
    });

    test('who has a presigned request puts that object, and only in its time', async () => {
      const terms = { expiresInMs: 60_000, maxBytes: 10_000 };
      if (!store.capabilities.presign) return await throwsCode(store.presignPut('signed/a', terms), 'unavailable');
      const bytes = randomBytes(5_000);
      const request = await store.presignPut('signed/a', terms);
      assert.deepEqual([request.method, request.expiresAtMs > 0], ['PUT', true]);
      const status = await world.send(request, bytes);
      assert.ok(status >= 200 && status < 300, `${status}`);
      assert.deepEqual(Buffer.from(await other.get('signed/a')), bytes);
      const signed = await store.presignPut('signed/b', { ...terms, expiresInMs: 1_000 });
      const lasting = await store.presignPut('signed/b', terms);
      const forged = lasting.url.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'));
      const astray = lasting.url.replace('signed/b', 'signed/c');
      const isRefused = async (wrong: PresignedRequest): Promise<void> => {
        const refusal = await world.send(wrong, bytes);
        assert.ok(refusal >= 400 && refusal < 500, `${refusal} for ${wrong.url}`);
      };
      await isRefused({ ...lasting, url: forged });
      // Where the key stands in the URL, it cannot be changed there.
      if (astray !== lasting.url) await isRefused({ ...lasting, url: astray });
      await world.pass(2_500);
      await isRefused(signed);
      assert.deepEqual(await keys(store.list('signed/')), ['signed/a']);
      await throwsCode(store.presignPut('../signed', terms), 'invalid_argument');
    });

    test('free space is a number of bytes or unknown', async () => {
      const free = await store.freeBytes();
      assert.ok(free === null || (Number.isFinite(free) && free > 0));
    });
  });
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

async function heads<T>(list: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const head of list) all.push(head);
  return all;
}

async function keys(list: AsyncIterable<{ readonly key: string }>): Promise<string[]> {
  return (await heads(list)).map((head) => head.key);
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : 1;
}

async function throwsCode(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => isZoetropeError(error, code));
}
