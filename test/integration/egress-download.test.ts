import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { after, before, beforeEach, test } from 'node:test';
import type { ErrorCode } from '../../src/base/errors.ts';
import { FakeClock } from '../../src/base/fake-clock.ts';
import type { DownloadOptions } from '../../src/egress/download.ts';
import { GuardedHttp } from '../../src/egress/guarded-http.ts';
import { TcpListener, WebServer } from '../fixtures/web-server.ts';

const FILE = randomBytes(3_000_000);
const LIMITS = { maxBytes: 10_000_000, timeoutMs: 30_000 };

let directory: string;
let path: string;
let server: WebServer;
let serve: (request: IncomingMessage, response: ServerResponse) => void;
const http = new GuardedHttp({ allowedNetworks: ['127.0.0.2/32'] });
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zoetrope-download-'));
  server = await WebServer.start('127.0.0.2', (request, response) => serve(request, response));
});
beforeEach(() => {
  path = join(directory, 'file');
  server.requests.length = 0;
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const fetchFile = (options: Partial<DownloadOptions> = {}, url = `${server.url}/film.mp4`) =>
  http.fetchToFile(url, path, { ...LIMITS, ...options });

async function assertFetched(bytes: Uint8Array): Promise<void> {
  const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
  assert.equal(sha256(await readFile(path)), sha256(bytes));
}

async function refused(code: ErrorCode, sent: Promise<unknown>, message = /./): Promise<void> {
  await assert.rejects(sent, { code, message });
  assert.ok(!existsSync(path), 'a file was left');
}

/** A server that can go on, and that hangs up after so many bytes of each answer. */
function breaking(hangUpAfterBytes: number, headers: Readonly<Record<string, string>>) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const isRest = request.headers.range !== undefined && request.headers['if-range'] === headers['etag'];
    const body = isRest ? FILE.subarray(from) : FILE;
    const range = isRest ? { 'content-range': `bytes ${from}-${FILE.length - 1}/${FILE.length}` } : {};
    response.writeHead(isRest ? 206 : 200, { 'content-length': body.length, ...headers, ...range });
    response.write(body.subarray(0, hangUpAfterBytes), () => {
      if (hangUpAfterBytes < body.length) response.destroy();
      else response.end();
    });
  };
}

test('a file is fetched whole, with its type and its progress', async () => {
  serve = (_request, response) => {
    response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': FILE.length }).end(FILE);
  };
  await writeFile(path, 'what was there before, and longer'.repeat(200_000));
  const told: number[] = [];
  const fetched = await fetchFile({
    onProgress: ({ receivedBytes, totalBytes }) => {
      assert.equal(totalBytes, FILE.length);
      told.push(receivedBytes);
    },
  });
  assert.deepEqual(fetched, { sizeBytes: FILE.length, contentType: 'video/mp4' });
  await assertFetched(FILE);
  assert.equal(told.at(-1), FILE.length);
  assert.deepEqual(
    told,
    [...told].sort((a, b) => a - b),
  );
});

test('a connection that breaks is gone on with where it broke', async () => {
  serve = breaking(1_300_000, { etag: '"one"', 'accept-ranges': 'bytes' });
  assert.equal((await fetchFile()).sizeBytes, FILE.length);
  await assertFetched(FILE);
  assert.ok(server.requests.length >= 3);
  const [first, second] = server.requests;
  assert.equal(first?.headers['range'], undefined);
  assert.match(String(second?.headers['range']), /^bytes=[1-9]\d*-$/);
  assert.equal(second?.headers['if-range'], '"one"');
});

test('a file that changed in between is fetched anew', async () => {
  const changed = randomBytes(500_000);
  serve = (request, response) => {
    if (request.headers.range === undefined) return breaking(1_000_000, { etag: '"one"' })(request, response);
    response.writeHead(200, { etag: '"two"', 'content-length': changed.length }).end(changed);
  };
  assert.equal((await fetchFile()).sizeBytes, changed.length);
  await assertFetched(changed);
});

