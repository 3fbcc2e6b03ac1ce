import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { type Clock, systemClock } from '../../base/clock.ts';
import { isZoetropeError, messageOf, systemCodeOf, ZoetropeError } from '../../base/errors.ts';
import { checkObjectKey, checkObjectPrefix, resolveByteRange } from '../object-key.ts';
import type {
  GetOptions,
  ObjectHead,
  ObjectStore,
  PresignedRequest,
  PresignTerms,
  PutOptions,
} from '../object-store.ts';
import type { S3Address } from './s3-address.ts';
import { piecesOf, readBody, S3Client } from './s3-client.ts';
import { isUnknownRequest, toS3Error } from './s3-errors.ts';
import { listObjects, removeAbandonedUploads } from './s3-listing.ts';
import { MAX_PARTS, upload } from './s3-upload.ts';
import { childrenOf, readXml, textOf } from './s3-xml.ts';

/** Where the store lives, and what of its life this process cares for. */
export interface S3ObjectsOptions {
  readonly address: S3Address;
  readonly clock?: Clock;
  /**
   * Whether the start asks the server if it is there and takes the keys, and tidies up after uploads that nobody finished. Not for short-lived helpers of a
   * server that did it: their first request tells.
   */
  readonly checksAtStart: boolean;
}

const PART_BYTES = 8 << 20;
/** Of one DeleteObjects request. */
const MAX_DELETED_AT_ONCE = 1000;
/** Of the connection while an object is read, without a byte between them. */
const MAX_BREAKS = 4;
const DELETES_UNDER_WAY = 16;
/** SigV4 allows no more. */
const MAX_PRESIGNED_S = 7 * 86_400;
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Objects in a bucket of any S3-compatible server. Nothing but requests that all of them know is used: no conditional puts, no copies, no tags. */
export function createS3Objects(options: S3ObjectsOptions): ObjectStore {
  return new S3Objects(options);
}

class S3Objects implements ObjectStore {
  readonly name = 'objects (S3)';
  readonly capabilities: ObjectStore['capabilities'] = { presign: true, localFiles: false };
  readonly #options: S3ObjectsOptions;
  readonly #clock: Clock;
  readonly #client: S3Client;
  readonly #root: string;
  readonly #putHeaders: Readonly<Record<string, string>>;
  #deletesMany = true;

  constructor(options: S3ObjectsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#client = new S3Client(options.address, this.#clock);
    this.#root = options.address.prefix;
    const { storageClass } = options.address;
    this.#putHeaders = storageClass === null ? {} : { 'x-amz-storage-class': storageClass };
  }

