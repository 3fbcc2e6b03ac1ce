import { isZoetropeError, ZoetropeError } from '../../base/errors.ts';
import type { S3Client } from './s3-client.ts';
import { S3Refusal } from './s3-errors.ts';
import { readXml, textOf } from './s3-xml.ts';

/** What an upload needs to know. */
export interface UploadOptions {
  /** With the prefix. */
  readonly key: string;
  /** Of the request that makes the object. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** All parts but the last have this many bytes: some servers want them equal, and none takes less than 5 MiB. */
  readonly partBytes: number;
}

/** What S3 takes as one object. */
export const MAX_PARTS = 10_000;
/** On their way at once, beside the one that fills. */
const PARTS_UNDER_WAY = 2;
/** The signal of who put may have fired: tidying up gets its own time. */
const TIDY_MS = 10_000;

/** Puts what comes in pieces: in one request when it fits, in parts that become an object all at once when it does not. Holds a few parts in memory. */
export async function upload(
  client: S3Client,
  source: AsyncIterable<Uint8Array>,
  options: UploadOptions,
): Promise<void> {
  const { key, headers, signal } = options;
  let parts: PartsUpload | null = null;
  try {
    let number = 0;
    for await (const { bytes, isLast } of inParts(source, options.partBytes)) {
      signal?.throwIfAborted();
      number += 1;
      if (number === 1 && isLast) {
        await client.send({ method: 'PUT', key, headers, body: bytes, signal, action: `put ${key}` });
        return;
      }
      if (number > MAX_PARTS) {
        throw new ZoetropeError(
          'payload_too_large',
          `${key} is longer than ${MAX_PARTS} parts of ${options.partBytes} bytes. Send it in smaller files.`,
        );
      }
      parts ??= await PartsUpload.begin(client, options);
      await parts.add(number, bytes);
    }
    await parts?.complete();
  } catch (error) {
    await parts?.abort();
    throw error;
  }
}

class PartsUpload {
  readonly #client: S3Client;
  readonly #options: UploadOptions;
  readonly #id: string;
  readonly #etags: string[] = [];
  readonly #underWay = new Set<Promise<void>>();
  /** Ends the parts that are under way when one has failed. */
  readonly #stop = new AbortController();
  #failure: { readonly error: unknown } | undefined;
  #bytes = 0;

  private constructor(client: S3Client, options: UploadOptions, id: string) {
    this.#client = client;
    this.#options = options;
    this.#id = id;
  }

  static async begin(client: S3Client, options: UploadOptions): Promise<PartsUpload> {
    const { key, headers, signal } = options;
    const action = `begin to put ${key}`;
    const { body } = await client.send({ method: 'POST', key, query: { uploads: '' }, headers, signal, action });
    const id = textOf(await readXml(body.toString()), 'UploadId');
    if (id === '') throw new ZoetropeError('unavailable', `Could not ${action}: the S3 server named no upload.`);
    return new PartsUpload(client, options, id);
  }

  /** Resolves when the next part may come. @throws why an earlier one failed */
  async add(number: number, body: Buffer): Promise<void> {
    const { key, signal } = this.#options;
    this.#bytes += body.length;
    const stop = this.#stop.signal;
    const sending = this.#client
      .send({
        method: 'PUT',
        key,
        query: { partNumber: String(number), uploadId: this.#id },
        body,
        signal: signal === undefined ? stop : AbortSignal.any([signal, stop]),
        action: `put part ${number} of ${key}`,
      })
      .then(
        ({ headers }) => {
          this.#etags[number - 1] = headers.etag ?? '';
        },
        (error: unknown) => {
          this.#failure ??= { error };
        },
      );
    this.#underWay.add(sending);
    void sending.then(() => this.#underWay.delete(sending));
    while (this.#underWay.size >= PARTS_UNDER_WAY && this.#failure === undefined) await Promise.race(this.#underWay);
    this.#check();
  }

  async complete(): Promise<void> {
    await Promise.all(this.#underWay);
    this.#check();
    const { key, signal } = this.#options;
    const parts = this.#etags.map(
      (etag, index) =>
        `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag.replaceAll('"', '&quot;')}</ETag></Part>`,
    );
    const body = Buffer.from(
      `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join('')}</CompleteMultipartUpload>`,
    );
    try {
      await this.#client.complete({
        method: 'POST',
        key,
        query: { uploadId: this.#id },
        body,
        signal,
        action: `finish putting ${key}`,
      });
    } catch (error) {
      if (await this.#isThere(error)) return;
      throw error;
    }
  }

  /** The server forgets the parts. One that does not do it now is asked again at the next start of a server: see `removeAbandonedUploads`. */
  async abort(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#underWay);
    const { key } = this.#options;
    const signal = AbortSignal.timeout(TIDY_MS);
    const query = { uploadId: this.#id };
    // Why it is aborted matters more than that tidying up failed too.
    await this.#client.send({ method: 'DELETE', key, query, signal, action: `give ${key} up` }).catch(() => undefined);
  }

  /** Whether an upload that the server no longer knows was finished by a try whose answer was lost. */
  async #isThere(error: unknown): Promise<boolean> {
    const isForgotten =
      isZoetropeError(error) && error.cause instanceof S3Refusal && error.cause.code === 'NoSuchUpload';
    if (!isForgotten) return false;
    const { key, signal } = this.#options;
    const { headers } = await this.#client.send({ method: 'HEAD', key, signal, action: `look at ${key}` });
    return Number(headers['content-length']) === this.#bytes;
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** Cuts what comes into parts of one size; the last is shorter, and empty only when there is nothing at all. */
async function* inParts(
  source: AsyncIterable<Uint8Array>,
  partBytes: number,
): AsyncIterable<{ readonly bytes: Buffer; readonly isLast: boolean }> {
  let part = Buffer.allocUnsafeSlow(partBytes);
  let length = 0;
  for await (const piece of source) {
    for (let at = 0; at < piece.length;) {
      // A full part goes when something follows it: only then is it known not to be the last.
      if (length === partBytes) {
        yield { bytes: part, isLast: false };
        part = Buffer.allocUnsafeSlow(partBytes);
        length = 0;
      }
      // Copied: who made the piece may write into it again.
      const taken = piece.subarray(at, at + partBytes - length);
      part.set(taken, length);
      length += taken.length;
      at += taken.length;
    }
  }
  yield { bytes: part.subarray(0, length), isLast: true };
}
