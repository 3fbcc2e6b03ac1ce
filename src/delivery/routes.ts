import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../base/clock.ts';
import { formatRfc3339 } from '../base/time.ts';
import type { Hold, HoldKind } from '../timeline/hold.ts';
import { requireTenantOf } from './gate.ts';
import type { HoldPlaylists } from './hold-playlists.ts';
import { noSuchHold, type Holds, type HoldView } from './holds.ts';
import type { HotFile } from './hot-files.ts';
import type { ReadyPlaylist } from './kept-texts.ts';
import type { MediaFiles } from './media-files.ts';
import type { PlaylistKind } from './metrics.ts';
import { namedFile, type FileOwner } from './named-files.ts';
import { noSuchFile, withRetryAfter, type Admitted, type PlaybackAnswers } from './playback-answers.ts';
import type { Playlists } from './playlists.ts';
import { pullsLive, type RemoteSource } from './remote-source.ts';
import type { StreamManifests } from './stream-manifests.ts';
import type { StreamState } from './stream-view.ts';
import { noSuchStream, type StreamViews } from './stream-views.ts';
import { readFileVariant, readRendition } from './stream-variant.ts';
import type { Query } from './variant.ts';

/** What the routes of streams and of their holds call. */
export interface RoutesDeps {
  readonly answers: PlaybackAnswers;
  readonly views: StreamViews;
  readonly remote: Pick<RemoteSource, 'watched'>;
  readonly holds: Holds;
  readonly playlists: Playlists;
  readonly manifests: StreamManifests;
  readonly clock: Clock;
  readonly holdPlaylists: HoldPlaylists;
  readonly files: MediaFiles;
}

/** Below which folder holds of each kind are played. */
const HOLD_FOLDERS: readonly (readonly [string, HoldKind])[] = [
  ['archives', 'archive'],
  ['recordings', 'recording'],
];

/** The routes below /play/streams, /play/archives and /play/recordings (docs/design/http.md). They throw; the server makes problem documents of it. */
export function streamRoutes(deps: RoutesDeps): FastifyPluginAsync {
  const playback = new StreamHandlers(deps);
  return async (app) => {
    for (const kind of ['master', 'live', 'dvr', 'range'] as const) {
      app.get(`/play/streams/:id/${kind}.m3u8`, (request, reply) =>
        playback.streamText(kind, request, reply, (...asked) => deps.playlists[kind](...asked)),
      );
    }
    for (const [name, kind] of [
      ['manifest', 'live'],
      ['range', 'range'],
    ] as const) {
      app.get(`/play/streams/:id/${name}.mpd`, (request, reply) =>
        playback.streamText('manifest', request, reply, (...asked) => deps.manifests[kind](...asked)),
      );
    }
    // What the clock says is no secret, and players ask for it without a token.
    app.get('/play/time', (_request, reply) =>
      reply.header('cache-control', 'no-store').type('text/plain').send(formatRfc3339(deps.clock.nowMs())),
    );
    app.get('/play/streams/:id/init/:file', (request, reply) => playback.streamFile(request, reply));
    app.get('/play/streams/:id/segments/:file', (request, reply) => playback.streamFile(request, reply));
    for (const [folder, kind] of HOLD_FOLDERS) {
      app.get(`/play/${folder}/:id/index.m3u8`, (request, reply) => playback.holdPlaylist(kind, request, reply));
      app.get(`/play/${folder}/:id/init/:file`, (request, reply) => playback.holdFile(kind, request, reply));
      app.get(`/play/${folder}/:id/segments/:file`, (request, reply) => playback.holdFile(kind, request, reply));
    }
  };
}

/** Renders a text of a stream, by its id. */
type RenderText = (id: string, query: Query, token: string | undefined) => Promise<ReadyPlaylist>;

class StreamHandlers {
  readonly #deps: RoutesDeps;

  constructor(deps: RoutesDeps) {
    this.#deps = deps;
  }

  async streamText(
    kind: PlaylistKind,
    request: FastifyRequest,
    reply: FastifyReply,
    render: RenderText,
  ): Promise<FastifyReply> {
    const { id } = request.params as { readonly id: string };
    const query = request.query as Query;
    const to = await this.#deps.answers.admit({ kind: 'stream', id }, request);
    const { state } = await this.#deps.views.read(id);
    requireTenantOf(to.admission, state.stream.tenant, () => noSuchStream(id));
    if (pullsLive(request.url)) this.#deps.remote.watched(state.stream);
    const text = await withRetryAfter(reply, () => render(id, query, to.admission.token));
    return this.#deps.answers.sendPlaylist(kind, to, request, reply, text);
  }

  async streamFile(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { id } = request.params as { readonly id: string };
    const to = await this.#deps.answers.admit({ kind: 'stream', id }, request);
    const { view, state } = await this.#deps.views.read(id);
    requireTenantOf(to.admission, state.stream.tenant, () => noSuchStream(id));
    const found = await namedFile(this.#deps.files, request, ownerOf(state));
    const isFresh = (): boolean => view.isAt(state.revision);
    return this.#deps.answers.sendFile({ ...found, isFresh }, to, request, reply);
  }

  async holdPlaylist(kind: HoldKind, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { to, held } = await this.#hold(kind, request, (id) => this.#deps.holds.read(id, kind));
    const query = request.query as Query;
    const { token } = to.admission;
    const { state } = await this.#deps.views.read(held.hold.streamId, readRendition(query));
    const playlist = await withRetryAfter(reply, () => this.#deps.holdPlaylists.ready(held, state, query, token));
    return this.#deps.answers.sendPlaylist('hold', to, request, reply, playlist);
  }

  async holdFile(kind: HoldKind, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { to, held, state } = await this.#hold(kind, request, (id) => this.#deps.holds.readEvenReleased(id, kind));
    const found = await namedFile(this.#deps.files, request, ownerOf(state));
    if (!isWithin(held.hold, found.file)) throw noSuchFile(request);
    return this.#deps.answers.sendFile({ ...found, isFresh: () => held.isFresh() }, to, request, reply);
  }

  async #hold(
    kind: HoldKind,
    request: FastifyRequest,
    read: (id: string) => Promise<HoldView>,
  ): Promise<{ readonly to: Admitted; readonly held: HoldView; readonly state: StreamState }> {
    const { id } = request.params as { readonly id: string };
    const to = await this.#deps.answers.admit({ kind: 'hold', id }, request);
    const held = await read(id);
    const { state } = await this.#deps.views.read(held.hold.streamId);
    requireTenantOf(to.admission, state.stream.tenant, () => noSuchHold(id, kind));
    return { to, held, state };
  }
}

/** Stored media of streams leave as they are. */
function ownerOf({ stream, renditions }: StreamState): FileOwner {
  return {
    streamId: stream.id,
    owns: (renditionId) => renditions.some(({ id }) => id === renditionId),
    cipher: null,
    readVariant: (query) => readFileVariant(query, stream),
  };
}

function isWithin(hold: Hold, file: HotFile): boolean {
  return file.endMs > hold.fromMs && (hold.toMs === null || file.startMs < hold.toMs);
}
