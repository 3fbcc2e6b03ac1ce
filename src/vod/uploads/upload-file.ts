import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { ZoetropeError } from '../../base/errors.ts';
import { SNIFF_BYTES, sniffContainer } from '../../engine/worker/sniff-container.ts';
import { tooLarge, toUploadError } from './upload-errors.ts';

/** Where and how bytes are written. */
export interface WriteRequest {
  readonly path: string;
  /** Null: the file is to be made. Else of the first byte. */
  readonly offset: number | null;
  /** Size that the file may reach. */
  readonly maxBytes: number;
  /** Sees every piece that was written. */
  readonly onBytes?: (bytes: Uint8Array) => void;
}

/**
 * Writes a stream into a file from an offset on and answers the offset behind it; what was written is durable, also when the stream breaks. What can be
 * no media is refused as soon as its first bytes are there. @throws unsupported_media, payload_too_large, storage_full, unavailable, and the stream's error
 */
export async function writeUpload(stream: AsyncIterable<Uint8Array>, request: WriteRequest): Promise<number> {
  const { path, offset, maxBytes, onBytes } = request;
  const file = await opening(path, offset === null ? 'wx+' : 'r+');
  let end = offset ?? 0;
  try {
    for await (const bytes of stream) {
      if (end + bytes.length > maxBytes) throw tooLarge(maxBytes, null);
      await writeAll(file, bytes, end);
      onBytes?.(bytes);
      const before = end;
      end += bytes.length;
      if (before < SNIFF_BYTES && end >= SNIFF_BYTES) await sniff(file);
    }
  } finally {
    await settled(file);
  }
  return end;
}

/** Refuses a whole file that can be no media. @throws unsupported_media */
export async function checkMedia(path: string): Promise<void> {
  const file = await opening(path, 'r');
  try {
    await sniff(file);
  } finally {
    await file.close();
  }
}

/** Of a whole file; hexadecimal. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(piece as Buffer);
  } catch (error) {
    throw toUploadError(error, 'read the uploaded file');
  }
  return hash.digest('hex');
}

async function sniff(file: FileHandle): Promise<void> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, 0);
  const { demuxer } = sniffContainer(buffer.subarray(0, bytesRead));
  if (demuxer !== null) return;
  throw new ZoetropeError(
    'unsupported_media',
    'The file is a single picture. Send a film: MP4, MOV, Matroska, WebM, MPEG-TS, AVI, FLV, Ogg or WAV.',
  );
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
      at += bytesWritten;
    }
  } catch (error) {
    throw toUploadError(error, 'write the upload');
  }
}

async function opening(path: string, flags: string): Promise<FileHandle> {
  try {
    return await open(path, flags);
  } catch (error) {
    throw toUploadError(error, 'open the upload');
  }
}

async function settled(file: FileHandle): Promise<void> {
  try {
    await file.datasync();
  } catch (error) {
    throw toUploadError(error, 'write the upload');
  } finally {
    await file.close();
  }
}
