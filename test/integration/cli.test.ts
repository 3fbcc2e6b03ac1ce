import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { COMMANDS } from '../../src/cli/command-table.ts';
import { TimelineStore } from '../fixtures/timeline-store.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/zoetrope.js', import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Sent as soon as something appears on stdout. */
  readonly signal?: NodeJS.Signals;
}

/** Runs a command line in a process of its own. */
function run(args: readonly string[], { environment = {}, cwd, signal }: RunOptions = {}): Promise<Outcome> {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    env: { PATH, ...environment },
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
    if (signal !== undefined) child.kill(signal);
  });
  child.stderr.on('data', (data: Buffer) => void (stderr += data.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

describe('the command line', () => {
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'zoetrope-cli-'));
  });
  after(() => rm(directory, { recursive: true }));

  it('explains itself, every command with examples', async () => {
    const { code, stdout } = await run(['--help']);
    assert.equal(code, 0);
    for (const { name } of COMMANDS) assert.match(stdout, new RegExp(`^ {2}${name} `, 'm'));
    for (const name of ['offline-checker', 'cleanup', 'archive-cleanup', 'reset-device', 'doctor', 'config', 'keys']) {
      const help = await run([name, '--help']);
      assert.equal(help.code, 0, name);
      assert.match(help.stdout, /Examples?:\n {2}\S/, name);
    }
    const version = await run(['--version']);
    assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it('ends with 2 on a wrong command line or configuration, with one message on stderr', async () => {
    for (const args of [['cleanupp'], ['cleanup', '--bogus'], ['reset-device', '-c', 'x'], [], ['keys', 'burn']]) {
      const { code, stdout, stderr } = await run(args);
      assert.deepEqual([code, stdout], [2, ''], args.join(' '));
      assert.notEqual(stderr, '');
    }
    const environment = { ZOETROPE_PORT: '-1', ZOETROPE_RETENTION_HOUR: '2' };
    const { code, stdout, stderr } = await run(['config', '--check'], { environment });
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /^zoetrope: invalid_configuration: The configuration has 2 faults:\n/);
    assert.match(stderr, /ZOETROPE_PORT: got "-1"; allowed: an integer from 0 to 65535/);
    assert.match(stderr, /did you mean ZOETROPE_RETENTION_HOURS\?/);
    assert.doesNotMatch(stderr, /\bat \S+ \(/, 'no stack');
    const remote = await run(['cleanup'], { environment: { ZOETROPE_CATALOG_URL: 'mysql://me:secret@db/z' } });
    assert.equal(remote.code, 2);
    assert.match(remote.stderr, /ZOETROPE_CATALOG_URL must be sqlite:PATH/);
    assert.doesNotMatch(remote.stderr, /secret/);
  });

  it('shows the configuration, where each value comes from, and no passwords', async () => {
    await writeFile(join(directory, 'zoetrope.yaml'), 'http:\n  port: 81\nframes:\n  crf: 30\n');
    const environment = { ZOETROPE_CRF: '31', ZOETROPE_EVENTS_URL: 'kafka://me:secret@broker/z' };
    const { code, stdout } = await run(['config', '--json', '--data-dir', '/d'], { environment, cwd: directory });
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /secret/);
    const { settings } = JSON.parse(stdout) as { settings: readonly { setting: string }[] };
    const find = (name: string): object | undefined => settings.find(({ setting }) => setting === name);
    const fromFile = { env: 'ZOETROPE_PORT', value: 81, from: 'file', source: 'zoetrope.yaml' };
    assert.deepEqual(find('http.port'), { setting: 'http.port', ...fromFile });
    const fromEnvironment = { env: 'ZOETROPE_CRF', value: 31, from: 'environment', source: 'ZOETROPE_CRF' };
    assert.deepEqual(find('frames.crf'), { setting: 'frames.crf', ...fromEnvironment });
    const fromFlag = { env: 'ZOETROPE_DATA_DIR', value: '/d', from: 'flag', source: '--data-dir' };
    assert.deepEqual(find('dataDir'), { setting: 'dataDir', ...fromFlag });
    const text = await run(['config'], { cwd: directory });
    assert.match(text.stdout, /^http\.port +81 +file zoetrope\.yaml$/m);
  });

  it('adds a stack at log level debug only', async () => {
    const args = ['reset-device', '-c', 'nobody', '-d', 'nothing', '--data-dir', join(directory, 'empty')];
    const plain = await run(args);
    assert.equal(plain.code, 1);
    assert.match(plain.stderr, /^zoetrope: not_found: The client "nobody" has no device "nothing"; .*\n$/);
    const debugging = await run([...args, '--log-level', 'debug']);
    assert.match(debugging.stderr, /\n {4}at /);
  });
});

