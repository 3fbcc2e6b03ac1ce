import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { KeyAccess } from '../access/key-access.ts';
import { assertMayListen } from '../access/loopback.ts';
import { catalogCheck, engineCheck, eventLogCheck, eventLoopCheck, objectsCheck } from '../api/health-checks.ts';
import { Health } from '../api/health.ts';
import { GrpcServer } from '../api/grpc/grpc-server.ts';
import { createHttpServer, type HttpServer } from '../api/rest/http-server.ts';
import type { Clock } from '../base/clock.ts';
import type { Component } from '../base/component.ts';
import type { IdSource } from '../base/ids.ts';
import { Lifecycle } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Config, Role } from '../config/schema.ts';
import { Delivery } from '../delivery/delivery.ts';
import { Pictures } from '../delivery/pictures.ts';
import { createEngine } from '../engine/create-engine.ts';
import type { Engine } from '../engine/engine.ts';
import { FRAMES_TOPIC, SEGMENTER_GROUP } from '../ingest/frames/frame-event.ts';
import { FrameRoots } from '../ingest/frames/frame-roots.ts';
import { createFramesIngest } from '../ingest/frames/frames-ingest.ts';
import { createFrameIntake } from '../ingest/frames/intake.ts';
import { LastSeen } from '../ingest/frames/last-seen.ts';
import { NewestFrames } from '../ingest/frames/newest-frames.ts';
import { MetricsServer } from '../metrics/metrics-server.ts';
import { Metrics } from '../metrics/metrics.ts';
import { removeStream } from '../upkeep/remove-stream.ts';
import { Uploads } from '../vod/uploads/uploads.ts';
import { composeEdges } from './edges.ts';
import { DemoCameras } from './demo-cameras.ts';
import { composeEdgeAgent } from './edge.ts';
import { composeChunks } from './chunks.ts';
import { composeLadder } from './ladder.ts';
import { composePush, openFilePlaylists } from './push.ts';
import { objectsAddress, openStores, type Stores } from './stores.ts';
import { streamDefaults } from './stream-defaults.ts';
import { upkeepComponents } from './upkeep-roles.ts';
import { VERSION } from './version.ts';
import { composeVod, incomingDirectory } from './vod.ts';
import { composeWebhooks } from './webhooks.ts';

/** Frames that one partition may have in memory before reading it pauses: references of a few hundred bytes. */
const MAX_PENDING_FRAMES = 20_000;
const ENGINE_TRIES = 3;
const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

/** A server with all the roles that its configuration names. */
export interface RunningServer extends Component {
  /** Where it listens; without `url` when it has neither the role api nor delivery. */
  urls(): { readonly url?: string; readonly grpcUrl?: string; readonly metricsUrl: string };
}

/** What a server is made with. */
export interface ServerDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  /** Also run simulated cameras. */
  readonly withDemo: boolean;
  /** Also be an edge of the control that the configuration names. */
  readonly isEdge: boolean;
}

