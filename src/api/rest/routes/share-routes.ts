import type { FastifyRequest } from 'fastify';
import type { PlaybackResource, PlaybackToken } from '../../../access/access.ts';
import type { ApiDeps, RestApp } from '../deps.ts';
import { linkOf, timeJson } from '../json.ts';
import { IdParams, loadHold, loadStream } from '../lookup.ts';
import { NewShareShape, ShareShape } from '../recording-shapes.ts';
import { NewTokenShape, TokenShape } from '../shapes.ts';
import { wallMs } from '../../../base/time.ts';

interface Shared {
  /** Its folder, in the API and below /play. */
  readonly folder: 'streams' | 'archives' | 'recordings';
  readonly noun: string;
  readonly playlist: string;
  readonly kind: PlaybackResource['kind'];
  readonly find: (request: FastifyRequest, id: string) => Promise<{ readonly id: string }>;
}

/** Playback tokens of streams, archives and recordings, and links with one. */
export function addShareRoutes(app: RestApp, deps: ApiDeps): void {
  const { access, catalog, settings } = deps;
  const all: readonly Shared[] = [
    {
      folder: 'streams',
      noun: 'a stream',
      playlist: 'master.m3u8',
      kind: 'stream',
      find: (request, id) => loadStream(catalog, request, id),
    },
    {
      folder: 'archives',
      noun: 'an archive',
      playlist: 'index.m3u8',
      kind: 'hold',
      find: (request, id) => loadHold(catalog, request, 'archive', id),
    },
    {
      folder: 'recordings',
      noun: 'a recording',
      playlist: 'index.m3u8',
      kind: 'hold',
      find: (request, id) => loadHold(catalog, request, 'recording', id),
    },
  ];
  for (const { folder, noun, playlist, kind, find } of all) {
    const mint = async (
      request: FastifyRequest,
      id: string,
      ttlSeconds: number,
    ): Promise<{ readonly token: string; readonly expiresAt: string; readonly url: string }> => {
      const thing = await find(request, id);
      const made: PlaybackToken = await access.mintPlaybackToken({ kind, id: thing.id }, ttlSeconds);
      const url = linkOf(`/play/${folder}/${thing.id}/${playlist}?token=${made.token}`, settings.publicUrl);
      return { token: made.token, expiresAt: timeJson(wallMs(made.expiresAtMs)), url };
    };

    app.post(
      `/v1/${folder}/:id/tokens`,
      {
        config: { access: ['read'] },
        schema: {
          tags: ['playback'],
          summary: `Make a playback token for ${noun}`,
          description: 'It opens its playlists, segments and pictures to whoever has it, and nothing else.',
          params: IdParams,
          body: NewTokenShape,
          response: { 201: TokenShape },
        },
      },
      async (request, reply) => {
        void reply.code(201);
        return mint(request, request.params.id, request.body?.ttlSeconds ?? settings.tokenTtlSeconds);
      },
    );

    app.post(
      `/v1/${folder}/:id/share`,
      {
        config: { access: ['read'] },
        schema: {
          tags: ['playback'],
          summary: `Make a link to ${noun} that works for a while`,
          description: 'Whoever has the link can play it until then, without a key.',
          params: IdParams,
          body: NewShareShape,
          response: { 201: ShareShape },
        },
      },
      async (request, reply) => {
        void reply.code(201);
        const { url, expiresAt } = await mint(request, request.params.id, request.body.expiresIn);
        return { url, expiresAt };
      },
    );
  }
}
