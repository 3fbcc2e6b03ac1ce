import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ObjectHead } from '../objects/object-store.ts';
import type { Stream } from '../timeline/stream.ts';
import { findOrphans } from './orphans.ts';

const HOUR_MS = 3_600_000;
const EVENT_RETENTION_MS = 72 * HOUR_MS;

test('pushed files and chunks go when the log is worked through and older than it keeps, but for init segments that are needed', async () => {
  const clock = new FakeClock();
  const old = clock.nowMs() - EVENT_RETENTION_MS - HOUR_MS - 1;
  const heads: readonly ObjectHead[] = [
    { key: 'pushes/str_here/init', sizeBytes: 1, modifiedAtMs: old },
    { key: 'pushes/str_here/left', sizeBytes: 1, modifiedAtMs: old },
    { key: 'pushes/str_here/new', sizeBytes: 1, modifiedAtMs: old + 2 },
    { key: 'pushes/str_removed/left', sizeBytes: 1, modifiedAtMs: old },
    { key: 'chunks/str_here/3/chk_left', sizeBytes: 1, modifiedAtMs: old },
    { key: 'chunks/str_here/4/chk_new', sizeBytes: 1, modifiedAtMs: old + 2 },
  ];
  const objects = {
    async *list(prefix: string): AsyncIterable<ObjectHead> {
      yield* heads.filter(({ key }) => key.startsWith(prefix));
    },
    delete: async (): Promise<void> => undefined,
  };
  const stream = { source: { memory: { inits: { 'init.mp4': 'pushes/str_here/init' } } } } as unknown as Stream;
  const catalog = {
    getStream: async (id: string): Promise<Stream> => {
      if (id === 'str_here') return stream;
      throw new ZoetropeError('not_found', `There is no stream ${id}.`);
    },
  } as unknown as Catalog;
  const orphans = async (isDrained: boolean): Promise<readonly string[]> => {
    const found: string[] = [];
    const deps = { catalog, objects, clock, eventRetentionMs: EVENT_RETENTION_MS, isLogDrained: async () => isDrained };
    for await (const { key } of findOrphans(deps)) found.push(key);
    return found;
  };
  assert.deepEqual(await orphans(true), [
    'pushes/str_here/left',
    'pushes/str_removed/left',
    'chunks/str_here/3/chk_left',
  ]);
  assert.deepEqual(await orphans(false), [], 'what waits may still name them');
});
