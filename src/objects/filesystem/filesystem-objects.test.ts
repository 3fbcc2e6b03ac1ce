import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isZoetropeError } from '../../base/errors.ts';
import type { ObjectStore } from '../object-store.ts';
import { createFilesystemObjects } from './filesystem-objects.ts';

interface World {
  readonly store: ObjectStore;
  readonly directory: string;
  readonly outside: string;
}

async function world(t: TestContext): Promise<World> {
  const base = await mkdtemp(join(tmpdir(), 'zoetrope-fs-'));
  t.after(() => rm(base, { recursive: true }));
  const directory = join(base, 'store');
  const outside = join(base, 'outside');
  await mkdir(outside);
  await writeFile(join(outside, 'secret'), 'secret');
  const store = createFilesystemObjects({ directory });
  await store.start(AbortSignal.timeout(10_000));
  return { store, directory, outside };
}

test('a symbolic link leads no call out of the store', async (t) => {
  const { store, directory, outside } = await world(t);
  await symlink(outside, join(directory, 'linked'));
  await symlink(join(outside, 'secret'), join(directory, 'file-link'));
  await assert.rejects(store.get('linked/secret'), (error) => isZoetropeError(error, 'invalid_argument'));
  await assert.rejects(store.head('linked/secret'), (error) => isZoetropeError(error, 'invalid_argument'));
  await assert.rejects(store.put('linked/new', Buffer.from('x')), (error) =>
    isZoetropeError(error, 'invalid_argument'),
  );
  await assert.rejects(store.put('linked/deep/new', Buffer.from('x')));
  await assert.rejects(store.localPath('linked/secret'), (error) => isZoetropeError(error, 'invalid_argument'));
  await assert.rejects(store.localPath('file-link'), (error) => isZoetropeError(error, 'missing_input'));
  await assert.rejects(store.delete(['linked/secret']), (error) => isZoetropeError(error, 'invalid_argument'));
  await assert.rejects(store.get('file-link'), (error) => isZoetropeError(error, 'missing_input'));
  await assert.rejects(store.head('file-link'), (error) => isZoetropeError(error, 'missing_input'));
  for await (const { key } of store.list('')) assert.fail(`listed ${key}`);
  assert.deepEqual(await readdir(outside), ['secret']);
  await store.put('file-link', Buffer.from('replaced'));
  assert.equal(Buffer.from(await store.get('file-link')).toString(), 'replaced');
});

test('a failed put leaves no temporary file', async (t) => {
  const { store, directory } = await world(t);
  await store.put('taken', Buffer.from('x'));
  await assert.rejects(store.put('taken/below', Buffer.from('x')), (error) => isZoetropeError(error, 'conflict'));
  await store.put('parent/below', Buffer.from('x'));
  await assert.rejects(store.put('parent', Buffer.from('x')), (error) => isZoetropeError(error, 'conflict'));
  assert.deepEqual(await readdir(join(directory, '.tmp')), []);
});

test('a start removes the leftovers of a kill and leaves what another process may be writing', async (t) => {
  const { directory } = await world(t);
  await writeFile(join(directory, '.tmp', 'old'), 'x');
  await writeFile(join(directory, '.tmp', 'young'), 'x');
  const elevenMinutesAgo = Date.now() / 1000 - 11 * 60;
  await utimes(join(directory, '.tmp', 'old'), elevenMinutesAgo, elevenMinutesAgo);
  await createFilesystemObjects({ directory }).start(AbortSignal.timeout(10_000));
  assert.deepEqual(await readdir(join(directory, '.tmp')), ['young']);
});

test('a file of another disk is copied in, and then gone there', async (t) => {
  const { store, directory } = await world(t);
  const away = await mkdtemp('/dev/shm/zoetrope-adopt-').catch(() => null);
  if (away === null) return t.skip('there is no other disk here');
  t.after(() => rm(away, { recursive: true }));
  if ((await stat(away)).dev === (await stat(directory)).dev) return t.skip('there is no other disk here');
  const path = join(away, 'upload');
  await writeFile(path, 'from afar');
  await store.adopt('assets/ast_1/source', path);
  assert.equal(Buffer.from(await store.get('assets/ast_1/source')).toString(), 'from afar');
  assert.deepEqual(await readdir(away), []);
  await writeFile(path, 'kept');
  await store.put('taken', Buffer.from('x'));
  await assert.rejects(store.adopt('taken/below', path), (error) => isZoetropeError(error, 'conflict'));
  assert.deepEqual(await readdir(away), ['upload']);
  assert.deepEqual(await readdir(join(directory, '.tmp')), []);
});

test('directories that hold no object any more go', async (t) => {
  const { store, directory } = await world(t);
  await store.put('a/b/c/one', Buffer.from('x'));
  await store.put('a/two', Buffer.from('x'));
  await store.delete(['a/b/c/one']);
  assert.deepEqual(await readdir(join(directory, 'a')), ['two']);
  await store.put('a/b/c/one', Buffer.from('again'));
  assert.equal(Buffer.from(await store.get('a/b/c/one')).toString(), 'again');
});
