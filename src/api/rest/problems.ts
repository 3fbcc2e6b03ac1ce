import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ERROR_CATALOGUE, isZoetropeError, messageOf, ZoetropeError, type ErrorCode } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';

/** The media type of every error (RFC 9457). */
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** A problem document (RFC 9457 3.1) with Zoetrope's extension members. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly requestId: string;
  /** Each fault of a request that is not valid. */
  readonly errors?: readonly { readonly field: string; readonly detail: string }[];
}

/** The problem document of an error. What a mistake of ours says is for the log alone. */
export function problemOf(error: ZoetropeError, requestId: string): Problem {
  const { http, title } = ERROR_CATALOGUE[error.code];
  const isOurs = error.code === 'internal' || error.code === 'invalid_configuration';
  const errors = error.details['errors'] as Problem['errors'];
  return {
    type: `urn:zoetrope:problem:${error.code}`,
    title,
    status: http,
    detail: isOurs ? `It is in the server's log under the request id ${requestId}.` : error.message,
    code: error.code,
    retryable: error.retryable,
    requestId,
    ...(errors === undefined ? {} : { errors }),
  };
}

/** What a thrown value means to a client: a client's mistake is never `internal`, anything unknown always is. */
export function toZoetropeError(thrown: unknown, consumes = 'application/json'): ZoetropeError {
  if (isZoetropeError(thrown)) return thrown;
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Partial<FastifyError>;
  const status = typeof error.statusCode === 'number' ? error.statusCode : 500;
  const message = messageOf(thrown);
  switch (error.code ?? 'none') {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new ZoetropeError('unsupported_media', `${message}. Send the body as Content-Type: ${consumes}.`);
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new ZoetropeError('payload_too_large', 'The body is larger than this route takes. Send less at once.');
    default:
  }
  if (status < 400 || status >= 500) return new ZoetropeError('internal', message, { cause: thrown });
  return new ZoetropeError(codeOfStatus(status), message, { cause: thrown });
}

/** Sends an error as a problem, and logs what is ours to mend. */
export function sendProblem(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): FastifyReply {
  const error = toZoetropeError(thrown, request.routeOptions?.config?.consumes);
  const problem = problemOf(error, request.id);
  // Who names a time to come back has told what is wrong, and that it is nothing of ours.
  if (problem.status >= 500 && error.details['retryAfterS'] === undefined) {
    logger.error(
      {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions?.url,
        code: error.code,
        error: error.message,
        details: error.details,
        stack: error.code === 'internal' && error.cause instanceof Error ? error.cause.stack : undefined,
      },
      'a request failed',
    );
  }
  if (error.code === 'unauthenticated') void reply.header('www-authenticate', 'Bearer realm="zoetrope"');
  if (error.code === 'too_many' || error.code === 'unavailable') {
    const { retryAfterS } = error.details;
    void reply.header('retry-after', typeof retryAfterS === 'number' ? String(retryAfterS) : '1');
  }
  // A URL that cannot be read gets here past all hooks: what they would have set is set again.
  return reply
    .code(problem.status)
    .header('x-request-id', request.id)
    .header('x-content-type-options', 'nosniff')
    .removeHeader('etag')
    .removeHeader('last-modified')
    .header('cache-control', 'no-store')
    .header('content-type', PROBLEM_TYPE)
    .send(JSON.stringify(problem));
}

function codeOfStatus(status: number): ErrorCode {
  switch (status) {
    case 404:
      return 'not_found';
    case 405:
      return 'method_not_allowed';
    case 413:
      return 'payload_too_large';
    case 415:
      return 'unsupported_media';
    case 416:
      return 'range_not_satisfiable';
    case 429:
      return 'too_many';
    default:
      return 'invalid_argument';
  }
}
