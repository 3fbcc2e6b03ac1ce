import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { PlaybackResource } from '../access/access.ts';
import { isZoetropeError, ZoetropeError } from '../base/errors.ts';
import type { Hold } from '../timeline/hold.ts';
import { sendFile, sendPlaylist } from './answer.ts';
import { admit, requireTenantOf, type Admission, type DeliveryAccess } from './gate.ts';
import { noSuchHold, type Holds, type HoldView } from './holds.ts';
import type { HotFile } from './hot-files.ts';
import type { HotAnswers } from './hot-path.ts';
import { initKey, segmentKey, tsKey, type MediaFiles } from './media-files.ts';
import type { DeliveryMetrics, PlaylistKind } from './metrics.ts';
import type { Playlists, ReadyPlaylist } from './playlists.ts';
import type { StreamState, StreamView } from './stream-view.ts';
import { noSuchStream, type StreamViews } from './stream-views.ts';
import { queryValue, readVariant, type Query } from './variant.ts';

/** What the routes call. */
export interface RoutesDeps {
  readonly access: DeliveryAccess;
  readonly metrics: DeliveryMetrics;
  readonly views: StreamViews;
  readonly holds: Holds;
  readonly playlists: Playlists;
  readonly files: MediaFiles;
  readonly answers: HotAnswers;
}

/** Seconds after which a client may ask again for a stream that has no segments yet. */
const RETRY_AFTER_S = 5;

/** The routes below /play (docs/design/http.md). They throw; the server makes problem documents of it. */
export function deliveryRoutes(deps: RoutesDeps): FastifyPluginAsync {
  const playback = new PlaybackHandlers(deps);
  return async (app) => {
    for (const kind of ['master', 'live', 'dvr', 'range'] as const) {
      app.get(`/play/streams/:id/${kind}.m3u8`, (request, reply) => playback.streamPlaylist(kind, request, reply));
    }
    app.get('/play/streams/:id/init/:file', (request, reply) => playback.streamFile(request, reply));
    app.get('/play/streams/:id/segments/:file', (request, reply) => playback.streamFile(request, reply));
    app.get('/play/archives/:id/index.m3u8', (request, reply) => playback.archivePlaylist(request, reply));
    app.get('/play/archives/:id/init/:file', (request, reply) => playback.archiveFile(request, reply));
    app.get('/play/archives/:id/segments/:file', (request, reply) => playback.archiveFile(request, reply));
  };
}

interface FileName {
  readonly kind: 'init' | 'cmaf' | 'ts';
  readonly id: string;
}

class PlaybackHandlers {
  readonly #deps: RoutesDeps;

  constructor(deps: RoutesDeps) {
    this.#deps = deps;
  }

  async streamPlaylist(
    kind: Exclude<PlaylistKind, 'hold'>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const { id } = request.params as { readonly id: string };
    const query = request.query as Query;
    const resource: PlaybackResource = { kind: 'stream', id };
    const admission = await this.#admit(resource, request);
    const { view, state } = await this.#deps.views.read(id);
    requireTenantOf(admission, state.stream.tenant, () => noSuchStream(id));
    const playlist = await withRetryAfter(reply, () => this.#render(kind, state, view, query, admission.token));
    return this.#answerPlaylist(kind, resource, request, reply, admission, playlist);
  }

  async streamFile(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { id } = request.params as { readonly id: string };
    const resource: PlaybackResource = { kind: 'stream', id };
    const admission = await this.#admit(resource, request);
    const { view, state } = await this.#deps.views.read(id);
    requireTenantOf(admission, state.stream.tenant, () => noSuchStream(id));
    const { file, key } = await this.#file(request, state);
    const isFresh = (): boolean => view.isAt(state.revision);
    return this.#answerFile({ file, key, resource, isFresh }, request, reply, admission);
  }

  async archivePlaylist(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { admission, held, resource, state } = await this.#archive(request);
    const query = request.query as Query;
    const playlist = await withRetryAfter(reply, () => this.#deps.playlists.hold(held, state, query, admission.token));
    return this.#answerPlaylist('hold', resource, request, reply, admission, playlist);
  }

  async archiveFile(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { admission, held, resource, state } = await this.#archive(request);
    const { file, key } = await this.#file(request, state);
    if (!isWithin(held.hold, file)) throw noSuchFile(request);
    return this.#answerFile({ file, key, resource, isFresh: () => held.isFresh() }, request, reply, admission);
  }

  async #archive(request: FastifyRequest): Promise<{
    readonly admission: Admission;
    readonly held: HoldView;
    readonly resource: PlaybackResource;
    readonly state: StreamState;
  }> {
    const { id } = request.params as { readonly id: string };
    const resource: PlaybackResource = { kind: 'hold', id };
    const admission = await this.#admit(resource, request);
    const held = await this.#deps.holds.read(id, 'archive');
    const { state } = await this.#deps.views.read(held.hold.streamId);
    requireTenantOf(admission, state.stream.tenant, () => noSuchHold(id, 'archive'));
    return { admission, held, resource, state };
  }

  #admit(resource: PlaybackResource, request: FastifyRequest): Promise<Admission> {
    const token = queryValue(request.query as Query, 'token');
    return admit(this.#deps.access, resource, { token, authorization: request.headers.authorization });
  }

  #render(
    kind: Exclude<PlaylistKind, 'hold'>,
    state: StreamState,
    view: StreamView,
    query: Query,
    token: string | undefined,
  ): Promise<ReadyPlaylist> {
    const { playlists } = this.#deps;
    switch (kind) {
      case 'master':
        return playlists.master(state, view, query, token);
      case 'live':
        return playlists.live(state, view, query, token);
      case 'dvr':
        return playlists.dvr(view.streamId, query, token);
      case 'range':
        return playlists.range(state, view, query, token);
    }
  }

