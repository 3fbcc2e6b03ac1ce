import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { PushedBodies } from './pushed-bodies.ts';

test('bodies are bounded each and together, and what was read of one that is refused counts no longer', async (t) => {
  const bodies = new PushedBodies({ maxBytesOf: (head) => (head[0] === 0x23 ? 100 : 1000), maxTotalBytes: 1500 });
  const answers: Promise<string>[] = [];
  const server = createServer((incoming: IncomingMessage, response) => {
    const answer = bodies.read(incoming).then(
      (bytes) => `${bytes.length}`,
      (error: { readonly code: string }) => error.code,
    );
    answers.push(answer);
    void answer.then((text) => response.end(text));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const send = async (parts: readonly string[], last: string | null = ''): Promise<void> => {
    const sent = request({ port, method: 'PUT', host: '127.0.0.1' });
    sent.on('error', () => undefined); // A refused one may be cut off.
    const count = answers.length;
    for (const part of parts) sent.write(part);
    if (last !== null) sent.end(last);
    while (answers.length === count) await once(server, 'request');
  };
  await send(['x'.repeat(1000)]);
  assert.equal(await answers[0], '1000');
  await send(['x'.repeat(600), 'x'.repeat(600)]);
  assert.equal(await answers[1], 'payload_too_large');
  await send(['#'.repeat(101)]);
  assert.equal(await answers[2], 'payload_too_large');
  assert.equal(bodies.totalBytes, 0);
  await send(['x'.repeat(900)], null);
  await send(['x'.repeat(900)], null);
  assert.equal(await Promise.race(answers.slice(3)), 'too_many');
  assert.equal(bodies.totalBytes, 900);
});
