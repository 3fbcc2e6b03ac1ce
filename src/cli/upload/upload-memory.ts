import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What an upload is recognised by when the same command comes again. */
export interface UploadIdentity {
  readonly url: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  readonly asset: object;
}

/** Remembers where uploads were begun, so that the same command goes on with one that was stopped. */
export class UploadMemory {
  readonly #directory: string;

  /** @param directory made when it is missing */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Null: nothing is remembered. */
  async recall(identity: UploadIdentity): Promise<string | null> {
    return await readFile(this.#pathOf(identity), 'utf8').catch(() => null); // None yet, or unreadable: begun anew.
  }

  async remember(identity: UploadIdentity, location: string): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    await writeFile(this.#pathOf(identity), location);
  }

  async forget(identity: UploadIdentity): Promise<void> {
    await rm(this.#pathOf(identity), { force: true });
  }

  #pathOf(identity: UploadIdentity): string {
    const { url, path, sizeBytes, modifiedAtMs, asset } = identity;
    const text = JSON.stringify([url, path, sizeBytes, modifiedAtMs, asset]);
    return join(this.#directory, createHash('sha256').update(text).digest('hex').slice(0, 32));
  }
}
