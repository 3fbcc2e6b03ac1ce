import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyPluginAsync } from 'fastify';
import type { Clock } from '../base/clock.ts';
import type { Component } from '../base/component.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { StreamSettings } from '../timeline/stream.ts';
import type { DeliveryAccess } from './gate.ts';
import { AssetPlaylists } from './asset-playlists.ts';
import { assetRoutes } from './asset-routes.ts';
import { AssetViews } from './asset-views.ts';
import { HoldPlaylists } from './hold-playlists.ts';
import { Holds } from './holds.ts';
import { HotFiles } from './hot-files.ts';
import { createHotPath, HotAnswers } from './hot-path.ts';
import { MediaFiles } from './media-files.ts';
import type { DeliveryMetrics } from './metrics.ts';
import { PlaybackAnswers } from './playback-answers.ts';
import type { RemoteSource } from './remote-source.ts';
import { Playlists } from './playlists.ts';
import { streamRoutes } from './routes.ts';
import { SegmentCiphers } from './segment-cipher.ts';
import { StreamManifests } from './stream-manifests.ts';
import { StreamViews } from './stream-views.ts';

/** What playback is served from. */
export interface DeliveryDeps {
  readonly catalog: Catalog;
  readonly objects: Pick<ObjectStore, 'get' | 'open'>;
  readonly access: DeliveryAccess;
  readonly clock: Clock;
  readonly metrics: DeliveryMetrics;
  readonly remote: RemoteSource;
  /** The server's defaults for every stream. */
  readonly defaults: StreamSettings;
  /** Segments in a live playlist. */
  readonly liveSegments: number;
  /** Length aimed at for segments of assets. */
  readonly assetSegmentMs: number;
  /** Memory for hot segments, in bytes; half as much again for long playlists, and a quarter each for those of assets and of holds. */
  readonly cacheBytes: number;
}

/** Playback over HTTP: playlists, init segments and segments of streams and of their holds, from memory where possible. */
export class Delivery implements Component {
  readonly name = 'delivery';
  /** Everything below /play. */
  readonly routes: FastifyPluginAsync;
  readonly #tryServe: (request: IncomingMessage, response: ServerResponse) => boolean;
  readonly #views: StreamViews;
  readonly #assets: AssetViews;
  readonly #holds: Holds;
  readonly #holdPlaylists: HoldPlaylists;

  constructor(deps: DeliveryDeps) {
    const { catalog, clock, access, metrics, remote, defaults, liveSegments } = deps;
    const hot = new HotFiles(deps.cacheBytes, metrics);
    const answers = new HotAnswers();
    this.#views = new StreamViews({ catalog, clock, defaults, liveSegments, maxDvrBytes: deps.cacheBytes / 2 });
    this.#holds = new Holds(catalog);
    this.#holdPlaylists = new HoldPlaylists({ catalog, clock, maxBytes: deps.cacheBytes / 4 });
    const playlists = new Playlists({ catalog, clock, views: this.#views });
    const files = new MediaFiles({ catalog, objects: deps.objects, hot, remote });
    this.#assets = new AssetViews({ catalog, clock, maxWindowBytes: deps.cacheBytes / 4 });
    const manifests = new StreamManifests({ catalog, clock, files, views: this.#views });
    const served = { answers: new PlaybackAnswers({ access, metrics, answers }), files };
    const ofStreams = streamRoutes({
      ...served,
      remote,
      playlists,
      manifests,
      clock,
      views: this.#views,
      holds: this.#holds,
      holdPlaylists: this.#holdPlaylists,
    });
    const ofAssets = assetRoutes({
      ...served,
      views: this.#assets,
      playlists: new AssetPlaylists({ clock, segmentMs: deps.assetSegmentMs }),
      ciphers: new SegmentCiphers(catalog),
      objects: deps.objects,
    });
    this.routes = async (app, options) => {
      await ofStreams(app, options);
      await ofAssets(app, options);
    };
    this.#tryServe = createHotPath({ answers, files: hot, access, metrics, remote });
  }

  /** Begins to follow the catalog's changes: before it nothing must be served. */
  async start(): Promise<void> {
    this.#views.start();
    this.#assets.start();
    this.#holds.start();
    this.#holdPlaylists.start();
  }

  /** Forgets everything. */
  async close(): Promise<void> {
    this.#views.close();
    this.#assets.close();
    this.#holds.close();
    this.#holdPlaylists.close();
  }

  /**
   * Answers a GET from memory, before any routing; false: nothing was sent, and the routes must answer. The server's own checks (host name) come
   * first. Headers that were set on the response are kept.
   */
  tryServe(request: IncomingMessage, response: ServerResponse): boolean {
    return this.#tryServe(request, response);
  }
}
