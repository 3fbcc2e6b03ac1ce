import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import {
  copyFile,
  lstat,
  mkdir,
  open,
  opendir,
  realpath,
  rename,
  rmdir,
  statfs,
  unlink,
  type FileHandle,
} from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { type Clock, systemClock } from '../../base/clock.ts';
import { systemCodeOf, ZoetropeError } from '../../base/errors.ts';
import { checkObjectKey, checkObjectPrefix, resolveByteRange } from '../object-key.ts';
import type {
  GetOptions,
  ObjectHead,
  ObjectStore,
  PresignedRequest,
  Presigner,
  PresignTerms,
  PutOptions,
} from '../object-store.ts';
import { DirectorySync } from './directory-sync.ts';
import { isFile, nearestExisting } from './on-disk.ts';
import { walkInKeyOrder } from './sorted-walk.ts';
import { toObjectError } from './system-error.ts';

/** Where the store lives. */
export interface FilesystemObjectsOptions {
  /** Made when it is missing. Everything in it belongs to the store. */
  readonly directory: string;
  readonly clock?: Clock;
  /** Files have no URLs of their own: the server's, where there is one. */
  readonly presigner?: Presigner;
}

/** Leftovers of a kill are older than any put may take; younger files may be another process's. */
const LEFTOVER_AGE_MS = 10 * 60_000;
const PIECE_BYTES = 256 * 1024;
const MAX_KNOWN_DIRECTORIES = 20_000;
/** How often a put makes its directory again when others keep removing it as empty. */
const MAX_TRIES = 100;
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const WRITE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Objects as files below one directory, shared by any number of processes. A put writes a temporary file beside the objects, syncs it, renames
 * it into place and syncs the directory. A key cannot be both an object and the parent of others here (`conflict`), as files cannot either.
 */
export function createFilesystemObjects(options: FilesystemObjectsOptions): ObjectStore {
  return new FilesystemObjects(options);
}

class FilesystemObjects implements ObjectStore {
  readonly name = 'objects (filesystem)';
  readonly capabilities: ObjectStore['capabilities'];
  readonly #clock: Clock;
  readonly #presigner: Presigner | null;
  readonly #syncs = new DirectorySync();
  /** Directories that were seen to be inside the store, no symbolic link on the way. */
  readonly #known = new Set<string>();
  #root: string;
  #temporary: string;

  constructor({ directory, clock = systemClock, presigner }: FilesystemObjectsOptions) {
    this.#clock = clock;
    this.#presigner = presigner ?? null;
    this.capabilities = { presign: presigner !== undefined, localFiles: true };
    this.#root = resolve(directory);
    this.#temporary = join(this.#root, '.tmp');
  }