describe('commands beside a running process', () => {
  it('work on the same stores, and the other process notices', async () => {
    await using store = await TimelineStore.open();
    const dataDir = ['--data-dir', store.directory];
    const [old, silent] = [await store.stream('old'), await store.stream('silent')];
    await store.fill(old.id, 90_000_000, 4);
    await store.touch(old.id, store.nowMs);
    await store.fill(silent.id, 400_000, 4);
    await store.touch(silent.id, store.nowMs - 300_000);
    const changed = new Set<string>();
    store.stores.catalog.onChange(({ streamIds, remote }) => {
      if (remote) for (const id of streamIds) changed.add(id);
    });

    const dry = await run(['cleanup', '--dry-run', '--json', ...dataDir]);
    assert.equal(dry.code, 0, dry.stderr);
    assert.equal((JSON.parse(dry.stdout) as { retiredByAge: { segments: number } }).retiredByAge.segments, 4);
    assert.equal((await store.stores.catalog.dvrWindow(old.id)).segments.length, 4);
    const cleanup = await run(['cleanup', ...dataDir]);
    assert.match(cleanup.stdout, /retired for age: +4 segments/);
    assert.equal((await store.stores.catalog.dvrWindow(old.id)).segments.length, 0);

    const offline = await run(['offline-checker', '--once', '--json', ...dataDir]);
    assert.equal(offline.code, 0, offline.stderr);
    const { ended } = JSON.parse(offline.stdout) as { ended: readonly { streamName: string; archiveId: string }[] };
    assert.deepEqual(
      ended.map(({ streamName }) => streamName),
      ['silent'],
    );
    assert.match(ended[0]?.archiveId ?? '', /^arc_/);

    const doctor = await run(['doctor', '--deep', '--json', ...dataDir]);
    assert.deepEqual([doctor.code, doctor.stderr], [0, '']);
    assert.equal((JSON.parse(doctor.stdout) as { clean: boolean }).clean, true);
    const [segmentId] = await store.segmentIds(silent.id);
    const segment = await store.stores.catalog.getSegment(segmentId ?? '');
    await store.stores.objects.delete([segment.objectKey]);
    const sick = await run(['doctor', ...dataDir]);
    assert.equal(sick.code, 1);
    assert.match(sick.stdout, /is not there\. \(--repair sets it right\)/);
    assert.equal((await run(['doctor', '--repair', ...dataDir])).code, 0);
    assert.equal((await store.stores.catalog.getSegment(segment.id)).lost, true);

    const expired = await run(['archive-cleanup', ...dataDir]);
    assert.deepEqual([expired.code, expired.stdout], [0, '0 archives let go\n0 clips removed\n']);

    const reset = await run(['reset-device', '-c', 'acme', '-d', 'silent', ...dataDir]);
    assert.equal(reset.code, 0, reset.stderr);
    assert.equal(await store.stores.catalog.findDeviceStream('acme', 'silent'), null);
    for (let tries = 0; tries < 50 && !(changed.has(old.id) && changed.has(silent.id)); tries++) {
      await store.clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(changed.has(old.id) && changed.has(silent.id), 'the change feed told of both');
  });

  it('make, list and revoke keys', async () => {
    await using store = await TimelineStore.open();
    const dataDir = ['--data-dir', store.directory];
    const made = await run([
      'keys',
      'create',
      '--name',
      'yard',
      '--scopes',
      'ingest,read',
      '--tenant',
      'acme',
      ...dataDir,
    ]);
    assert.equal(made.code, 0, made.stderr);
    const [, id] = /^(key_\w+) {2}yard\nzk_\S{43}\n/.exec(made.stdout) ?? [];
    assert.ok(id !== undefined, made.stdout);
    assert.deepEqual(
      (await store.stores.catalog.listKeys()).map(({ scopes }) => scopes),
      [['ingest', 'read']],
    );
    const listed = await run(['keys', 'list', '--json', ...dataDir]);
    assert.equal((JSON.parse(listed.stdout) as { id: string }[])[0]?.id, id);
    assert.doesNotMatch(listed.stdout, /zk_/);
    const revoked = await run(['keys', 'revoke', id, ...dataDir]);
    assert.match(revoked.stdout, /revoked \d{4}-/);
    assert.equal((await run(['keys', 'revoke', 'key_none', ...dataDir])).code, 1);
    const refused = await run(['keys', 'create', '--name', 'x', '--scopes', 'cook', ...dataDir]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /invalid_argument: A key needs at least one scope/);
  });

  it('end cleanly on a signal', async () => {
    await using store = await TimelineStore.open();
    const args = ['offline-checker', '--continuous', '--interval', '0.2', '--data-dir', store.directory];
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const { code, stdout, stderr } = await run(args, { signal });
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /0 of 0 open sessions ended/);
    }
  });
});
