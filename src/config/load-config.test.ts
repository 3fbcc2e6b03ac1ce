import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isZoetropeError } from '../base/errors.ts';
import { loadConfig, type ConfigInput } from './load-config.ts';
import { SETTINGS } from './settings.ts';

describe('loadConfig', () => {
  let directory: string;
  let file: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'zoetrope-config-'));
    file = join(directory, 'zoetrope.yaml');
  });
  after(() => rm(directory, { recursive: true }));

  /** The faults of a configuration that must not load. */
  async function faultsOf(input: ConfigInput): Promise<string> {
    try {
      await loadConfig(input);
    } catch (error) {
      assert.ok(isZoetropeError(error, 'invalid_configuration'), String(error));
      return error.message;
    }
    return assert.fail('the configuration loaded');
  }

  it('fills in every default', async () => {
    const { config, origins, file } = await loadConfig({ environment: {} });
    assert.equal(file, null);
    assert.equal(config.http.port, 8080);
    assert.equal(config.frames.framesPerSegment, 6);
    assert.equal(config.upkeep.retentionHours, 24);
    assert.equal(config.frames.overlay.timeZone, 'UTC');
    assert.deepEqual(config.roles, ['api', 'delivery', 'ingest', 'worker', 'upkeep']);
    assert.equal(config.upkeep.maxBytes, undefined);
    assert.deepEqual(origins.get('http.port'), { kind: 'default', name: '' });
    assert.equal(origins.has('upkeep.maxBytes'), false);
  });

  it('lets the environment win over the file and flags win over both', async () => {
    await writeFile(file, 'http:\n  port: 1\n  metricsPort: 2\nframes:\n  crf: 30\n  overlay:\ndataDir:\n');
    const { config, origins } = await loadConfig({
      file,
      environment: { ZOETROPE_PORT: '3', ZOETROPE_METRICS_PORT: '4', ZOETROPE_HOST: '' },
      flags: [{ flag: '--port', path: 'http.port', value: '5' }],
    });
    assert.deepEqual([config.http.port, config.http.metricsPort, config.frames.crf], [5, 4, 30]);
    assert.equal(config.http.host, '127.0.0.1');
    assert.deepEqual(origins.get('http.port'), { kind: 'flag', name: '--port' });
    assert.deepEqual(origins.get('http.metricsPort'), { kind: 'environment', name: 'ZOETROPE_METRICS_PORT' });
    assert.deepEqual(origins.get('frames.crf'), { kind: 'file', name: file });
  });

  it('reads texts as the types of their settings', async () => {
    const { config } = await loadConfig({
      environment: {
        ZOETROPE_OVERLAY: 'yes',
        ZOETROPE_ROLES: 'api, ingest',
        ZOETROPE_FRAME_ROOTS: '/a,/b',
        ZOETROPE_MAX_BYTES: '1e9',
        ZOETROPE_OFFLINE_AFTER_SECONDS: '0.5',
        ZOETROPE_OVERLAY_TIME_ZONE: 'America/Santiago',
        ZOETROPE_CORS_ORIGINS: 'https://a.example,*',
      },
    });
    assert.equal(config.frames.overlay.enabled, true);
    assert.deepEqual(config.roles, ['api', 'ingest']);
    assert.deepEqual(config.frames.frameRoots, ['/a', '/b']);
    assert.equal(config.upkeep.maxBytes, 1e9);
    assert.equal(config.upkeep.offlineAfterSeconds, 0.5);
  });

  it('reports every fault at once, with its place, the value got and what is allowed', async () => {
    await writeFile(file, 'http:\n  prot: 1\n  port: [8080]\nframes: 7\nnonsense_of_any_kind: {}\n__proto__: {a: 1}\n');
    const message = await faultsOf({
      file,
      environment: {
        ZOETROPE_METRICS_PORT: '70000',
        ZOETROPE_RETENTION_HOUR: '1',
        ZOETROPE_OVERLAY_TIME_ZONE: 'Mars/Olympus',
        ZOETROPE_CRF: '0x10',
        ZOETROPE_ROLES: 'api,cook',
        ZOETROPE_CORS_ORIGINS: 'https://a.example/path',
        ZOETROPE_PUBLIC_URL: 'ftp://a.example',
      },
      flags: [{ flag: '--data-dir', path: 'dataDir', value: 7 }],
    });
    for (const part of [
      'has 13 faults',
      `${file}: http.prot: got a name that is no setting; did you mean http.port?`,
      `${file}: http.port: got [8080]; allowed: an integer from 0 to 65535`,
      `${file}: frames: got 7; allowed: a group of settings`,
      `${file}: nonsense_of_any_kind`,
      `${file}: __proto__`,
      'ZOETROPE_METRICS_PORT: got "70000"; allowed: an integer from 0 to 65535',
      'ZOETROPE_RETENTION_HOUR: got a name that is no setting; did you mean ZOETROPE_RETENTION_HOURS?',
      'ZOETROPE_OVERLAY_TIME_ZONE: got "Mars/Olympus"; allowed: an IANA time zone',
      'ZOETROPE_CRF: got "0x10"; allowed: an integer from 0 to 51',
      'ZOETROPE_ROLES: got "api,cook"; allowed: a non-empty comma-separated list; each one of api, delivery',
      'ZOETROPE_CORS_ORIGINS: got "https://a.example/path"; allowed: a comma-separated list; each an origin',
      'ZOETROPE_PUBLIC_URL: got "ftp://a.example"; allowed: an http: or https: URL',
    ]) {
      assert.ok(message.includes(part), `${part}\nis not in\n${message}`);
    }
    assert.equal(({} as { a?: number }).a, undefined);
  });

  it('refuses a file that was named and is not there, and one that is not YAML', async () => {
    assert.match(await faultsOf({ file: join(directory, 'no.yaml'), environment: {} }), /--config: got ".*no\.yaml"/);
    const environment = { ZOETROPE_CONFIG: join(directory, 'no.yaml') };
    assert.match(await faultsOf({ environment }), /ZOETROPE_CONFIG: got/);
    await writeFile(file, 'http: [1\n');
    assert.match(await faultsOf({ file, environment: {} }), /not YAML/);
    await writeFile(file, '- 1\n');
    assert.match(await faultsOf({ file, environment: {} }), /a group of settings/);
    await writeFile(file, '');
    assert.equal((await loadConfig({ file, environment: {} })).config.http.port, 8080);
  });

  it('is frozen to the bottom', async () => {
    const { config } = await loadConfig({ environment: {} });
    assert.ok(Object.isFrozen(config));
    assert.ok(Object.isFrozen(config.frames.overlay));
    assert.ok(Object.isFrozen(config.roles));
  });
});

describe('the configuration schema', () => {
  it('gives every setting a description and an environment name of its own', () => {
    assert.ok(SETTINGS.length > 40);
    for (const setting of SETTINGS) {
      assert.match(setting.env, /^ZOETROPE_[A-Z0-9_]+$/, setting.path);
      assert.match(setting.description, /\.$/, setting.path);
    }
    assert.equal(new Set(SETTINGS.map((setting) => setting.env)).size, SETTINGS.length);
  });

  it('has defaults that it allows itself', () => {
    for (const setting of SETTINGS) {
      if (setting.defaultValue !== undefined) assert.ok(setting.isValid(setting.defaultValue), setting.path);
    }
  });
});