  async start(signal: AbortSignal): Promise<void> {
    try {
      await mkdir(this.#temporary, { recursive: true });
      this.#root = await realpath(this.#root);
      this.#temporary = join(this.#root, '.tmp');
      await this.#removeLeftovers(signal);
    } catch (error) {
      throw toObjectError(error, `open the object store ${this.#root}`);
    }
  }

  async close(): Promise<void> {
    this.#known.clear();
  }

  async put(key: string, data: Uint8Array | AsyncIterable<Uint8Array>, { signal }: PutOptions = {}): Promise<void> {
    const path = this.#pathOf(key);
    const temporary = this.#temporaryPath();
    try {
      signal?.throwIfAborted();
      await this.#writeDurably(temporary, data, signal);
      await this.#moveIntoPlace(temporary, path);
    } catch (error) {
      await unlink(temporary).catch(() => undefined); // It may not have come to exist, or be in place already.
      throw isNameTaken(error) ? nameTaken(key, error) : toObjectError(error, `put ${key}`);
    }
  }

  async presignPut(key: string, terms: PresignTerms): Promise<PresignedRequest> {
    this.#pathOf(key);
    if (this.#presigner !== null) return this.#presigner(key, terms);
    throw new ZoetropeError('unavailable', 'There is no server in front of these files: they cannot be put by URL.', {
      retryable: false,
    });
  }

  async adopt(key: string, path: string): Promise<void> {
    const target = this.#pathOf(key);
    try {
      await this.#settleFile(path);
      await this.#moveIntoPlace(path, target);
    } catch (error) {
      if (systemCodeOf(error) === 'EXDEV') return this.#copyIntoPlace(key, path, target);
      throw isNameTaken(error) ? nameTaken(key, error) : toObjectError(error, `adopt ${path} as ${key}`);
    }
  }

  async localPath(key: string): Promise<string> {
    const { path } = await this.#statOf(key);
    return path;
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    return this.#reading(key, options, async (file, { start, length }) => {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length;) {
        options.signal?.throwIfAborted();
        const { bytesRead } = await file.read(bytes, at, length - at, start + at);
        if (bytesRead === 0) throw cutShort(key);
        at += bytesRead;
      }
      return bytes;
    });
  }

  async *open(key: string, options: GetOptions = {}): AsyncIterable<Uint8Array> {
    const path = this.#pathOf(key);
    let file: FileHandle | undefined;
    try {
      file = await this.#openInside(path);
      const { start, length } = await extentOf(key, file, options);
      for (let at = 0; at < length;) {
        options.signal?.throwIfAborted();
        const piece = new Uint8Array(Math.min(PIECE_BYTES, length - at));
        const { bytesRead } = await file.read(piece, 0, piece.length, start + at);
        if (bytesRead === 0) throw cutShort(key);
        at += bytesRead;
        yield bytesRead === piece.length ? piece : piece.subarray(0, bytesRead);
      }
    } catch (error) {
      throw toObjectError(error, `read ${key}`);
    } finally {
      await file?.close();
    }
  }

  async head(key: string): Promise<ObjectHead> {
    const { stat } = await this.#statOf(key);
    return { key, sizeBytes: stat.size, modifiedAtMs: stat.mtimeMs };
  }

  async delete(keys: readonly string[]): Promise<void> {
    const paths = keys.map((key) => this.#pathOf(key));
    const parents = new Set<string>();
    for (const [index, path] of paths.entries()) {
      try {
        await this.#checkInside(dirname(path));
        await unlink(path);
        parents.add(dirname(path));
      } catch (error) {
        const isGone = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EPERM'].includes(systemCodeOf(error) ?? '');
        if (!isGone || (await isFile(path))) throw toObjectError(error, `delete ${String(keys[index])}`);
      }
    }
    for (const parent of parents) await this.#removeEmpty(parent);
  }

  async *list(prefix: string, { after = '' }: { readonly after?: string } = {}): AsyncIterable<ObjectHead> {
    checkObjectPrefix(prefix);
    try {
      yield* walkInKeyOrder(this.#root, '', { prefix, after });
    } catch (error) {
      throw toObjectError(error, `list ${prefix}`);
    }
  }

  async freeBytes(): Promise<number | null> {
    try {
      const { bavail, bsize } = await statfs(this.#root);
      return bavail * bsize;
    } catch (error) {
      throw toObjectError(error, 'ask the disk for its free space');
    }
  }

  async #statOf(key: string): Promise<{ readonly path: string; readonly stat: Stats }> {
    const path = this.#pathOf(key);
    try {
      await this.#checkInside(dirname(path));
      const stat = await lstat(path);
      if (!stat.isFile()) throw new ZoetropeError('missing_input', `There is no object ${key}.`);
      return { path, stat };
    } catch (error) {
      throw toObjectError(error, `look at ${key}`);
    }
  }

  /** Makes a file's bytes durable, and as young as if they had been put now: the age of an object says how long nothing may have named it. */
  async #settleFile(path: string): Promise<void> {
    const file = await open(path, READ_FLAGS);
    try {
      if (!(await file.stat()).isFile()) throw new ZoetropeError('missing_input', `There is no file at ${path}.`);
      const nowS = this.#clock.nowMs() / 1000;
      await file.utimes(nowS, nowS);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** From another disk: the bytes are durable here before they go there. */
  async #copyIntoPlace(key: string, path: string, target: string): Promise<void> {
    const temporary = this.#temporaryPath();
    try {
      await copyFile(path, temporary, constants.COPYFILE_EXCL);
      await this.#settleFile(temporary);
      await this.#moveIntoPlace(temporary, target);
      await unlink(path);
    } catch (error) {
      await unlink(temporary).catch(() => undefined); // It may not have come to exist, or be in place already.
      throw isNameTaken(error) ? nameTaken(key, error) : toObjectError(error, `adopt ${path} as ${key}`);
    }
  }

  #temporaryPath(): string {
    return join(this.#temporary, `${process.pid}-${randomBytes(9).toString('hex')}`);
  }

  async #writeDurably(
    path: string,
    data: Uint8Array | AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const file = await open(path, WRITE_FLAGS, 0o644);
    try {
      await file.writeFile(data, signal === undefined ? {} : { signal });
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  async #moveIntoPlace(temporary: string, path: string): Promise<void> {
    const directory = dirname(path);
    for (let tries = 1; ; tries++) {
      try {
        await this.#makeDirectory(directory);
        await rename(temporary, path);
        break;
      } catch (error) {
        // Another process (or our own delete) removed the directory since it was last seen, because it was empty.
        if (systemCodeOf(error) !== 'ENOENT' || tries >= MAX_TRIES) throw error;
        this.#forget(directory);
      }
    }
    try {
      await this.#syncs.sync(directory);
    } catch (error) {
      // The directory can only be gone when the object was deleted again; then nothing is left to make durable.
      if (systemCodeOf(error) !== 'ENOENT') throw error;
    }
  }

  async #makeDirectory(directory: string): Promise<void> {
    if (this.#known.has(directory)) return;
    await this.#checkInside(await nearestExisting(directory));
    const firstMade = await mkdir(directory, { recursive: true });
    await this.#checkInside(directory);
    if (firstMade === undefined) return;
    for (let made = directory; made.length >= firstMade.length; made = dirname(made)) {
      await this.#syncs.sync(dirname(made));
    }
  }

  /** Refuses a directory that a symbolic link leads out of the store. A known one is not looked at again. */
  async #checkInside(directory: string): Promise<void> {
    if (this.#known.has(directory)) return;
    const real = await realpath(directory);
    if (real !== directory) {
      throw new ZoetropeError('invalid_argument', `${directory} is a symbolic link; the object store follows none.`);
    }
    if (this.#known.size >= MAX_KNOWN_DIRECTORIES) this.#known.clear();
    this.#known.add(directory);
  }

  async #openInside(path: string): Promise<FileHandle> {
    await this.#checkInside(dirname(path));
    return open(path, READ_FLAGS);
  }

  async #reading<T>(
    key: string,
    options: GetOptions,
    read: (file: FileHandle, extent: { readonly start: number; readonly length: number }) => Promise<T>,
  ): Promise<T> {
    const path = this.#pathOf(key);
    let file: FileHandle | undefined;
    try {
      options.signal?.throwIfAborted();
      file = await this.#openInside(path);
      return await read(file, await extentOf(key, file, options));
    } catch (error) {
      throw toObjectError(error, `read ${key}`);
    } finally {
      await file?.close();
    }
  }

  #pathOf(key: string): string {
    const path = join(this.#root, checkObjectKey(key));
    const inside = relative(this.#root, path);
    // The grammar allows no way out; this holds even if the grammar were to have a hole.
    if (inside === '' || inside.startsWith('..') || isAbsolute(inside)) {
      throw new ZoetropeError('invalid_argument', `Object key ${JSON.stringify(key)} points outside the store.`);
    }
    return path;
  }

  async #removeEmpty(directory: string): Promise<void> {
    for (let at = directory; at !== this.#root; at = dirname(at)) {
      this.#forget(at);
      try {
        await rmdir(at);
      } catch {
        return; // Not empty: the usual case; or another process was quicker.
      }
    }
  }

  #forget(directory: string): void {
    for (let at = directory; at.length > this.#root.length; at = dirname(at)) this.#known.delete(at);
  }

  async #removeLeftovers(signal: AbortSignal): Promise<void> {
    const oldestMs = this.#clock.nowMs() - LEFTOVER_AGE_MS;
    for await (const entry of await opendir(this.#temporary)) {
      signal.throwIfAborted();
      const path = join(this.#temporary, entry.name);
      const stat = await lstat(path).catch(() => null); // Another process that starts may remove it first.
      if (stat?.isFile() === true && stat.mtimeMs < oldestMs) await unlink(path).catch(() => undefined);
    }
  }
}

async function extentOf(
  key: string,
  file: FileHandle,
  options: GetOptions,
): Promise<{ readonly start: number; readonly length: number }> {
  const stat = await file.stat();
  if (!stat.isFile()) throw new ZoetropeError('missing_input', `There is no object ${key}.`);
  const range = resolveByteRange(key, options, stat.size);
  return range === null ? { start: 0, length: stat.size } : { start: range.start, length: range.end - range.start + 1 };
}

function isNameTaken(error: unknown): boolean {
  return ['ENOTDIR', 'EISDIR', 'EEXIST', 'ENOTEMPTY'].includes(systemCodeOf(error) ?? '');
}

function nameTaken(key: string, cause: unknown): ZoetropeError {
  return new ZoetropeError(
    'conflict',
    `Could not put ${key}: in this store a key cannot be both an object and the parent of other keys. Choose another key.`,
    { cause },
  );
}

function cutShort(key: string): ZoetropeError {
  return new ZoetropeError(
    'unavailable',
    `Object ${key} ended before its length. Something else than Zoetrope changed it.`,
  );
}
