import { createHash, randomBytes } from 'node:crypto';
import { ZoetropeError } from '../base/errors.ts';
import { isId, type IdSource } from '../base/ids.ts';
import type { AccessStore, ApiKey, Scope, StreamStore } from '../catalog/catalog.ts';
import { ALL_SCOPES } from './permission.ts';

const SECRET = /^zk_[A-Za-z0-9_-]{43}$/;

/** A new secret: `zk_` and 256 random bits in base64url. */
export function newKeySecret(): string {
  return `zk_${randomBytes(32).toString('base64url')}`;
}

/** Whether a text has the shape of a key's secret. */
export function isKeySecret(text: string): boolean {
  return SECRET.test(text);
}

/** Hex SHA-256, under which a secret is kept. A plain hash is enough: 256 random bits cannot be guessed, so a slow one would protect nothing. */
export function hashKeySecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** A key to be made. */
export interface NewKey {
  readonly name: string;
  /** Null: all tenants; only for `admin` keys. */
  readonly tenant: string | null;
  readonly scopes: readonly Scope[];
  /** The only stream that it is to open, by id; its tenant is the key's. Left out: it is not bound to one. */
  readonly streamId?: string;
}

type KeyCatalog = Pick<AccessStore, 'createKey'> & Pick<StreamStore, 'getStream'>;

/** A key that was just made; the secret is shown this once and kept nowhere. */
export interface CreatedKey {
  readonly key: ApiKey;
  readonly secret: string;
}

/**
 * Makes a key. @throws invalid_argument for no or unknown scopes, a bad name, a key without tenant that is not `admin`, or one for a stream that does more
 * than `ingest`; not_found when there is no such stream, or it is another tenant's
 */
export async function createKey(
  deps: { readonly catalog: KeyCatalog; readonly ids: IdSource },
  request: NewKey,
): Promise<CreatedKey> {
  const scopes = [...new Set(request.scopes)];
  const unknown = scopes.filter((scope) => !ALL_SCOPES.includes(scope));
  if (scopes.length === 0 || unknown.length > 0) {
    throw new ZoetropeError(
      'invalid_argument',
      `A key needs at least one scope of ${ALL_SCOPES.join(', ')}. Got ${JSON.stringify(unknown.length > 0 ? unknown : scopes)}.`,
    );
  }
  checkText('name', request.name);
  if (request.tenant !== null) checkText('tenant', request.tenant);
  const { streamId = null } = request;
  const tenant = streamId === null ? request.tenant : await tenantOf(deps.catalog, streamId, request.tenant, scopes);
  if (tenant === null && !scopes.includes('admin')) {
    throw new ZoetropeError(
      'invalid_argument',
      `Only an admin key may cross tenants; a key with ${scopes.join(', ')} needs a tenant. Name one: --tenant NAME.`,
    );
  }
  const secret = newKeySecret();
  const id = deps.ids.next('key');
  const key = await deps.catalog.createKey({ id, name: request.name, tenant, scopes, streamId }, hashKeySecret(secret));
  return { key, secret };
}

/** The tenant of a stream that a key is to be bound to. */
async function tenantOf(
  catalog: KeyCatalog,
  streamId: string,
  tenant: string | null,
  scopes: readonly Scope[],
): Promise<string> {
  if (scopes.some((scope) => scope !== 'ingest')) {
    throw new ZoetropeError(
      'invalid_argument',
      `A key for one stream sends to it and does nothing else: its scope is ingest. Got ${scopes.join(', ')}; players get a token (POST /v1/streams/{id}/tokens).`,
    );
  }
  const stream = isId('stream', streamId) ? await catalog.getStream(streamId) : null;
  if (stream !== null && (tenant === null || tenant === stream.tenant)) return stream.tenant;
  throw new ZoetropeError(
    'not_found',
    `There is no stream ${JSON.stringify(streamId.slice(0, 100))}${tenant === null ? '' : ` of tenant ${JSON.stringify(tenant)}`}. GET /v1/streams lists them.`,
  );
}

function checkText(what: string, text: string): void {
  if (text.length >= 1 && text.length <= 200 && !/[\p{Cc}\p{Cs}]/u.test(text)) return;
  throw new ZoetropeError(
    'invalid_argument',
    `The ${what} of a key must be 1–200 characters without control characters. Got ${JSON.stringify(text.slice(0, 200))}.`,
  );
}
