import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { canSee } from '../../../access/permission.ts';
import { ZoetropeError } from '../../../base/errors.ts';
import { isId } from '../../../base/ids.ts';
import type { Edge } from '../../../timeline/edge.ts';
import type { ApiDeps, EdgeApi, RestApp } from '../deps.ts';
import { edgeJson } from '../edge-json.ts';
import {
  EdgeCursorShape,
  EdgeDesiredShape,
  EdgeDetailShape,
  EdgeGoneShape,
  EdgeHelloShape,
  EdgeRowsShape,
  EdgeShape,
  EdgeStreamShape,
  EdgeSyncShape,
  EdgeWelcomeShape,
  MOST_ROWS_BYTES,
  MOST_SEGMENT_BYTES,
  MOST_SYNC_BYTES,
  SessionQuery,
} from '../edge-shapes.ts';
import { IdParams, notFound, orNull, PAGE_QUERY, pageOfQuery } from '../lookup.ts';
import { pageOf } from '../shapes.ts';
import { DEFAULT_TENANT, ownTenant } from './stream-routes.ts';

const StreamParams = Type.Object({
  id: Type.String({ description: 'The edge’s id.' }),
  streamId: Type.String({ description: 'The edge’s id of the stream.' }),
});
const SegmentParams = Type.Object({
  id: Type.String({ description: 'The edge’s id.' }),
  segmentId: Type.String({ description: 'The edge’s id of the segment.' }),
});

const INGEST = { access: ['ingest'] } as const;
const TAGS = ['edges'];
const DONE = { 204: Type.Null({ description: 'It is done.' }) };

/** Edges: what they say to their control (docs/design/edge.md), and what people see of them. */
export function addEdgeRoutes(app: RestApp, deps: ApiDeps, edges: EdgeApi): void {
  app.addHook('preClose', async () => edges.control.dismissAll());
  addPeopleRoutes(app, deps, edges);
  addSessionRoutes(app, deps, edges);
  addStreamRoutes(app, deps, edges);
  void app.register(async (scope: RestApp) => addBytesRoute(scope, deps, edges));
}

function addPeopleRoutes(app: RestApp, deps: ApiDeps, edges: EdgeApi): void {
  const { catalog, clock } = deps;
  app.get(
    '/v1/edges',
    {
      config: { access: ['read'] },
      schema: {
        tags: TAGS,
        summary: 'List edges by name',
        querystring: Type.Object(PAGE_QUERY, { additionalProperties: false }),
        response: { 200: pageOf(EdgeShape) },
      },
    },
    async (request) => {
      const tenant = ownTenant(request.principal);
      const page = await catalog.listEdges(tenant === undefined ? {} : { tenant }, pageOfQuery(request.query));
      const nowMs = clock.nowMs();
      return { items: page.items.map((edge) => edgeJson(edge, nowMs)), nextCursor: page.nextCursor };
    },
  );

  app.get(
    '/v1/edges/:id',
    {
      config: { access: ['read'] },
      schema: {
        tags: TAGS,
        summary: 'Read an edge, how it is and what streams it has',
        params: IdParams,
        response: { 200: EdgeDetailShape },
      },
    },
    async (request) => {
      const edge = await loadEdge(deps, request, request.params.id);
      const streams = await catalog.streamsOfEdge(edge.id);
      const watched = new Set(await edges.control.watchedOf(edge));
      const shown = streams.map(({ id, name, kind }) => ({ id, name, kind, watched: watched.has(id) }));
      return { ...edgeJson(edge, clock.nowMs()), streams: shown };
    },
  );

  app.delete(
    '/v1/edges/:id',
    {
      config: { access: ['manage'] },
      schema: {
        tags: TAGS,
        summary: 'Forget an edge',
        description:
          'Refused while it is connected. Its streams stay, without an edge: what of them is here can still be played, the rest shows as lost. Should it come back, it has them again.',
        params: IdParams,
        response: DONE,
      },
    },
    async (request, reply) => {
      await edges.control.remove(await loadEdge(deps, request, request.params.id));
      return reply.code(204).send(null);
    },
  );
}

