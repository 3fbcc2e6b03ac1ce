import type { IncomingMessage, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import type { PlaybackResource } from '../access/access.ts';
import type { DeliveryAccess } from './gate.ts';
import type { HotFile, HotFiles } from './hot-files.ts';
import type { DeliveryMetrics, PlaylistKind } from './metrics.ts';
import { pullsLive, type RemoteSource } from './remote-source.ts';
import { matchesTag, type Encoding, type Rendering } from './rendering.ts';

const MAX_ENTRIES = 20_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** What a URL was answered with last. */
export interface HotEntry {
  readonly resource: PlaybackResource;
  /** The token in the URL; undefined: the server was open. */
  readonly token: string | undefined;
  /** Whether the routes would answer the same now. */
  readonly isFresh: () => boolean;
  readonly answer:
    | { readonly playlist: Rendering; readonly kind: PlaylistKind }
    /** By key, so that this table keeps no segment in memory. */
    | { readonly fileKey: string };
}

/** Answers by exact URL, as the routes gave them: what the server tries before its router. */
export class HotAnswers {
  readonly #entries = new LRUCache<string, HotEntry>({
    max: MAX_ENTRIES,
    maxSize: MAX_BYTES,
    sizeCalculation: (entry, url) =>
      512 + url.length + ('playlist' in entry.answer ? entry.answer.playlist.sizeBytes : 0),
  });

  get(url: string): HotEntry | undefined {
    return this.#entries.get(url);
  }

  set(url: string, entry: HotEntry): void {
    this.#entries.set(url, entry);
  }

  delete(url: string): void {
    this.#entries.delete(url);
  }
}

/** What the hot path works with. */
export interface HotPathDeps {
  readonly answers: HotAnswers;
  readonly files: HotFiles;
  readonly access: DeliveryAccess;
  readonly metrics: DeliveryMetrics;
  readonly remote: Pick<RemoteSource, 'watchedAgain'>;
}

/** The headers of an immutable file, as the routes send them too. */
export const IMMUTABLE = 'max-age=31536000, immutable';

/**
 * Answers GETs of playlists and segments that are in memory without the framework. False: nothing was sent, the router must answer. It answers
 * only what the routes answered before to the same URL and would answer again; whatever needs judgement (byte ranges, keys) it leaves to them.
 */
export function createHotPath(deps: HotPathDeps): (request: IncomingMessage, response: ServerResponse) => boolean {
  const playlistHeaders = new WeakMap<Rendering, Map<Encoding, string[]>>();
  const fileHeaders = new WeakMap<HotFile, string[]>();

  return function tryServe(request, response) {
    const { method, url, headers } = request;
    if (method !== 'GET' || url === undefined || headers.range !== undefined) return false;
    const entry = deps.answers.get(url);
    if (entry === undefined || !mayWatch(deps.access, entry)) return false;
    if (!entry.isFresh()) {
      deps.answers.delete(url);
      return false;
    }
    if ('playlist' in entry.answer) {
      const { playlist, kind } = entry.answer;
      const encoding = playlist.choose(singleHeader(headers['accept-encoding']));
      const body = playlist.encodedNow(encoding);
      if (body === undefined) return false;
      const ready = headersOf(playlistHeaders, playlist, encoding, body.length);
      deps.metrics.playlistSent(kind, true);
      if (entry.resource.kind === 'stream' && pullsLive(url)) deps.remote.watchedAgain(entry.resource.id);
      const text = encoding === 'identity' ? playlist.shortText : null;
      return send(deps, request, response, ready, text ?? body, playlist.tag);
    }
    const file = deps.files.get(entry.answer.fileKey);
    if (file === undefined) return false;
    deps.metrics.fileRead('memory');
    let ready = fileHeaders.get(file);
    if (ready === undefined) {
      ready = rawFileHeaders(file);
      fileHeaders.set(file, ready);
    }
    return send(deps, request, response, ready, file.bytes, file.tag);
  };
}

function mayWatch(access: DeliveryAccess, entry: HotEntry): boolean {
  if (access.isOpen()) return true;
  return entry.token !== undefined && access.isKnownPlaybackToken(entry.token, entry.resource);
}

function send(
  deps: HotPathDeps,
  request: IncomingMessage,
  response: ServerResponse,
  headers: readonly string[],
  body: Uint8Array | string,
  tag: string,
): true {
  // The server may have said already that the answer varies by origin; headers of this list would replace that.
  const vary = response.getHeader('vary');
  const ready = vary === undefined ? headers : [...headers, 'Vary', String(vary)];
  if (matchesTag(request.headers['if-none-match'], tag)) {
    response.writeHead(304, withoutLength(ready));
    response.end();
    return true;
  }
  deps.metrics.bytesSent(body.length);
  response.writeHead(200, ready as string[]);
  if (typeof body === 'string') response.end(body, 'latin1');
  else response.end(body);
  return true;
}

function headersOf(
  known: WeakMap<Rendering, Map<Encoding, string[]>>,
  rendering: Rendering,
  encoding: Encoding,
  length: number,
): readonly string[] {
  let byEncoding = known.get(rendering);
  if (byEncoding === undefined) {
    byEncoding = new Map();
    known.set(rendering, byEncoding);
  }
  let headers = byEncoding.get(encoding);
  if (headers === undefined) {
    headers = ['Content-Type', rendering.contentType, 'Content-Length', String(length)];
    headers.push('Cache-Control', `public, ${rendering.cacheControl}`, 'ETag', rendering.etag(encoding));
    headers.push('Vary', 'Accept-Encoding', 'X-Content-Type-Options', 'nosniff');
    if (encoding !== 'identity') headers.push('Content-Encoding', encoding);
    byEncoding.set(encoding, headers);
  }
  return headers;
}

function rawFileHeaders(file: HotFile): string[] {
  const headers = ['Content-Type', file.contentType, 'Content-Length', String(file.bytes.length)];
  headers.push(
    'Cache-Control',
    `public, ${file.cacheControl ?? IMMUTABLE}`,
    'ETag',
    `"${file.tag}"`,
    'Accept-Ranges',
    'bytes',
  );
  headers.push('X-Content-Type-Options', 'nosniff');
  return headers;
}

function withoutLength(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] ?? '';
    if (name !== 'Content-Length' && name !== 'Content-Encoding') kept.push(name, headers[at + 1] ?? '');
  }
  return kept;
}

function singleHeader(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' || value === undefined ? value : value.join(',');
}
