import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyPluginAsync } from 'fastify';
import { RequestGuard } from '../../access/request-guard.ts';
import type { Component } from '../../base/component.ts';
import { systemCodeOf, ZoetropeError } from '../../base/errors.ts';
import { buildApp } from './app.ts';
import { AssetFeed } from './asset-feed.ts';
import { ConsoleFiles } from './console.ts';
import type { ApiDeps, RestApp } from './deps.ts';
import { MarkerFeed } from './marker-feed.ts';
import { isUpload } from './upload-paths.ts';
import { PROBLEM_TYPE, problemOf } from './problems.ts';
import { SseHub } from './sse.ts';
import { StreamFeed } from './stream-feed.ts';

/** How long an idle kept connection may stay, and one that is silent in the middle of something. Milliseconds. */
const TIMEOUTS = { keepAliveMs: 65_000, silentMs: 130_000 };
/** Who is answered before the whole body came may read the answer for so long, sending on; then the connection is closed (RFC 9112 §9.6). */
const LINGER_MS = 2000;
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
const MAX_HEADER_BYTES = 16 * 1024;
/** How long requests under way may take to finish at shutdown. */
const DRAIN_MS = 10_000;

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Playback, as the HTTP server wires it. */
export interface Playback {
  /** The routes below /play. */
  readonly routes: FastifyPluginAsync;
  /** Answers a request from memory at once, before any routing; false: it did nothing, the routes take it. */
  tryServe(request: IncomingMessage, response: ServerResponse): boolean;
}

/** What the HTTP server is made of. */
export interface HttpServerDeps extends ApiDeps {
  /** Where to listen; port 0 picks a free one. */
  readonly listen: ListenAddress;
  /** Where the built console lies. */
  readonly consoleDir: string;
  /** Absent where this process delivers nothing. */
  readonly playback?: Playback;
}

/** The HTTP server of console, API and playback. */
export interface HttpServer extends Component {
  /** Where it listens. @throws unavailable before its start. */
  address(): ListenAddress;
}

/** Builds the HTTP server. */
export function createHttpServer(deps: HttpServerDeps): HttpServer {
  return new RestServer(deps);
}

class RestServer implements HttpServer {
  readonly name = 'http';
  readonly #deps: HttpServerDeps;
  readonly #guard: RequestGuard;
  readonly #headerMs: number;
  readonly #bodyMs: number;
  readonly #sse: SseHub;
  readonly #markerFeed: MarkerFeed;
  readonly #assetFeed: AssetFeed;
  #app: RestApp | undefined;
  #closing: Promise<void> | undefined;

  constructor(deps: HttpServerDeps) {
    this.#deps = deps;
    this.#guard = new RequestGuard(deps.settings);
    const { headerTimeoutSeconds, bodyTimeoutSeconds } = deps.settings;
    this.#headerMs = headerTimeoutSeconds * 1000;
    this.#bodyMs = bodyTimeoutSeconds * 1000;
    this.#sse = new SseHub(deps);
    this.#markerFeed = new MarkerFeed(deps);
    this.#assetFeed = new AssetFeed({ ...deps, publicUrl: deps.settings.publicUrl });
  }

