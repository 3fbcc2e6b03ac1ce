import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { createS3Objects } from '../../src/objects/s3/s3-objects.ts';
import { parseS3Address } from '../../src/objects/s3/s3-address.ts';
import { objectsContract } from '../contract/objects.contract.ts';
import { S3Server } from '../fixtures/servers/s3.ts';

for (const prefix of ['', 'deep/er']) {
  objectsContract(`S3, prefix "${prefix}"`, async () => {
    const server = await S3Server.start();
    const address = parseS3Address(server.url({ prefix }));
    return {
      open: () => createS3Objects({ address, checksAtStart: true }),
      send: async ({ method, url, headers }, bytes) =>
        (await fetch(url, { method, headers, body: Buffer.from(bytes) })).status,
      // The judge is another process, whose time passes by itself alone.
      pass: (ms) => delay(ms),
      dispose: () => server[Symbol.asyncDispose](),
    };
  });
}

describe('the S3 server of the tests', () => {
  let server: S3Server;
  before(async () => {
    server = await S3Server.start();
  });
  after(() => server[Symbol.asyncDispose]());

  test('refuses wrong secrets and signatures that do not fit', async () => {
    const path = `/${server.bucket}?list-type=2`;
    assert.equal((await server.ask('GET', path)).status, 200);
    assert.match((await server.ask('GET', path, { secret: 'other' })).text, /SignatureDoesNotMatch/);
    const tampered = await server.ask('GET', path, {
      tamper: (headers) =>
        (headers['Authorization'] =
          headers['Authorization']?.replace(/.$/, (last) => (last === '0' ? '1' : '0')) ?? ''),
    });
    assert.deepEqual([tampered.status, /SignatureDoesNotMatch/.test(tampered.text)], [403, true]);
    const late = await server.ask('GET', path, { tamper: (headers) => (headers['X-Amz-Date'] = '20200101T000000Z') });
    assert.equal(late.status, 403);
  });
});
