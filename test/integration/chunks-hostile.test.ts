import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import type { ChunkEventValue } from '../../src/ingest/chunks/chunk-event.ts';
import type { Answer } from '../fixtures/api-client.ts';
import { ChunkEncoder } from '../fixtures/chunk-encoder.ts';
import { TestServer } from '../fixtures/server.ts';

interface Refusal {
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly { readonly field: string; readonly detail: string }[];
}

describe('hostile chunks', () => {
  const bytes = Buffer.alloc(188 * 3, 0x47);
  let server: TestServer;
  let own: ChunkEncoder;
  before(async () => {
    server = await TestServer.start({ env: { ZOETROPE_PUSH_MAX_SEGMENT_BYTES: '4096' } });
    own = await ChunkEncoder.make(server.api, 'own', [bytes, bytes]);
  });
  after(() => server[Symbol.asyncDispose]());

  const refusal = (answer: Answer): Refusal => JSON.parse(answer.bytes.toString()) as Refusal;

  async function put(url: string, body: Uint8Array, method = 'PUT'): Promise<Answer> {
    return server.api.request(url, { method, body: Buffer.from(body) });
  }

  test('a URL is for one object, one method and its time; a forged one is for nothing', async () => {
    const { url } = await own.target(0);
    const token = url.slice(url.lastIndexOf('/') + 1);
    const [head = '', payload = '', signature = ''] = token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const other = Buffer.from(JSON.stringify({ ...claims, key: 'media/str_x/seg.m4s' })).toString('base64url');
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    const guessed = createHmac('sha256', '').update(`${head}.${other}`).digest('base64url');
    const base = url.slice(0, -token.length);
    const forged = [
      `${head}.${other}.${signature}`,
      `${head}.${other}.${guessed}`,
      `${none}.${other}.`,
      `${none}.${other}.${signature}`,
      `${token.slice(0, -2)}AA`,
      'x',
      '..%2f..%2fmedia%2fx',
      'a'.repeat(2000),
    ];
    for (const wrong of forged) {
      const answer = await put(base + wrong, bytes);
      assert.equal(answer.status, 403, `${wrong.slice(0, 60)}: ${answer.bytes.toString()}`);
      assert.match(refusal(answer).detail, /URL is not valid.*chunk-urls/s);
    }
    for (const method of ['POST', 'DELETE', 'PATCH']) assert.equal((await put(url, bytes, method)).status, 405);
    assert.equal((await server.api.request(url)).status, 405);
    assert.equal((await put(url, new Uint8Array())).status, 400);
    assert.equal((await put(url, bytes)).status, 201);
    assert.equal((await put(url, bytes)).status, 200, 'the same bytes are known');
    const again = await put(url, Buffer.alloc(188, 0x47));
    assert.deepEqual([again.status, refusal(again).code], [409, 'conflict']);
  });

  test('a playback token puts nothing', async () => {
    const minted = await server.api.request(`/v1/streams/${own.id}/tokens`, { method: 'POST' });
    const { token } = JSON.parse(minted.bytes.toString()) as { readonly token: string };
    assert.equal((await put(`${server.url}/ingest/chunks/${token}`, bytes)).status, 403);
  });

  test('too many bytes are refused, said beforehand or not, and leave nothing behind', async () => {
    const { url } = await own.target(1);
    const said = await put(url, Buffer.alloc(5000));
    assert.equal(said.status, 413, said.bytes.toString());
    const status = await new Promise<number>((resolve, reject) => {
      const sending = request(url, { method: 'PUT', headers: { 'transfer-encoding': 'chunked' } }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sending.once('error', reject);
      for (let piece = 0; piece < 5; piece++) sending.write(Buffer.alloc(1000));
      sending.end();
    });
    assert.equal(status, 413);
    assert.deepEqual(await readdir(join(server.dataDir, 'objects', '.tmp')), []);
    assert.equal((await put(url, bytes)).status, 201, 'the URL is still good');
  });

  test('a connection that breaks off leaves nothing, and the URL is still good', async () => {
    const { url } = await own.target(1);
    await new Promise<void>((resolve) => {
      const sending = request(url, { method: 'PUT', headers: { 'content-length': '4000' } });
      sending.once('error', () => resolve());
      sending.write(Buffer.alloc(1000), () => sending.destroy(new Error('broken off')));
    });
    const answer = await put(url, bytes);
    assert.ok([200, 201].includes(answer.status), answer.bytes.toString());
  });

  test('a batch with anything wrong in it is refused whole, and what is wrong is told of each', async () => {
    const stranger = await ChunkEncoder.make(server.api, 'stranger', [bytes]);
    const camera = await server.api.postJson('/v1/streams', { kind: 'frames', name: 'camera' });
    const { id: cameraId } = JSON.parse(camera.bytes.toString()) as StreamJson;
    await own.target(0);
    await stranger.target(0);
    const right = own.event(0);
    const foreign = stranger.event(0).object_key;
    const cases: readonly (readonly [Partial<ChunkEventValue>, number, string, RegExp])[] = [
      [{ object_key: foreign }, 400, 'object_key', /chunk-urls gave for chunk 0/],
      [{ object_key: `chunks/${own.id}/0/../../${foreign}` }, 400, 'object_key', /chunk-urls gave/],
      [{ object_key: `media/${own.id}/seg_0000000000.m4s` }, 400, 'object_key', /chunk-urls gave/],
      [{ chunk_index: 1 }, 400, 'object_key', /for chunk 1/],
      [{ stream_id: 'str_00000000000000000000000000' }, 400, 'object_key', /./],
      [{ checksum: 'sha256:zz' }, 400, 'checksum', /64 hexadecimal digits/],
      [{ size_bytes: 5000 }, 413, 'size_bytes', /may have 4096 bytes/],
      [{ timestamp: '2099-01-01T00:00:00Z' }, 422, 'timestamp', /ahead of the server/],
    ];
    for (const [change, status, field, message] of cases) {
      const answer = await server.api.postJson('/v1/events/chunks', { events: [right, { ...right, ...change }] });
      assert.equal(answer.status, status, answer.bytes.toString());
      const { errors = [] } = refusal(answer);
      assert.deepEqual(
        errors.map((one) => one.field),
        [`body/events/1/${field}`],
      );
      assert.match(errors[0]?.detail ?? '', message);
    }
    const elsewhere = { ...right, stream_id: cameraId, object_key: right.object_key.replace(own.id, cameraId) };
    const atCamera = await server.api.postJson('/v1/events/chunks', { events: [elsewhere] });
    assert.deepEqual([atCamera.status, refusal(atCamera).code], [409, 'conflict']);
    const missing = 'str_00000000000000000000000000';
    const unknown = { ...right, stream_id: missing, object_key: right.object_key.replace(own.id, missing) };
    assert.equal((await server.api.postJson('/v1/events/chunks', { events: [unknown] })).status, 404);
    for (const body of [{}, { events: [] }, { events: Array(501).fill(right) }, [right], { events: [null] }]) {
      assert.equal((await server.api.postJson('/v1/events/chunks', body)).status, 400);
    }
    const urls = `/v1/streams/${cameraId}/chunk-urls`;
    assert.equal((await server.api.postJson(urls, {})).status, 409);
    for (const body of [{ count: 0 }, { count: 1001 }, { firstIndex: -1 }, { expiresInSeconds: 1e9 }, { more: 1 }]) {
      assert.equal((await server.api.postJson(`/v1/streams/${own.id}/chunk-urls`, body)).status, 400);
    }
    assert.deepEqual((await own.chunks()).taken, [], 'nothing of all this was taken');
  });
});
