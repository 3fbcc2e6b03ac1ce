import { Type } from 'typebox';
import { ZoetropeError } from '../../../base/errors.ts';
import { isId } from '../../../base/ids.ts';
import { wallMs, type WallMs } from '../../../base/time.ts';
import { sendStored } from '../../../delivery/answer.ts';
import { admit, requireTenantOf } from '../../../delivery/gate.ts';
import type { ClipService } from '../../../recordings/clips.ts';
import { hasEnded, type Clip } from '../../../timeline/clip.ts';
import type { Hold } from '../../../timeline/hold.ts';
import type { Stream } from '../../../timeline/stream.ts';
import { clipJson, ClipShape, NewClipShape, NewShareShape, ShareShape } from '../clip-shapes.ts';
import type { ApiDeps, RestApp } from '../deps.ts';
import { linkOf } from '../json.ts';
import { IdParams, loadClip, loadStream, notFound, orNull, PAGE_QUERY, pageOfQuery, timeOf } from '../lookup.ts';
import { pageOf } from '../shapes.ts';
import { ownTenant } from './stream-routes.ts';

const MS = 1000;

/** Clips: cut from a stream, list, read, cancel or remove; the file, and links to it. */
export function addClipRoutes(app: RestApp, deps: ApiDeps, clips: ClipService): void {
  const { catalog, clock, settings, access, objects } = deps;
  const shown = (clip: Clip) => clipJson(clip, settings.publicUrl);

  app.post(
    '/v1/streams/:id/clips',
    {
      config: { access: ['read', 'manage'] },
      schema: {
        tags: ['clips'],
        summary: 'Cut a clip out of a stream, a recording or an archive',
        description:
          'One MP4 of any range, made after the answer: read the clip to follow it. Its source is kept from retention until it has ended.',
        params: IdParams,
        body: NewClipShape,
        response: { 202: ClipShape },
      },
    },
    async (request, reply) => {
      const stream = await loadStream(catalog, request, request.params.id);
      const { from, to, holdId, mode = 'exact', gaps = 'skip', speed = 1, name, ...expiry } = request.body;
      const hold = holdId === undefined ? null : await holdOf(stream, holdId);
      const fromMs = timeOf(from, 'body from');
      const toMs = timeOf(to, 'body to');
      const expiresAtMs = expiryOf(expiry, clock.nowMs());
      const clip = await clips.create(stream, {
        mode,
        gaps,
        speed,
        hold,
        ...(fromMs === undefined ? {} : { fromMs }),
        ...(toMs === undefined ? {} : { toMs }),
        ...(name === undefined ? {} : { name }),
        ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
      });
      void reply.code(202).header('location', `/v1/clips/${clip.id}`);
      return shown(clip);
    },
  );

  app.get(
    '/v1/streams/:id/clips',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['clips'],
        summary: 'List a stream’s clips, newest first',
        params: IdParams,
        querystring: Type.Object(PAGE_QUERY, { additionalProperties: false }),
        response: { 200: pageOf(ClipShape) },
      },
    },
    async (request) => {
      const { id } = await loadStream(catalog, request, request.params.id);
      const page = await catalog.listClips({ streamId: id }, pageOfQuery(request.query));
      return { items: page.items.map(shown), nextCursor: page.nextCursor };
    },
  );

  app.get(
    '/v1/clips',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['clips'],
        summary: 'List clips, newest first',
        querystring: Type.Object(PAGE_QUERY, { additionalProperties: false }),
        response: { 200: pageOf(ClipShape) },
      },
    },
    async (request) => {
      const tenant = ownTenant(request.principal);
      const page = await catalog.listClips(tenant === undefined ? {} : { tenant }, pageOfQuery(request.query));
      return { items: page.items.map(shown), nextCursor: page.nextCursor };
    },
  );

  app.get(
    '/v1/clips/:id',
    {
      config: { access: ['read'] },
      schema: { tags: ['clips'], summary: 'Read a clip', params: IdParams, response: { 200: ClipShape } },
    },
    async (request) => shown(await loadClip(catalog, request, request.params.id)),
  );

  app.delete(
    '/v1/clips/:id',
    {
      config: { access: ['manage'] },
      schema: {
        tags: ['clips'],
        summary: 'Cancel or remove a clip',
        description:
          'One that waits or is worked on becomes `cancelled`, and stays in the list; one that has ended is removed with its file.',
        params: IdParams,
        response: { 204: Type.Null({ description: 'It is cancelled, or gone.' }) },
      },
    },
    async (request, reply) => {
      const { id } = await loadClip(catalog, request, request.params.id);
      await clips.remove(id);
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/v1/clips/:id/file',
    {
      config: { access: 'own' },
      schema: {
        tags: ['clips'],
        summary: 'The MP4 of a clip',
        description: 'Byte ranges are answered, so it plays where it lies. A share link opens it without a key.',
        params: IdParams,
        querystring: Type.Object({ token: Type.Optional(Type.String({ description: 'Of a share link.' })) }),
        security: [{ key: [] }, { playbackToken: [] }],
        response: { 200: { description: 'The file.', content: { 'video/mp4': { schema: BYTES } } } },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { token } = request.query;
      const admission = await admit(
        access,
        { kind: 'clip', id },
        { token, authorization: request.headers.authorization },
      );
      const clip = isId('clip', id) ? await orNull(catalog.getClip(id)) : null;
      if (clip === null) throw notFound('clip', id);
      requireTenantOf(admission, clip.tenant, () => notFound('clip', id));
      const { file, name } = clip;
      if (file === null) {
        if (!hasEnded(clip.state)) void reply.header('retry-after', '1');
        throw new ZoetropeError(
          hasEnded(clip.state) ? 'gone' : 'conflict',
          `The clip ${id} has no file: it is ${clip.state}${clip.cause === null ? '' : ` (${clip.cause.message})`}.`,
        );
      }
      const { objectKey, sizeBytes, sha256 } = file;
      const stored = {
        objectKey,
        sizeBytes,
        tag: sha256.slice(0, 32),
        contentType: 'video/mp4',
        cacheControl: CACHED,
        saveAs: `${name.replace(/\.mp4$/i, '')}.mp4`,
      };
      return sendStored(request, reply, stored, admission, objects);
    },
  );

  app.post(
    '/v1/clips/:id/share',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['clips'],
        summary: 'Make a link to a clip’s file that works for a stated time',
        params: IdParams,
        body: NewShareShape,
        response: { 201: ShareShape },
      },
    },
    async (request, reply) => {
      const { id, expiresAtMs: clipExpiryMs } = await loadClip(catalog, request, request.params.id);
      const leftSeconds = clipExpiryMs === null ? Number.POSITIVE_INFINITY : (clipExpiryMs - clock.nowMs()) / MS;
      const ttlSeconds = Math.max(1, Math.min(request.body.expiresIn, Math.floor(leftSeconds)));
      const { token, expiresAtMs } = await access.mintPlaybackToken({ kind: 'clip', id }, ttlSeconds);
      void reply.code(201);
      return {
        url: linkOf(`/v1/clips/${id}/file?token=${token}`, settings.publicUrl),
        expiresAt: new Date(expiresAtMs).toISOString(),
      };
    },
  );

  async function holdOf(stream: Stream, holdId: string): Promise<Hold> {
    const isOne = isId('archive', holdId) || isId('recording', holdId);
    const hold = isOne ? await orNull(catalog.getHold(holdId)) : null;
    if (hold !== null && hold.streamId === stream.id && hold.releasedAtMs === null) return hold;
    throw notFound(`recording or archive of stream ${stream.id}`, holdId);
  }
}

const BYTES = { type: 'string', format: 'binary' } as const;
/** A file never changes; it may be removed. */
const CACHED = 'max-age=3600';

function expiryOf(
  { expiresIn, expiresAt }: { readonly expiresIn?: number; readonly expiresAt?: string },
  nowMs: WallMs,
): WallMs | undefined {
  if (expiresIn !== undefined && expiresAt !== undefined) {
    throw new ZoetropeError('invalid_argument', 'Give expiresIn or expiresAt, not both.');
  }
  return expiresIn === undefined ? timeOf(expiresAt, 'body expiresAt') : wallMs(nowMs + expiresIn * MS);
}
