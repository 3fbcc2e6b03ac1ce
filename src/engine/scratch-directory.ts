import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { messageOf, systemCodeOf, ZoetropeError } from '../base/errors.ts';

/** Files that child processes make on the way to an object. The process that owns the directory removes what its children leave, however they end. */
export class ScratchDirectory {
  readonly #root: string;
  readonly #own: string;
  #files = 0;

  constructor(root: string) {
    this.#root = root;
    this.#own = `${hostPrefix()}${process.pid}-${randomBytes(6).toString('hex')}`;
  }

  /** Makes the directory, and removes those of processes of this machine that are gone. @throws unavailable */
  async open(): Promise<void> {
    try {
      await mkdir(this.#root, { recursive: true });
      for (const name of await readdir(this.#root)) {
        if (isAbandoned(name)) await rm(join(this.#root, name), { recursive: true, force: true });
      }
      await mkdir(join(this.#root, this.#own));
    } catch (error) {
      const message = `The directory ${this.#root} for files on the way cannot be used: ${messageOf(error)}.`;
      throw new ZoetropeError('unavailable', message, { cause: error });
    }
  }

  /** A path at which nothing lies. */
  nextPath(): string {
    this.#files += 1;
    return join(this.#root, this.#own, String(this.#files));
  }

  /** Removes what may lie at a path. */
  async remove(path: string): Promise<void> {
    await rm(path, { force: true });
  }

  async close(): Promise<void> {
    await rm(join(this.#root, this.#own), { recursive: true, force: true });
  }
}

function hostPrefix(): string {
  return `${hostname().replaceAll(/[^A-Za-z0-9]/g, '_')}-`;
}

/** A directory of our own process id is of one that had it before. */
function isAbandoned(name: string): boolean {
  const prefix = hostPrefix();
  const match = /^(\d+)-[0-9a-f]{12}$/.exec(name.startsWith(prefix) ? name.slice(prefix.length) : '');
  if (match === null) return false;
  const pid = Number(match[1]);
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return systemCodeOf(error) === 'ESRCH';
  }
}