  /** The file that a URL names, if it is of this stream. @throws not_found */
  async #file(request: FastifyRequest, state: StreamState): Promise<{ readonly file: HotFile; readonly key: string }> {
    const name = readFileName(request);
    const { files } = this.#deps;
    const { speed } = readVariant(request.query as Query, 1);
    const { rendition } = state.live;
    const ownerOf = (renditionId: string): string => (renditionId === rendition.id ? state.stream.id : '');
    let found: { readonly file: HotFile; readonly key: string };
    switch (name.kind) {
      case 'init':
        found = { file: await files.init(name.id, speed, ownerOf), key: initKey(name.id, speed) };
        break;
      case 'cmaf':
        found = { file: await files.segment(name.id), key: segmentKey(name.id) };
        break;
      case 'ts':
        found = { file: await files.tsSegment(name.id, speed), key: tsKey(name.id, speed) };
        break;
    }
    if (found.file.streamId !== state.stream.id) throw noSuchFile(request);
    return found;
  }

  #answerPlaylist(
    kind: PlaylistKind,
    resource: PlaybackResource,
    request: FastifyRequest,
    reply: FastifyReply,
    admission: Admission,
    playlist: ReadyPlaylist,
  ): Promise<FastifyReply> {
    const { rendering, isFresh } = playlist;
    const { url } = request.raw;
    if (url !== undefined && admission.principal === null) {
      const answer = { playlist: rendering, kind };
      this.#deps.answers.set(url, { resource, token: admission.token, isFresh, answer });
    }
    this.#deps.metrics.playlistSent(kind, false);
    return sendPlaylist(request, reply, rendering, admission);
  }

  #answerFile(
    found: {
      readonly file: HotFile;
      readonly key: string;
      readonly resource: PlaybackResource;
      readonly isFresh: () => boolean;
    },
    request: FastifyRequest,
    reply: FastifyReply,
    admission: Admission,
  ): FastifyReply {
    const { file, key, resource, isFresh } = found;
    const { url } = request.raw;
    if (url !== undefined && admission.principal === null) {
      this.#deps.answers.set(url, { resource, token: admission.token, isFresh, answer: { fileKey: key } });
    }
    this.#deps.metrics.bytesSent(file.bytes.length);
    return sendFile(request, reply, file, admission);
  }
}

const FILE_NAMES: readonly (readonly [RegExp, FileName['kind']])[] = [
  [/^(epo_[0-9a-z]{10,40})\.mp4$/, 'init'],
  [/^(seg_[0-9a-z]{10,40})\.m4s$/, 'cmaf'],
  [/^(seg_[0-9a-z]{10,40})\.ts$/, 'ts'],
];

function readFileName(request: FastifyRequest): FileName {
  const { file } = request.params as { readonly file: string };
  const isInit = request.routeOptions.url?.includes('/init/') === true;
  for (const [pattern, kind] of FILE_NAMES) {
    const id = pattern.exec(file)?.[1];
    if (id !== undefined && isInit === (kind === 'init')) return { kind, id };
  }
  throw noSuchFile(request);
}

function noSuchFile(request: FastifyRequest): ZoetropeError {
  const { file } = request.params as { readonly file: string };
  return new ZoetropeError('not_found', `There is no file ${JSON.stringify(file)} here.`);
}

function isWithin(hold: Hold, file: HotFile): boolean {
  return file.endMs > hold.fromMs && (hold.toMs === null || file.startMs < hold.toMs);
}

/** Tells a client when to ask again if that can help. */
async function withRetryAfter<T>(reply: FastifyReply, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isZoetropeError(error, 'not_found') && error.retryable) reply.header('retry-after', String(RETRY_AFTER_S));
    throw error;
  }
}
