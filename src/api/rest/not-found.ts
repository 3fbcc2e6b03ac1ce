import type { FastifyReply, FastifyRequest } from 'fastify';
import { ZoetropeError } from '../../base/errors.ts';
import type { RestApp } from './deps.ts';

/** Knows every route's pattern and methods, so that a wrong method is told from a wrong path. */
export class RouteTable {
  readonly #routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();

  /** Notes the routes that are added from now on. */
  watch(app: RestApp): void {
    app.addHook('onRoute', (route) => {
      if (route.url === '*' || route.url === '/*') return;
      const entry = this.#routes.get(route.url) ?? { pattern: patternOf(route.url), methods: new Set<string>() };
      for (const method of [route.method].flat()) entry.methods.add(method);
      this.#routes.set(route.url, entry);
    });
  }

  /** The methods that a path takes; empty when there is no such path. */
  methodsOf(path: string): readonly string[] {
    const methods = new Set<string>();
    for (const entry of this.#routes.values()) {
      if (entry.pattern.test(path)) for (const method of entry.methods) methods.add(method);
    }
    return [...methods].sort();
  }

  /** @throws method_not_allowed with `Allow` set (RFC 9110 15.5.6), or not_found. */
  refuse(request: FastifyRequest, reply: FastifyReply): never {
    const path = request.url.split('?', 1)[0] ?? '/';
    const methods = this.methodsOf(path);
    // A parameter that is too long leads here past its route: it names nothing.
    if (methods.length === 0 || methods.includes(request.method)) {
      throw new ZoetropeError(
        'not_found',
        `There is no ${request.method} ${path.slice(0, 200)}. What there is stands in /openapi.json and /docs.`,
      );
    }
    void reply.header('allow', methods.join(', '));
    throw new ZoetropeError(
      'method_not_allowed',
      `${path.slice(0, 200)} takes ${methods.join(', ')}. Got ${request.method}.`,
    );
  }
}

function patternOf(url: string): RegExp {
  const source = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')))
    .join('/');
  return new RegExp(`^${source}/?$`);
}
