import { Type } from 'typebox';
import { ZoetropeError } from '../../../base/errors.ts';
import { isId } from '../../../base/ids.ts';
import { parseRfc3339 } from '../../../base/time.ts';
import type { ApiDeps, RestApp } from '../deps.ts';
import { markerJson } from '../json.ts';
import { IdParams, loadStream, notFound, PAGE_QUERY, pageOfQuery, timeOf, timeQuery } from '../lookup.ts';
import type { MarkerFeed } from '../marker-feed.ts';
import { MarkerShape, NewMarkerShape, pageOf } from '../shapes.ts';
import type { SseHub } from '../sse.ts';

const MAX_DATA_BYTES = 4096;

/** Markers: make, list, follow, remove. */
export function addMarkerRoutes(
  app: RestApp,
  deps: ApiDeps,
  live: { readonly sse: SseHub; readonly feed: MarkerFeed },
): void {
  const { catalog } = deps;

  app.post(
    '/v1/streams/:id/markers',
    {
      config: { access: ['ingest', 'manage'] },
      schema: {
        tags: ['markers'],
        summary: 'Make a marker',
        description: 'A point, or with `until` a range.',
        params: IdParams,
        body: { ...NewMarkerShape, examples: [{ at: '2026-11-20T10:30:00.250Z', label: 'Gate opened', type: 'gate' }] },
        response: { 201: MarkerShape },
      },
    },
    async (request, reply) => {
      const { at, until, label, type, data } = request.body;
      const stream = await loadStream(catalog, request, request.params.id);
      const atMs = parseRfc3339(at, 'field at');
      const untilMs = until === undefined || until === null ? null : parseRfc3339(until, 'field until');
      if (untilMs !== null && untilMs < atMs) {
        throw new ZoetropeError('invalid_argument', `until must not lie before at. Got at ${at} and until ${until}.`);
      }
      const marker = await catalog.addMarker({
        id: deps.ids.next('marker'),
        streamId: stream.id,
        atMs,
        untilMs,
        label,
        type: type ?? 'note',
        data: checkData(data ?? {}),
      });
      void reply.code(201);
      return markerJson(marker);
    },
  );

  app.get(
    '/v1/streams/:id/markers',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['markers'],
        summary: 'List markers',
        description: 'By time; with `after` in the order of their making.',
        params: IdParams,
        querystring: Type.Object(
          {
            ...PAGE_QUERY,
            from: timeQuery('Those that overlap what follows.'),
            to: timeQuery('Those that begin before.'),
            after: Type.Optional(Type.String({ description: 'A marker’s id: those made after it.' })),
          },
          { additionalProperties: false },
        ),
        response: { 200: pageOf(MarkerShape) },
      },
    },
    async (request) => {
      const { from, to, after } = request.query;
      const stream = await loadStream(catalog, request, request.params.id);
      const fromMs = timeOf(from, 'query from');
      const toMs = timeOf(to, 'query to');
      if (after !== undefined) checkMarkerId(after, 'query after');
      const page = await catalog.listMarkers(
        stream.id,
        {
          ...(fromMs === undefined ? {} : { fromMs }),
          ...(toMs === undefined ? {} : { toMs }),
          ...(after === undefined ? {} : { after }),
        },
        pageOfQuery(request.query),
      );
      return { items: page.items.map(markerJson), nextCursor: page.nextCursor };
    },
  );

  app.get(
    '/v1/streams/:id/markers/events',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['markers'],
        summary: 'Follow markers (server-sent events)',
        description:
          '`marker` for each one made (its `id:` is the marker’s, so that `Last-Event-ID` resumes behind it), `removed` with `{id}`. ' +
          'What was removed while nobody listened is not told: list them again after a reconnect.',
        params: IdParams,
        headers: Type.Object({ 'last-event-id': Type.Optional(Type.String()) }),
        produces: ['text/event-stream'],
        response: { 200: Type.Unsafe<never>({ type: 'string', description: 'A stream of events.' }) },
      },
    },
    async (request, reply) => {
      const stream = await loadStream(catalog, request, request.params.id);
      const afterId = request.headers['last-event-id'] || undefined;
      if (afterId !== undefined) checkMarkerId(afterId, 'header Last-Event-ID');
      await live.sse.open(request, reply, (connection) =>
        live.feed.subscribe(stream.id, afterId, {
          added: (marker) => connection.send('marker', markerJson(marker), marker.id),
          removed: (id) => connection.send('removed', { id }),
        }),
      );
    },
  );

  app.delete(
    '/v1/streams/:id/markers/:markerId',
    {
      config: { access: ['manage'] },
      schema: {
        tags: ['markers'],
        summary: 'Remove a marker',
        params: Type.Object({ id: Type.String(), markerId: Type.String() }),
        response: { 204: Type.Null({ description: 'It is gone.' }) },
      },
    },
    async (request, reply) => {
      const { id, markerId } = request.params;
      const stream = await loadStream(catalog, request, id);
      if (!isId('marker', markerId)) throw notFound('marker', markerId);
      await catalog.deleteMarker(stream.id, markerId);
      live.feed.noteRemoved(stream.id, markerId);
      return reply.code(204).send(null);
    },
  );
}

function checkData(data: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const sizeBytes = Buffer.byteLength(JSON.stringify(data));
  if (sizeBytes <= MAX_DATA_BYTES) return data;
  throw new ZoetropeError(
    'payload_too_large',
    `The data of a marker takes at most ${MAX_DATA_BYTES} bytes of JSON. Got ${sizeBytes}.`,
  );
}

function checkMarkerId(id: string, what: string): void {
  if (isId('marker', id)) return;
  throw new ZoetropeError(
    'invalid_argument',
    `The ${what} must be a marker's id. Got ${JSON.stringify(id.slice(0, 80))}.`,
  );
}
