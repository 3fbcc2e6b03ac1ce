import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCodeOf } from '../../base/errors.ts';

/** The nearest directory above a path that is there, or the path itself. */
export async function nearestExisting(directory: string): Promise<string> {
  for (let at = directory; ; at = dirname(at)) {
    try {
      await lstat(at);
      return at;
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT' || dirname(at) === at) throw error;
    }
  }
}

/** Whether a file lies there that is no link to one. */
export async function isFile(path: string): Promise<boolean> {
  return lstat(path).then(
    (stat) => stat.isFile(),
    () => false,
  );
}
