import type { FastifyReply, FastifyRequest } from 'fastify';
import type { PlaybackResource } from '../access/access.ts';
import { isZoetropeError, ZoetropeError } from '../base/errors.ts';
import { sendFile, sendPlaylist } from './answer.ts';
import { admit, type Admission, type DeliveryAccess } from './gate.ts';
import type { HotFile } from './hot-files.ts';
import type { HotAnswers } from './hot-path.ts';
import type { ReadyPlaylist } from './kept-texts.ts';
import type { DeliveryMetrics, PlaylistKind } from './metrics.ts';
import { queryValue, type Query } from './variant.ts';

/** Seconds after which a client may ask again for what has no segments yet. */
const RETRY_AFTER_S = 5;

/** What answers are made with. */
export interface PlaybackAnswersDeps {
  readonly access: DeliveryAccess;
  readonly metrics: DeliveryMetrics;
  readonly answers: HotAnswers;
}

/** A file that was found for a request. */
export interface FoundFile {
  readonly file: HotFile;
  /** Of the file in memory. */
  readonly key: string;
}

/** Who asked for what, and that they may have it. */
export interface Admitted {
  readonly resource: PlaybackResource;
  readonly admission: Admission;
}

/** Lets requests in and answers them, and remembers the answers for the hot path. */
export class PlaybackAnswers {
  readonly #deps: PlaybackAnswersDeps;

  constructor(deps: PlaybackAnswersDeps) {
    this.#deps = deps;
  }

  /** @throws unauthenticated, permission_denied */
  async admit(resource: PlaybackResource, request: FastifyRequest): Promise<Admitted> {
    const token = queryValue(request.query as Query, 'token');
    const credentials = { token, authorization: request.headers.authorization };
    return { resource, admission: await admit(this.#deps.access, resource, credentials) };
  }

  /** Sends a playlist, or a text like one. */
  sendPlaylist(
    kind: PlaylistKind,
    to: Admitted,
    request: FastifyRequest,
    reply: FastifyReply,
    playlist: ReadyPlaylist,
  ): Promise<FastifyReply> {
    const { rendering, isFresh } = playlist;
    const { resource, admission } = to;
    const { url } = request.raw;
    if (url !== undefined && admission.principal === null) {
      const answer = { playlist: rendering, kind };
      this.#deps.answers.set(url, { resource, token: admission.token, isFresh, answer });
    }
    this.#deps.metrics.playlistSent(kind, false);
    return sendPlaylist(request, reply, rendering, admission);
  }

  /** Sends a file from memory. */
  sendFile(
    found: FoundFile & { readonly isFresh: () => boolean },
    to: Admitted,
    request: FastifyRequest,
    reply: FastifyReply,
  ): FastifyReply {
    const { file, key, isFresh } = found;
    const { resource, admission } = to;
    const { url } = request.raw;
    if (url !== undefined && admission.principal === null) {
      this.#deps.answers.set(url, { resource, token: admission.token, isFresh, answer: { fileKey: key } });
    }
    this.#deps.metrics.bytesSent(file.bytes.length);
    return sendFile(request, reply, file, admission);
  }
}

/** Tells a client when to ask again if that can help. */
export async function withRetryAfter<T>(reply: FastifyReply, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isZoetropeError(error, 'not_found') && error.retryable) reply.header('retry-after', String(RETRY_AFTER_S));
    throw error;
  }
}

/** What is thrown for a file that is not there, or not of what was asked for. */
export function noSuchFile(request: FastifyRequest): ZoetropeError {
  const { file } = request.params as { readonly file: string };
  return new ZoetropeError('not_found', `There is no file ${JSON.stringify(file)} here.`);
}