/** Builds a server: the only place that knows all parts, and the order in which they start and stop. */
export async function composeServer(config: Config, deps: ServerDeps): Promise<RunningServer> {
  const { clock, ids, logger } = deps;
  const has = (...roles: readonly Role[]): boolean => roles.some((role) => config.roles.includes(role));
  const stores = await openStores(config, deps);
  const metrics = new Metrics();
  const defaults = streamDefaults(config);
  const engine = buildEngine(config, deps, metrics);
  const newest = new NewestFrames();
  const lastSeen = new LastSeen({ catalog: stores.catalog, clock, logger });
  const shared = {
    ...stores,
    clock,
    ids,
    logger,
    engine,
    newest,
    lastSeen,
    defaults,
    roots: await FrameRoots.open(config.frames.frameRoots),
    limits: { maxBytes: config.http.maxFrameBytes, maxPixels: config.frames.maxPixels },
  };
  const ingest = createFramesIngest({
    ...shared,
    logger: logger.child({ component: 'ingest' }),
    metrics: metrics.frames,
    maxTries: config.frames.maxTries,
    maxPending: MAX_PENDING_FRAMES,
    maxPendingPerStream: config.frames.maxOpenFramesPerStream,
  });
  const { catalog, objects, events } = stores;
  const live = { stores, clock, ids, logger, defaults, lastSeen };
  const push = composePush(config, { ...live, metrics: metrics.push });
  const chunks = composeChunks(config, { ...live, metrics: metrics.chunks });
  const edges = composeEdges(config, { stores, clock, logger, defaults, metrics: metrics.edges });
  const vod = composeVod(config, { stores, clock, ids, logger, metrics: metrics.worker });
  const agent = deps.isEdge
    ? composeEdgeAgent(config, { stores, clock, ids, logger, metrics: metrics.agent })
    : undefined;
  const ladder = composeLadder(config, { stores, clock, ids, logger, metrics: metrics.ladder });
  const webhooks = composeWebhooks(config, { catalog, http: vod.http, clock, ids, logger, metrics: metrics.webhooks });
  const uploads = new Uploads({
    directory: incomingDirectory(config, 'uploads'),
    assets: vod.assets,
    clock,
    ids,
    logger: logger.child({ component: 'uploads' }),
    maxBytes: config.vod.maxUploadBytes,
    expiryMs: config.vod.uploadExpiryHours * HOUR_MS,
  });
  const access = new KeyAccess({ catalog, clock, logger, host: config.http.host });
  const delivery = new Delivery({
    catalog,
    objects,
    access,
    clock,
    metrics: metrics.delivery,
    remote: edges.remote,
    defaults,
    liveSegments: config.delivery.liveSegments,
    assetSegmentMs: config.vod.segmentSeconds * 1000,
    cacheBytes: config.delivery.cacheMb * MIB,
  });
  const health = new Health({
    clock,
    checks: [
      eventLoopCheck(clock),
      catalogCheck(catalog, ids),
      objectsCheck(objects, ids, 0),
      eventLogCheck(events, FRAMES_TOPIC, SEGMENTER_GROUP),
      engineCheck(engine),
    ],
  });
  metrics.sample({
    engine: () => engine.stats(),
    totals: () => catalog.totals(),
    open: () => ({ frames: ingest.pending, segments: ingest.openStreams }),
    eventLogLag: () => events.lag(FRAMES_TOPIC, SEGMENTER_GROUP),
    freeBytes: () => objects.freeBytes(),
    tasks: () => catalog.taskCounts(),
    ...(agent === undefined ? {} : { agent: () => agent.status() }),
    edges: () => edges.control.count(),
    ...(has('worker') ? { ladders: () => ladder.worker.stats() } : {}),
  });
  const { host, port, metricsPort, corsOrigins, publicUrl, maxFrameBytes } = config.http;
  const { headerTimeoutSeconds, bodyTimeoutSeconds } = config.http;
  const http = createHttpServer({
    ...shared,
    logger: logger.child({ component: 'http' }),
    access,
    intake: createFrameIntake({
      ...shared,
      // Where ingest runs, it notes them itself, and knows which it may delete.
      ...(has('ingest') ? {} : { onAccepted: (streamId, frame) => void newest.note(streamId, frame, null) }),
    }),
    pictures: new Pictures({
      catalog,
      objects,
      engine,
      remote: edges.remote,
      newestFrame: (streamId) => newest.newest(streamId),
      cacheBytes: (config.delivery.cacheMb * MIB) / 4,
      limits: shared.limits,
    }),
    removeStream: async (stream) => {
      newest.forget(stream.id);
      await removeStream(stream.id, { catalog, objects });
    },
    health,
    vod: { assets: vod.assets, uploads },
    push: push.intake,
    filePlaylists: await openFilePlaylists(config, push.intake),
    chunks: chunks.api,
    edges,
    clips: vod.clips,
    webhooks: webhooks.endpoints,
    ...(agent === undefined ? {} : { agent }),
    metrics: metrics.http,
    settings: {
      version: VERSION,
      roles: config.roles,
      corsOrigins,
      publicUrl,
      maxFrameBytes,
      headerTimeoutSeconds,
      bodyTimeoutSeconds,
      maxPushedBodiesBytes: config.push.maxBodiesMb * MIB,
      tokenTtlSeconds: config.delivery.tokenTtlSeconds,
    },
    listen: { host, port },
    consoleDir: fileURLToPath(new URL('../../console/dist', import.meta.url)),
    ...(has('delivery') ? { playback: { routes: delivery.routes, tryServe: delivery.tryServe.bind(delivery) } } : {}),
  });
  const { port: grpcPort, ...grpcTls } = config.grpc;
  const grpc = new GrpcServer({
    catalog,
    clock,
    logger: logger.child({ component: 'grpc' }),
    access,
    assets: vod.assets,
    uploads,
    publicUrl,
    listen: { ...grpcTls, host, port: grpcPort },
    isReady: async () => (await health.ready()).status === 'ok',
  });
  const metricsServer = new MetricsServer({ metrics, health, ids, logger, listen: { host, port: metricsPort } });
  const isHttp = has('api', 'delivery');
  const components: readonly Component[] = [
    ...storeComponents(stores, host),
    engine,
    lastSeen,
    metricsServer,
    ...(has('ingest') ? [ingest, push.ingest, chunks.ingest] : []),
    ...(has('upkeep')
      ? upkeepComponents(config, stores, defaults, { clock, ids, logger, metrics: metrics.upkeep })
      : []),
    ...(has('worker') ? [...vod.workers, ...ladder.components] : []),
    ...(has('upkeep') ? [webhooks.dispatcher] : []),
    ...(isHttp ? [uploads] : []),
    ...(isHttp ? [access, edges.control, edges.remote, delivery, http] : []),
    ...(has('api') ? [grpc] : []),
    ...(agent === undefined ? [] : [agent]),
    ...(deps.withDemo ? [new DemoCameras(() => urlOf(http.address()), logger)] : []),
  ];
  const lifecycle = new Lifecycle('zoetrope', components, { clock, logger });
  return {
    name: lifecycle.name,
    start: (signal) => lifecycle.start(signal),
    close: () => lifecycle.close(),
    urls: () => ({
      ...(isHttp ? { url: urlOf(http.address()) } : {}),
      ...(has('api') ? { grpcUrl: urlOf(grpc.address()) } : {}),
      metricsUrl: urlOf(metricsServer.address()),
    }),
  };
}

function buildEngine(config: Config, { clock, logger }: ServerDeps, metrics: Metrics): Engine {
  const { processes, taskTimeoutSeconds, maxMemoryMb, maxQueued } = config.engine;
  return createEngine({
    processes: processes ?? availableParallelism(),
    entryUrl: new URL('./engine-process.ts', import.meta.url),
    childArguments: [objectsAddress(config)],
    taskTimeoutMs: taskTimeoutSeconds * 1000,
    maxMemoryBytes: maxMemoryMb * MIB,
    maxQueued,
    maxTries: ENGINE_TRIES,
    clock,
    logger: logger.child({ component: 'engine' }),
    metrics: metrics.engine,
  });
}

/** The stores, and behind them the guard that lets nobody listen beyond this machine without keys. */
function storeComponents({ objects, events, catalog }: Stores, host: string): readonly Component[] {
  const guard: Component = {
    name: 'listen guard',
    start: async () =>
      assertMayListen(
        host,
        (await catalog.listKeys()).some((key) => key.revokedAtMs === null),
      ),
    close: async () => undefined,
  };
  return [objects, events, catalog, guard];
}

function urlOf({ host, port }: ReturnType<HttpServer['address']>): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
