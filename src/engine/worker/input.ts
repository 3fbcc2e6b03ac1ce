import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { messageOf, systemCodeOf, ZoetropeError } from '../../base/errors.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import type { MediaRef } from '../engine.ts';

/** Reads what a reference names, at most `maxBytes`. @throws missing_input, unsupported_media (no plain file), payload_too_large */
export async function readInput(ref: MediaRef, objects: ObjectStore, maxBytes: number): Promise<Uint8Array> {
  if ('objectKey' in ref) {
    const bytes = await objects.get(ref.objectKey);
    if (bytes.length > maxBytes) throw tooLarge(bytes.length, maxBytes);
    return bytes;
  }
  const file = await openFile(ref.path);
  try {
    const { size } = await file.stat();
    if (size > maxBytes) throw tooLarge(size, maxBytes);
    return await readAtMost(file, size, maxBytes);
  } finally {
    await file.close();
  }
}

/**
 * Opens a plain file. The last part of its path may not be a link, so that a name checked by the caller cannot be swapped for one; a pipe or device
 * is refused, and opening one does not block. @throws missing_input, unsupported_media
 */
export async function openFile(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCodeOf(error) === 'ELOOP') {
      throw new ZoetropeError(
        'unsupported_media',
        `The input ${JSON.stringify(path)} is a symbolic link; name the file itself.`,
        {
          cause: error,
        },
      );
    }
    throw new ZoetropeError(
      'missing_input',
      `The input ${JSON.stringify(path)} cannot be opened: ${messageOf(error)}.`,
      {
        cause: error,
        retryable: systemCodeOf(error) === 'ENOENT',
      },
    );
  }
  const stat = await file.stat();
  if (!stat.isFile()) {
    await file.close();
    throw new ZoetropeError('unsupported_media', `The input ${JSON.stringify(path)} is not a plain file.`);
  }
  return file;
}

/** A file may shrink or grow while it is read: it is what it was when it was opened, or shorter. */
async function readAtMost(file: FileHandle, size: number, maxBytes: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(Math.min(size, maxBytes));
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

function tooLarge(size: number, maxBytes: number): ZoetropeError {
  return new ZoetropeError('payload_too_large', `The input has ${size} bytes, more than the ${maxBytes} allowed.`);
}

/** An input that can be read anywhere. */
export interface RandomInput extends AsyncDisposable {
  readonly sizeBytes: number;
  /** Up to `length` bytes from `offset`; none at the end. */
  read(offset: number, length: number): Promise<Buffer>;
}

/** Opens what a reference names without reading it. @throws missing_input, unsupported_media */
export async function openRandomInput(ref: MediaRef, objects: ObjectStore): Promise<RandomInput> {
  if ('objectKey' in ref) {
    const { sizeBytes } = await objects.head(ref.objectKey);
    return {
      sizeBytes,
      async read(offset, length) {
        const end = Math.min(offset + length, sizeBytes) - 1;
        if (offset < 0 || end < offset) return Buffer.alloc(0);
        const bytes = await objects.get(ref.objectKey, { start: offset, end });
        return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const file = await openFile(ref.path);
  const { size } = await file.stat();
  return {
    sizeBytes: size,
    async read(offset, length) {
      if (offset < 0) return Buffer.alloc(0);
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}
