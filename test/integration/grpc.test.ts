import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, test } from 'node:test';
import { runPythonClient, type Steps } from '../fixtures/grpc/python-client.ts';
import { eventually } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';
import { repositoryRoot } from '../fixtures/source-files.ts';

const scratch = mkdtempSync(join(tmpdir(), 'zoetrope-grpc-'));
const clip = join(scratch, 'clip.mp4');
after(() => rmSync(scratch, { recursive: true, force: true }));
ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=256x144:rate=25', '-t', '2', '-c:v', 'libx264', '-y', clip);

test('a client in Python uploads, watches, reads, cancels and removes', async () => {
  await using server = await TestServer.start();
  const steps = await runPythonClient(server.grpcAddress, clip);
  checkTour(steps);
});

test('with keys, a call needs one, and sees its tenant alone', async () => {
  await using server = await TestServer.start();
  const bearer = await makeKey(server, 'acme', 'ingest,read,manage');
  const stranger = await makeKey(server, 'other', 'read');
  const steps = await runPythonClient(server.grpcAddress, clip, { bearer });
  checkTour(steps);
  assert.deepEqual(steps.get('no key')?.['status'], 'UNAUTHENTICATED');
  await assert.rejects(runPythonClient(server.grpcAddress, clip, { bearer: stranger }), /PERMISSION_DENIED/);
});

test('over TLS, and with client certificates only for clients that have one', async () => {
  const pki = makeCertificates();
  await using server = await TestServer.start({
    env: {
      ZOETROPE_GRPC_TLS_CERT: pki.serverCert,
      ZOETROPE_GRPC_TLS_KEY: pki.serverKey,
      ZOETROPE_GRPC_TLS_CLIENT_CA: pki.ca,
    },
  });
  const address = server.grpcAddress.replace('127.0.0.1', 'localhost');
  const steps = await runPythonClient(address, clip, { ca: pki.ca, cert: pki.clientCert, key: pki.clientKey });
  checkTour(steps);
  const without = await runPythonClient(address, clip, { ca: pki.ca, only_health: true });
  assert.equal(without.get('health')?.['status'], 'UNAVAILABLE');
  const plain = await runPythonClient(address, clip, { only_health: true });
  assert.equal(plain.get('health')?.['status'], 'UNAVAILABLE');
});

test('the generated types are those of proto/', () => {
  const fresh = join(scratch, 'generated');
  execFileSync(process.execPath, [join(repositoryRoot, 'scripts', 'generate-grpc.ts'), fresh], { stdio: 'ignore' });
  const kept = join(repositoryRoot, 'src', 'api', 'grpc', 'generated');
  assert.deepEqual(read(kept), read(fresh), 'Run node scripts/generate-grpc.ts');
});

function checkTour(steps: Steps): void {
  assert.equal(steps.get('health')?.['status'], 'SERVING');
  const reflection = steps.get('reflection');
  assert.deepEqual(reflection?.['services'], ['grpc.health.v1.Health', 'zoetrope.v1.AssetService']);
  assert.ok(Array.isArray(reflection?.['methods']) && reflection['methods'].includes('WatchAsset'));
  assert.equal(reflection?.['field'], 'google.protobuf.Timestamp');
  const uploaded = steps.get('uploaded');
  const id = uploaded?.['id'];
  assert.deepEqual(uploaded, { id, name: 'from Python', reference: 'ref-1', priority: 3 });
  const watched = steps.get('watched');
  const states = watched?.['states'];
  assert.ok(Array.isArray(states) && states.at(-1) === 'READY', String(watched?.['cause']));
  assert.deepEqual(watched?.['media'], ['mp4', 'h264', 256]);
  assert.equal(watched?.['playable'], true);
  assert.match(String(watched?.['hls']), /master\.m3u8$/);
  const outputs = watched?.['outputs'] as readonly Readonly<Record<string, unknown>>[];
  assert.deepEqual(
    outputs.map(({ name, state, files }) => [name, state, files]),
    [
      ['144p', 'READY', 0],
      ['90p', 'READY', 0],
      ['poster', 'READY', 1],
      ['thumbnails', 'READY', 3],
    ],
  );
  assert.ok(
    outputs.every(({ cpu, memory }) => Number(cpu) > 0 && Number(memory) > 0),
    'each says what it has cost',
  );
  assert.deepEqual(steps.get('several'), { ids: [id], missing: ['ast_nosuchasset00', 'ref-none'] });
  assert.deepEqual(steps.get('listed'), { ids: [id] });
  assert.deepEqual(steps.get('cancelled late')?.['results'], [
    [false, 'conflict'],
    [false, 'not_found'],
  ]);
  assert.deepEqual(steps.get('cancelled'), { results: [true], state: 'CANCELLED' });
  assert.deepEqual(steps.get('output cancelled late')?.['results'], [[false, 'conflict']]);
  assert.equal(steps.get('bad codec')?.['status'], 'INVALID_ARGUMENT');
  assert.match(String(steps.get('bad codec')?.['details']), /video/);
  assert.equal(steps.get('bad codec')?.['code'], 'invalid_argument');
  assert.equal(steps.get('not there')?.['status'], 'NOT_FOUND');
  assert.equal(steps.get('deleted')?.['status'], 'NOT_FOUND');
  assert.notEqual(steps.get('no object')?.['status'], 'OK');
}

async function makeKey(server: TestServer, tenant: string, scopes: string): Promise<string> {
  const args = ['keys', 'create', '--name', tenant, '--tenant', tenant, '--scopes', scopes, '--json'];
  const { stdout } = await server.command(args);
  // Another process made it: the server asks for keys as soon as it has looked, and is open to its own machine until then.
  await eventually(
    'the server asks for a key',
    async () => ((await fetch(`${server.url}/v1/assets`)).status === 401 ? true : undefined),
    { timeoutMs: 20_000 },
  );
  return (JSON.parse(stdout) as { readonly secret: string }).secret;
}

interface Certificates {
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

function makeCertificates(): Certificates {
  const path = (name: string): string => join(scratch, name);
  openssl(
    'req',
    '-x509',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=Test CA',
    ...newKey(path('ca.key')),
    '-out',
    path('ca.crt'),
  );
  for (const name of ['server', 'client']) {
    const request = path(`${name}.csr`);
    openssl('req', '-nodes', '-subj', `/CN=${name}`, ...newKey(path(`${name}.key`)), '-out', request);
    const signing = ['-CA', path('ca.crt'), '-CAkey', path('ca.key'), '-CAcreateserial', '-days', '2'];
    const names = ['-copy_extensions', 'copy'];
    openssl('x509', '-req', '-in', request, ...signing, ...names, '-out', path(`${name}.crt`));
  }
  return {
    ca: path('ca.crt'),
    serverCert: path('server.crt'),
    serverKey: path('server.key'),
    clientCert: path('client.crt'),
    clientKey: path('client.key'),
  };
}

function newKey(path: string): readonly string[] {
  return ['-newkey', 'rsa:2048', '-keyout', path, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' });
}

function ffmpeg(...args: readonly string[]): void {
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', ...args]);
}

function read(directory: string): Readonly<Record<string, string>> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted()
      .map((path) => [relative(directory, path), readFileSync(path, 'utf8')]),
  );
}
