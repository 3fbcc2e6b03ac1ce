import { statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RestApp } from './deps.ts';

/** Paths that are the server's own: a browser that opens a wrong one is told so and not shown the console. */
const SERVER_PATHS = /^\/(v1|play|docs|openapi\.json|healthz|readyz|metrics)(\/|$|\?)/;
/** The bundler names these after a hash of what is in them. */
const HASHED = /^assets[/\\]/;

const MISSING_PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Zoetrope</title>
<body style="font:16px/1.5 system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem">
<h1>The console is not built</h1>
<p>The server runs; its console is missing. Build it where Zoetrope lies, then reload this page:</p>
<pre>npm run prepare</pre>
<p>The API is described under <a href="/docs">/docs</a>.</p>
</body></html>
`;

/** Serves the built console: its assets for a year, its page fresh every time and for every path that its own router may know. */
export class ConsoleFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = resolve(directory);
  }

  /** Adds a route for all that no other route takes; `refuse` answers what is not the console's either. */
  async addTo(app: RestApp, refuse: (request: FastifyRequest, reply: FastifyReply) => never): Promise<void> {
    await app.register(fastifyStatic, { root: this.#directory, serve: false, cacheControl: false });
    app.get('/*', { config: { access: 'public' }, schema: { hide: true } }, async (request, reply) => {
      if (SERVER_PATHS.test(request.url)) return refuse(request, reply);
      const file = this.#fileOf(request.url);
      if (file !== null) return send(reply, file);
      // The page's own address shows it to everybody; the others only to a browser, so that a client with a wrong path is told so.
      const isRoot = request.url.split('?', 1)[0] === '/';
      if (!isRoot && !(request.headers.accept ?? '').includes('text/html')) return refuse(request, reply);
      if (this.#fileOf('/index.html') !== null) return send(reply, 'index.html');
      return reply.code(503).header('cache-control', 'no-store').type('text/html; charset=utf-8').send(MISSING_PAGE);
    });
  }

  /** The file of a URL, relative to the directory and inside it; null when there is none. */
  #fileOf(url: string): string | null {
    const path = decoded(url.split('?', 1)[0] ?? '/');
    if (path === null || path.includes('\0')) return null;
    const file = join(this.#directory, path);
    if (!file.startsWith(this.#directory + sep) || !isFile(file)) return null;
    return relative(this.#directory, file);
  }
}

function send(reply: FastifyReply, file: string): FastifyReply {
  void reply.header('cache-control', HASHED.test(file) ? 'public, max-age=31536000, immutable' : 'no-cache');
  return reply.sendFile(file);
}

function decoded(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null; // Not a URL of any file.
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
