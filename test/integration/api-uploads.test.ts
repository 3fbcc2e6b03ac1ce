import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';
import * as tus from 'tus-js-client';
import { AssetShape, UploadShape, type AssetJson, type UploadJson } from '../../src/api/rest/asset-shapes.ts';
import { sourceKey } from '../../src/timeline/asset.ts';
import type { Uploads } from '../../src/vod/uploads/uploads.ts';
import { eventually } from '../fixtures/processes.ts';
import { mountSmallDisk } from '../fixtures/small-disk.ts';
import { vodApi } from '../fixtures/vod-api.ts';
import { ApiHarness, assertShape, type Reply } from './api-harness.ts';

const run = promisify(execFile);
/** The beginning of an MP4 file, and then anything. */
const FILM = Buffer.concat([Buffer.from('00000018667479706d703432', 'hex'), Buffer.alloc(300_000, 7)]);
const SHA256 = createHash('sha256').update(FILM).digest();

let api: ApiHarness;
let uploads: Uploads;
let directory: string;
before(async () => {
  api = await ApiHarness.start({
    deps: (store) => {
      directory = join(store.directory, 'incoming');
      const vod = vodApi(store, { maxBytes: 2_000_000 });
      ({ uploads } = vod);
      return { vod };
    },
  });
  await uploads.start();
});
after(async () => {
  await uploads.close();
  await api[Symbol.asyncDispose]();
});
beforeEach(async () => assert.deepEqual(await partial(), [], 'what the test before left'));

/** Files of uploads that are not whole: whatever is no record. */
async function partial(): Promise<readonly string[]> {
  return (await readdir(directory)).filter((name) => !name.endsWith('.json'));
}

async function bytesOf(assetId: string): Promise<Buffer> {
  return Buffer.from(await api.store.stores.objects.get(sourceKey(assetId)));
}

function metadata(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');
}

const TUS = { 'tus-resumable': '1.0.0' };

async function begin(values: Readonly<Record<string, string>> = {}, key?: string): Promise<string> {
  const headers = {
    ...TUS,
    'upload-length': String(FILM.length),
    'upload-metadata': metadata({ filename: 'film.mp4', ...values }),
  };
  const reply = await api.call('/v1/uploads', { method: 'POST', headers, key });
  assert.equal(reply.status, 201, reply.text);
  assert.ok(Date.parse(reply.headers.get('upload-expires') ?? '') > api.store.nowMs);
  const location = reply.headers.get('location') ?? '';
  assert.match(location, /^\/v1\/uploads\/upl_[0-9a-z]+$/);
  return location;
}

async function patch(location: string, from: number, to: number, key?: string): Promise<Reply> {
  const headers = { ...TUS, 'upload-offset': String(from), 'content-type': 'application/offset+octet-stream' };
  return await api.call(location, { method: 'PATCH', headers, body: FILM.subarray(from, to), key });
}

async function offsetOf(location: string, key?: string): Promise<Reply> {
  return await api.call(location, { method: 'HEAD', headers: TUS, key });
}

test('curl -T makes an asset, named after the file', async () => {
  const file = join(api.store.directory, 'my film.mp4');
  await writeFile(file, FILM);
  const { stdout } = await run('curl', ['-sS', '-i', '-T', file, `${api.url}/v1/uploads/`]);
  assert.match(stdout, /^HTTP\/1\.1 202 /m);
  const asset = JSON.parse(stdout.slice(stdout.lastIndexOf('\r\n\r\n'))) as AssetJson;
  assertShape(AssetShape, asset);
  assert.match(stdout, new RegExp(`^location: /v1/assets/${asset.id}\r$`, 'm'));
  assert.deepEqual(
    [asset.name, asset.source, asset.state],
    ['my film.mp4', { kind: 'upload', filename: 'my film.mp4', sizeBytes: FILM.length }, 'queued'],
  );
  assert.ok(FILM.equals(await bytesOf(asset.id)));
});

