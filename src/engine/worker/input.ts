import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
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
  const file = openFile(ref.path);
  try {
    if (file.sizeBytes > maxBytes) throw tooLarge(file.sizeBytes, maxBytes);
    const bytes = Buffer.allocUnsafeSlow(file.sizeBytes);
    let length = 0;
    // A file may shrink or grow meanwhile: it is what it was when it was opened, or shorter.
    while (length < bytes.length) {
      const count = readSync(file.descriptor, bytes, length, bytes.length - length, length);
      if (count === 0) break;
      length += count;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(file.descriptor);
  }
}

interface OpenFile {
  readonly descriptor: number;
  readonly sizeBytes: number;
}

/**
 * Opens a plain file. The last part of its path may not be a link, so that a name checked by the caller cannot be swapped for one; a pipe or device
 * is refused, and opening one does not block. Synchronous like the reading: an engine process has nothing else to do meanwhile, and trips to the
 * thread pool cost a tenth of a small segment's time. @throws missing_input, unsupported_media
 */
function openFile(path: string): OpenFile {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const name = JSON.stringify(path);
    if (systemCodeOf(error) === 'ELOOP') {
      throw new ZoetropeError('unsupported_media', `The input ${name} is a symbolic link; name the file itself.`, {
        cause: error,
      });
    }
    throw new ZoetropeError('missing_input', `The input ${name} cannot be opened: ${messageOf(error)}.`, {
      cause: error,
      retryable: systemCodeOf(error) === 'ENOENT',
    });
  }
  const stat = fstatSync(descriptor);
  if (!stat.isFile()) {
    closeSync(descriptor);
    throw new ZoetropeError('unsupported_media', `The input ${JSON.stringify(path)} is not a plain file.`);
  }
  return { descriptor, sizeBytes: stat.size };
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
  const { descriptor, sizeBytes } = openFile(ref.path);
  return {
    sizeBytes,
    read(offset, length) {
      if (offset < 0) return Promise.resolve(Buffer.alloc(0));
      const bytes = Buffer.allocUnsafeSlow(length);
      return Promise.resolve(bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset)));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(closeSync(descriptor)),
  };
}
