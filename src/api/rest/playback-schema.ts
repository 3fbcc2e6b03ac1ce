import type { FastifySchema } from 'fastify';
import { Type } from 'typebox';
import { timeQuery } from './lookup.ts';
import { ProblemShape } from './shapes.ts';

const PROBLEM = { 'application/problem+json': { schema: ProblemShape } };

const ID = Type.Object({ id: Type.String({ description: 'Of the stream or archive.' }) });
const FILE = Type.Object({
  id: Type.String({ description: 'Of the stream or archive.' }),
  file: Type.String({ description: 'As a playlist names it.' }),
});

const TOKEN = Type.Optional(Type.String({ description: 'A playback token instead of a key.' }));
const VARIANT = {
  speed: Type.Optional(
    Type.Number({
      minimum: 0.1,
      maximum: 1000,
      description: 'How many times faster than it happened; nothing is encoded for it.',
    }),
  ),
  container: Type.Optional(Type.Literal('ts', { description: 'MPEG-TS segments instead of CMAF.' })),
  token: TOKEN,
};

const PLAYLISTS: Readonly<Record<string, { readonly summary: string; readonly query: object }>> = {
  'master.m3u8': { summary: 'Multivariant playlist', query: {} },
  'live.m3u8': { summary: 'The last few segments, growing', query: {} },
  'dvr.m3u8': {
    summary: 'The whole retained window, growing',
    query: {
      _HLS_skip: Type.Optional(
        Type.Union([Type.Literal('YES'), Type.Literal('v2')], {
          description: 'Asks for a delta update (RFC 8216bis 6.2.5.1).',
        }),
      ),
    },
  },
  'range.m3u8': {
    summary: 'From one wall time to another',
    query: { from: timeQuery('Start.'), to: timeQuery('End, exclusive; without it the playlist goes on growing.') },
  },
  'index.m3u8': { summary: 'A kept session, complete', query: {} },
};

/** How a route below /play is described; delivery reads its own queries, so that they cost nothing on the hot path. */
export function playbackSchema(url: string): FastifySchema {
  const name = url.split('/').at(-1) ?? '';
  const playlist = PLAYLISTS[name];
  const isInit = url.includes('/init/');
  const of = url.startsWith('/play/archives/') ? 'an archive' : 'a stream';
  return {
    tags: ['playback'],
    summary: playlist === undefined ? `${isInit ? 'Init segment' : 'Segment'} of ${of}` : `${playlist.summary} (${of})`,
    params: playlist === undefined ? FILE : ID,
    querystring: Type.Object(
      playlist === undefined ? { speed: VARIANT.speed, token: TOKEN } : { ...playlist.query, ...VARIANT },
    ),
    security: [{ key: [] }, { playbackToken: [] }],
    response: { ...answersOf(playlist !== undefined, isInit), ...problems() },
  };
}

function answersOf(isPlaylist: boolean, isInit: boolean): object {
  const binary = { schema: { type: 'string', format: 'binary' } };
  if (isPlaylist) {
    return {
      200: {
        description: 'An HLS playlist (RFC 8216bis).',
        content: { 'application/vnd.apple.mpegurl': { schema: { type: 'string' } } },
      },
    };
  }
  const content = isInit ? { 'video/mp4': binary } : { 'video/mp4': binary, 'video/mp2t': binary };
  return {
    200: { description: 'The whole file. It never changes.', content },
    206: { description: 'The bytes asked for.', content },
  };
}

function problems(): object {
  const titles = {
    400: 'The request is not valid',
    401: 'A valid key or token is needed',
    404: 'There is no such thing',
    410: 'It was removed',
  };
  return Object.fromEntries(
    Object.entries(titles).map(([status, description]) => [status, { description, content: PROBLEM }]),
  );
}