test('a file in one piece takes options from the query, and its digest is checked', async () => {
  const digest = { 'repr-digest': `sha-256=:${SHA256.toString('base64')}:` };
  const query = 'name=Film&referenceId=r-1&priority=4&heights=360,240&poster=false&download=true';
  const { status, json } = await api.call<AssetJson>(`/v1/uploads/x.mp4?${query}`, {
    method: 'PUT',
    body: FILM,
    headers: digest,
  });
  assert.equal(status, 202);
  assert.deepEqual([json.name, json.referenceId, json.priority], ['Film', 'r-1', 4]);
  const { video, poster, download } = json.request;
  assert.deepEqual([video, poster, download], [[{ heightPx: 360 }, { heightPx: 240 }], false, true]);
  const asset = encodeURIComponent(JSON.stringify({ name: 'All', outputs: { encryption: 'aes-128' } }));
  const whole = await api.call<AssetJson>(`/v1/uploads/x.mp4?asset=${asset}`, { method: 'PUT', body: FILM });
  assert.deepEqual([whole.json.name, whole.json.request['encryption']], ['All', 'aes-128']);

  const wrong = { 'repr-digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` };
  const damaged = await api.refused(422, 'corrupt_media', '/v1/uploads/x.mp4', {
    method: 'PUT',
    body: FILM,
    headers: wrong,
  });
  assert.match(damaged.detail, /Nothing was kept: upload it again/);
  await api.refused(400, 'invalid_argument', '/v1/uploads/x.mp4?heights=9', { method: 'PUT', body: FILM });
  await api.refused(400, 'invalid_argument', '/v1/uploads/x.mp4?asset={', { method: 'PUT', body: FILM });
});

test('what can be no film, is empty or too large is refused early and leaves nothing', async () => {
  const put = { method: 'PUT', body: Buffer.from('#EXTM3U\n#EXT-X-TARGETDURATION:4\n') };
  const playlist = await api.refused(415, 'unsupported_media', '/v1/uploads/film.mp4', put);
  assert.match(playlist.detail, /a playlist/);
  await api.refused(415, 'unsupported_media', '/v1/uploads/film.mp4', { method: 'PUT', body: Buffer.from('<html>') });
  await api.refused(400, 'invalid_argument', '/v1/uploads/film.mp4', { method: 'PUT', body: Buffer.alloc(0) });
  const huge = { ...TUS, 'upload-length': '2000001' };
  await api.refused(413, 'payload_too_large', '/v1/uploads', { method: 'POST', headers: huge });
  const file = join(api.store.directory, 'huge.mp4');
  await writeFile(file, Buffer.concat([FILM, Buffer.alloc(30_000_000)]));
  for (const how of [
    ['-T', file],
    ['-H', 'Transfer-Encoding: chunked', '-T', file],
  ]) {
    const { stdout } = await run('curl', ['-sS', ...how, '-o', '-', '-w', '\n%{http_code}', `${api.url}/v1/uploads/`]);
    assert.match(stdout, /A file may have 2000000 bytes[^]*\n413$/);
  }
});

test('an upload that breaks off leaves nothing in one piece, and its bytes when resumable', async () => {
  const { port } = new URL(api.url);
  const cutOff = async (head: string, hasArrived: () => Promise<boolean>): Promise<void> => {
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`${head}Host: 127.0.0.1\r\nContent-Length: ${FILM.length}\r\n\r\n`);
    socket.write(FILM.subarray(0, 100_000));
    await eventually('bytes arrive', async () => (await hasArrived()) || undefined, { timeoutMs: 5000 });
    socket.destroy();
  };
  await cutOff('PUT /v1/uploads/film.mp4 HTTP/1.1\r\n', async () => (await partial()).length > 0);
  const isEmpty = async (): Promise<true | undefined> => ((await partial()).length === 0 ? true : undefined);
  await eventually('nothing is left', isEmpty, { timeoutMs: 5000 });

  const location = await begin();
  const type = 'Content-Type: application/offset+octet-stream\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n';
  await cutOff(
    `PATCH ${location} HTTP/1.1\r\n${type}`,
    async () => (await api.call<UploadJson>(location)).json.offsetBytes > 0,
  );
  const offset = await eventually(
    'the bytes are kept',
    async () => {
      const at = Number((await offsetOf(location)).headers.get('upload-offset'));
      return at > 0 ? at : undefined;
    },
    { timeoutMs: 5000 },
  );
  const end = await patch(location, offset, FILM.length);
  assert.equal(end.status, 204, end.text);
  assert.ok(FILM.equals(await bytesOf(end.headers.get('zoetrope-asset-id') ?? '')));
});