function addSessionRoutes(app: RestApp, deps: ApiDeps, { control }: EdgeApi): void {
  app.put(
    '/v1/edges/:id',
    {
      config: INGEST,
      schema: {
        tags: TAGS,
        summary: 'Register an edge, or come back',
        description: 'Begins a new session; what an older one sends is refused with `fenced`.',
        params: IdParams,
        body: EdgeHelloShape,
        response: { 200: EdgeWelcomeShape },
      },
    },
    async (request) => {
      const { id } = request.params;
      if (!isId('edge', id)) {
        throw new ZoetropeError(
          'invalid_argument',
          `The id of an edge is edg_ and 10 to 40 of a–z and 0–9. Got ${JSON.stringify(id.slice(0, 100))}.`,
        );
      }
      const known = await orNull(deps.catalog.getEdge(id));
      if (known !== null && !canSee(request.principal, known.tenant)) {
        throw new ZoetropeError('conflict', `There is an edge ${id} already. Each edge has an id of its own.`);
      }
      const tenant = known?.tenant ?? request.principal.tenant ?? DEFAULT_TENANT;
      return mutable(await control.register({ id, tenant, ...request.body }));
    },
  );

  app.post(
    '/v1/edges/:id/sync',
    {
      config: INGEST,
      bodyLimit: MOST_SYNC_BYTES,
      schema: {
        tags: TAGS,
        summary: 'Say how the edge is, and hear what is wanted',
        description: 'Answers when something else is wanted than `seen` names, or after `waitMs`.',
        params: IdParams,
        body: EdgeSyncShape,
        response: { 200: EdgeDesiredShape },
      },
    },
    async (request, reply) => {
      const receivedAtMs = deps.clock.nowMs();
      const edge = await loadEdge(deps, request, request.params.id);
      const broken = new AbortController();
      const onClose = (): void => broken.abort();
      reply.raw.once('close', onClose);
      if (request.raw.socket.destroyed) onClose();
      try {
        return mutable(await control.sync(edge, request.body, receivedAtMs, broken.signal));
      } finally {
        reply.raw.off('close', onClose);
      }
    },
  );

  app.post(
    '/v1/edges/:id/gone',
    {
      config: INGEST,
      schema: {
        tags: TAGS,
        summary: 'Tell that segments are lost',
        description: 'The edge has their bytes no more: those that are not here become gaps.',
        params: IdParams,
        body: EdgeGoneShape,
        response: DONE,
      },
    },
    async (request, reply) => {
      await control.noteGone(await loadEdge(deps, request, request.params.id), request.body);
      return reply.code(204).send(null);
    },
  );
}

function addStreamRoutes(app: RestApp, deps: ApiDeps, { control }: EdgeApi): void {
  app.put(
    '/v1/edges/:id/streams/:streamId',
    {
      config: INGEST,
      schema: {
        tags: TAGS,
        summary: 'Make or change a stream of an edge',
        params: StreamParams,
        body: EdgeStreamShape,
        response: DONE,
      },
    },
    async (request, reply) => {
      const { id, streamId } = request.params;
      await control.putStream(await loadEdge(deps, request, id), streamId, request.body);
      return reply.code(204).send(null);
    },
  );

  app.delete(
    '/v1/edges/:id/streams/:streamId',
    {
      config: INGEST,
      schema: {
        tags: TAGS,
        summary: 'Tell that the edge has a stream no more',
        description: 'It stays here without an edge; what of it is not here is lost.',
        params: StreamParams,
        querystring: SessionQuery,
        response: DONE,
      },
    },
    async (request, reply) => {
      const { id, streamId } = request.params;
      const { session } = request.query;
      if (session === undefined) {
        throw new ZoetropeError(
          'invalid_argument',
          'The query session is missing. Add what the registration answered.',
        );
      }
      await control.dropStream(await loadEdge(deps, request, id), streamId, session);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/edges/:id/streams/:streamId/rows',
    {
      config: INGEST,
      bodyLimit: MOST_ROWS_BYTES,
      schema: {
        tags: TAGS,
        summary: 'Append rows of a rendition',
        description: 'Those that are here already are passed over. Answers how far they are here.',
        params: StreamParams,
        body: EdgeRowsShape,
        response: { 200: EdgeCursorShape },
      },
    },
    async (request) => {
      const { id, streamId } = request.params;
      return control.appendRows(await loadEdge(deps, request, id), streamId, request.body);
    },
  );
}

function addBytesRoute(app: RestApp, deps: ApiDeps, { control, intake }: EdgeApi): void {
  app.removeAllContentTypeParsers();
  // Read once its row has said how much there is to read.
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  app.put(
    '/v1/edges/:id/segments/:segmentId',
    {
      config: { ...INGEST, consumes: 'application/octet-stream' },
      schema: {
        tags: TAGS,
        consumes: ['application/octet-stream'],
        summary: 'Send the bytes of a segment',
        description:
          'As they are stored at the edge; checked against the SHA-256 of its row, and answered when durable. Sent again, it is answered at once.',
        params: SegmentParams,
        querystring: SessionQuery,
        response: DONE,
      },
    },
    async (request, reply) => {
      const { id, segmentId } = request.params;
      const edge = await loadEdge(deps, request, id);
      control.requireSession(edge, request.query.session);
      const length = request.headers['content-length'];
      const sizeBytes = length === undefined ? null : Number(length);
      if (sizeBytes === null || sizeBytes > MOST_SEGMENT_BYTES) {
        // What is sent beyond what is taken is not waited for.
        void reply.header('connection', 'close');
      }
      await intake.take(edge, { segmentId, sizeBytes, body: request.raw });
      return reply.code(204).send(null);
    },
  );
}

/** The edge of an id from outside, for a principal who can see it. @throws not_found: in the same words whether it is missing or another tenant's. */
async function loadEdge(deps: ApiDeps, request: Pick<FastifyRequest, 'principal'>, id: string): Promise<Edge> {
  const edge = isId('edge', id) ? await orNull(deps.catalog.getEdge(id)) : null;
  if (edge === null || !canSee(request.principal, edge.tenant)) throw notFound('edge', id);
  return edge;
}

/** What the framework's types ask for; nothing is changed. */
function mutable<T>(value: T): Mutable<T> {
  return value as Mutable<T>;
}

type Mutable<T> = T extends readonly (infer I)[]
  ? Mutable<I>[]
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T;
