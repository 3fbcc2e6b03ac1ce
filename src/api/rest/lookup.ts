import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { canSee } from '../../access/permission.ts';
import { isZoetropeError, ZoetropeError } from '../../base/errors.ts';
import { isId } from '../../base/ids.ts';
import { parseRfc3339, type WallMs } from '../../base/time.ts';
import type { AssetStore } from '../../catalog/asset-store.ts';
import type { ClipStore } from '../../catalog/clip-store.ts';
import type { HoldStore, PageRequest, StreamStore } from '../../catalog/catalog.ts';
import type { Asset } from '../../timeline/asset.ts';
import type { Clip } from '../../timeline/clip.ts';
import type { Hold } from '../../timeline/hold.ts';
import type { Stream } from '../../timeline/stream.ts';

/** Path parameters of what has an id. */
export const IdParams = Type.Object({ id: Type.String({ description: 'Its id.' }) });

/** Query parameters of every list. */
export const PAGE_QUERY = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'Most items of a page.' })),
  cursor: Type.Optional(Type.String({ maxLength: 2000, description: '`nextCursor` of the page before.' })),
};

/** A wall time in a query. */
export const timeQuery = (description: string) =>
  Type.Optional(Type.String({ format: 'date-time', description, examples: ['2026-11-20T10:30:00Z'] }));

/** The page that a query asks for. */
export function pageOfQuery(query: { readonly limit?: number; readonly cursor?: string }): PageRequest {
  return { limit: query.limit ?? 100, ...(query.cursor === undefined ? {} : { cursor: query.cursor }) };
}

/** A wall time of a query, where it was given. */
export function timeOf(text: string | undefined, what: string): WallMs | undefined {
  return text === undefined ? undefined : parseRfc3339(text, what);
}

/** The stream of an id from outside, for a principal who can see it. @throws not_found: in the same words whether it is missing or another tenant's. */
export async function loadStream(
  catalog: Pick<StreamStore, 'getStream'>,
  request: Pick<FastifyRequest, 'principal'>,
  id: string,
): Promise<Stream> {
  const stream = isId('stream', id) ? await orNull(catalog.getStream(id)) : null;
  if (stream === null || !canSee(request.principal, stream.tenant)) throw notFound('stream', id);
  return stream;
}

/** The asset of an id from outside, for a principal who can see it. @throws not_found: in the same words whether it is missing or another tenant's. */
export async function loadAsset(
  catalog: Pick<AssetStore, 'getAsset'>,
  request: Pick<FastifyRequest, 'principal'>,
  id: string,
): Promise<Asset> {
  const asset = isId('asset', id) ? await orNull(catalog.getAsset(id)) : null;
  if (asset === null || !canSee(request.principal, asset.tenant)) throw notFound('asset', id);
  return asset;
}

/** The archive or recording of an id from outside, for a principal who can see its stream. @throws not_found, gone */
export async function loadHold(
  catalog: Pick<StreamStore, 'getStream'> & Pick<HoldStore, 'getHold'>,
  request: Pick<FastifyRequest, 'principal'>,
  kind: 'archive' | 'recording',
  id: string,
): Promise<Hold> {
  const hold = isId(kind, id) ? await orNull(catalog.getHold(id)) : null;
  const stream = hold?.kind === kind ? await orNull(catalog.getStream(hold.streamId)) : null;
  if (hold === null || stream === null || !canSee(request.principal, stream.tenant)) throw notFound(kind, id);
  if (hold.releasedAtMs !== null) throw new ZoetropeError('gone', `The ${kind} ${id} was removed.`);
  return hold;
}

/** The clip of an id from outside, for a principal who can see it. @throws not_found: in the same words whether it is missing or another tenant's. */
export async function loadClip(
  catalog: Pick<ClipStore, 'getClip'>,
  request: Pick<FastifyRequest, 'principal'>,
  id: string,
): Promise<Clip> {
  const clip = isId('clip', id) ? await orNull(catalog.getClip(id)) : null;
  if (clip === null || !canSee(request.principal, clip.tenant)) throw notFound('clip', id);
  return clip;
}

/** What was found, or null where there is no such thing. */
export async function orNull<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (error) {
    if (isZoetropeError(error, 'not_found')) return null;
    throw error;
  }
}

/** What to say of an id that leads nowhere. */
export function notFound(what: string, id: string): ZoetropeError {
  return new ZoetropeError('not_found', `There is no ${what} ${JSON.stringify(id.slice(0, 100))}.`);
}
