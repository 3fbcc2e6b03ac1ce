import { constants as zlib } from 'node:zlib';
import compress from '@fastify/compress';
import cors from '@fastify/cors';
import { fastify, type FastifyPluginAsync, type FastifyServerFactory } from 'fastify';
import type { Access } from '../../access/access.ts';
import type { RequestGuard } from '../../access/request-guard.ts';
import { ZoetropeError } from '../../base/errors.ts';
import { addAccessHook } from './access-hook.ts';
import { addJsonParser } from './body-parsers.ts';
import { TUS_ABILITIES } from '../../vod/uploads/tus-reception.ts';
import type { AssetFeed } from './asset-feed.ts';
import type { ConsoleFiles } from './console.ts';
import type { ApiDeps, RestApp } from './deps.ts';
import { addIdempotency } from './idempotency.ts';
import type { MarkerFeed } from './marker-feed.ts';
import { RouteTable } from './not-found.ts';
import { addOpenApi } from './openapi.ts';
import { sendProblem } from './problems.ts';
import { isUpload } from './upload-paths.ts';
import { addAgentRoutes } from './routes/agent-routes.ts';
import { addArchiveRoutes } from './routes/archive-routes.ts';
import { addAssetEventRoutes } from './routes/asset-event-routes.ts';
import { addAssetRoutes } from './routes/asset-routes.ts';
import { addChunkRoutes } from './routes/chunk-routes.ts';
import { addClipRoutes } from './routes/clip-routes.ts';
import { addEdgeRoutes } from './routes/edge-routes.ts';
import { addFrameRoutes } from './routes/frame-routes.ts';
import { addLadderRoutes } from './routes/ladder-routes.ts';
import { addMarkerRoutes } from './routes/marker-routes.ts';
import { addPictureRoutes } from './routes/picture-routes.ts';
import { addPlaylistRoutes } from './routes/playlist-routes.ts';
import { addPushRoutes } from './routes/push-routes.ts';
import { addRecordingRoutes } from './routes/recording-routes.ts';
import { addServerRoutes } from './routes/server-routes.ts';
import { addShareRoutes } from './routes/share-routes.ts';
import { addStreamEventRoutes } from './routes/stream-event-routes.ts';
import { addStreamRoutes } from './routes/stream-routes.ts';
import { addTimelineRoutes } from './routes/timeline-routes.ts';
import { addUploadRoutes } from './routes/upload-routes.ts';
import { addWebhookRoutes } from './routes/webhook-routes.ts';
import { addSecurityHeaders } from './security-headers.ts';
import type { SseHub } from './sse.ts';
import type { StreamFeed } from './stream-feed.ts';
import { validatorCompiler } from './validation.ts';

const JSON_BODY_BYTES = 1024 * 1024;
/** A free-text id of 200 characters, percent-encoded. */
const MAX_PARAM_LENGTH = 200 * 12;
const REQUEST_ID = /^[\w.:-]{1,100}$/;
/** Pictures and segments are compressed already. */
const COMPRESSIBLE = /^(text\/(?!event-stream)|application\/(problem\+)?json|application\/javascript|image\/svg\+xml)/;

/** What scripts of other origins may read. */
const EXPOSED_HEADERS =
  'ETag Idempotency-Replayed Location Retry-After X-Captured-At X-Request-Id Zoetrope-Asset-Id ' +
  'Tus-Resumable Tus-Version Tus-Extension Tus-Max-Size Upload-Offset Upload-Length Upload-Metadata Upload-Expires';

/** The parts of the HTTP interface that live as long as it. */
export interface RestParts {
  readonly sse: SseHub;
  readonly streamFeed: StreamFeed;
  readonly markerFeed: MarkerFeed;
  readonly assetFeed: AssetFeed;
  readonly console: ConsoleFiles;
  readonly guard: RequestGuard;
  readonly serverFactory: FastifyServerFactory;
  /** Further routes, such as those below /play. */
  readonly plugins: readonly FastifyPluginAsync[];
}

