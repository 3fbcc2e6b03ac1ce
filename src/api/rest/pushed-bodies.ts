import type { IncomingMessage } from 'node:http';
import { ZoetropeError } from '../../base/errors.ts';

/** What bodies of pushed files may take. */
export interface BodyLimits {
  /** Most bytes of a file that begins so. */
  readonly maxBytesOf: (head: Uint8Array) => number;
  /** Of all that are coming in, together. */
  readonly maxTotalBytes: number;
}

/** Reads bodies of pushed files into memory, within bounds for each and for all: those who send slowly hold memory until they are cut off. */
export class PushedBodies {
  readonly #limits: BodyLimits;
  #totalBytes = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /** Bytes of bodies that are not complete. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** @throws payload_too_large, too_many; what the connection throws when it breaks off */
  async read(request: IncomingMessage): Promise<Buffer> {
    const declaredBytes = Number(request.headers['content-length'] ?? 0);
    this.#check(declaredBytes, new Uint8Array(), 0);
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    try {
      for await (const chunk of request.iterator({ destroyOnReturn: false })) {
        const bytes = chunk as Buffer;
        chunks.push(bytes);
        sizeBytes += bytes.length;
        this.#totalBytes += bytes.length;
        this.#check(Math.max(sizeBytes, declaredBytes), chunks[0] ?? bytes, this.#totalBytes);
      }
      return Buffer.concat(chunks);
    } finally {
      this.#totalBytes -= sizeBytes;
    }
  }

  #check(sizeBytes: number, head: Uint8Array, totalBytes: number): void {
    const maxBytes = this.#limits.maxBytesOf(head);
    if (sizeBytes > maxBytes) {
      throw new ZoetropeError(
        'payload_too_large',
        `This file may have ${maxBytes} bytes, and more come. Send shorter segments and a playlist of the newest ones; ZOETROPE_PUSH_MAX_SEGMENT_BYTES bounds segments.`,
      );
    }
    if (totalBytes > this.#limits.maxTotalBytes) {
      throw new ZoetropeError(
        'too_many',
        `Files that are coming in take more than the ${this.#limits.maxTotalBytes} bytes that they may. Send it again in a moment, or raise ZOETROPE_PUSH_MAX_BODIES_MB.`,
      );
    }
  }
}