test('a resumable upload stands where it says, and becomes an asset with its last byte', async () => {
  const asset = JSON.stringify({ name: 'Film', outputs: { video: [{ heightPx: 240 }] } });
  const location = await begin({ sha256: SHA256.toString('hex'), asset });
  assert.equal((await patch(location, 0, 1000)).headers.get('upload-offset'), '1000');
  const status = (await api.call<UploadJson>(location)).json;
  assertShape(UploadShape, status);
  assert.deepEqual([status.filename, status.offsetBytes, status.assetId], ['film.mp4', 1000, null]);
  const head = await offsetOf(location);
  assert.deepEqual(
    [
      head.status,
      head.headers.get('upload-offset'),
      head.headers.get('upload-length'),
      head.headers.get('cache-control'),
    ],
    [200, '1000', String(FILM.length), 'no-store'],
  );
  await api.refused(409, 'conflict', location, {
    method: 'PATCH',
    headers: { ...TUS, 'upload-offset': '5', 'content-type': 'application/offset+octet-stream' },
    body: FILM.subarray(5),
  });
  const last = await patch(location, 1000, FILM.length);
  const assetId = last.headers.get('zoetrope-asset-id') ?? '';
  assert.equal(last.status, 204);
  assert.equal((await api.call<AssetJson>(`/v1/assets/${assetId}`)).json.name, 'Film');
  assert.ok(FILM.equals(await bytesOf(assetId)));
  // A client that did not hear the last answer asks again.
  const again = await offsetOf(location);
  assert.deepEqual(
    [again.headers.get('upload-offset'), again.headers.get('zoetrope-asset-id')],
    [String(FILM.length), assetId],
  );
  assert.equal((await api.call<UploadJson>(location)).json.assetId, assetId);
  assert.equal((await api.call(location, { method: 'DELETE', headers: TUS })).status, 204);
  assert.equal((await api.call(`/v1/assets/${assetId}`)).status, 200);
});

test('requests at the same upload at once go one after the other and lose no byte', async () => {
  const location = await begin();
  const replies = await Promise.all([
    patch(location, 0, FILM.length),
    patch(location, 0, FILM.length),
    offsetOf(location),
  ]);
  for (;;) {
    const at = Number((await offsetOf(location)).headers.get('upload-offset'));
    if (at === FILM.length) break;
    replies.push(await patch(location, at, FILM.length));
  }
  assert.ok(
    replies.every(({ status }) => [200, 204, 409].includes(status)),
    replies.map(({ status }) => status).join(),
  );
  const { assetId } = (await api.call<UploadJson>(location)).json;
  assert.ok(FILM.equals(await bytesOf(assetId ?? '')));
});

test('what is against the protocol, or cannot become an asset, is refused with the remedy', async () => {
  const length = { 'upload-length': '10' };
  const old = await api.call('/v1/uploads', { method: 'POST', headers: { ...length, 'tus-resumable': '0.2.2' } });
  assert.deepEqual([old.status, old.headers.get('tus-version')], [412, '1.0.0']);
  const refuse = async (headers: object): Promise<string> =>
    (await api.refused(400, 'invalid_argument', '/v1/uploads', { method: 'POST', headers: { ...TUS, ...headers } }))
      .detail;
  assert.match(await refuse({}), /Upload-Length/);
  assert.match(await refuse({ 'upload-length': 'x' }), /upload-length/i);
  assert.match(await refuse({ 'upload-defer-length': '1' }), /defer/i);
  assert.match(await refuse({ ...length, 'upload-metadata': metadata({ sha256: 'xyz' }) }), /64 hexadecimal digits/);
  assert.match(
    await refuse({ ...length, 'upload-metadata': metadata({ asset: '{' }) }),
    /asset in Upload-Metadata is not JSON/,
  );
  const bad = metadata({ asset: '{"outputs":{"video":[{"heightPx":1}]}}' });
  assert.match(await refuse({ ...length, 'upload-metadata': bad }), /outputs\.video\[0\]\.heightPx must be >= 64/);
  await api.refused(404, 'not_found', '/v1/uploads/upl_0123456789', { method: 'DELETE', headers: TUS });
  await api.refused(404, 'not_found', '/v1/uploads/..%2Fcatalog.db');

  const location = await begin({ sha256: '0'.repeat(64) });
  const damaged = await patch(location, 0, FILM.length);
  assert.equal(damaged.status, 422, damaged.text);
  await api.refused(404, 'not_found', location);
  const ended = await begin();
  await patch(ended, 0, 1000);
  assert.equal((await api.call(ended, { method: 'DELETE', headers: TUS })).status, 204);
  assert.equal((await offsetOf(ended)).status, 404);
});

