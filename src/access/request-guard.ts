import type { IncomingHttpHeaders } from 'node:http';
import { LRUCache } from 'lru-cache';
import { ZoetropeError } from '../base/errors.ts';
import { isLoopbackHost } from './loopback.ts';

/** What a guard looks at. */
export interface GuardedRequest {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** How a server is reached. */
export interface RequestGuardOptions {
  /** The configured public URL, whose host is served too. */
  readonly publicUrl: string | undefined;
  /** Origins that browsers may call from. `*` lets them read; only a named origin may change things on an open server. */
  readonly corsOrigins: readonly string[];
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Protects a server that is open because it listens on loopback alone from web pages that run in a browser on the same machine:
 * a page whose name was rebound to 127.0.0.1 shows in `Host`, a page of another site that sends forms or requests shows in `Origin`
 * and `Sec-Fetch-Site`. With keys there is nothing to protect: a browser never sends a bearer key by itself.
 */
export class RequestGuard {
  readonly #publicHost: string | undefined;
  readonly #publicOrigin: string | undefined;
  readonly #origins: ReadonlySet<string>;
  /** Judged before: clients send the same few, with every segment that they fetch. */
  readonly #hosts = new LRUCache<string, boolean>({ max: 100 });

  constructor(options: RequestGuardOptions) {
    const url = options.publicUrl === undefined ? null : URL.parse(options.publicUrl);
    this.#publicHost = url?.hostname;
    this.#publicOrigin = url?.origin;
    this.#origins = new Set(options.corsOrigins);
  }

  /** What is wrong with a request to an open server: `misdirected` or `permission_denied`; null when nothing is. */
  faultOf(request: GuardedRequest): ZoetropeError | null {
    const host = request.headers.host ?? '';
    if (!this.#isServed(host)) {
      return new ZoetropeError(
        'misdirected',
        `This server has no keys and answers only to names of this machine such as localhost. Got the Host ${JSON.stringify(host)}. ` +
          'Use 127.0.0.1, set ZOETROPE_PUBLIC_URL to the URL that clients use, or make a key: zoetrope keys create --name first --scopes admin.',
      );
    }
    if (SAFE_METHODS.has(request.method ?? 'GET')) return null;
    return this.#crossSiteFault(request.headers, host);
  }

  #isServed(host: string): boolean {
    const known = this.#hosts.get(host);
    if (known !== undefined) return known;
    const hostname = hostnameOf(host);
    const isServed = hostname !== null && (isLoopbackHost(hostname) || hostname === this.#publicHost);
    this.#hosts.set(host, isServed);
    return isServed;
  }

  #crossSiteFault(headers: IncomingHttpHeaders, host: string): ZoetropeError | null {
    const origin = headers.origin;
    const isAllowed =
      origin === undefined
        ? headers['sec-fetch-site'] !== 'cross-site'
        : this.#origins.has(origin) || origin === this.#publicOrigin || URL.parse(origin)?.host === host.toLowerCase();
    if (isAllowed) return null;
    return new ZoetropeError(
      'permission_denied',
      `A page of another site may not change anything here. Got the Origin ${JSON.stringify(origin ?? 'none')}. ` +
        'Name it in ZOETROPE_CORS_ORIGINS if it is yours.',
    );
  }
}

/** The name or address in a `Host` header, without the port; null when there is none. */
function hostnameOf(host: string): string | null {
  if (host === '' || /[/?#@\\\s]/.test(host)) return null;
  return URL.parse(`http://${host}`)?.hostname ?? null;
}
