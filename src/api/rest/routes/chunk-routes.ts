import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { requireStream } from '../../../access/permission.ts';
import { MAX_CHUNK_RUNS } from '../../../catalog/chunk-store.ts';
import { ZoetropeError } from '../../../base/errors.ts';
import { wallMs } from '../../../base/time.ts';
import type { ChunkEventValue } from '../../../ingest/chunks/chunk-event.ts';
import type { ChunkFault } from '../../../ingest/chunks/chunk-intake.ts';
import type { PutDoor } from '../../../ingest/chunks/put-door.ts';
import type { Stream } from '../../../timeline/stream.ts';
import { ChunkEventShape, ChunksShape, ChunkUrlsRequestShape, ChunkUrlsShape } from '../chunk-shapes.ts';
import type { ApiDeps, ChunksApi, RestApp } from '../deps.ts';
import { linkOf, timeJson } from '../json.ts';
import { IdParams, loadStream, orNull } from '../lookup.ts';
import { refuseAtEdge } from '../stream-edge.ts';

const MAX_EVENTS = 500;
const DEFAULT_URLS = 60;
const DEFAULT_EXPIRY_S = 3600;
const EMPTY = Type.String({ maxLength: 0, description: 'Done.' });

/** Chunks that encoders put into the object store themselves, and announce by event. */
export function addChunkRoutes(app: RestApp, deps: ApiDeps, { intake, putDoor }: ChunksApi): void {
  void app.register(async (scope: RestApp) => addPutRoute(scope, putDoor));

  app.post(
    '/v1/streams/:id/chunk-urls',
    {
      config: { access: ['ingest'] },
      schema: {
        tags: ['chunks'],
        summary: 'Ask where the bytes of chunks go',
        description:
          'A URL for each of the next chunks, good for one PUT each; ask for enough for some minutes. A chunk’s announcement names its `objectKey`. The same index may be asked for again.',
        params: IdParams,
        body: ChunkUrlsRequestShape,
        response: { 200: ChunkUrlsShape },
      },
    },
    async (request) => {
      const stream = await loadStream(deps.catalog, request, request.params.id);
      await refuseAtEdge(deps.catalog, stream, 'Send its chunks there.');
      const { count = DEFAULT_URLS, firstIndex = null, expiresInSeconds = DEFAULT_EXPIRY_S } = request.body ?? {};
      const targets = await intake.targets(stream, { count, firstIndex, expiresInMs: expiresInSeconds * 1000 });
      const base = deps.settings.publicUrl ?? `${request.protocol}://${request.host}`;
      const items = targets.map(({ chunkIndex, objectKey, url, method, headers, expiresAtMs }) => ({
        chunkIndex,
        objectKey,
        url: url.startsWith('/') ? linkOf(url, base) : url,
        method,
        headers: { ...headers },
        expiresAt: timeJson(wallMs(expiresAtMs)),
      }));
      return { items };
    },
  );

  app.post(
    '/v1/events/chunks',
    {
      config: { access: ['ingest'], checksStream: true },
      schema: {
        tags: ['chunks'],
        summary: 'Announce chunks',
        description:
          `At most ${MAX_EVENTS}, for any streams: all are taken or none, and \`errors\` of the answer tells what is wrong with which. Answers when they are durable. ` +
          'A chunk is on the timeline soon after; one whose bytes are not what was announced is told of by `chunk.rejected`. Announcing again is harmless.',
        body: Type.Object({ events: Type.Array(ChunkEventShape, { minItems: 1, maxItems: MAX_EVENTS }) }),
        response: { 202: Type.Object({ accepted: Type.Integer() }) },
      },
    },
    async (request, reply) => {
      const { events } = request.body;
      const faults = intake.faults(events, await streamsOf(events, request, deps));
      if (faults.length > 0) throw refusalOf(faults);
      await intake.announce(events);
      return reply.code(202).send({ accepted: events.length });
    },
  );

  app.get(
    '/v1/streams/:id/chunks',
    {
      config: { access: ['read', 'ingest'] },
      schema: {
        tags: ['chunks'],
        summary: 'Which chunks came, and which did not',
        params: IdParams,
        response: { 200: ChunksShape },
      },
    },
    async (request) => {
      const { id } = await loadStream(deps.catalog, request, request.params.id);
      const runs = await deps.catalog.takenChunks(id);
      const rejections = await deps.catalog.rejectedChunks(id, 0, MAX_CHUNK_RUNS);
      const nextIndex = (runs.at(-1)?.lastIndex ?? -1) + 1;
      const takenCount = runs.reduce((sum, { firstIndex, lastIndex }) => sum + lastIndex - firstIndex + 1, 0);
      return {
        nextIndex,
        taken: runs.map(({ firstIndex, lastIndex }) => ({ first: firstIndex, last: lastIndex })),
        missing: nextIndex - (runs[0]?.firstIndex ?? nextIndex) - takenCount,
        rejected: rejections.map(({ chunkIndex, objectKey, checksum, code, message, atMs }) => ({
          chunkIndex,
          objectKey,
          checksum,
          code,
          message,
          at: timeJson(atMs),
        })),
      };
    },
  );
}

