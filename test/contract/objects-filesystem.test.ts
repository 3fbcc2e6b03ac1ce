import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutGrants } from '../../src/access/put-grants.ts';
import { ERROR_CATALOGUE, isZoetropeError } from '../../src/base/errors.ts';
import { FakeClock } from '../../src/base/fake-clock.ts';
import { PutDoor } from '../../src/ingest/chunks/put-door.ts';
import { createFilesystemObjects } from '../../src/objects/filesystem/filesystem-objects.ts';
import { objectsContract } from './objects.contract.ts';

objectsContract('filesystem', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'zoetrope-objects-'));
  const clock = new FakeClock();
  const secret = new Uint8Array(32).fill(7);
  const grants = new PutGrants({ catalog: { serverSecret: async () => secret }, clock });
  const behind = createFilesystemObjects({ directory });
  return {
    open: () =>
      createFilesystemObjects({
        directory,
        presigner: async (key, terms) => {
          const { token, expiresAtMs } = await grants.mint(key, terms);
          return { method: 'PUT', url: `/${token}`, headers: {}, expiresAtMs };
        },
      }),
    async send({ url }, bytes) {
      await behind.start(AbortSignal.timeout(10_000));
      try {
        const isNew = await new PutDoor({ objects: behind, grants }).receive(url.slice(1), pieces(bytes), null);
        return isNew ? 201 : 200;
      } catch (error) {
        if (isZoetropeError(error)) return ERROR_CATALOGUE[error.code].http;
        throw error;
      }
    },
    pass: (ms) => clock.advance(ms),
    dispose: () => rm(directory, { recursive: true }),
  };
});

async function* pieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}
