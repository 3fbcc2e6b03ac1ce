import { Type } from 'typebox';
import { isId } from '../../../base/ids.ts';
import type { ApiDeps, RestApp } from '../deps.ts';
import { archiveJson, linkOf } from '../json.ts';
import { IdParams, loadArchive, notFound, PAGE_QUERY, pageOfQuery, timeOf, timeQuery } from '../lookup.ts';
import { ArchiveShape, NewTokenShape, pageOf, TokenShape } from '../shapes.ts';
import { ownTenant } from './stream-routes.ts';

/** Archives: list, read, remove; playback tokens for them. */
export function addArchiveRoutes(app: RestApp, deps: ApiDeps): void {
  const { catalog, settings } = deps;

  app.get(
    '/v1/archives',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['archives'],
        summary: 'List archives, newest first',
        querystring: Type.Object(
          {
            ...PAGE_QUERY,
            streamId: Type.Optional(Type.String({ description: 'Only this stream’s.' })),
            from: timeQuery('Those that overlap what follows.'),
            to: timeQuery('Those that begin before.'),
          },
          { additionalProperties: false },
        ),
        response: { 200: pageOf(ArchiveShape) },
      },
    },
    async (request) => {
      const { streamId, from, to } = request.query;
      if (streamId !== undefined && !isId('stream', streamId)) throw notFound('stream', streamId);
      const fromMs = timeOf(from, 'query from');
      const toMs = timeOf(to, 'query to');
      const tenant = ownTenant(request.principal);
      const page = await catalog.listHolds(
        {
          kind: 'archive',
          ...(tenant === undefined ? {} : { tenant }),
          ...(streamId === undefined ? {} : { streamId }),
          ...(fromMs === undefined ? {} : { fromMs }),
          ...(toMs === undefined ? {} : { toMs }),
        },
        pageOfQuery(request.query),
      );
      return { items: page.items.map((hold) => archiveJson(hold, settings.publicUrl)), nextCursor: page.nextCursor };
    },
  );

  app.get(
    '/v1/archives/:id',
    {
      config: { access: ['read'] },
      schema: { tags: ['archives'], summary: 'Read an archive', params: IdParams, response: { 200: ArchiveShape } },
    },
    async (request) => archiveJson(await loadArchive(catalog, request, request.params.id), settings.publicUrl),
  );

  app.delete(
    '/v1/archives/:id',
    {
      config: { access: ['manage'] },
      schema: {
        tags: ['archives'],
        summary: 'Let an archive go',
        description: 'It is listed no longer. Its segments go when retention next comes by and players have finished.',
        params: IdParams,
        response: { 204: Type.Null({ description: 'It is gone.' }) },
      },
    },
    async (request, reply) => {
      const { id } = await loadArchive(catalog, request, request.params.id);
      await catalog.releaseHold(id);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/archives/:id/tokens',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['playback'],
        summary: 'Make a playback token for an archive',
        params: IdParams,
        body: NewTokenShape,
        response: { 201: TokenShape },
      },
    },
    async (request, reply) => {
      const { id } = await loadArchive(catalog, request, request.params.id);
      const ttlSeconds = request.body?.ttlSeconds ?? settings.tokenTtlSeconds;
      const { token, expiresAtMs } = await deps.access.mintPlaybackToken({ kind: 'hold', id }, ttlSeconds);
      void reply.code(201);
      const url = linkOf(`/play/archives/${id}/index.m3u8?token=${token}`, settings.publicUrl);
      return { token, expiresAt: new Date(expiresAtMs).toISOString(), url };
    },
  );
}
