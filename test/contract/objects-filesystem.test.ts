import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFilesystemObjects } from '../../src/objects/filesystem/filesystem-objects.ts';
import { objectsContract } from './objects.contract.ts';

objectsContract('filesystem', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'zoetrope-objects-'));
  return {
    open: () => createFilesystemObjects({ directory }),
    dispose: () => rm(directory, { recursive: true }),
  };
});
