import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { GuardedHttp } from '../../src/egress/guarded-http.ts';
import { WebServer } from '../fixtures/web-server.ts';

const LIMITS = { timeoutMs: 20_000, maxBytes: 100_000 };
const NAMES: Readonly<Record<string, string>> = { 'secure.example': '127.0.0.2', 'other.example': '127.0.0.2' };

let plain: WebServer;
let secure: Server;
let port: number;
let location: string | null = null;
const http = new GuardedHttp({
  allowedNetworks: ['127.0.0.2/32'],
  lookup: async (name) => [NAMES[name] ?? assert.fail(name)],
});
before(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'zoetrope-tls-'));
  const [keyFile, certFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=secure.example', '-addext', 'subjectAltName=DNS:secure.example'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile, '-out', certFile];
  execFileSync('openssl', ['req', '-x509', '-days', '2', ...subject, ...key], { stdio: 'pipe' });
  const [keyPem, certPem] = [await readFile(keyFile, 'utf8'), await readFile(certFile, 'utf8')];
  await rm(directory, { recursive: true });
  secure = createServer({ key: keyPem, cert: certPem }, (_request, response) => {
    response.writeHead(location === null ? 200 : 302, location === null ? {} : { location }).end('secure');
  });
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.2', resolve));
  ({ port } = secure.address() as AddressInfo);
  plain = await WebServer.start('127.0.0.2', (_request, response) => void response.end('plain'));
  const usual = getCACertificates('default');
  setDefaultCACertificates([...usual, certPem]);
});
after(async () => {
  secure.closeAllConnections();
  await new Promise((resolve) => secure.close(resolve));
  await plain[Symbol.asyncDispose]();
});

test('a server with a certificate for its name is reached over TLS at the address that was checked', async () => {
  const response = await http.request(`https://secure.example:${port}/`, LIMITS);
  assert.equal(Buffer.from(response.body).toString(), 'secure');
});

test('a certificate for another name is no server', async () => {
  await assert.rejects(http.request(`https://other.example:${port}/`, LIMITS), {
    code: 'unavailable',
    message: /ERR_TLS_CERT_ALTNAME_INVALID/,
  });
});

test('a redirect from https to http is refused, and one within https is followed', async () => {
  location = `http://127.0.0.2:${plain.port}/`;
  await assert.rejects(http.request(`https://secure.example:${port}/`, LIMITS), {
    code: 'permission_denied',
    message: /from https to http/,
  });
  assert.equal(plain.requests.length, 0);
  location = `https://secure.example:${port}/`;
  await assert.rejects(http.request(`https://secure.example:${port}/`, LIMITS), { code: 'invalid_argument' });
  location = null;
});
