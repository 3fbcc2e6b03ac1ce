import { createHash } from 'node:crypto';
import { ZoetropeError } from '../../base/errors.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { sniffPushed } from '../push/push-intake.ts';
import type { AnnouncedChunk } from './chunk-event.ts';

/** A chunk's bytes, which are those that were announced. */
export interface ReadChunk {
  readonly bytes: Uint8Array;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly container: 'ts' | 'fmp4';
}

/**
 * Reads an announced chunk whole and holds it against its announcement.
 * @throws missing_input: its object is not there; payload_too_large, corrupt_media, unsupported_media: it is not what was announced, or nothing that can be taken
 */
export async function readChunk(
  chunk: AnnouncedChunk,
  objects: Pick<ObjectStore, 'head' | 'get'>,
  maxBytes: number,
): Promise<ReadChunk> {
  const { objectKey, sizeBytes: announcedBytes, checksum } = chunk;
  const { sizeBytes } = await objects.head(objectKey);
  if (sizeBytes > maxBytes) {
    throw new ZoetropeError(
      'payload_too_large',
      `A chunk may have ${maxBytes} bytes. This one has ${sizeBytes}: make shorter chunks, or raise ZOETROPE_PUSH_MAX_SEGMENT_BYTES.`,
    );
  }
  if (sizeBytes !== announcedBytes) {
    throw mismatch(`The chunk has ${sizeBytes} bytes; announced were ${announcedBytes}.`);
  }
  const bytes = await objects.get(objectKey);
  const digest = (algorithm: string): string => createHash(algorithm).update(bytes).digest('hex');
  const hex = digest(checksum.algorithm);
  if (hex !== checksum.hex) {
    throw mismatch(`The chunk's ${checksum.algorithm} is ${hex}; announced was ${checksum.hex}.`);
  }
  const sniffed = sniffPushed(bytes);
  if (sniffed?.kind !== 'segment') {
    throw new ZoetropeError(
      'unsupported_media',
      'A chunk must be an MPEG-TS segment, or a fragmented MP4 segment with its init segment in front. ' +
        `This one begins with ${JSON.stringify(Buffer.from(bytes.subarray(0, 8)).toString('latin1'))}.`,
    );
  }
  return { bytes, sha256: checksum.algorithm === 'sha256' ? hex : digest('sha256'), container: sniffed.container };
}

function mismatch(message: string): ZoetropeError {
  return new ZoetropeError('corrupt_media', `${message} Announce it again as it is, or put it anew.`);
}
