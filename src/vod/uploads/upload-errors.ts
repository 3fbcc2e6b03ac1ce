import { messageOf, systemCodeOf, ZoetropeError } from '../../base/errors.ts';

/** A failure of the file system that uploads lie on as one of ours: `storage_full` or `unavailable`. A ZoetropeError stays itself. */
export function toUploadError(error: unknown, action: string): unknown {
  if (error instanceof ZoetropeError) return error;
  const code = systemCodeOf(error);
  if (code === undefined) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(action, error);
  return new ZoetropeError('unavailable', `Could not ${action}: ${messageOf(error)}.`, { cause: error });
}

/** What to say when an upload does not fit. */
export function diskFull(action: string, cause?: unknown): ZoetropeError {
  return new ZoetropeError(
    'storage_full',
    `Could not ${action}: the disk is full. Free space where ZOETROPE_DATA_DIR lies; what arrived of a resumable upload is kept.`,
    { cause },
  );
}

/** What to say of a file that is larger than is taken. */
export function tooLarge(maxBytes: number, gotBytes: number | null): ZoetropeError {
  const got = gotBytes === null ? '' : ` Got ${gotBytes}.`;
  return new ZoetropeError(
    'payload_too_large',
    `A file may have ${maxBytes} bytes.${got} Send a smaller one, or raise ZOETROPE_MAX_UPLOAD_BYTES.`,
  );
}

/** What to say of an upload that is not there (any more). */
export function noUpload(id: string): ZoetropeError {
  return new ZoetropeError(
    'not_found',
    `There is no upload ${JSON.stringify(id.slice(0, 100))}: it was never begun, was ended, or expired. Begin it anew: POST /v1/uploads.`,
  );
}

/** What to say when the bytes are not those that were announced. */
export function digestMismatch(expectedHex: string, actualHex: string): ZoetropeError {
  return new ZoetropeError(
    'corrupt_media',
    `The file arrived damaged: its SHA-256 is ${actualHex}, announced was ${expectedHex}. Nothing was kept: upload it again.`,
  );
}
