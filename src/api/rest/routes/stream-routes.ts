import { Type } from 'typebox';
import { canSee, requireTenant } from '../../../access/permission.ts';
import type { StreamFilter } from '../../../catalog/catalog.ts';
import type { StreamKind } from '../../../timeline/stream.ts';
import { refuseIfRecorded } from '../../../upkeep/refuse-if-recorded.ts';
import type { ApiDeps, RestApp } from '../deps.ts';
import { streamJson, type StreamContext } from '../json.ts';
import { IdParams, loadStream, PAGE_QUERY, pageOfQuery } from '../lookup.ts';
import { checkLadderKind } from '../ladder-shapes.ts';
import { settingsFromJson } from '../settings.ts';
import { NewStreamShape, pageOf, StreamPatchShape, StreamShape, text } from '../shapes.ts';

/** The tenant of what is made without naming one, on an open server or with an admin key. */
export const DEFAULT_TENANT = 'default';

/** Streams: make, list, read, change, remove. */
export function addStreamRoutes(app: RestApp, deps: ApiDeps): void {
  const { catalog, ids, clock, defaults, settings } = deps;
  const context = (): StreamContext => ({ defaults, publicUrl: settings.publicUrl, nowMs: clock.nowMs() });

  app.post(
    '/v1/streams',
    {
      config: { access: ['manage'] },
      schema: {
        tags: ['streams'],
        summary: 'Make a stream',
        description:
          'A device’s stream makes itself on its first frame; make one beforehand to name or set it. `tenant` is the key’s own unless it is an admin’s.',
        body: NewStreamShape,
        response: { 201: StreamShape },
      },
    },
    async (request, reply) => {
      const { name, tenant, deviceId, kind, settings: set } = request.body;
      const owner = tenant ?? request.principal.tenant ?? DEFAULT_TENANT;
      requireTenant(request.principal, owner);
      const wanted = settingsFromJson(set ?? {});
      checkLadderKind(kind ?? 'frames', wanted.ladder);
      const stream = await catalog.createStream({
        id: ids.next('stream'),
        tenant: owner,
        kind: kind ?? 'frames',
        name,
        deviceId: deviceId ?? null,
        settings: wanted,
      });
      void reply.code(201).header('location', `/v1/streams/${stream.id}`);
      return streamJson(stream, context());
    },
  );

  app.get(
    '/v1/streams',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['streams'],
        summary: 'List streams by name',
        description: 'Assets are not among them unless `kind=asset` asks for them.',
        querystring: Type.Object(
          {
            ...PAGE_QUERY,
            kind: Type.Optional(StreamShape.properties.kind),
            query: Type.Optional({
              ...text(200),
              description: 'Part of the name or the device id; case does not matter.',
            }),
            tenant: Type.Optional({
              ...text(200),
              description: 'Only for admin keys and open servers; else the key’s own.',
            }),
          },
          { additionalProperties: false },
        ),
        response: { 200: pageOf(StreamShape) },
      },
    },
    async (request) => {
      const { kind, query, tenant } = request.query;
      if (tenant !== undefined && !canSee(request.principal, tenant)) return { items: [], nextCursor: null };
      const page = await catalog.listStreams(
        filterOf({ kind, query, tenant: tenant ?? ownTenant(request.principal) }),
        pageOfQuery(request.query),
      );
      const at = context();
      return { items: page.items.map((stream) => streamJson(stream, at)), nextCursor: page.nextCursor };
    },
  );

  app.get(
    '/v1/streams/:id',
    {
      config: { access: ['read'] },
      schema: { tags: ['streams'], summary: 'Read a stream', params: IdParams, response: { 200: StreamShape } },
    },
    async (request) => streamJson(await loadStream(catalog, request, request.params.id), context()),
  );

  app.patch(
    '/v1/streams/:id',
    {
      config: { access: ['manage'] },
      schema: {
        tags: ['streams'],
        summary: 'Change a stream',
        description:
          'What is not named stays. A setting of null goes back to the default, except where null is a value (`gapToleranceSeconds`, `overlay`, `ladder`): then it is that.',
        params: IdParams,
        body: StreamPatchShape,
        response: { 200: StreamShape },
      },
    },
    async (request) => {
      const { id, kind } = await loadStream(catalog, request, request.params.id);
      const { name, settings: set } = request.body;
      const wanted = set === undefined ? undefined : settingsFromJson(set);
      checkLadderKind(kind, wanted?.ladder);
      const stream = await catalog.updateStream(id, {
        ...(name === undefined ? {} : { name }),
        ...(wanted === undefined ? {} : { settings: wanted }),
      });
      return streamJson(stream, context());
    },
  );

  app.delete(
    '/v1/streams/:id',
    {
      config: { access: ['manage'] },
      schema: {
        tags: ['streams'],
        summary: 'Remove a stream with all its pictures, markers and archives',
        description: 'While it has recordings that is refused, unless `force=true`: those were made to be kept.',
        params: IdParams,
        querystring: Type.Object(
          { force: Type.Optional(Type.Boolean({ default: false, description: 'Its recordings too.' })) },
          { additionalProperties: false },
        ),
        response: { 204: Type.Null({ description: 'It is gone.' }) },
      },
    },
    async (request, reply) => {
      const stream = await loadStream(catalog, request, request.params.id);
      if (request.query.force !== true) await refuseIfRecorded(catalog, stream.id, 'force=true');
      await deps.removeStream(stream);
      return reply.code(204).send(null);
    },
  );
}

/** What a list is confined to: a tenant's own things, unless the principal crosses tenants. */
export function ownTenant(principal: {
  readonly tenant: string | null;
  readonly scopes: ReadonlySet<string>;
}): string | undefined {
  return principal.scopes.has('admin') ? undefined : (principal.tenant ?? undefined);
}

function filterOf(wish: {
  readonly kind: StreamKind | undefined;
  readonly query: string | undefined;
  readonly tenant: string | undefined;
}): StreamFilter {
  return {
    ...(wish.kind === undefined ? {} : { kind: wish.kind }),
    ...(wish.query === undefined ? {} : { query: wish.query }),
    ...(wish.tenant === undefined ? {} : { tenant: wish.tenant }),
  };
}