test('a connection that always breaks is given up, and so is one that nothing can go on with', async () => {
  serve = (request, response) => {
    if (request.headers.range === undefined) return breaking(100_000, { etag: '"one"' })(request, response);
    response.destroy();
  };
  const clock = new FakeClock();
  const patient = { ...LIMITS, timeoutMs: 86_400_000, stallMs: 86_400_000 };
  const fetched = new GuardedHttp({ allowedNetworks: ['127.0.0.2/32'], clock }).fetchToFile(server.url, path, patient);
  const over = new AbortController();
  const settled = refused('unavailable', fetched).finally(() => over.abort());
  // The pauses grow; the requests between them go through real sockets.
  while (!over.signal.aborted) await clock.advance(100);
  await settled;
  assert.equal(server.requests.length, 6);
  for (const headers of [{}, { etag: 'W/"weak"' }, { etag: '"one"', 'accept-ranges': 'none' }]) {
    server.requests.length = 0;
    serve = breaking(100_000, headers);
    await refused('unavailable', fetchFile());
    assert.equal(server.requests.length, 1, JSON.stringify(headers));
  }
});

test('a part that was not asked for is not taken', async () => {
  serve = (request, response) => {
    if (request.headers.range === undefined) return breaking(100_000, { etag: '"one"' })(request, response);
    response.writeHead(206, { 'content-range': `bytes 5-${FILE.length - 1}/${FILE.length}` }).end(FILE.subarray(5));
  };
  await refused('unavailable', fetchFile(), /another part/);
  serve = (_request, response) => void response.writeHead(206, { etag: '"one"' }).end('x');
  await refused('unavailable', fetchFile(), /another part/);
});

test('more than the most bytes are refused: by the length that is told, by what comes, and over all parts', async () => {
  serve = (_request, response) => void response.writeHead(200, { 'content-length': FILE.length }).end(FILE);
  await refused('payload_too_large', fetchFile({ maxBytes: FILE.length - 1 }), /larger than 2999999 bytes/);
  assert.equal((await fetchFile({ maxBytes: FILE.length })).sizeBytes, FILE.length);
  serve = (_request, response) => {
    const pour = (): void => {
      while (response.write(FILE.subarray(0, 100_000)));
    };
    response.on('drain', pour);
    pour();
  };
  await refused('payload_too_large', fetchFile({ maxBytes: 1_000_000 }));
  serve = (request, response) => {
    if (request.headers.range === undefined) return breaking(900_000, { etag: '"one"' })(request, response);
    const [, from = ''] = /^bytes=(\d+)-/.exec(request.headers.range) ?? [];
    response.writeHead(206, { 'content-range': `bytes ${from}-9/*` });
    response.end(FILE);
  };
  await refused('payload_too_large', fetchFile({ maxBytes: 3_100_000 }));
});

test('a packed answer is refused: nothing is unpacked on the way', async () => {
  serve = (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(10_000_000)));
  };
  await refused('unsupported_media', fetchFile(), /Serve the file as it is/);
});

test('a status that gives no file says which, and whether it may pass', async () => {
  const expected = {
    401: 'permission_denied',
    404: 'missing_input',
    410: 'missing_input',
    500: 'unavailable',
  } as const;
  for (const [status, code] of Object.entries(expected)) {
    serve = (_request, response) => void response.writeHead(Number(status)).end('why');
    await refused(code, fetchFile(), new RegExp(`answers ${status} instead`));
  }
  serve = (_request, response) => void response.writeHead(404).end();
  await assert.rejects(fetchFile(), { retryable: false });
});

test('a redirect of the file is followed, and checked', async () => {
  await using canary = await TcpListener.start('127.0.0.1');
  serve = (request, response) => {
    if (request.url === '/there') return void response.end('there');
    response
      .writeHead(302, { location: request.url === '/away' ? `http://127.0.0.1:${canary.port}/` : '/there' })
      .end();
  };
  assert.equal((await fetchFile()).sizeBytes, 5);
  await refused('permission_denied', fetchFile({}, `${server.url}/away`));
  assert.equal(canary.connections, 0);
});

test('a redirect that comes when a broken connection is gone on with is checked too', async () => {
  await using canary = await TcpListener.start('127.0.0.1');
  serve = (request, response) => {
    if (request.headers.range === undefined) return breaking(100_000, { etag: '"one"' })(request, response);
    response.writeHead(307, { location: `http://127.0.0.1:${canary.port}/` }).end();
  };
  await refused('permission_denied', fetchFile());
  assert.equal(canary.connections, 0);
});
