import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifySchema, RouteOptions } from 'fastify';
import { ERROR_CATALOGUE, type ErrorCode } from '../../base/errors.ts';
import type { RestApp } from './deps.ts';
import { playbackSchema } from './playback-schema.ts';
import { ProblemShape } from './shapes.ts';

const PROBLEM = { 'application/problem+json': { schema: ProblemShape } };

const TAGS = [
  { name: 'streams', description: 'Sources and their settings.' },
  { name: 'frames', description: 'Sending pictures, and single pictures back.' },
  { name: 'push', description: 'Encoders that push HLS.' },
  { name: 'chunks', description: 'Encoders that put chunks into the object store themselves, and announce them.' },
  { name: 'timeline', description: 'What there is, when; wall time and media time.' },
  { name: 'markers', description: 'Labelled points and ranges.' },
  { name: 'archives', description: 'Kept sessions.' },
  { name: 'clips', description: 'Stretches of timelines as files.' },
  { name: 'recordings', description: 'Stretches that somebody wants kept.' },
  { name: 'assets', description: 'Files and what is made of them.' },
  { name: 'uploads', description: 'Sending files: resumable, or in one piece.' },
  { name: 'webhooks', description: 'Who is told of what happens, and what was sent.' },
  { name: 'playback', description: 'Playlists and segments; tokens for them.' },
  { name: 'server', description: 'The server itself.' },
];

/** Bodies that are no JSON. */
const BYTES: Readonly<Record<string, string>> = {
  'image/jpeg': 'The JPEG itself.',
  'application/octet-stream': 'The file itself.',
  'application/offset+octet-stream': 'The next bytes of the file.',
};

/** Describes every route in /openapi.json (OpenAPI 3.1), and shows it under /docs. Add before any route. */
export async function addOpenApi(
  app: RestApp,
  options: { readonly version: string; readonly publicUrl: string | undefined },
): Promise<void> {
  app.addHook('onRoute', describeProblems);
  await app.register(swagger, {
    transform: ({ schema, url }) => ({ schema: describedSchema(schema, url), url }),
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Zoetrope',
        version: options.version,
        description:
          'One scrubbable timeline for every source of pictures. Every error is a problem document (RFC 9457). ' +
          'Lists are paged: send `nextCursor` back as `cursor`. Any JSON POST may carry an `Idempotency-Key`.',
      },
      servers: [{ url: options.publicUrl ?? '/' }],
      tags: TAGS,
      components: {
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            description: 'An API key: `zk_…`. Not needed on an open loopback server.',
          },
          playbackToken: {
            type: 'apiKey',
            in: 'query',
            name: 'token',
            description: 'A playback token for one stream, archive or clip.',
          },
        },
      },
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs', uiConfig: { deepLinking: true, docExpansion: 'list' } });
  app.get('/openapi.json', { schema: { hide: true }, config: { access: 'public' } }, async () => app.swagger());
}

/** What is described otherwise than it is checked: playback reads its own queries, and bytes need no schema. */
function describedSchema(schema: FastifySchema, url: string): FastifySchema {
  if (url.startsWith('/play/')) return playbackSchema(url);
  const description = BYTES[schema?.consumes?.[0] ?? 'application/json'];
  return description === undefined ? schema : { ...schema, body: { type: 'string', format: 'binary', description } };
}

/** Adds to a route's description what follows from how it is declared: who may call it and how it can fail. */
function describeProblems(route: RouteOptions): void {
  if (!route.url.startsWith('/v1') || route.method === 'OPTIONS' || route.schema === undefined) return;
  const schema = route.schema as FastifySchema & {
    response?: Record<string, unknown>;
    security?: unknown;
    headers?: unknown;
  };
  const { access, consumes } = route.config ?? {};
  const codes: ErrorCode[] = ['invalid_argument', 'unauthenticated', 'permission_denied', 'misdirected'];
  if (schema.params !== undefined) codes.push('not_found');
  if (route.method === 'POST' || route.method === 'PATCH' || route.method === 'PUT') {
    codes.push('payload_too_large', 'unsupported_media', 'storage_full');
    if (consumes !== 'image/jpeg') codes.push('conflict');
  }
  codes.push('too_many', 'internal', 'unavailable');
  schema.security ??=
    access === 'public' ? [] : access === 'playback' ? [{ key: [] }, { playbackToken: [] }] : [{ key: [] }];
  const problems = Object.fromEntries(
    codes.map((code) => [ERROR_CATALOGUE[code].http, { description: ERROR_CATALOGUE[code].title, content: PROBLEM }]),
  );
  schema.response = { ...problems, ...schema.response };
}