/** Those of the announcements' streams that the sender may see. */
async function streamsOf(
  events: readonly ChunkEventValue[],
  request: FastifyRequest,
  deps: ApiDeps,
): Promise<ReadonlyMap<string, Stream>> {
  const streams = new Map<string, Stream>();
  for (const id of new Set(events.map((event) => event.stream_id))) {
    requireStream(request.principal, id);
    const stream = await orNull(loadStream(deps.catalog, request, id));
    if (stream === null) continue;
    await refuseAtEdge(deps.catalog, stream, 'Announce its chunks there.');
    streams.set(id, stream);
  }
  return streams;
}

function refusalOf(faults: readonly ChunkFault[]): ZoetropeError {
  const errors = faults.map(({ at, error }) => {
    const { field } = error.details;
    return { field: `body/events/${at}${typeof field === 'string' ? `/${field}` : ''}`, detail: error.message };
  });
  const [first] = faults;
  const rest = faults.length > 1 ? ` ${faults.length - 1} more are wrong, see errors.` : '';
  return new ZoetropeError(
    first?.error.code ?? 'invalid_argument',
    `None of the events was taken. Event ${first?.at}: ${first?.error.message}${rest}`,
    { details: { errors } },
  );
}

function addPutRoute(app: RestApp, door: PutDoor): void {
  app.removeAllContentTypeParsers();
  // The bytes go on as they come; what type they are said to be does not matter.
  app.addContentTypeParser('*', (_request, body, done) => done(null, body));
  app.put(
    '/ingest/chunks/:token',
    {
      config: { access: 'own' },
      bodyLimit: Number.MAX_SAFE_INTEGER,
      schema: {
        tags: ['chunks'],
        consumes: ['application/octet-stream'],
        summary: 'Put the bytes of a chunk',
        description:
          'At a URL of `POST /v1/streams/{id}/chunk-urls`, which needs no key. Answers when they are durable. The same bytes again are taken note of, others are a conflict.',
        params: Type.Object({ token: Type.String() }),
        response: { 200: EMPTY, 201: EMPTY },
      },
    },
    async (request, reply) => {
      const length = request.headers['content-length'];
      try {
        if (length === '0')
          throw new ZoetropeError('invalid_argument', 'The body is empty. Send the bytes of the chunk.');
        const isNew = await door.receive(
          request.params.token,
          request.raw,
          length === undefined ? null : Number(length),
        );
        return reply.code(isNew ? 201 : 200).send('');
      } catch (error) {
        // What is still sent of what is refused is not waited for.
        if (!request.raw.complete) void reply.header('connection', 'close');
        throw error;
      }
    },
  );
}
