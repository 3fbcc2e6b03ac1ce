import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { ZoetropeError } from '../base/errors.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { Output, OutputFile } from '../timeline/asset.ts';
import { sendStored } from './answer.ts';
import { notMade } from './asset-offer.ts';
import { isEncrypted, outputOf, type AssetPlaylists } from './asset-playlists.ts';
import type { AssetState, AssetView } from './asset-view.ts';
import { noSuchAsset, type AssetViews } from './asset-views.ts';
import { requireTenantOf } from './gate.ts';
import type { ReadyPlaylist } from './kept-texts.ts';
import { captionsFileKey, outputFileKey, outputFileTag, REPLACEABLE, type MediaFiles } from './media-files.ts';
import type { PlaylistKind } from './metrics.ts';
import { namedFile } from './named-files.ts';
import { noSuchFile, withRetryAfter, type Admitted, type FoundFile, type PlaybackAnswers } from './playback-answers.ts';
import type { SegmentCiphers } from './segment-cipher.ts';
import { readVariant, type Query } from './variant.ts';

/** What the routes of assets call. */
export interface AssetRoutesDeps {
  readonly answers: PlaybackAnswers;
  readonly views: AssetViews;
  readonly playlists: AssetPlaylists;
  readonly files: MediaFiles;
  readonly ciphers: SegmentCiphers;
  readonly objects: Pick<ObjectStore, 'open'>;
}

/** The routes below /play/assets (docs/design/playback.md). They throw; the server makes problem documents of it. */
export function assetRoutes(deps: AssetRoutesDeps): FastifyPluginAsync {
  const assets = new AssetHandlers(deps);
  const { playlists } = deps;
  return async (app) => {
    const base = '/play/assets/:id';
    app.get(`${base}/master.m3u8`, (request, reply) =>
      assets.text('master', request, reply, (asked) =>
        playlists.master(asked.state, asked.view, asked.query, asked.token),
      ),
    );
    app.get(`${base}/manifest.mpd`, (request, reply) =>
      assets.text('manifest', request, reply, (asked) =>
        playlists.manifest(asked.state, asked.view, asked.query, asked.token),
      ),
    );
    app.get(`${base}/:output/index.m3u8`, (request, reply) =>
      assets.text('asset', request, reply, ({ state, view, query, token, params }) =>
        playlists.media(state, view, params.output ?? '', query, token),
      ),
    );
    app.get(`${base}/:output/iframes.m3u8`, (request, reply) =>
      assets.text('asset', request, reply, ({ state, view, query, token, params }) =>
        playlists.iFrames(state, view, params.output ?? '', query, token),
      ),
    );
    for (const format of ['vtt', 'json'] as const) {
      app.get(`${base}/storyboard.${format}`, (request, reply) =>
        assets.text('storyboard', request, reply, ({ state, view, token }) =>
          playlists.storyboard(format, state, view, token),
        ),
      );
    }
    app.get(`${base}/init/:file`, (request, reply) => assets.media(request, reply));
    app.get(`${base}/segments/:file`, (request, reply) => assets.media(request, reply));
    app.get(`${base}/key/:file`, (request, reply) => assets.key(request, reply));
    app.get(`${base}/poster.jpg`, (request, reply) => assets.file(request, reply, posterOf));
    app.get(`${base}/thumbnails/:file`, (request, reply) => assets.file(request, reply, thumbnailOf));
    app.get(`${base}/storyboard/:file`, (request, reply) => assets.file(request, reply, sheetOf));
    app.get(`${base}/captions/:file`, (request, reply) => assets.captions(request, reply));
    app.get(`${base}/download.mp4`, (request, reply) => assets.download(request, reply));
  };
}

interface Params {
  readonly id: string;
  readonly file?: string;
  readonly output?: string;
}

/** An asset that a request may see. */
interface Asked {
  readonly to: Admitted;
  readonly view: AssetView;
  readonly state: AssetState;
  readonly params: Params;
  readonly query: Query;
  readonly token: string | undefined;
}

class AssetHandlers {
  readonly #deps: AssetRoutesDeps;

  constructor(deps: AssetRoutesDeps) {
    this.#deps = deps;
  }

  async text(
    kind: PlaylistKind,
    request: FastifyRequest,
    reply: FastifyReply,
    render: (asked: Asked) => Promise<ReadyPlaylist>,
  ): Promise<FastifyReply> {
    const asked = await this.#asset(request);
    const text = await withRetryAfter(reply, () => render(asked));
    return this.#deps.answers.sendPlaylist(kind, asked.to, request, reply, text);
  }

