import type { FastifyRequest } from 'fastify';
import type { Access, Principal } from '../../access/access.ts';
import { requireScope, requireScopeOn } from '../../access/permission.ts';
import { ZoetropeError } from '../../base/errors.ts';
import type { RestApp, RouteAccess } from './deps.ts';

const NOBODY: Principal = { tenant: '', scopes: new Set(), via: 'token' };
/** Opened by a playback token: the token names one stream, whatever its tenant. */
const TOKEN_HOLDER: Principal = { tenant: null, scopes: new Set(), via: 'token' };

/** Lets a request pass to its route only when that route's `access` allows it. A route below /v1 without one cannot be added. */
export function addAccessHook(app: RestApp, access: Access): void {
  app.decorateRequest('principal');

  app.addHook('onRoute', (route) => {
    if (route.method === 'OPTIONS' || !route.url.startsWith('/v1')) return;
    if (route.config?.access !== undefined) return;
    throw new ZoetropeError('internal', `The route ${route.url} does not say who may call it: set config.access.`);
  });

  app.addHook('onRequest', async (request) => {
    const rule = request.is404 ? 'public' : (request.routeOptions.config.access ?? 'own');
    request.principal = await principalFor(rule, request, access);
  });
}

/** The stream that a request's path names; null where it names none. */
function streamOf(request: FastifyRequest): string | null {
  if (!/^\/(v1\/streams|ingest\/hls)\/:id(\/|$)/.test(request.routeOptions.url ?? '')) return null;
  return (request.params as { readonly id: string }).id;
}

async function principalFor(rule: RouteAccess, request: FastifyRequest, access: Access): Promise<Principal> {
  if (rule === 'public' || rule === 'own') return NOBODY;
  if (rule === 'playback') {
    const token = (request.query as { readonly token?: unknown }).token;
    if (typeof token === 'string' && !access.isOpen()) {
      const { id } = request.params as { readonly id: string };
      await access.verifyPlaybackToken(token, { kind: 'stream', id });
      return TOKEN_HOLDER;
    }
  }
  const principal = await access.authenticate(request.headers.authorization);
  const scopes = rule === 'playback' ? (['read'] as const) : rule;
  const streamId = streamOf(request);
  if (streamId !== null) requireScopeOn(principal, streamId, ...scopes);
  else if (request.routeOptions.config.checksStream === true)
    requireScopeOn(principal, principal.streamId ?? '', ...scopes);
  else requireScope(principal, ...scopes);
  return principal;
}
