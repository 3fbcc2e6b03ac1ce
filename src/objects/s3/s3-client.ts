import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import aws4 from 'aws4';
import type { Clock } from '../../base/clock.ts';
import { messageOf, ZoetropeError } from '../../base/errors.ts';
import { placeOf, type S3Address } from './s3-address.ts';
import { isPassing, S3Refusal, toS3Error } from './s3-errors.ts';
import { readXml, textOf } from './s3-xml.ts';

/** Silence on a connection after which it counts as broken. */
const SILENCE_MS = 10_000;
/** No try begins later than this after the first: below the deadline of an engine's task. */
const TRY_FOR_MS = 12_000;
const FIRST_BACK_OFF_MS = 50;
const LONGEST_BACK_OFF_MS = 2_000;
/** To one server; more wait. A server that takes frames and plays has some hundred requests under way at most. */
const MAX_SOCKETS = 64;
const MAX_ERROR_BYTES = 64 * 1024;

/** One request to the bucket, or to an object in it. */
export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Left out: the bucket. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** For messages: what fails when it fails. */
  readonly action: string;
  readonly signal?: AbortSignal | undefined;
  /** Configuration may be to blame. */
  readonly isAtStart?: boolean;
}

/** Headers and body of an answer that was read whole. */
export interface S3Answer {
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Signed requests to one bucket over connections that are kept. Every request that it is given must be harmless to send twice: it repeats what fails in passing. */
export class S3Client {
  readonly #address: S3Address;
  readonly #clock: Clock;
  readonly #random: () => number;
  #agent: HttpAgent | undefined;

  constructor(address: S3Address, clock: Clock, random: () => number = Math.random) {
    this.#address = address;
    this.#clock = clock;
    this.#random = random;
  }

  /** Ends the connections. The next request opens new ones. */
  close(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
  }

  /** Sends a request and reads the answer. @throws as {@link toS3Error} */
  send(request: S3Request): Promise<S3Answer> {
    return this.exchange(request, async (response) => ({
      headers: response.headers,
      body: await readBody(response, Number.POSITIVE_INFINITY),
    }));
  }

