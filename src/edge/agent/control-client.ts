import { Readable } from 'node:stream';
import { EnvHttpProxyAgent, request, type Dispatcher } from 'undici';
import { ERROR_CATALOGUE, messageOf, systemCodeOf, ZoetropeError, type ErrorCode } from '../../base/errors.ts';
import type {
  EdgeCursor,
  EdgeDesired,
  EdgeGone,
  EdgeHello,
  EdgeRows,
  EdgeStream,
  EdgeSync,
  EdgeWelcome,
} from '../protocol.ts';

const LONGEST_CONNECT_MS = 10_000;
const MOST_ANSWER_BYTES = 32 * 1024 * 1024;

/** Where control is, and as whom the edge comes. */
export interface ControlClientOptions {
  /** The base URL of control. */
  readonly control: string;
  readonly edgeId: string;
  /** Null: control is open to whoever reaches it. */
  readonly key: string | null;
  /** The longest that a connection may stand still before it counts as broken. */
  readonly stallMs: number;
}

/** A segment on its way. */
export interface SegmentToSend {
  readonly id: string;
  readonly session: number;
  readonly sizeBytes: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

interface Request {
  readonly method: Dispatcher.HttpMethod;
  /** Behind `/v1/edges/{id}`. */
  readonly path: string;
  readonly signal: AbortSignal;
  readonly json?: object;
  readonly segment?: SegmentToSend;
  /** How much longer the answer may take. */
  readonly waitMs?: number;
}

/**
 * The edge's side of the protocol over HTTP: with the proxies of the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), and certificates checked as Node.js does.
 *
 * What control answers is thrown with its own code and {@link isAnswer}; that there was no answer is `unavailable`.
 */
export class ControlClient {
  readonly #options: ControlClientOptions;
  readonly #base: string;
  readonly #dispatcher: EnvHttpProxyAgent;