test('tus-js-client uploads, stops and goes on', async () => {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const options = {
    endpoint: `${api.url}/v1/uploads`,
    chunkSize: 100_000,
    metadata: { filename: 'film.mp4' },
    retryDelays: null,
  };
  const first = new tus.Upload(FILM, {
    ...options,
    onChunkComplete: () => void first.abort().then(stop),
  });
  first.start();
  await stopped;
  const uploadUrl = first.url;
  assert.ok(uploadUrl !== null);
  const assetId = await new Promise<string>((resolve, reject) => {
    const second = new tus.Upload(FILM, {
      ...options,
      uploadUrl,
      onError: reject,
      onSuccess: ({ lastResponse }) => resolve(lastResponse.getHeader('Zoetrope-Asset-Id') ?? ''),
    });
    second.start();
  });
  assert.ok(FILM.equals(await bytesOf(assetId)));
});

test('browsers of allowed origins may upload, and others of an open server may not', async () => {
  const origin = 'https://app.example.org';
  const preflight = {
    origin,
    'access-control-request-method': 'PATCH',
    'access-control-request-headers': 'tus-resumable,upload-offset,content-type',
  };
  const allowed = await api.call('/v1/uploads/upl_0123456789', { method: 'OPTIONS', headers: preflight });
  assert.equal(allowed.headers.get('access-control-allow-origin'), origin);
  assert.match(allowed.headers.get('access-control-allow-methods') ?? '', /PUT.*PATCH/);
  assert.match(allowed.headers.get('access-control-allow-headers') ?? '', /tus-resumable/);
  const asked = await api.call('/v1/uploads', { method: 'OPTIONS' });
  assert.deepEqual(
    [asked.headers.get('tus-version'), asked.headers.get('tus-max-size'), asked.headers.get('tus-extension')],
    ['1.0.0', '2000000', 'creation,creation-with-upload,termination,expiration'],
  );
  const made = await api.call('/v1/uploads', { method: 'POST', headers: { ...TUS, origin, 'upload-length': '10' } });
  assert.equal(made.status, 201);
  assert.match(made.headers.get('access-control-expose-headers') ?? '', /Zoetrope-Asset-Id.*Upload-Offset/);
  await api.call(made.headers.get('location') ?? '', { method: 'DELETE', headers: TUS });
  const evil = { method: 'PUT', body: FILM, headers: { origin: 'https://evil.example' } };
  await api.refused(403, 'permission_denied', '/v1/uploads/x.mp4', evil);
});