  /** Sends a request until `use` has got what it wants from the answer, or trying again is of no use. @throws as {@link toS3Error}, and what `use` throws */
  async exchange<T>(request: S3Request, use: (response: IncomingMessage) => Promise<T>): Promise<T> {
    const { action, signal, isAtStart } = request;
    const startMs = this.#clock.monotonicMs();
    for (let backOffMs = FIRST_BACK_OFF_MS; ; backOffMs = Math.min(backOffMs * 2, LONGEST_BACK_OFF_MS)) {
      try {
        signal?.throwIfAborted();
        return await use(await this.#try(request));
      } catch (error) {
        if (signal?.aborted === true) throw signal.reason;
        // Half of it by chance, so that processes which failed together do not come back together.
        const waitMs = backOffMs * (0.5 + this.#random() / 2);
        const isLate = this.#clock.monotonicMs() + waitMs - startMs > TRY_FOR_MS;
        if (isLate || !isPassing(error)) throw toS3Error(error, action, isAtStart);
        await this.#clock.wait(waitMs, signal);
      }
    }
  }

  /** As {@link S3Client.send} for what takes the server long: it may say at first that it succeeds, and what went wrong in the body (CompleteMultipartUpload). */
  async complete(request: S3Request): Promise<void> {
    await this.exchange(request, async (response) => {
      const text = (await readBody(response, MAX_ERROR_BYTES)).toString().trim();
      const root = text.startsWith('<') ? await readXml(text) : '';
      const code = textOf(root, 'Code');
      if (code !== '') throw new S3Refusal(500, { code, message: textOf(root, 'Message'), dateMs: null });
    });
  }

  /** A URL by which whoever has it may send this request, without headers of ours, for `seconds`. */
  presign(method: 'GET' | 'PUT', key: string, seconds: number, query: Readonly<Record<string, string>> = {}): URL {
    const { publicEndpoint, region } = this.#address;
    const { host, path } = placeOf(this.#address, publicEndpoint, key);
    const parameters = { ...query, 'X-Amz-Expires': String(seconds), 'X-Amz-Date': this.#dateTime() };
    const options = { host, path: withQuery(path, parameters), method, service: 's3', region, signQuery: true };
    const signed = aws4.sign({ ...options, headers: { Host: host } }, this.#address);
    return new URL(`${publicEndpoint.protocol}//${host}${signed.path ?? ''}`);
  }

  /** One try: resolves with an answer of success, whose body nobody has read. */
  async #try({ method, key, query = {}, headers = {}, body, signal }: S3Request): Promise<IncomingMessage> {
    const { endpoint, region } = this.#address;
    const { host, path } = placeOf(this.#address, endpoint, key ?? null);
    const signed = aws4.sign(
      {
        method,
        path: withQuery(path, query),
        service: 's3',
        region,
        headers: {
          Host: host,
          'X-Amz-Date': this.#dateTime(),
          ...headers,
          ...(method === 'PUT' || method === 'POST' ? { 'Content-Length': String(body?.length ?? 0) } : {}),
          ...(body === undefined ? {} : { 'Content-Type': 'application/octet-stream' }),
        },
        ...(body === undefined ? {} : { body }),
      },
      this.#address,
    );
    const isSecure = endpoint.protocol === 'https:';
    this.#agent ??= this.#openAgent(isSecure);
    const call = (isSecure ? httpsRequest : httpRequest)({
      method,
      hostname: new URL(`${endpoint.protocol}//${host}`).hostname.replace(/^\[|\]$/g, ''),
      port: endpoint.port,
      path: signed.path,
      headers: signed.headers as OutgoingHttpHeaders,
      agent: this.#agent,
      ...(signal === undefined ? {} : { signal }),
    });
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    call.once('response', resolve);
    call.on('error', reject);
    call.setTimeout(SILENCE_MS, () => call.destroy(new Error(`it was silent for ${SILENCE_MS} ms`)));
    call.end(body);
    const response = await promise;
    // From here on whoever reads watches for silence: a slow reader of ours is none.
    call.setTimeout(0);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    throw await refusalOf(status, response);
  }

  #openAgent(isSecure: boolean): HttpAgent {
    const options = { keepAlive: true, maxSockets: MAX_SOCKETS, scheduling: 'lifo' } as const;
    const { caFile } = this.#address;
    if (!isSecure) return new HttpAgent(options);
    try {
      return new HttpsAgent({ ...options, ...(caFile === null ? {} : { ca: readFileSync(caFile) }) });
    } catch (error) {
      throw new ZoetropeError(
        'invalid_configuration',
        `The authority of the S3 server cannot be read: ${messageOf(error)}. Check "ca" in ZOETROPE_OBJECTS_URL.`,
        { cause: error },
      );
    }
  }

  /** As SigV4 writes it: `20260101T000000Z`. */
  #dateTime(): string {
    return new Date(this.#clock.nowMs()).toISOString().replace(/[:-]|\.\d{3}/g, '');
  }
}

/** The pieces of a body as they come. @throws when it breaks off or falls silent */
export async function* piecesOf(response: IncomingMessage): AsyncIterable<Buffer> {
  const pieces = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const silence = setTimeout(
        () => response.destroy(new Error(`it was silent for ${SILENCE_MS} ms`)),
        SILENCE_MS,
      ).unref();
      const next = await pieces.next().finally(() => clearTimeout(silence));
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Who stops early leaves the rest unread: the connection is not fit for another request.
    response.destroy();
  }
}

/** A body, read to its end. @throws when it has more bytes than that */
export async function readBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of piecesOf(response)) {
    length += piece.length;
    if (length > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
    pieces.push(piece);
  }
  const announced = response.headers['content-length'];
  if (announced !== undefined && response.method !== 'HEAD' && Number(announced) !== length && length > 0) {
    throw new Error(`it sent ${length} of ${announced} bytes`);
  }
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
}

/** Says what an XML answer names as an error, or gives its root's content. */
async function refusalOf(status: number, response: IncomingMessage): Promise<S3Refusal> {
  const dateMs = Date.parse(response.headers.date ?? '');
  const known = { dateMs: Number.isNaN(dateMs) ? null : dateMs };
  const text = (await readBody(response, MAX_ERROR_BYTES)).toString();
  if (!text.trimStart().startsWith('<')) return new S3Refusal(status, { code: '', message: '', ...known });
  const root = await readXml(text);
  return new S3Refusal(status, { code: textOf(root, 'Code'), message: textOf(root, 'Message'), ...known });
}

function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  const text = Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
  return text === '' ? path : `${path}?${text}`;
}
