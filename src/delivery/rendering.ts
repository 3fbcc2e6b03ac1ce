import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const gzipAsync = promisify(gzip);
const brotliAsync = promisify(brotliCompress);

/** Ways of sending text. */
export type Encoding = 'identity' | 'gzip' | 'br';

/** Below it compressing gains nothing: the answer fits one packet anyway. */
const MIN_COMPRESSED_BYTES = 1024;

/** Longer texts cost more to convert than a second buffer costs to send. */
const MAX_SHORT_TEXT = 16_384;

/** A text that is ready to be sent: compressed once for each encoding, when it is first asked for. */
export class Rendering {
  readonly body: Buffer;
  /**
   * The same as text when it is short and all ASCII, else null: Node.js joins a text with the headers into one write, which is much cheaper than
   * two buffers.
   */
  readonly shortText: string | null;
  /** Strong, without quotes, of the text as it is. */
  readonly tag: string;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly #encoded = new Map<Encoding, Buffer>();
  readonly #encoding = new Map<Encoding, Promise<Buffer>>();

  constructor(text: string, headers: { readonly contentType: string; readonly cacheControl: string }) {
    this.body = Buffer.from(text, 'utf8');
    this.shortText = this.body.length === text.length && text.length <= MAX_SHORT_TEXT ? text : null;
    this.tag = createHash('sha256').update(this.body).digest('hex').slice(0, 32);
    this.contentType = headers.contentType;
    this.cacheControl = headers.cacheControl;
    this.#encoded.set('identity', this.body);
  }

  /** Bytes that it holds, roughly. */
  get sizeBytes(): number {
    return this.body.length * 3;
  }

  /** The encoding to answer an `Accept-Encoding` with (RFC 9110 §12.5.3). */
  choose(acceptEncoding: string | undefined): Encoding {
    if (acceptEncoding === undefined || this.body.length < MIN_COMPRESSED_BYTES) return 'identity';
    return chooseEncoding(acceptEncoding);
  }

  /** The entity tag with its quotes; each encoding has its own. */
  etag(encoding: Encoding): string {
    return encoding === 'identity' ? `"${this.tag}"` : `"${this.tag}-${encoding}"`;
  }

  /** The bytes if they are ready. */
  encodedNow(encoding: Encoding): Buffer | undefined {
    return this.#encoded.get(encoding);
  }

  /** The bytes, made now if need be. However many ask at once, they are made once. */
  encoded(encoding: Encoding): Promise<Buffer> {
    const ready = this.#encoded.get(encoding);
    if (ready !== undefined) return Promise.resolve(ready);
    let making = this.#encoding.get(encoding);
    if (making === undefined) {
      making = this.#encode(encoding);
      this.#encoding.set(encoding, making);
    }
    return making;
  }

  async #encode(encoding: Encoding): Promise<Buffer> {
    const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };
    const bytes = encoding === 'br' ? await brotliAsync(this.body, quality) : await gzipAsync(this.body);
    this.#encoded.set(encoding, bytes);
    this.#encoding.delete(encoding);
    return bytes;
  }
}

function chooseEncoding(acceptEncoding: string): Encoding {
  const accepted = new Set<string>();
  for (const part of acceptEncoding.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim());
    if (!parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))) accepted.add(name);
  }
  if (accepted.has('br')) return 'br';
  return accepted.has('gzip') ? 'gzip' : 'identity';
}

/** Whether an `If-None-Match` names an entity, in whatever encoding (RFC 9110 §13.1.2). */
export function matchesTag(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return ifNoneMatch.split(',').some((one) => {
    const bare = one.trim().replace(/^W\//, '');
    return bare === `"${tag}"` || bare === `"${tag}-gzip"` || bare === `"${tag}-br"`;
  });
}
