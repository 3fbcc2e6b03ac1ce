import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../../base/errors.ts';
import type { ObjectHead } from '../object-store.ts';

/**
 * The files below a directory in key order, holding no more than one directory's names for each level. Names that start with "." and
 * symbolic links are passed over. `from` is the key prefix of `directory`: empty, or ending in "/".
 */
export async function* walkInKeyOrder(
  directory: string,
  from: string,
  wanted: { readonly prefix: string; readonly after: string },
): AsyncIterable<ObjectHead> {
  for (const entry of await sortedEntries(directory, from, wanted)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory) {
      yield* walkInKeyOrder(path, entry.key, wanted);
      continue;
    }
    const head = await headOf(path, entry.key);
    if (head !== null) yield head;
  }
}

interface Entry {
  readonly name: string;
  /** The whole key; of a directory with its "/", which is what makes it sort among its siblings as its keys do. */
  readonly key: string;
  readonly isDirectory: boolean;
}

async function sortedEntries(
  directory: string,
  from: string,
  { prefix, after }: { readonly prefix: string; readonly after: string },
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  try {
    for await (const { name, ...entry } of readDirectory(directory)) {
      const key = entry.isDirectory ? `${from}${name}/` : from + name;
      const canMatch = key.startsWith(prefix) || (entry.isDirectory && prefix.startsWith(key));
      const isBehind = key > after || (entry.isDirectory && after.startsWith(key));
      if (canMatch && isBehind) entries.push({ name, key, isDirectory: entry.isDirectory });
    }
  } catch (error) {
    // A directory that was removed while we walked holds no objects any more.
    if (systemCodeOf(error) !== 'ENOENT') throw error;
  }
  return entries.sort((a, b) => (a.key < b.key ? -1 : 1));
}

async function* readDirectory(directory: string): AsyncIterable<{ name: string; isDirectory: boolean }> {
  for await (const entry of await opendir(directory, { bufferSize: 256 })) {
    if (entry.name.startsWith('.') || !(entry.isFile() || entry.isDirectory())) continue;
    yield { name: entry.name, isDirectory: entry.isDirectory() };
  }
}

async function headOf(path: string, key: string): Promise<ObjectHead | null> {
  try {
    const stat = await lstat(path);
    return stat.isFile() ? { key, sizeBytes: stat.size, modifiedAtMs: stat.mtimeMs } : null;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return null;
    throw error;
  }
}