  /** @throws invalid_configuration when the address cannot be listened on. */
  async start(signal: AbortSignal): Promise<void> {
    const deps = this.#deps;
    this.#app = await buildApp(deps, {
      sse: this.#sse,
      streamFeed: new StreamFeed(deps),
      markerFeed: this.#markerFeed,
      assetFeed: this.#assetFeed,
      console: new ConsoleFiles(deps.consoleDir),
      guard: this.#guard,
      serverFactory: (handler) => this.#createServer(handler),
      plugins: deps.playback === undefined ? [] : [deps.playback.routes],
    });
    signal.throwIfAborted();
    const { host, port } = deps.listen;
    try {
      await this.#app.listen({ host, port });
    } catch (error) {
      throw new ZoetropeError('invalid_configuration', listenFault(error, host, port), { cause: error });
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  address(): ListenAddress {
    const address = this.#app?.server.address();
    if (typeof address !== 'object' || address === null)
      throw new ZoetropeError('unavailable', 'The HTTP server has not started.');
    return { host: address.address, port: address.port };
  }

  async #close(): Promise<void> {
    const app = this.#app;
    this.#sse.close();
    this.#markerFeed.close();
    this.#assetFeed.close();
    if (app === undefined) return;
    const deadline = this.#deps.clock.schedule(DRAIN_MS, () => app.server.closeAllConnections());
    await app.close();
    deadline.cancel();
  }

  #createServer(handler: RequestListener): Server {
    const server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: this.#headerMs,
        // Bodies have a deadline of their own: uploads take as long as they take.
        requestTimeout: 0,
        keepAliveTimeout: TIMEOUTS.keepAliveMs,
        connectionsCheckingInterval: Math.min(5000, this.#headerMs / 2),
        noDelay: true,
      },
      this.#listener(handler),
    );
    server.timeout = TIMEOUTS.silentMs;
    server.on('clientError', (error, socket) => refuseMalformed(error, socket as Socket, this.#deps));
    return server;
  }

  /** A body must arrive in time; an upload must only not fall silent. */
  #limitBody(request: IncomingMessage, response: ServerResponse): void {
    if (!WITH_BODY.has(request.method ?? 'GET') || isUpload(request.url ?? '')) return;
    const { clock } = this.#deps;
    // The request loses it with the answer.
    const { socket } = request;
    const late = (): void => {
      if (!request.complete) refuseMalformed(new LateRequest(), socket, this.#deps);
    };
    const timer = clock.schedule(this.#bodyMs, late);
    response.once('close', () => {
      timer.cancel();
      if (request.complete) return;
      // It was refused and goes on sending: reading on lets it see why.
      request.resume();
      const linger = clock.schedule(LINGER_MS, () => {
        if (!request.complete) socket.destroy();
      });
      request.once('close', () => linger.cancel());
    });
  }

  /** Playback from memory goes first, unless the request must be refused or the router has to judge it. */
  #listener(handler: RequestListener): RequestListener {
    const { playback, access, metrics, clock } = this.#deps;
    return (request, response) => {
      this.#limitBody(request, response);
      const isPlayback = playback !== undefined && request.url?.startsWith('/play/') === true;
      if (isPlayback && !(access.isOpen() && this.#guard.faultOf(request) !== null)) {
        const startMs = clock.monotonicMs();
        this.#allowOrigin(request, response);
        if (playback.tryServe(request, response)) {
          const seconds = (clock.monotonicMs() - startMs) / 1000;
          metrics.request({ route: '/play (memory)', status: response.statusCode, seconds });
          return;
        }
      }
      handler(request, response);
    };
  }

  /** What the CORS plugin does for routes, for answers from memory. */
  #allowOrigin(request: IncomingMessage, response: ServerResponse): void {
    const { corsOrigins } = this.#deps.settings;
    const { origin } = request.headers;
    if (corsOrigins.includes('*')) response.setHeader('access-control-allow-origin', '*');
    else if (corsOrigins.length > 0) response.setHeader('vary', 'Origin');
    if (origin !== undefined && corsOrigins.includes(origin)) response.setHeader('access-control-allow-origin', origin);
  }
}

/** As Node.js tells of it, where it watches by itself. */
class LateRequest extends Error {
  readonly code = 'ERR_HTTP_REQUEST_TIMEOUT';
}

function listenFault(error: unknown, host: string, port: number): string {
  const where = `${host}:${port}`;
  switch (systemCodeOf(error) ?? 'none') {
    case 'EADDRINUSE':
      return `Something else listens on ${where} already. Stop it, or set ZOETROPE_PORT to another port (0 picks a free one).`;
    case 'EACCES':
      return `This user may not listen on ${where}. Set ZOETROPE_PORT to 1024 or above.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address ${JSON.stringify(host)}. Set ZOETROPE_HOST to one that it has, such as 127.0.0.1.`;
    default:
      return `Could not listen on ${where}: ${String(error)}.`;
  }
}

/** Answers what is not HTTP, or comes too slowly, with a problem where the client can still read one. */
function refuseMalformed(error: Error, socket: Socket, deps: Pick<ApiDeps, 'ids'>): void {
  if (!socket.writable || systemCodeOf(error) === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, fault] = malformed(systemCodeOf(error));
  const body = JSON.stringify({ ...problemOf(fault, deps.ids.next('request')), status });
  const length = Buffer.byteLength(body);
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function malformed(code: string | undefined): readonly [number, ZoetropeError] {
  switch (code ?? 'none') {
    case 'HPE_HEADER_OVERFLOW':
      return [431, new ZoetropeError('payload_too_large', `The header takes more than ${MAX_HEADER_BYTES} bytes.`)];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, new ZoetropeError('deadline_exceeded', 'The request did not arrive in time. Send it faster.')];
    default:
      return [400, new ZoetropeError('invalid_argument', 'The request is not valid HTTP/1.1.')];
  }
}