/** Builds the Fastify instance with all hooks and routes; it listens nowhere yet. */
export async function buildApp(deps: ApiDeps, parts: RestParts): Promise<RestApp> {
  const { settings, logger } = deps;
  const routes = new RouteTable();
  const app: RestApp = fastify({
    serverFactory: parts.serverFactory,
    genReqId: (raw) => requestIdOf(raw.headers['x-request-id']) ?? deps.ids.next('request'),
    bodyLimit: JSON_BODY_BYTES,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply, logger),
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, logger));
  app.setNotFoundHandler((request, reply) => routes.refuse(request, reply));
  addJsonParser(app);
  routes.watch(app);
  addSecurityHeaders(app);
  addClosing(app);
  addGuard(app, deps.access, parts.guard);
  addMeasuring(app, deps);
  addIdempotency(app, deps.catalog, logger);
  if (deps.vod !== undefined) addTusDiscovery(app, deps.vod.uploads.maxBytes);
  await app.register(cors, {
    origin: settings.corsOrigins.includes('*') ? '*' : [...settings.corsOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS.split(' '),
    maxAge: 600,
    strictPreflight: false,
  });
  await app.register(compress, {
    threshold: 1024,
    customTypes: COMPRESSIBLE,
    encodings: ['br', 'gzip'],
    brotliOptions: { params: { [zlib.BROTLI_PARAM_QUALITY]: 4 } },
    globalDecompression: false,
  });
  addAccessHook(app, deps.access);
  await addOpenApi(app, settings);
  addStreamRoutes(app, deps);
  addLadderRoutes(app, deps);
  addStreamEventRoutes(app, { sse: parts.sse, feed: parts.streamFeed });
  addFrameRoutes(app, deps);
  addPictureRoutes(app, deps);
  addTimelineRoutes(app, deps);
  addMarkerRoutes(app, deps, { sse: parts.sse, feed: parts.markerFeed });
  addArchiveRoutes(app, deps);
  if (deps.clips !== undefined) addClipRoutes(app, deps, deps.clips);
  addRecordingRoutes(app, deps);
  addShareRoutes(app, deps);
  addServerRoutes(app, deps);
  if (deps.push !== undefined) addPushRoutes(app, deps, deps.push);
  if (deps.push !== undefined && deps.filePlaylists !== undefined) {
    addPlaylistRoutes(app, deps, { push: deps.push, files: deps.filePlaylists });
  }
  if (deps.chunks !== undefined) addChunkRoutes(app, deps, deps.chunks);
  if (deps.edges !== undefined) addEdgeRoutes(app, deps, deps.edges);
  if (deps.vod !== undefined) {
    addAssetRoutes(app, deps, deps.vod, parts.assetFeed);
    addAssetEventRoutes(app, deps, { sse: parts.sse, feed: parts.assetFeed });
    addUploadRoutes(app, deps, deps.vod);
  }
  if (deps.agent !== undefined) addAgentRoutes(app, deps.agent);
  if (deps.webhooks !== undefined) addWebhookRoutes(app, deps, deps.webhooks);
  for (const plugin of parts.plugins) await app.register(plugin);
  await parts.console.addTo(app, (request, reply) => routes.refuse(request, reply));
  await app.ready();
  return app;
}

/** Requests that come while the server shuts down are told to come back; those under way finish, and their connections with them. */
function addClosing(app: RestApp): void {
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  app.addHook('onRequest', async () => {
    if (isClosing) throw new ZoetropeError('unavailable', 'The server is shutting down. Try again in a moment.');
  });
  app.addHook('onSend', async (request, reply) => {
    if (isClosing) void reply.header('connection', 'close');
    // Closed at once, the connection would be reset before who still sends has read why. The server closes it if that goes on. Uploads say themselves what they need.
    else if (!request.raw.complete && !isUpload(request.url)) void reply.removeHeader('connection');
  });
}

/** What the server speaks, told to whoever asks with OPTIONS (tus 1.0): it goes out with the answer of the CORS plugin. */
function addTusDiscovery(app: RestApp, maxBytes: number): void {
  app.addHook('onRequest', async (request, reply) => {
    if (request.method !== 'OPTIONS' || !request.url.startsWith('/v1/uploads')) return;
    void reply.headers({ ...TUS_ABILITIES, 'tus-max-size': String(maxBytes) });
  });
}

/** An open server answers only what no web page of another site could have sent. */
function addGuard(app: RestApp, access: Access, guard: RequestGuard): void {
  app.addHook('onRequest', async (request) => {
    const fault = access.isOpen() ? guard.faultOf(request.raw) : null;
    if (fault !== null) throw fault;
  });
}

/** Counts every request by its route's pattern. A stream of events is no request that took long. */
function addMeasuring(app: RestApp, deps: ApiDeps): void {
  app.addHook('onResponse', async (request, reply) => {
    const type = reply.raw.getHeader('content-type');
    if (typeof type === 'string' && type.startsWith('text/event-stream')) return;
    deps.metrics.request({
      route: request.is404 ? 'none' : (request.routeOptions.url ?? 'none'),
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    });
  });
}

function requestIdOf(header: string | readonly string[] | undefined): string | null {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : null;
}
