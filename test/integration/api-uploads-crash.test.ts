import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { AssetJson, UploadJson } from '../../src/api/rest/asset-shapes.ts';
import { eventually } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';

const FILM = Buffer.concat([Buffer.from('00000018667479706d703432', 'hex'), Buffer.alloc(400_000, 7)]);
const TUS = { 'tus-resumable': '1.0.0' };
const ROUNDS = 6;

async function begin(server: TestServer, name: string): Promise<string> {
  const metadata = `asset ${Buffer.from(JSON.stringify({ name })).toString('base64')}`;
  const headers = { ...TUS, 'upload-length': String(FILM.length), 'upload-metadata': metadata };
  const { status, headers: answer } = await server.api.request('/v1/uploads', { method: 'POST', headers });
  assert.equal(status, 201);
  return answer.get('location') ?? '';
}

function patch(
  server: TestServer,
  location: string,
  from: number,
  to: number,
): ReturnType<TestServer['api']['request']> {
  const headers = { ...TUS, 'upload-offset': String(from), 'content-type': 'application/offset+octet-stream' };
  return server.api.request(location, { method: 'PATCH', headers, body: FILM.subarray(from, to) });
}

async function read<T>(server: TestServer, path: string): Promise<T> {
  return JSON.parse((await server.api.request(path)).bytes.toString()) as T;
}

test('whenever the server is killed, an upload goes on and becomes one asset', async () => {
  // No worker: the files are nothing that could be worked on.
  await using server = await TestServer.start({ env: { ZOETROPE_ROLES: 'api' } });
  for (let round = 0; round < ROUNDS; round++) {
    const name = `round-${round}`;
    const location = await begin(server, name);
    assert.equal((await patch(server, location, 0, 150_000)).status, 204);
    // The request may be answered, cut off, or not even have begun.
    const last = patch(server, location, 150_000, FILM.length).catch(() => null);
    await delay(Math.random() * 25);
    await server.kill();
    await last;
    await server.restart();
    const { offsetBytes } = await read<UploadJson>(server, location);
    assert.ok(offsetBytes >= 150_000);
    if (offsetBytes < FILM.length) assert.equal((await patch(server, location, offsetBytes, FILM.length)).status, 204);
    const assetId = await eventually(
      'the upload is finished without being asked',
      async () => (await read<UploadJson>(server, location)).assetId ?? undefined,
      { timeoutMs: 10_000 },
    );
    const { items } = await read<{ readonly items: readonly AssetJson[] }>(server, `/v1/assets?q=${name}`);
    assert.deepEqual(
      items.map(({ id, source }) => [id, source]),
      [[assetId, { kind: 'upload', filename: null, sizeBytes: FILM.length }]],
    );
  }
});
