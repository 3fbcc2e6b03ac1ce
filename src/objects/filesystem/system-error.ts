import { messageOf, systemCodeOf, ZoetropeError } from '../../base/errors.ts';

/** A failure of the file system as one of ours: `missing_input`, `storage_full` or `unavailable`. A ZoetropeError stays itself. */
export function toObjectError(error: unknown, action: string): unknown {
  if (error instanceof ZoetropeError || (error instanceof Error && error.name === 'AbortError')) return error;
  const code = systemCodeOf(error);
  switch (code) {
    case undefined:
      return error;
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EISDIR':
      return new ZoetropeError('missing_input', `Could not ${action}: there is no such object.`, { cause: error });
    case 'ELOOP':
      return new ZoetropeError('missing_input', `Could not ${action}: a symbolic link is no object.`, { cause: error });
    case 'ENOSPC':
    case 'EDQUOT':
      return new ZoetropeError('storage_full', `Could not ${action}: the disk is full (${code}). Free space on it.`, {
        cause: error,
      });
    case 'ENAMETOOLONG':
      return new ZoetropeError('invalid_argument', `Could not ${action}: a part of the key is longer than 255 bytes.`, {
        cause: error,
      });
    default:
      return new ZoetropeError('unavailable', `Could not ${action}: ${messageOf(error)}.`, { cause: error });
  }
}
