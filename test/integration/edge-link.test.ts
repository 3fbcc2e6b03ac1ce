import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { connect, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import type { AgentJson } from '../../src/api/rest/agent-shapes.ts';
import { eventually } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';

let directory: string;
let caFile: string;
let control: TestServer;
let key: string;
let front: Server;
let proxy: HttpServer;
const tunnels: string[] = [];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zoetrope-edge-tls-'));
  const keyFile = join(directory, 'key.pem');
  caFile = join(directory, 'cert.pem');
  const subject = ['-subj', '/CN=control', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile, '-out', caFile];
  execFileSync('openssl', ['req', '-x509', '-days', '2', ...subject, ...made], { stdio: 'pipe' });
  control = await TestServer.start();
  const created = await control.command('keys create --name site --tenant acme --scopes ingest --json'.split(' '));
  key = (JSON.parse(created.stdout) as { readonly secret: string }).secret;
  front = createTlsServer({ key: await readFile(keyFile), cert: await readFile(caFile) }, (near) => {
    const far = connect(Number(new URL(control.url).port), '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => socket.destroy());
    near.pipe(far).pipe(near);
  });
  proxy = createHttpServer();
  proxy.on('connect', (request, near) => {
    tunnels.push(request.url ?? '');
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const far = connect(Number(port), host, () => {
      near.write('HTTP/1.1 200 OK\r\n\r\n');
      near.pipe(far).pipe(near);
    });
    far.on('error', () => near.destroy());
    near.on('error', () => far.destroy());
  });
  for (const server of [front, proxy]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
});
after(async () => {
  await control[Symbol.asyncDispose]();
  front.close();
  proxy.close();
  await rm(directory, { recursive: true });
});

function portOf(server: Server | HttpServer): number {
  return (server.address() as AddressInfo).port;
}

function startEdge(env: Readonly<Record<string, string>>): Promise<TestServer> {
  return TestServer.start({
    command: 'edge',
    env: { ZOETROPE_EDGE_CONTROL: `https://127.0.0.1:${portOf(front)}`, ZOETROPE_WORKERS: '1', ...env },
  });
}

function statusOf(edge: TestServer, what: string, is: (status: AgentJson) => boolean): Promise<AgentJson> {
  let last: AgentJson | undefined;
  return eventually(
    what,
    async () => {
      last = await edge.api.json<AgentJson>('/v1/edge');
      return is(last) ? last : undefined;
    },
    { timeoutMs: 30_000, describe: () => JSON.stringify(last) },
  );
}

test('an edge comes over TLS and a proxy, with a key, and shows the key to nobody', async () => {
  await using edge = await startEdge({
    ZOETROPE_EDGE_KEY: key,
    NODE_EXTRA_CA_CERTS: caFile,
    HTTPS_PROXY: `http://127.0.0.1:${portOf(proxy)}`,
  });
  await statusOf(edge, 'it is connected', ({ connected }) => connected);
  assert.ok(tunnels.length > 0 && tunnels.every((target) => target === `127.0.0.1:${portOf(front)}`), tunnels.join());
  const { stdout } = await edge.command(['config', '--json']);
  assert.match(stdout, /"edge.key"/);
  assert.ok(!stdout.includes(key));
  assert.ok(!edge.logs.includes(key));
});

test('NO_PROXY is honoured', async () => {
  const before = tunnels.length;
  await using edge = await startEdge({
    ZOETROPE_EDGE_KEY: key,
    NODE_EXTRA_CA_CERTS: caFile,
    HTTPS_PROXY: `http://127.0.0.1:${portOf(proxy)}`,
    NO_PROXY: '127.0.0.1',
  });
  await statusOf(edge, 'it is connected', ({ connected }) => connected);
  assert.equal(tunnels.length, before);
});

test('a certificate that nobody vouches for and a missing key are no link, and say so', async () => {
  await using edge = await startEdge({ ZOETROPE_EDGE_KEY: key });
  const { connected } = await statusOf(edge, 'it says why', ({ lastError }) =>
    /SELF_SIGNED_CERT|self-signed/.test(lastError ?? ''),
  );
  assert.equal(connected, false);
  await using other = await startEdge({ NODE_EXTRA_CA_CERTS: caFile });
  await statusOf(other, 'it says why', ({ lastError }) => /ZOETROPE_EDGE_KEY/.test(lastError ?? ''));
});