  async media(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const asked = await this.#asset(request);
    const { asset, tracks } = asked.state;
    const found = await namedFile(this.#deps.files, request, {
      streamId: asset.id,
      owns: (renditionId) => [...tracks.values()].some(({ window }) => window.rendition.id === renditionId),
      cipher: isEncrypted(asked.state) ? await this.#deps.ciphers.of(asset.id) : null,
      readVariant: (query) => readVariant(query, 1),
    });
    return this.#send(found, asked, request, reply);
  }

  async key(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { state } = await this.#asset(request);
    if ((request.params as Params).file !== '0' || !isEncrypted(state)) throw noSuchFile(request);
    const { key } = await this.#deps.ciphers.of(state.asset.id);
    return reply.header('cache-control', 'no-store').type('application/octet-stream').send(Buffer.from(key));
  }

  async file(
    request: FastifyRequest,
    reply: FastifyReply,
    find: (state: AssetState, request: FastifyRequest) => OutputFile,
  ): Promise<FastifyReply> {
    const asked = await this.#asset(request);
    const file = await withRetryAfter(reply, async () => find(asked.state, request));
    return this.#sendOutputFile(file, asked, request, reply);
  }

  async captions(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const asked = await this.#asset(request);
    const { state } = asked;
    const outputId = /^(out_[0-9a-z]{10,40})\.vtt$/.exec(asked.params.file ?? '')?.[1];
    if (outputId === undefined) throw noSuchFile(request);
    const output = outputOf(state, outputId);
    if (output.spec.kind !== 'subtitles') throw noSuchFile(request);
    const [file] = output.files;
    if (file !== undefined) return this.#sendOutputFile(file, asked, request, reply);
    const segment = await withRetryAfter(reply, async () => {
      const first = state.tracks.get(outputId)?.window.at(0);
      if (first === undefined) throw notMade(state, `captions ${output.name}`, output);
      return first;
    });
    const found = { file: await this.#deps.files.captionsFile(segment.id), key: captionsFileKey(segment.id) };
    return this.#send(found, asked, request, reply);
  }

  async download(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { to, state } = await this.#asset(request);
    const file = await withRetryAfter(reply, async () => onlyFile(state, 'download', 'download'));
    const { objectKey, sizeBytes, contentType } = file;
    return sendStored(
      request,
      reply,
      {
        objectKey,
        sizeBytes,
        contentType,
        tag: outputFileTag(file),
        cacheControl: REPLACEABLE,
        saveAs: `${state.asset.name.replace(/\.[A-Za-z0-9]{1,5}$/, '')}.mp4`,
      },
      to.admission,
      this.#deps.objects,
    );
  }

  async #asset(request: FastifyRequest): Promise<Asked> {
    const params = request.params as Params;
    const { id } = params;
    const to = await this.#deps.answers.admit({ kind: 'stream', id }, request);
    const { view, state } = await this.#deps.views.read(id);
    requireTenantOf(to.admission, state.asset.tenant, () => noSuchAsset(id));
    return { to, view, state, params, query: request.query as Query, token: to.admission.token };
  }

  async #sendOutputFile(
    file: OutputFile,
    asked: Asked,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const found = {
      file: await this.#deps.files.outputFile(file, asked.state.asset.id),
      key: outputFileKey(file.objectKey),
    };
    return this.#send(found, asked, request, reply);
  }

  #send(found: FoundFile, asked: Asked, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { view, state, to } = asked;
    const isFresh = (): boolean => view.isAt(state.revision);
    return this.#deps.answers.sendFile({ ...found, isFresh }, to, request, reply);
  }
}

/** The one output of pictures that is called so. */
const POSTER = 'poster';

function posterOf(state: AssetState): OutputFile {
  const output = state.outputs.find(({ name, spec }) => spec.kind === 'thumbnails' && name === POSTER);
  const [file] = output?.files ?? [];
  if (file === undefined) throw notMade(state, 'poster', output);
  return file;
}

/** Thumbnails are numbered over all sets that were asked for, in that order. */
function thumbnailOf(state: AssetState, request: FastifyRequest): OutputFile {
  let number = readPictureNumber(request);
  for (const output of state.outputs) {
    if (output.spec.kind !== 'thumbnails' || output.name === POSTER) continue;
    const count = output.spec.timesMs.length;
    if (number < count) {
      const file = output.files[number];
      if (file === undefined) throw notMade(state, 'thumbnails', output);
      return file;
    }
    number -= count;
  }
  throw notMade(state, 'such thumbnail');
}

function sheetOf(state: AssetState, request: FastifyRequest): OutputFile {
  const output = state.outputs.find(({ spec }) => spec.kind === 'storyboard');
  const file = output?.files[readPictureNumber(request)];
  if (file === undefined) throw notMade(state, 'such sheet of its storyboard', output);
  return file;
}

function onlyFile(state: AssetState, kind: Output['spec']['kind'], what: string): OutputFile {
  const output = state.outputs.find(({ spec }) => spec.kind === kind);
  const [file] = output?.files ?? [];
  if (file === undefined) throw notMade(state, what, output);
  return file;
}

function readPictureNumber(request: FastifyRequest): number {
  const { file = '' } = request.params as Params;
  const digits = /^(\d{1,6})\.jpg$/.exec(file)?.[1];
  if (digits === undefined) throw new ZoetropeError('not_found', `There is no file ${JSON.stringify(file)} here.`);
  return Number(digits);
}
