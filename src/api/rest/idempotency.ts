import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { messageOf, ZoetropeError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { AccessStore } from '../../catalog/catalog.ts';
import type { RestApp } from './deps.ts';
import { PROBLEM_TYPE } from './problems.ts';

const KEY = /^[\x21-\x7e]{1,200}$/;

interface Begun {
  readonly scope: string;
  readonly key: string;
}

/**
 * Makes every JSON POST repeatable: the answer to an `Idempotency-Key` is kept for 24 hours and given again to the same principal for the
 * same request. A key used for another request, or while the first is still under way, is a `conflict`. Answers that ask for another try
 * (429, 5xx) are not kept.
 */
export function addIdempotency(
  app: RestApp,
  catalog: Pick<AccessStore, 'beginIdempotent' | 'endIdempotent'>,
  logger: Logger,
): void {
  const begun = new WeakMap<FastifyRequest, Begun>();

  app.addHook('preHandler', async (request, reply) => {
    const header = request.headers['idempotency-key'];
    if (header === undefined || !isRepeatable(request)) return;
    const key = checkKey(header);
    const scope = `${request.principal.via}:${request.principal.keyId ?? ''}`;
    const stored = await catalog.beginIdempotent(scope, key, hashOf(request));
    if (stored === null) {
      begun.set(request, { scope, key });
      return;
    }
    return reply
      .code(stored.status)
      .header('idempotency-replayed', 'true')
      .header('content-type', stored.status >= 400 ? PROBLEM_TYPE : 'application/json; charset=utf-8')
      .send(stored.body);
  });

  app.addHook('onSend', async (request, reply, payload) => {
    const own = begun.get(request);
    if (own === undefined) return;
    begun.delete(request);
    const isFinal = reply.statusCode < 500 && reply.statusCode !== 429 && typeof payload === 'string';
    try {
      await catalog.endIdempotent(own.scope, own.key, isFinal ? { status: reply.statusCode, body: payload } : null);
    } catch (error) {
      // What was asked for is done (or failed) all the same: the client gets that answer, and a repeat gets `conflict`.
      logger.error({ requestId: request.id, error: messageOf(error) }, 'could not keep an idempotent answer');
    }
  });
}

/** The route takes JSON and changes something: told from its declaration, not from what was sent. */
function isRepeatable(request: FastifyRequest): boolean {
  const consumes = request.routeOptions.config.consumes ?? 'application/json';
  return request.method === 'POST' && consumes === 'application/json';
}

function checkKey(header: string | readonly string[]): string {
  if (typeof header === 'string' && KEY.test(header)) return header;
  throw new ZoetropeError(
    'invalid_argument',
    `The Idempotency-Key must be 1–200 visible ASCII characters, such as a UUID. Got ${JSON.stringify(header).slice(0, 80)}.`,
  );
}

function hashOf(request: FastifyRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([request.method, request.url, request.body ?? null]))
    .digest('hex');
}