test('an upload may take as long as it takes; any other body has a deadline', async () => {
  let vod: ReturnType<typeof vodApi> | undefined;
  await using slow = await ApiHarness.start({ deps: (store) => ({ vod: (vod = vodApi(store)) }) });
  await vod?.uploads.start();
  const { port } = new URL(slow.url);
  const open = async (head: string): Promise<{ send(bytes: Buffer): void; text(): string }> => {
    const socket = connect(Number(port), '127.0.0.1');
    let text = '';
    socket.on('data', (data: Buffer) => void (text += data.toString()));
    await once(socket, 'connect');
    socket.write(`${head}Host: 127.0.0.1\r\nConnection: close\r\n`);
    return { send: (bytes) => void socket.write(bytes), text: () => text };
  };
  const upload = await open('PUT /v1/uploads/slow.mp4 HTTP/1.1\r\n');
  upload.send(Buffer.from(`Content-Length: ${FILM.length}\r\n\r\n`));
  upload.send(FILM.subarray(0, 1000));
  const other = await open('POST /v1/streams HTTP/1.1\r\nContent-Type: application/json\r\n');
  other.send(Buffer.from('Content-Length: 100\r\n\r\n{'));
  await slow.advanceUntil(() => other.text() !== '' || upload.text() !== '', 'an answer');
  assert.match(other.text(), /^HTTP\/1\.1 408 [^]*"code":"deadline_exceeded"/);
  await slow.store.clock.advance(7 * 3_600_000);
  upload.send(FILM.subarray(1000));
  await eventually('the upload is taken', () => upload.text().startsWith('HTTP/1.1 202 ') || undefined, {
    timeoutMs: 5000,
  });
  await vod?.uploads.close();
});

test('a full disk answers 507, keeps what came, and goes on when there is space', async () => {
  await using disk = mountSmallDisk(200 * 1024);
  await using small = await ApiHarness.start({
    deps: (store) => ({ vod: vodApi(store, { uploadsDirectory: join(disk.directory, 'in') }) }),
  });
  await mkdir(join(disk.directory, 'in'));
  await small.refused(507, 'storage_full', '/v1/uploads/x.mp4', { method: 'PUT', body: FILM });
  const headers = { ...TUS, 'upload-length': String(100_000) };
  const made = await small.call('/v1/uploads', { method: 'POST', headers });
  const location = made.headers.get('location') ?? '';
  const ballast = join(disk.directory, 'ballast');
  await writeFile(ballast, Buffer.alloc(120 * 1024));
  const write = { ...TUS, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' };
  const body = FILM.subarray(0, 100_000);
  await small.refused(507, 'storage_full', location, { method: 'PATCH', headers: write, body });
  await writeFile(ballast, '');
  const at = Number((await small.call(location, { method: 'HEAD', headers: TUS })).headers.get('upload-offset'));
  const rest = await small.call(location, {
    method: 'PATCH',
    headers: { ...write, 'upload-offset': String(at) },
    body: body.subarray(at),
  });
  assert.equal(rest.status, 204, rest.text);
});

test('an upload belongs to the tenant that began it', async () => {
  const [ingest, read, stranger] = [
    await api.key('acme', 'ingest'),
    await api.key('acme', 'read'),
    await api.key('other', 'ingest'),
  ];
  await api.refused(401, 'unauthenticated', '/v1/uploads/x.mp4', { method: 'PUT', body: FILM });
  await api.refused(403, 'permission_denied', '/v1/uploads/x.mp4', { method: 'PUT', body: FILM, key: read });
  const location = await begin({}, ingest);
  const write = { ...TUS, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' };
  await api.refused(404, 'not_found', location, { method: 'PATCH', headers: write, body: FILM, key: stranger });
  await api.refused(404, 'not_found', location, { method: 'DELETE', headers: TUS, key: stranger });
  await api.refused(404, 'not_found', location, { key: stranger });
  assert.equal((await offsetOf(location, stranger)).status, 404);
  assert.equal((await offsetOf(location, ingest)).headers.get('upload-offset'), '0');
  const named = metadata({ asset: '{"tenant":"other"}' });
  const headers = { ...TUS, 'upload-length': '10', 'upload-metadata': named };
  await api.refused(403, 'permission_denied', '/v1/uploads', { method: 'POST', headers, key: ingest });
  const done = await patch(location, 0, FILM.length, ingest);
  const asset = await api.store.stores.catalog.getAsset(done.headers.get('zoetrope-asset-id') ?? '');
  assert.equal(asset.tenant, 'acme');
  const record = await readFile(join(directory, `${location.split('/').at(-1) ?? ''}.json`), 'utf8');
  assert.doesNotMatch(record, /zk_/, 'no key is written down');
});
