import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { ZoetropeError } from '../../../base/errors.ts';
import type { PushedKind, PushIntake } from '../../../ingest/push/push-intake.ts';
import type { ApiDeps, RestApp } from '../deps.ts';
import { streamJson } from '../json.ts';
import { IdParams, loadStream } from '../lookup.ts';
import { PushedBodies } from '../pushed-bodies.ts';
import { StreamShape } from '../shapes.ts';
import { refuseAtEdge, streamContext } from '../stream-edge.ts';

const FileParams = Type.Object({
  id: Type.String({ description: 'The stream’s id.' }),
  '*': Type.String({ description: 'The encoder’s name for the file; parts may be separated by slashes.' }),
});

const PushedShape = Type.Object({
  kind: Type.Union(
    [Type.Literal('segment'), Type.Literal('init'), Type.Literal('playlist'), Type.Literal('multivariant')],
    { description: 'What the file was taken for, by its bytes.' },
  ),
});

/** What encoders push (RFC 8216bis playlists with MPEG-TS or fMP4 segments), and the end of a stream. */
export function addPushRoutes(app: RestApp, deps: ApiDeps, push: PushIntake): void {
  void app.register(async (scope: RestApp) => addFileRoutes(scope, deps, push));

  app.post(
    '/v1/streams/:id/end',
    {
      config: { access: ['ingest'] },
      schema: {
        tags: ['push'],
        summary: 'End an encoder’s stream',
        description:
          'Its playlists get EXT-X-ENDLIST and it is on demand from then on. A stream that gets another segment goes on. Ending it again changes nothing. ' +
          'A stream of chunks ends behind all that was announced for it: where that takes longer than some seconds, the answer is 202 and it will end by itself.',
        params: IdParams,
        response: { 200: StreamShape, 202: StreamShape },
      },
    },
    async (request, reply) => {
      const before = await loadStream(deps.catalog, request, request.params.id);
      const { id, kind } = before;
      await refuseAtEdge(deps.catalog, before, 'End it there.');
      if (kind === 'frames') {
        throw new ZoetropeError(
          'conflict',
          `Stream ${id} is a camera's, which never ends: its viewers wait for it. Delete it when it is no longer wanted.`,
        );
      }
      const isOfChunks = kind === 'chunks' && deps.chunks !== undefined;
      const stream = isOfChunks
        ? await deps.chunks.intake.end(before)
        : await deps.catalog.endStream(id, deps.clock.nowMs());
      if (stream.endedAtMs === null) void reply.code(202);
      return streamJson(stream, await streamContext(deps, [stream]));
    },
  );
}

function addFileRoutes(app: RestApp, deps: ApiDeps, push: PushIntake): void {
  const bodies = new PushedBodies({
    maxBytesOf: (head) => push.maxBytesOf(head),
    maxTotalBytes: deps.settings.maxPushedBodiesBytes,
  });
  app.removeAllContentTypeParsers();
  // Encoders say all kinds of types, and none: the bytes tell.
  app.addContentTypeParser('*', async (_request: FastifyRequest, payload: IncomingMessage) => bodies.read(payload));
  const accept = async (
    request: FastifyRequest<{ Params: { readonly id: string; readonly '*': string } }>,
    reply: FastifyReply,
  ): Promise<{ readonly kind: PushedKind }> => {
    const { id, '*': path } = request.params;
    const stream = await loadStream(deps.catalog, request, id);
    await refuseAtEdge(deps.catalog, stream, 'Push to it.');
    const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    if (bytes.length === 0) {
      throw new ZoetropeError(
        'invalid_argument',
        `The file ${path.slice(0, 200)} is empty. Send its bytes as the body.`,
      );
    }
    const kind = await push.accept(stream, path, bytes, `/ingest/hls/${id}/`);
    void reply.code(201);
    return { kind };
  };
  const schema = {
    tags: ['push'],
    summary: 'Send a playlist, a segment or an init segment',
    description:
      'As `ffmpeg -f hls -method PUT` does. Answers when the file is durable. A segment is on the timeline once a playlist names it, or after a while without one.',
    params: FileParams,
    response: { 201: PushedShape },
  };
  const config = { access: ['ingest'] } as const;
  app.put('/ingest/hls/:id/*', { config, schema }, accept);
  app.post('/ingest/hls/:id/*', { config, schema }, accept);
  app.delete(
    '/ingest/hls/:id/*',
    {
      config,
      schema: {
        tags: ['push'],
        summary: 'Taken note of: the stream’s own retention decides',
        description: 'Encoders delete what leaves their own playlist. The timeline keeps it as long as it is set to.',
        params: FileParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await loadStream(deps.catalog, request, request.params.id);
      return reply.code(204).send(null);
    },
  );
}