  async start(signal: AbortSignal): Promise<void> {
    if (!this.#options.checksAtStart) return;
    const { bucket, endpoint } = this.#options.address;
    await this.#client.send({
      method: 'GET',
      query: { 'list-type': '2', 'max-keys': '1', prefix: this.#root },
      action: `open the bucket ${bucket} at ${endpoint.origin}`,
      signal,
      isAtStart: true,
    });
    await removeAbandonedUploads(this.#client, this.#root, this.#clock.nowMs(), signal);
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  async put(key: string, data: Uint8Array | AsyncIterable<Uint8Array>, { signal }: PutOptions = {}): Promise<void> {
    checkObjectKey(key);
    if (data instanceof Uint8Array) {
      const body = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      await this.#client.send({ method: 'PUT', key, headers: this.#putHeaders, body, signal, action: `put ${key}` });
    } else {
      await upload(this.#client, data, { key, headers: this.#putHeaders, signal, partBytes: PART_BYTES });
    }
  }

  async adopt(key: string, path: string): Promise<void> {
    checkObjectKey(key);
    const file = await openFile(path);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw new ZoetropeError('missing_input', `There is no file at ${path}.`);
      const partBytes = Math.max(PART_BYTES, Math.ceil(stat.size / MAX_PARTS));
      const pieces = file.createReadStream({ autoClose: false, highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>;
      await upload(this.#client, pieces, { key, headers: this.#putHeaders, partBytes });
    } finally {
      await file.close();
    }
    await unlink(path);
  }

  async presignPut(key: string, { expiresInMs }: PresignTerms): Promise<PresignedRequest> {
    checkObjectKey(key);
    const { url, expiresAtMs } = this.#presign('PUT', key, expiresInMs);
    return { method: 'PUT', url, headers: {}, expiresAtMs };
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    return this.#client.exchange(this.#reading(key, options), async (response) => {
      checkRange(key, options, response);
      return readBody(response, Number.POSITIVE_INFINITY);
    });
  }

  async *open(key: string, options: GetOptions = {}): AsyncIterable<Uint8Array> {
    let response = await this.#client.exchange(this.#reading(key, options), async (answer) => {
      checkRange(key, options, answer);
      return answer;
    });
    const { etag } = response.headers;
    const length = Number(response.headers['content-length']);
    const start = options.start ?? 0;
    let at = 0;
    for (let breaks = 0; ;) {
      try {
        for await (const piece of piecesOf(response)) {
          at += piece.length;
          breaks = 0;
          yield piece;
        }
        return;
      } catch (error) {
        options.signal?.throwIfAborted();
        if (at === length) return;
        if (++breaks > MAX_BREAKS) throw toS3Error(error, `read ${key}`);
      }
      // It broke off: the rest comes by another request, of the same bytes or not at all.
      const rest = { ...options, start: start + at, end: start + length - 1 };
      const request = this.#reading(key, rest, etag === undefined ? {} : { 'if-match': etag });
      response = await this.#client.exchange(request, async (answer) => {
        checkRange(key, rest, answer);
        return answer;
      });
    }
  }

  async head(key: string): Promise<ObjectHead> {
    checkObjectKey(key);
    const { headers } = await this.#client.send({ method: 'HEAD', key, action: `look at ${key}` });
    const modifiedAtMs = Date.parse(headers['last-modified'] ?? '');
    return { key, sizeBytes: Number(headers['content-length']), modifiedAtMs };
  }

  async delete(keys: readonly string[]): Promise<void> {
    const all = [...new Set(keys.map(checkObjectKey))];
    for (let at = 0; at < all.length; at += MAX_DELETED_AT_ONCE) {
      await this.#deleteSome(all.slice(at, at + MAX_DELETED_AT_ONCE));
    }
  }

  async *list(prefix: string, { after = '' }: { readonly after?: string } = {}): AsyncIterable<ObjectHead> {
    checkObjectPrefix(prefix);
    yield* listObjects(this.#client, { root: this.#root, prefix, after });
  }

  async localPath(key: string): Promise<null> {
    checkObjectKey(key);
    return null;
  }

  async freeBytes(): Promise<null> {
    return null;
  }

  #reading(key: string, { start, end, signal }: GetOptions, headers: Readonly<Record<string, string>> = {}) {
    checkObjectKey(key);
    // What cannot be inside any object is refused here: a server ignores it and sends everything.
    resolveByteRange(key, { start: start ?? 0, end: end ?? Number.MAX_SAFE_INTEGER - 1 }, Number.MAX_SAFE_INTEGER);
    const range: Record<string, string> =
      start === undefined && end === undefined ? {} : { range: `bytes=${start ?? 0}-${end ?? ''}` };
    return { method: 'GET', key, headers: { ...range, ...headers }, signal, action: `read ${key}` } as const;
  }

  #presign(method: 'GET' | 'PUT', key: string, expiresInMs: number): { url: string; expiresAtMs: number } {
    const seconds = Math.min(Math.max(1, Math.floor(expiresInMs / 1000)), MAX_PRESIGNED_S);
    // The signature's time has whole seconds.
    const sinceMs = Math.floor(this.#clock.nowMs() / 1000) * 1000;
    return { url: this.#client.presign(method, key, seconds).href, expiresAtMs: sinceMs + seconds * 1000 };
  }

  async #deleteSome(keys: readonly string[]): Promise<void> {
    if (keys.length > 1 && this.#deletesMany) {
      try {
        return await this.#deleteMany(keys);
      } catch (error) {
        if (!(error instanceof Error) || !isUnknownRequest(error.cause)) throw error;
        this.#deletesMany = false;
      }
    }
    for (let at = 0; at < keys.length; at += DELETES_UNDER_WAY) {
      await Promise.all(keys.slice(at, at + DELETES_UNDER_WAY).map((key) => this.#deleteOne(key)));
    }
  }

  async #deleteOne(key: string): Promise<void> {
    try {
      await this.#client.send({ method: 'DELETE', key, action: `delete ${key}` });
    } catch (error) {
      if (!isZoetropeError(error, 'missing_input')) throw error; // Some servers say that it was not there.
    }
  }

  /** DeleteObjects. Content-MD5 was its only checksum for long, and is still taken by all. */
  async #deleteMany(keys: readonly string[]): Promise<void> {
    const objects = keys.map((key) => `<Object><Key>${this.#root}${key}</Key></Object>`);
    const body = Buffer.from(
      `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${objects.join('')}</Delete>`,
    );
    const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
    const action = `delete ${keys.length} objects`;
    const answer = await this.#client.send({ method: 'POST', query: { delete: '' }, headers, body, action });
    const failures = childrenOf(await readXml(answer.body.toString()), 'Error').filter(
      (entry) => textOf(entry, 'Code') !== 'NoSuchKey',
    );
    const [first] = failures;
    if (first === undefined) return;
    throw new ZoetropeError(
      'unavailable',
      `Could not ${action}: the S3 server kept ${failures.length}, ${textOf(first, 'Key')} for ${textOf(first, 'Code')}.`,
    );
  }
}

/** S3 cuts a range to what is there; ours lies inside the object. */
function checkRange(key: string, { start, end }: GetOptions, response: IncomingMessage): void {
  if (start === undefined && end === undefined) return;
  const total = Number(/^bytes \d+-\d+\/(\d+)$/.exec(response.headers['content-range'] ?? '')?.[1]);
  try {
    if (response.statusCode !== 206 || Number.isNaN(total)) {
      // Of an empty object some servers send all of it, which is nothing.
      if (response.headers['content-length'] === '0') resolveByteRange(key, { start: start ?? 0 }, 0);
      throw new ZoetropeError('unavailable', `The S3 server sent all of ${key} when a part was asked for.`);
    }
    resolveByteRange(key, { start: start ?? 0, ...(end === undefined ? {} : { end }) }, total);
  } catch (error) {
    response.destroy();
    throw error;
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, READ_FLAGS);
  } catch (error) {
    const isMissing = ['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR'].includes(systemCodeOf(error) ?? '');
    throw new ZoetropeError(
      isMissing ? 'missing_input' : 'unavailable',
      `The file ${path} cannot be opened: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}
