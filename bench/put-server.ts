// A plain HTTP server that keeps what is PUT to it: `node bench/put-server.ts DIRECTORY`. Each body is a file, durable before the answer.
import { randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const directory = process.argv[2] ?? '.';

const server = createServer((request, response) => {
  keep(request).then(
    () => response.writeHead(204).end(),
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));

async function keep(request: IncomingMessage): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  await using file = await open(join(directory, randomUUID()), 'w');
  await file.writeFile(Buffer.concat(chunks));
  await file.sync();
}
