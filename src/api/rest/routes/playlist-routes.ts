import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { ZoetropeError } from '../../../base/errors.ts';
import type { FilePlaylists } from '../../../ingest/push/file-playlists.ts';
import type { PushIntake } from '../../../ingest/push/push-intake.ts';
import type { ApiDeps, RestApp } from '../deps.ts';
import { NamedPushStreams } from '../named-push-streams.ts';
import { PushedBodies } from '../pushed-bodies.ts';

const HEADERS = Type.Object({
  'video-source-name': Type.Optional(
    Type.String({ description: 'The stream’s name within the key’s tenant; it is made if there is none.' }),
  ),
  'mpeg-ts-uri-prefix': Type.Optional(
    Type.String({
      description: 'Where the segments lie: `file:///directory`, below one of ZOETROPE_PUSH_ROOTS.',
      examples: ['file:///srv/segments'],
    }),
  ),
});

const TakenShape = Type.Object({
  streamId: Type.String(),
  taken: Type.Array(Type.String(), { description: 'Files that were read now.' }),
  known: Type.Integer({ minimum: 0, description: 'Files of the playlist that were taken before.' }),
});

/** A playlist alone, whose segments lie on this machine: `POST /v1/playlist`. */
export function addPlaylistRoutes(
  app: RestApp,
  deps: ApiDeps,
  { push, files }: { readonly push: PushIntake; readonly files: FilePlaylists },
): void {
  const streams = new NamedPushStreams(deps);
  void app.register(async (scope: RestApp) => {
    const bodies = new PushedBodies({
      maxBytesOf: () => push.maxPlaylistBytes,
      maxTotalBytes: deps.settings.maxPushedBodiesBytes,
    });
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', async (_request: FastifyRequest, payload: IncomingMessage) => bodies.read(payload));
    scope.post(
      '/v1/playlist',
      {
        config: { access: ['ingest'], checksStream: true },
        schema: {
          tags: ['push'],
          summary: 'Send a playlist whose segments lie on the server’s machine',
          description:
            'The body is a media playlist. What is new of its segments is read from below `MPEG-TS-URI-Prefix`, and then the playlist counts as one that was pushed. ' +
            'Files that are not there yet are 404 `missing_input`, retryable: the others were taken, send the playlist again.',
          headers: HEADERS,
          response: { 200: TakenShape },
        },
      },
      async (request) => {
        const name = textOf(request.headers['video-source-name'], 'Video-Source-Name', 'camera-0');
        const prefix = textOf(request.headers['mpeg-ts-uri-prefix'], 'MPEG-TS-URI-Prefix', 'file:///srv/segments');
        const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array();
        const stream = await streams.find(request.principal, name);
        const { taken, known } = await files.accept(stream, bytes, prefix);
        return { streamId: stream.id, taken: [...taken], known };
      },
    );
  });
}

/** A header's text, as UTF-8. @throws invalid_argument */
function textOf(header: unknown, what: string, example: string): string {
  const text = typeof header === 'string' ? Buffer.from(header, 'latin1').toString('utf8').trim() : '';
  if (text.length >= 1 && text.length <= 200 && !/[\p{Cc}\p{Cs}]/u.test(text)) return text;
  throw new ZoetropeError(
    'invalid_argument',
    `The header ${what} must have 1–200 characters, such as ${example}. Got ${JSON.stringify(text.slice(0, 200))}. ` +
      "With ffmpeg: -headers $'Video-Source-Name: camera-0\\r\\nMPEG-TS-URI-Prefix: file:///srv/segments\\r\\n'.",
  );
}
