import type { FastifySchema } from 'fastify';
import { Type, type TSchema } from 'typebox';
import { timeQuery } from './lookup.ts';
import { ProblemShape } from './shapes.ts';

const PROBLEM = { 'application/problem+json': { schema: ProblemShape } };

const ID = Type.String({ description: 'Of the stream, archive, recording or asset.' });
const PARAMETERS: Readonly<Record<string, TSchema>> = {
  id: ID,
  file: Type.String({ description: 'As a playlist names it.' }),
  output: Type.String({ description: 'Id of an output of the asset.' }),
};

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

const TRACK = Type.Optional(
  Type.Union([Type.Literal('video'), Type.Literal('audio')], {
    description: 'Pictures or sound of a pushed stream alone. Other speeds show the pictures alone.',
  }),
);
const RENDITION = Type.Optional(Type.String({ description: 'One of several renditions, by name. Default: main.' }));

const PLAYLISTS: Readonly<Record<string, { readonly summary: string; readonly query: Record<string, TSchema> }>> = {
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
  'index.m3u8': {
    summary: 'All that is kept: it grows while a recording runs, else it is complete',
    query: {
      from: timeQuery('Only what follows.'),
      to: timeQuery('Only what comes before.'),
      _HLS_skip: Type.Optional(
        Type.Union([Type.Literal('YES'), Type.Literal('v2')], {
          description: 'Asks for a delta update (RFC 8216bis 6.2.5.1).',
        }),
      ),
    },
  },
};

/** Manifests of streams: players set their own rate. */
const MANIFESTS: Readonly<Record<string, { readonly summary: string; readonly query: Record<string, TSchema> }>> = {
  'manifest.mpd': { summary: 'DASH manifest of the newest segments, dynamic while the stream goes on', query: {} },
  'range.mpd': {
    summary: 'DASH manifest of what lies between two wall times',
    query: { from: timeQuery('Start.'), to: timeQuery('End, exclusive.') },
  },
};

const ASSET_PLAYLISTS: typeof PLAYLISTS = {
  'master.m3u8': { summary: 'Multivariant playlist, as soon as something plays', query: {} },
  'index.m3u8': { summary: 'One rendition; it grows until the output is final', query: {} },
  'iframes.m3u8': { summary: 'The keyframes of a video rendition as byte ranges', query: {} },
};

/** Files of assets that are no media: their name below /play/assets/{id}, what they are, and their media type. */
const ASSET_FILES: readonly (readonly [string, string, string])[] = [
  ['manifest.mpd', 'DASH manifest', 'application/dash+xml'],
  ['storyboard.vtt', 'Storyboard as WebVTT', 'text/vtt'],
  ['storyboard.json', 'Storyboard as JSON', 'application/json'],
  ['storyboard/:file', 'Sheet of the storyboard', 'image/jpeg'],
  ['poster.jpg', 'Poster', 'image/jpeg'],
  ['thumbnails/:file', 'Thumbnail by its number', 'image/jpeg'],
  ['captions/:file', 'Captions of an output as WebVTT', 'text/vtt'],
  ['download.mp4', 'The whole asset as MP4', 'video/mp4'],
  ['key/:file', 'Key of encrypted segments', 'application/octet-stream'],
];

const OWNERS = [
  ['assets', 'an asset'],
  ['archives', 'an archive'],
  ['recordings', 'a recording'],
] as const;

/** How a route below /play is described; delivery reads its own queries, so that they cost nothing on the hot path. */
export function playbackSchema(url: string): FastifySchema {
  const name = url.split('/').at(-1) ?? '';
  if (url === '/play/time') return timeSchema();
  const isAsset = url.startsWith('/play/assets/');
  const manifest = isAsset ? undefined : MANIFESTS[name];
  if (manifest !== undefined) return manifestSchema(url, manifest);
  const file = isAsset ? ASSET_FILES.find(([path]) => url === `/play/assets/:id/${path}`) : undefined;
  const playlist = (isAsset ? ASSET_PLAYLISTS : PLAYLISTS)[name];
  const isInit = url.includes('/init/');
  const of = OWNERS.find(([folder]) => url.startsWith(`/play/${folder}/`))?.[1] ?? 'a stream';
  const what = file?.[1] ?? playlist?.summary ?? (isInit ? 'Init segment' : 'Segment');
  return {
    tags: ['playback'],
    summary: playlist === undefined ? `${what} of ${of}` : `${what} (${of})`,
    params: parametersOf(url),
    querystring: Type.Object({ ...queryOf(playlist, file !== undefined), ...choicesOf(isAsset, playlist, name) }),
    security: [{ key: [] }, { playbackToken: [] }],
    response: {
      ...(file === undefined ? answersOf(playlist !== undefined, isInit) : fileAnswer(file[2])),
      ...problems(),
    },
  };
}

/** What only streams and what is kept of them have. */
function choicesOf(isAsset: boolean, playlist: unknown, name: string): Record<string, TSchema> {
  if (isAsset) return {};
  return playlist === undefined || name === 'master.m3u8' ? { track: TRACK } : { track: TRACK, rendition: RENDITION };
}

function manifestSchema(url: string, { summary, query }: (typeof MANIFESTS)[string]): FastifySchema {
  return {
    tags: ['playback'],
    summary: `${summary} (a stream)`,
    params: parametersOf(url),
    querystring: Type.Object({ ...query, track: TRACK, token: TOKEN }),
    security: [{ key: [] }, { playbackToken: [] }],
    response: { ...fileAnswer('application/dash+xml'), ...problems() },
  };
}

function timeSchema(): FastifySchema {
  return {
    tags: ['playback'],
    summary: "The server's time, for players of DASH",
    security: [],
    response: { 200: { description: 'RFC 3339.', content: { 'text/plain': { schema: { type: 'string' } } } } },
  };
}

function parametersOf(url: string): TSchema {
  const names = [...url.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '');
  return Type.Object(Object.fromEntries(names.map((name) => [name, PARAMETERS[name] ?? ID])));
}

function queryOf(playlist: (typeof PLAYLISTS)[string] | undefined, isFile: boolean): Record<string, TSchema> {
  if (isFile) return { token: TOKEN };
  return playlist === undefined ? { speed: VARIANT.speed, token: TOKEN } : { ...playlist.query, ...VARIANT };
}

function fileAnswer(contentType: string): object {
  const isText = /^text|json|xml/.test(contentType);
  const schema = isText ? { type: 'string' } : { type: 'string', format: 'binary' };
  return { 200: { description: 'The file.', content: { [contentType]: { schema } } } };
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
