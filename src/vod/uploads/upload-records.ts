import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../../base/errors.ts';
import { isId } from '../../base/ids.ts';
import type { WallMs } from '../../base/time.ts';
import type { ParsedAsset } from '../asset-request.ts';
import { toUploadError } from './upload-errors.ts';

/** What is known of an upload: everything that is needed to go on with it after a crash. */
export interface UploadRecord {
  readonly id: string;
  /** `receiving`: bytes are missing; `received`: all are there and were checked; `done`: the asset has the file. */
  readonly state: 'receiving' | 'received' | 'done';
  readonly filename: string | null;
  readonly sizeBytes: number;
  /** Hexadecimal; null: not told. */
  readonly sha256: string | null;
  /** Fixed when it begins, so that it becomes one asset however often that is tried. */
  readonly assetId: string;
  readonly asset: ParsedAsset;
  /** As the client sent it, to be given back (tus 1.0, Upload-Metadata). */
  readonly metadata: Readonly<Record<string, string | null>>;
  readonly createdAtMs: WallMs;
  readonly endedAtMs: WallMs | null;
}

const SUFFIX = '.json';

/** Records of uploads, a small file each beside the uploads themselves. A record is replaced as a whole and is durable before a write resolves. */
export class UploadRecords {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Null: there is none. */
  async get(id: string): Promise<UploadRecord | null> {
    if (!isId('upload', id)) return null;
    try {
      return JSON.parse(await readFile(this.#pathOf(id), 'utf8')) as UploadRecord; // Written here alone, and as a whole.
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return null;
      throw toUploadError(error, `read the upload ${id}`);
    }
  }

  async put(record: UploadRecord): Promise<void> {
    const path = this.#pathOf(record.id);
    const temporary = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`;
    try {
      const file = await open(temporary, 'wx');
      try {
        await file.writeFile(JSON.stringify(record));
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
      await syncDirectory(this.#directory);
    } catch (error) {
      await rm(temporary, { force: true });
      throw toUploadError(error, `note the upload ${record.id}`);
    }
  }

  /** Harmless when it is gone. */
  async remove(id: string): Promise<void> {
    try {
      await unlink(this.#pathOf(id));
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT') throw toUploadError(error, `forget the upload ${id}`);
    }
  }

  /** Ids of all, in order of making. */
  async ids(): Promise<readonly string[]> {
    const names = await readdir(this.#directory);
    return names
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => name.slice(0, -SUFFIX.length))
      .filter((id) => isId('upload', id))
      .toSorted();
  }

  #pathOf(id: string): string {
    return join(this.#directory, `${id}${SUFFIX}`);
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