  constructor(options: ControlClientOptions) {
    this.#options = options;
    this.#base = `${options.control.replace(/\/+$/, '')}/v1/edges/${options.edgeId}`;
    this.#dispatcher = new EnvHttpProxyAgent({
      allowH2: false,
      connectTimeout: Math.min(LONGEST_CONNECT_MS, options.stallMs),
      headersTimeout: options.stallMs,
      bodyTimeout: options.stallMs,
    });
  }

  /** Registers, or comes back. */
  async register(hello: EdgeHello, signal: AbortSignal): Promise<EdgeWelcome> {
    const answer = await this.#json<EdgeWelcome>({ method: 'PUT', path: '', json: hello, signal });
    if (typeof answer.session !== 'number' || !Array.isArray(answer.cursors)) throw this.#strange('a registration');
    return answer;
  }

  /** Says how the edge is; answered when control wants something else. */
  async sync(sync: EdgeSync, signal: AbortSignal): Promise<EdgeDesired> {
    const { waitMs } = sync;
    const answer = await this.#json<EdgeDesired>({ method: 'POST', path: '/sync', json: sync, signal, waitMs });
    const { version, live, keep, segments } = answer;
    if (typeof version !== 'string' || ![live, keep, segments].every(Array.isArray)) throw this.#strange('a sync');
    return answer;
  }

  /** Makes or changes a stream. */
  async putStream(streamId: string, stream: EdgeStream, signal: AbortSignal): Promise<void> {
    await this.#send({ method: 'PUT', path: `/streams/${streamId}`, json: stream, signal });
  }

  /** Says that a stream was deleted. */
  async deleteStream(streamId: string, session: number, signal: AbortSignal): Promise<void> {
    await this.#send({ method: 'DELETE', path: `/streams/${streamId}?session=${session}`, signal });
  }

  /** Appends rows. Answers how far they are there now. */
  async sendRows(streamId: string, rows: EdgeRows, signal: AbortSignal): Promise<EdgeCursor> {
    const path = `/streams/${streamId}/rows`;
    const answer = await this.#json<EdgeCursor>({ method: 'POST', path, json: rows, signal });
    if (typeof answer.nextSequence !== 'number' || typeof answer.nextLateSequence !== 'number') {
      throw this.#strange('rows');
    }
    return answer;
  }

  /** Sends a segment's bytes. */
  async putSegment(segment: SegmentToSend, signal: AbortSignal): Promise<void> {
    const path = `/segments/${segment.id}?session=${segment.session}`;
    await this.#send({ method: 'PUT', path, segment, signal });
  }

  /** Says which bytes are here no more. */
  async reportGone(gone: EdgeGone, signal: AbortSignal): Promise<void> {
    await this.#send({ method: 'POST', path: '/gone', json: gone, signal });
  }

  /** Breaks off what is under way. */
  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  async #json<T>(asked: Request): Promise<Partial<T> & T> {
    const text = await this.#send(asked);
    try {
      const answer: unknown = JSON.parse(text);
      if (typeof answer === 'object' && answer !== null) return answer as Partial<T> & T;
    } catch {
      // What it is instead does not matter: the next line says what it should be.
    }
    throw this.#strange(`${asked.method} ${asked.path}`);
  }

  async #send(asked: Request): Promise<string> {
    const { key, stallMs } = this.#options;
    const { segment, json, signal } = asked;
    const headers: Record<string, string> = { 'user-agent': 'zoetrope-edge' };
    if (key !== null) headers['authorization'] = `Bearer ${key}`;
    if (json !== undefined) headers['content-type'] = 'application/json';
    if (segment !== undefined) {
      headers['content-type'] = 'application/octet-stream';
      headers['content-length'] = String(segment.sizeBytes);
    }
    let status: number;
    let text: string;
    try {
      const answer = await request(this.#base + asked.path, {
        method: asked.method,
        headers,
        signal,
        dispatcher: this.#dispatcher,
        headersTimeout: stallMs + (asked.waitMs ?? 0),
        body: json === undefined ? (segment === undefined ? null : Readable.from(segment.bytes)) : JSON.stringify(json),
      });
      status = answer.statusCode;
      text = await readText(answer.body);
    } catch (error) {
      signal.throwIfAborted();
      throw this.#unreachable(error);
    }
    if (status >= 200 && status < 300) return text;
    throw answered(status, text);
  }

  #unreachable(error: unknown): ZoetropeError {
    const reason = systemCodeOf(error) ?? messageOf(error);
    return new ZoetropeError('unavailable', `Control at ${this.#host()} cannot be reached: ${reason}.`, {
      cause: error,
    });
  }

  #strange(what: string): ZoetropeError {
    return new ZoetropeError(
      'unavailable',
      `What answers at ${this.#host()} is no Zoetrope that takes edges: its answer to ${what} cannot be read. Check edge.control, and proxies on the way.`,
    );
  }

  #host(): string {
    return new URL(this.#base).host;
  }
}

/** Whether control itself has said so: the link is sound. */
export function isAnswer(error: unknown): error is ZoetropeError {
  return error instanceof ZoetropeError && typeof error.details['status'] === 'number';
}

async function readText(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes > MOST_ANSWER_BYTES) throw new ZoetropeError('payload_too_large', 'its answer has no end');
  }
  return Buffer.concat(chunks).toString();
}

function answered(status: number, text: string): ZoetropeError {
  let problem: { readonly code?: unknown; readonly detail?: unknown } = {};
  try {
    problem = (JSON.parse(text) ?? {}) as typeof problem;
  } catch {
    // Not a problem document: a proxy's page, say. The status tells enough.
  }
  const { code, detail } = problem;
  const known = typeof code === 'string' && Object.hasOwn(ERROR_CATALOGUE, code) ? (code as ErrorCode) : null;
  const said = typeof detail === 'string' ? detail : 'It gave no reason.';
  return new ZoetropeError(known ?? codeOf(status), `Control answered ${status}: ${said}`, { details: { status } });
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return 'unauthenticated';
  if (status === 403) return 'permission_denied';
  if (status === 404) return 'not_found';
  if (status === 407) return 'unavailable';
  if (status === 410) return 'gone';
  return status >= 500 || status === 429 ? 'unavailable' : 'invalid_argument';
}
