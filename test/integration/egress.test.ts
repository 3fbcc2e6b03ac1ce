import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test, type TestContext } from 'node:test';
import { isZoetropeError, type ErrorCode } from '../../src/base/errors.ts';
import { FakeClock } from '../../src/base/fake-clock.ts';
import { GuardedHttp, type EgressRequest } from '../../src/egress/guarded-http.ts';
import { eventually } from '../fixtures/processes.ts';
import { TcpListener, WebServer } from '../fixtures/web-server.ts';

/** The server that may be reached is at 127.0.0.2; 127.0.0.1 and ::1 stand for everything that must not be. */
const ALLOWED = ['127.0.0.2/32'];
const LIMITS = { timeoutMs: 20_000, maxBytes: 100_000 };

let server: WebServer;
let canaries: readonly TcpListener[];
let answer: (path: string) => { status: number; location?: string; body?: string };
before(async () => {
  server = await WebServer.start('127.0.0.2', (request, response) => {
    const { status, location, body } = answer(request.url ?? '');
    response.writeHead(status, location === undefined ? {} : { location }).end(body);
  });
  // Ports are free to choose in URLs, so the canaries sit where the server does.
  canaries = [
    await TcpListener.start('127.0.0.1', undefined, server.port),
    await TcpListener.start('::1', undefined, server.port),
  ];
});
beforeEach(() => {
  server.requests.length = 0;
  answer = () => ({ status: 200, body: 'ok' });
});
after(async () => {
  for (const canary of canaries) assert.equal(canary.connections, 0, 'somebody connected where nobody may');
  for (const canary of canaries) await canary[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** A client whose names lead where `names` says. */
function client(names: Readonly<Record<string, readonly string[]>> = {}): GuardedHttp {
  const lookup = async (name: string): Promise<readonly string[]> =>
    names[name] ?? Promise.reject(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }));
  return new GuardedHttp({ allowedNetworks: ALLOWED, lookup });
}

async function refused(code: ErrorCode, sent: Promise<unknown>, message = /./): Promise<void> {
  await assert.rejects(sent, (error) => {
    assert.ok(isZoetropeError(error), String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

const get = (url: string, request: Partial<EgressRequest> = {}, http = client()) =>
  http.request(url, { ...LIMITS, ...request });

test('what is allowed is reached, and answered as it is', async () => {
  answer = () => ({ status: 404, body: 'no such thing' });
  const response = await get(`${server.url}/a?b=c#d`, { headers: { 'x-own': '1' } });
  assert.deepEqual([response.status, Buffer.from(response.body).toString()], [404, 'no such thing']);
  const [request] = server.requests;
  assert.deepEqual([request?.method, request?.url, request?.headers['x-own']], ['GET', '/a?b=c', '1']);
  assert.equal(request?.headers['accept-encoding'], 'identity');
});

test('a body is posted', async () => {
  await get(server.url, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });
  const [request] = server.requests;
  assert.deepEqual([request?.method, request?.headers['content-length']], ['POST', '2']);
});

test('loopback is refused in every spelling, before anything is looked up or connected', async () => {
  const spellings = ['127.0.0.1', '2130706433', '017700000001', '0x7f000001', '0x7f.1', '127.1', '0177.0.0.1', '0'];
  const others = ['[::1]', '[::]', '[::ffff:127.0.0.1]', '[::7f00:1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]'];
  const names = ['localhost', 'LOCALHOST.', 'any.localhost', '169.254.169.254', '①②⑦.0.0.1'];
  for (const host of [...spellings, ...others, ...names]) {
    const url = `http://${host}:${server.port}/`;
    await refused('permission_denied', get(url), /ZOETROPE_ALLOWED_NETWORKS/);
    assert.throws(() => client().checkUrl(url), { code: 'permission_denied' }, host);
  }
});

test('a name that leads where nothing may is refused, without telling where', async () => {
  for (const address of ['127.0.0.1', '::1', '10.11.12.13', 'fd00::7', '::ffff:127.0.0.1', '169.254.169.254']) {
    const http = client({ 'inside.example': [address] });
    const sent = get(`http://inside.example:${server.port}/secret?key=1`, {}, http);
    await refused('permission_denied', sent, /^http:\/\/inside\.example:\d+\/secret leads to an address/);
    await sent.catch((error: unknown) => {
      const told = JSON.stringify([String(error), error]);
      assert.ok(!told.includes(address) && !told.includes('key=1'), told);
    });
  }
});

test('of several addresses, only those that are allowed are connected to', async () => {
  const http = client({ 'both.example': ['127.0.0.1', '127.0.0.2', '::1'] });
  assert.equal((await get(`http://both.example:${server.port}/`, {}, http)).status, 200);
});

test('a name that changes between check and connection changes nothing: it is looked up once', async () => {
  let lookups = 0;
  const lookup = async (): Promise<readonly string[]> => (lookups++ === 0 ? ['127.0.0.2'] : ['127.0.0.1']);
  const http = new GuardedHttp({ allowedNetworks: ALLOWED, lookup });
  assert.equal((await get(`http://rebind.example:${server.port}/`, {}, http)).status, 200);
  assert.equal(lookups, 1);
  await refused('permission_denied', get(`http://rebind.example:${server.port}/`, {}, http));
});

test('a redirect is checked like the first URL', async () => {
  const targets = [
    ['127.0.0.1', '[::1]', '2130706433', '0x7f.0.0.1', 'localhost', 'inside.example'],
    ['169.254.169.254', '[fd00:ec2::254]', '[::ffff:7f00:1]'],
  ].flat();
  const http = client({ 'inside.example': ['127.0.0.1'] });
  for (const target of targets) {
    answer = () => ({ status: 302, location: `http://${target}:${server.port}/latest/meta-data` });
    await refused('permission_denied', get(server.url, {}, http), /ZOETROPE_ALLOWED_NETWORKS/);
  }
  for (const location of ['file:///etc/passwd', 'gopher://127.0.0.2/', 'data:,x', 'http://u:p@127.0.0.2/']) {
    answer = () => ({ status: 307, location });
    await refused('invalid_argument', get(server.url, {}, http));
  }
});

test('redirects are followed, a bounded number of times, and only when asked for', async () => {
  answer = (path) =>
    path === '/3' ? { status: 200, body: 'there' } : { status: 302, location: `/${Number(path[1]) + 1}` };
  const response = await get(`${server.url}/0`, { maxRedirects: 3 });
  assert.deepEqual([response.url, Buffer.from(response.body).toString()], [`${server.url}/3`, 'there']);
  await refused('invalid_argument', get(`${server.url}/0`, { maxRedirects: 2 }), /redirects more than 2 times/);
  assert.equal((await get(`${server.url}/0`, { maxRedirects: 0 })).status, 302);
  assert.equal((await get(`${server.url}/0`, { method: 'POST', body: '' })).status, 302);
  answer = () => ({ status: 301, location: '/' });
  await refused('invalid_argument', get(server.url), /redirects more than 5 times/);
});

test('what was given for one server is not carried to another', async () => {
  await using other = await WebServer.start('127.0.0.2', (_request, response) => void response.end('other'));
  answer = (path) => ({ status: 302, location: path === '/own' ? '/next' : `${other.url}/` });
  const headers = { authorization: 'Bearer x', cookie: 'a=b', 'x-api-key': 'k', accept: 'video/*' };
  await get(`${server.url}/own`, { headers });
  assert.equal(server.requests[1]?.headers['authorization'], 'Bearer x');
  const told = other.requests[0]?.headers ?? {};
  assert.deepEqual([told['authorization'], told['cookie'], told['x-api-key']], [undefined, undefined, undefined]);
  assert.equal(told['accept'], 'video/*');
});

test('only plain http and https URLs are taken', async () => {
  for (const url of [
    '',
    'x',
    '/path',
    '//host/',
    'ftp://127.0.0.2/',
    'file:///etc/passwd',
    'javascript:1',
    'http://',
  ]) {
    await refused('invalid_argument', get(url), /must be absolute/);
  }
  await refused('invalid_argument', get('http://user:secret@127.0.0.2/'), /^(?!.*secret)/);
  await refused('invalid_argument', get('ftp://user:secret@127.0.0.2/'), /^(?!.*secret)/);
  assert.equal(client().checkUrl('HTTPS://Hooks.Example:443/a b#c'), 'https://hooks.example/a%20b');
});

test('a proxy from the environment is not used', async (t) => {
  const proxy = `http://127.0.0.1:${server.port}`;
  for (const name of ['http_proxy', 'HTTP_PROXY', 'ALL_PROXY']) {
    const before = process.env[name];
    process.env[name] = proxy;
    t.after(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }
  assert.equal((await get(server.url)).status, 200);
});

test('what cannot be reached says so, and that it may pass', async () => {
  const free = await TcpListener.start('127.0.0.2');
  const { port } = free;
  await free[Symbol.asyncDispose]();
  await refused('unavailable', get(`http://127.0.0.2:${port}/`), /the connection was refused/);
  await refused('unavailable', get('http://nowhere.example/'), /its name has no address/);
  await using rude = await TcpListener.start('127.0.0.2');
  await refused('unavailable', get(`http://127.0.0.2:${rude.port}/`), /the connection broke/);
  await using other = await TcpListener.start('127.0.0.2', (socket) => void socket.end('SSH-2.0-x\r\n'));
  await refused('unavailable', get(`http://127.0.0.2:${other.port}/`), /is not HTTP/);
  await using mute = await TcpListener.start('127.0.0.2', (socket) => socket.resume());
  await refused('unavailable', get(`https://127.0.0.2:${other.port}/`));
  await refused('deadline_exceeded', get(`http://127.0.0.2:${mute.port}/`, { timeoutMs: 50 }), /longer than 0\.05 s/);
});

test('more than the most bytes are refused, by the length that is told and by what comes', async () => {
  answer = () => ({ status: 200, body: 'x'.repeat(1001) });
  await refused('payload_too_large', get(server.url, { maxBytes: 1000 }), /more than 1000 bytes/);
  assert.equal((await get(server.url, { maxBytes: 1001 })).body.length, 1001);
  assert.equal((await get(server.url, { maxBytes: 10, overflow: 'cut' })).body.length, 10);
  let sentBytes = 0;
  await using endless = await WebServer.start('127.0.0.2', (_request, response) => {
    const pour = (): void => {
      while (response.write('x'.repeat(1000))) sentBytes += 1000;
    };
    response.on('drain', pour);
    pour();
  });
  await refused('payload_too_large', get(endless.url));
  assert.equal((await get(endless.url, { overflow: 'cut' })).body.length, LIMITS.maxBytes);
  assert.ok(sentBytes < 50_000_000, `${sentBytes} bytes were taken`);
});

test('a huge length is refused before the body comes', async () => {
  await using boast = await TcpListener.start('127.0.0.2', (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n');
  });
  await refused('payload_too_large', get(`http://127.0.0.2:${boast.port}/`));
});

test('a body that is shorter than told is no answer', async () => {
  await using short = await TcpListener.start('127.0.0.2', (socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive!'));
  });
  await refused('unavailable', get(`http://127.0.0.2:${short.port}/`), /the connection broke|not sound/);
});

test('endless headers are refused', async () => {
  await using wordy = await TcpListener.start('127.0.0.2', (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    const pour = (): void => {
      while (socket.writable && socket.write(`X-More: ${'x'.repeat(500)}\r\n`));
    };
    socket.on('drain', pour);
    pour();
  });
  await refused('unavailable', get(`http://127.0.0.2:${wordy.port}/`), /not sound|broke|not HTTP/);
});

/** A download under a clock that the test moves, from a server that sends one byte when the test says. */
async function drip(t: TestContext, limits: { readonly timeoutMs: number; readonly stallMs: number }) {
  const clock = new FakeClock();
  let drop = (): void => undefined;
  let received = 0;
  const listener = await TcpListener.start('127.0.0.2', (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n');
    drop = () => void socket.write('x');
  });
  const directory = await mkdtemp(join(tmpdir(), 'zoetrope-egress-'));
  t.after(async () => {
    await listener[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });
  const http = new GuardedHttp({ allowedNetworks: ALLOWED, clock });
  const outcome = http
    .fetchToFile(`http://127.0.0.2:${listener.port}/`, join(directory, 'file'), {
      maxBytes: 1000,
      ...limits,
      onProgress: ({ receivedBytes }) => (received = receivedBytes),
    })
    .then(
      () => 'done',
      (error: unknown) => (isZoetropeError(error) ? `${error.code}: ${error.message}` : String(error)),
    );
  const dropped = async (): Promise<void> => {
    const before = received;
    drop();
    await eventually('a byte', () => received > before || undefined, { timeoutMs: 5000, everyMs: 2 });
  };
  await eventually('a connection', () => listener.connections || undefined, { timeoutMs: 5000, everyMs: 2 });
  return { clock, outcome, dropped };
}

test('a body that stands still is given up', async (t) => {
  const { clock, outcome, dropped } = await drip(t, { timeoutMs: 3_600_000, stallMs: 30_000 });
  await dropped();
  await clock.advance(29_000);
  await dropped();
  await clock.advance(60_001);
  assert.match(await outcome, /^deadline_exceeded: .* stood still for 30 s/);
});

test('a body that drips is given up when the time is up', async (t) => {
  const { clock, outcome, dropped } = await drip(t, { timeoutMs: 600_000, stallMs: 30_000 });
  for (let passedMs = 0; passedMs < 600_000; passedMs += 20_000) {
    await dropped();
    await clock.advance(20_000);
  }
  assert.match(await outcome, /^deadline_exceeded: .* longer than 600 s/);
});

test('the caller may stop it, and hears its own reason', async () => {
  await using mute = await TcpListener.start('127.0.0.2', (socket) => socket.resume());
  const abort = new AbortController();
  const sent = get(`http://127.0.0.2:${mute.port}/`, { signal: abort.signal });
  await eventually('a connection', () => mute.connections || undefined, { timeoutMs: 5000, everyMs: 5 });
  abort.abort(new Error('enough'));
  await assert.rejects(sent, /enough/);
  await assert.rejects(get(server.url, { signal: abort.signal }), /enough/);
  const http = new GuardedHttp({ allowedNetworks: ALLOWED, lookup: () => new Promise(() => undefined) });
  await refused('deadline_exceeded', get('http://slow-dns.example/', { timeoutMs: 30 }, http));
});
