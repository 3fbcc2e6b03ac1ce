import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Health, HealthReport } from '../api/health.ts';
import { PROBLEM_TYPE, problemOf, toZoetropeError } from '../api/rest/problems.ts';
import type { Component } from '../base/component.ts';
import { messageOf, ZoetropeError } from '../base/errors.ts';
import type { IdSource } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from './metrics.ts';

/** What the metrics server is made of. */
export interface MetricsServerDeps {
  readonly metrics: Pick<Metrics, 'scrape' | 'contentType'>;
  readonly health: Health;
  readonly ids: IdSource;
  readonly logger: Logger;
  /** Where to listen; port 0 picks a free one. */
  readonly listen: { readonly host: string; readonly port: number };
}

/** The second port: /metrics, /healthz, /readyz. Apart from the first, so that a scrape gets through however busy that is. */
export class MetricsServer implements Component {
  readonly name = 'metrics';
  readonly #deps: MetricsServerDeps;
  readonly #server: Server;

  constructor(deps: MetricsServerDeps) {
    this.#deps = deps;
    this.#server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => this.#fail(error, response));
    });
  }

  /** @throws invalid_configuration when the address cannot be listened on. */
  async start(): Promise<void> {
    const { host, port } = this.#deps.listen;
    const listening = Promise.withResolvers<void>();
    this.#server.once('error', listening.reject);
    this.#server.listen(port, host, listening.resolve);
    try {
      await listening.promise;
    } catch (error) {
      throw new ZoetropeError(
        'invalid_configuration',
        `Could not listen on ${host}:${port} for metrics: ${messageOf(error)}. Set ZOETROPE_METRICS_PORT to a free port (0 picks one).`,
        { cause: error },
      );
    } finally {
      this.#server.removeListener('error', listening.reject);
    }
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeAllConnections();
    await closed;
  }

  /** Where it listens. @throws unavailable before its start. */
  address(): { readonly host: string; readonly port: number } {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) {
      throw new ZoetropeError('unavailable', 'The metrics server has not started.');
    }
    return { host: address.address, port: address.port };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?', 1)[0] ?? '/';
    const isKnown = path === '/metrics' || path === '/healthz' || path === '/readyz';
    if (!isKnown) {
      throw new ZoetropeError('not_found', `There is no ${path.slice(0, 200)} here: /metrics, /healthz and /readyz.`);
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      throw new ZoetropeError('method_not_allowed', `${path} takes GET, HEAD. Got ${request.method ?? 'nothing'}.`);
    }
    if (path === '/metrics') {
      send(response, 200, this.#deps.metrics.contentType, await this.#deps.metrics.scrape());
      return;
    }
    const report: HealthReport = await (path === '/healthz' ? this.#deps.health.live() : this.#deps.health.ready());
    send(response, report.status === 'ok' ? 200 : 503, 'application/json; charset=utf-8', JSON.stringify(report));
  }

  #fail(thrown: unknown, response: ServerResponse): void {
    const error = toZoetropeError(thrown);
    const problem = problemOf(error, this.#deps.ids.next('request'));
    if (problem.status >= 500) this.#deps.logger.error({ error: messageOf(thrown) }, 'a metrics request failed');
    send(response, problem.status, PROBLEM_TYPE, JSON.stringify(problem));
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}
