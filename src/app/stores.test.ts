import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { randomIds } from '../base/ids.ts';
import { silentLogger } from '../base/logger.ts';
import { loadConfig } from '../config/load-config.ts';
import type { Config } from '../config/schema.ts';
import { objectsAddress, openObjects, openStores, storeUrls, withoutPassword } from './stores.ts';
import { streamDefaults } from './stream-defaults.ts';

const deps = { clock: systemClock, ids: randomIds, logger: silentLogger };

async function configOf(environment: Readonly<Record<string, string>>): Promise<Config> {
  return (await loadConfig({ environment })).config;
}

describe('store URLs', () => {
  it('lie in the data directory unless they are set', async () => {
    const urls = storeUrls(await configOf({ ZOETROPE_DATA_DIR: 'd', ZOETROPE_OBJECTS_URL: 'file:/elsewhere' }));
    assert.deepEqual(urls, {
      catalogUrl: `sqlite:${resolve('d', 'catalog.db')}`,
      objectsUrl: 'file:/elsewhere',
      eventsUrl: `embedded:${resolve('d', 'events.db')}`,
    });
  });

  it('are refused by name when nothing serves them, without their password', async () => {
    for (const [name, url] of [
      ['ZOETROPE_CATALOG_URL', 'mysql://me:secret@db/zoetrope'],
      ['ZOETROPE_CATALOG_URL', 'postgres://me:secret@db'],
      ['ZOETROPE_OBJECTS_URL', 'gs://me:secret@bucket'],
      ['ZOETROPE_EVENTS_URL', 'kafka://broker'],
      ['ZOETROPE_CATALOG_URL', 'sqlite:'],
      ['ZOETROPE_OBJECTS_URL', 'file://host/share'],
    ] as const) {
      const config = await configOf({ [name]: url });
      await assert.rejects(openStores(config, deps), ({ code, message }: { code: string; message: string }) => {
        assert.equal(code, 'invalid_configuration');
        assert.match(message, new RegExp(`^${name} must be `));
        assert.doesNotMatch(message, /secret/);
        return true;
      });
    }
  });

  it('open an object store alone, for engine processes', async () => {
    assert.equal((await openObjects('file:///somewhere')).name, 'objects (filesystem)');
  });

  it('open S3 with keys from the environment or a file, and say what is missing', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'zoetrope-keys-'));
    t.after(() => rm(directory, { recursive: true }));
    const file = join(directory, 'secret');
    await writeFile(file, 'se/cret@+\n');
    const at = { ZOETROPE_OBJECTS_URL: 's3://bucket/a/b?endpoint=http://127.0.0.1:9&region=eu-1' };
    const named = { ...at, ZOETROPE_S3_ACCESS_KEY_ID: 'me' };
    const address = objectsAddress(await configOf({ ...named, ZOETROPE_S3_SECRET_ACCESS_KEY_FILE: file }));
    assert.equal(address, 's3://me:se%2Fcret%40%2B@bucket/a/b?endpoint=http://127.0.0.1:9&region=eu-1');
    assert.equal(withoutPassword(address), 's3://me:***@bucket/a/b?endpoint=http://127.0.0.1:9&region=eu-1');
    assert.equal((await openObjects(address)).name, 'objects (S3)');
    for (const [environment, message] of [
      [at, /come with keys: set ZOETROPE_S3_ACCESS_KEY_ID/],
      [named, /has no secret/],
      [{ ...named, ZOETROPE_S3_SECRET_ACCESS_KEY_FILE: join(directory, 'none') }, /cannot be read/],
      [{ ZOETROPE_OBJECTS_URL: 's3://me:secret@UPPER_CASE' }, /name a bucket/],
      [{ ZOETROPE_OBJECTS_URL: 's3://me:secret@bucket?acl=public' }, /no parameter "acl"/],
      [{ ZOETROPE_OBJECTS_URL: 's3://me:secret@bucket?endpoint=ftp://x' }, /endpoint such as https/],
      [{ ZOETROPE_OBJECTS_URL: 's3://me:secret@bucket/.hidden' }, /prefix of at most/],
    ] as const) {
      await assert.rejects(
        async () => openStores(await configOf(environment), deps),
        (error: { code: string; message: string }) => {
          assert.equal(error.code, 'invalid_configuration');
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /:secret/);
          return true;
        },
      );
    }
  });

  it('lose their password in messages', () => {
    assert.equal(withoutPassword('postgres://me:se:cret@db:5432/z'), 'postgres://me:***@db:5432/z');
    assert.equal(withoutPassword('sqlite:/d/catalog.db'), 'sqlite:/d/catalog.db');
  });
});

describe('stream defaults', () => {
  it('are the configuration in milliseconds', async () => {
    const defaults = streamDefaults(await configOf({ ZOETROPE_OVERLAY: 'on', ZOETROPE_MAX_SESSION_HOURS: '0.5' }));
    assert.deepEqual(defaults, {
      framesPerSegment: 6,
      maxSegmentWaitMs: 60_000,
      retentionMs: 86_400_000,
      offlineAfterMs: 60_000,
      minArchiveDurationMs: 60_000,
      maxSessionMs: 1_800_000,
      archiveRetentionMs: 604_800_000,
      gapToleranceMs: null,
      ladder: null,
      futureToleranceMs: 30_000,
      reconnectWindowMs: 300_000,
      clockToleranceMs: 500,
      frameIntervalMs: 5000,
      crf: 26,
      displaySpeed: 1,
      overlay: { position: 'bottom-left', sizePx: 16, timeZone: 'UTC' },
    });
    assert.equal(streamDefaults(await configOf({})).overlay, null);
  });
});
