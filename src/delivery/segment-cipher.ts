import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { AccessStore } from '../catalog/catalog.ts';

const KEY_BYTES = 16;

/** Encrypts whole segments of one asset as `METHOD=AES-128` says (RFC 8216bis §4.4.4.4). */
export class SegmentCipher {
  readonly assetId: string;
  /** What players fetch. */
  readonly key: Uint8Array;

  constructor(assetId: string, key: Uint8Array) {
    this.assetId = assetId;
    this.key = key;
  }

  /** AES-128 in CBC mode with PKCS #7 padding; the initialization vector is the media sequence number (RFC 8216bis §5.2). */
  encrypt(bytes: Uint8Array, mediaSequence: number): Uint8Array {
    const vector = Buffer.alloc(16);
    vector.writeBigUInt64BE(BigInt(mediaSequence), 8);
    const cipher = createCipheriv('aes-128-cbc', this.key, vector);
    return Buffer.concat([cipher.update(bytes), cipher.final()]);
  }
}

/** Ciphers of assets. Keys are derived from a secret of this installation (RFC 5869), so none is stored and every process has the same. */
export class SegmentCiphers {
  readonly #catalog: Pick<AccessStore, 'serverSecret'>;
  #secret: Promise<Uint8Array> | undefined;

  constructor(catalog: Pick<AccessStore, 'serverSecret'>) {
    this.#catalog = catalog;
  }

  /** @throws what the catalog throws */
  async of(assetId: string): Promise<SegmentCipher> {
    const key = hkdfSync('sha256', await this.#read(), '', `zoetrope segment key ${assetId}`, KEY_BYTES);
    return new SegmentCipher(assetId, new Uint8Array(key));
  }

  async #read(): Promise<Uint8Array> {
    this.#secret ??= this.#catalog.serverSecret('segment-keys', () => randomBytes(32));
    try {
      return await this.#secret;
    } catch (error) {
      this.#secret = undefined;
      throw error;
    }
  }
}
