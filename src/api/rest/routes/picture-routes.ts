import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { parseRfc3339 } from '../../../base/time.ts';
import type { ApiDeps, Picture, RestApp } from '../deps.ts';
import { timeJson } from '../json.ts';
import { IdParams, loadStream } from '../lookup.ts';

const WIDTH = Type.Optional(
  Type.Integer({ minimum: 16, maximum: 8192, description: 'Scales down to this width in pixels, never up.' }),
);
const TOKEN = Type.Optional(Type.String({ maxLength: 2000, description: 'A playback token instead of a key.' }));
const JPEG_ANSWER = {
  description: 'A JPEG. `X-Captured-At` says when it was taken.',
  content: { 'image/jpeg': { schema: Type.Unsafe<never>({ type: 'string', format: 'binary' }) } },
};

/** Single pictures of a stream. */
export function addPictureRoutes(app: RestApp, deps: ApiDeps): void {
  app.get(
    '/v1/streams/:id/latest.jpg',
    {
      config: { access: 'playback' },
      schema: {
        tags: ['frames'],
        summary: 'The newest frame',
        params: IdParams,
        querystring: Type.Object({ width: WIDTH, token: TOKEN }),
        response: { 200: JPEG_ANSWER },
      },
    },
    async (request, reply) => {
      const stream = await loadStream(deps.catalog, request, request.params.id);
      const options = { widthPx: request.query.width ?? null, signal: goneSignal(reply) };
      const picture = await deps.pictures.latest(stream, options);
      return sendPicture(request, reply, picture, 'private, no-cache');
    },
  );

  app.get(
    '/v1/streams/:id/frame.jpg',
    {
      config: { access: 'playback' },
      schema: {
        tags: ['frames'],
        summary: 'The frame shown at a wall time',
        description: 'For previews. In a gap there is none: 404.',
        params: IdParams,
        querystring: Type.Object({
          at: Type.String({ format: 'date-time', description: 'Wall time.', examples: ['2026-11-20T10:30:00Z'] }),
          width: WIDTH,
          token: TOKEN,
        }),
        response: { 200: JPEG_ANSWER },
      },
    },
    async (request, reply) => {
      const stream = await loadStream(deps.catalog, request, request.params.id);
      const atMs = parseRfc3339(request.query.at, 'query at');
      const options = { widthPx: request.query.width ?? null, signal: goneSignal(reply) };
      const picture = await deps.pictures.at(stream, atMs, options);
      return sendPicture(request, reply, picture, 'private, max-age=60');
    },
  );
}

/** Aborts when nobody waits for the answer any more. It listens to the answer: a connection outlives many of them. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const abort = new AbortController();
  reply.raw.once('close', () => abort.abort());
  return abort.signal;
}

function sendPicture(request: FastifyRequest, reply: FastifyReply, picture: Picture, caching: string): FastifyReply {
  const etag = `"${picture.etag}"`;
  void reply.headers({
    etag,
    'last-modified': new Date(picture.capturedAtMs).toUTCString(),
    'x-captured-at': timeJson(picture.capturedAtMs),
    'cache-control': caching,
  });
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
  return reply
    .type('image/jpeg')
    .send(Buffer.from(picture.jpeg.buffer, picture.jpeg.byteOffset, picture.jpeg.byteLength));
}

/** RFC 9110 13.1.2: a list of tags or `*`, compared weakly. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}
