import { Type } from 'typebox';
import { isId } from '../../../base/ids.ts';
import type { ApiDeps, RestApp } from '../deps.ts';
import { archiveJson } from '../json.ts';
import { IdParams, loadHold, notFound, PAGE_QUERY, pageOfQuery, timeOf, timeQuery } from '../lookup.ts';
import { ArchiveShape, pageOf } from '../shapes.ts';
import { ownTenant } from './stream-routes.ts';

/** Archives: list, read, remove. */
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
    async (request) => archiveJson(await loadHold(catalog, request, 'archive', request.params.id), settings.publicUrl),
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
      const { id } = await loadHold(catalog, request, 'archive', request.params.id);
      await catalog.releaseHold(id);
      return reply.code(204).send(null);
    },
  );
}
