import { ZoetropeError } from '../base/errors.ts';
import type { Scope } from '../catalog/catalog.ts';
import type { Principal } from './access.ts';

/** Every scope there is. */
export const ALL_SCOPES: readonly Scope[] = ['ingest', 'read', 'manage', 'admin'];

/**
 * Passes a principal that has any of the scopes, or `admin`, and is not bound to one stream: for that see {@link requireScopeOn}.
 * @throws permission_denied naming what is missing.
 */
export function requireScope(principal: Principal, ...anyOf: readonly Scope[]): void {
  if (principal.streamId !== undefined) {
    throw new ZoetropeError(
      'permission_denied',
      `The key is bound to stream ${principal.streamId} and opens nothing else. Push to /ingest/hls/${principal.streamId}/, or use a key without --stream.`,
    );
  }
  checkScope(principal, anyOf);
}

/** The same for what touches one stream: a principal that is bound to it passes too. @throws permission_denied */
export function requireScopeOn(principal: Principal, streamId: string, ...anyOf: readonly Scope[]): void {
  requireStream(principal, streamId);
  checkScope(principal, anyOf);
}

/**
 * Passes a principal that is bound to this stream, or to none. @throws permission_denied, in the same words whether there is such a stream or not.
 */
export function requireStream(principal: Principal, streamId: string): void {
  if (principal.streamId === undefined || principal.streamId === streamId) return;
  throw new ZoetropeError(
    'permission_denied',
    `The key is bound to stream ${principal.streamId} and may not touch ${JSON.stringify(streamId.slice(0, 100))}. ` +
      `Use the key of that stream: zoetrope keys create --name NAME --scopes ingest --stream ID.`,
  );
}

function checkScope(principal: Principal, anyOf: readonly Scope[]): void {
  if (principal.scopes.has('admin') || anyOf.some((scope) => principal.scopes.has(scope))) return;
  const has = [...principal.scopes].join(', ') || 'none';
  throw new ZoetropeError(
    'permission_denied',
    `This needs the scope ${anyOf.join(' or ')}; the key has ${has}. Use a key with it: zoetrope keys create --name NAME --tenant TENANT --scopes ${anyOf[0] ?? 'admin'}.`,
  );
}

/** Whether what belongs to this tenant exists for the principal; if not, the answer is `not_found`. Admin keys and open servers cross tenants. */
export function canSee(principal: Principal, tenant: string): boolean {
  return principal.tenant === null || principal.scopes.has('admin') || principal.tenant === tenant;
}

/** Passes a tenant that a client named for something it makes or sends. @throws permission_denied naming both tenants. */
export function requireTenant(principal: Principal, tenant: string): void {
  if (canSee(principal, tenant)) return;
  throw new ZoetropeError(
    'permission_denied',
    `The key belongs to tenant ${JSON.stringify(principal.tenant)} and may not act for ${JSON.stringify(tenant)}. ` +
      `Send ${JSON.stringify(principal.tenant)} as tenant (clientId), or use a key of ${JSON.stringify(tenant)}.`,
  );
}
