import type { ArchiveJson, MarkerJson, StreamJson, TimelineJson } from '../../../src/api/rest/shapes.ts';
import { noteDown, noteUp } from './connection.ts';
import { ApiError, readProblem } from './problem.ts';
import { authorization, noteUnauthenticated } from './session-key.ts';

export type { ArchiveJson, MarkerJson, StreamJson, TimelineJson } from '../../../src/api/rest/shapes.ts';

/** A page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** A playback token and the playlist it opens. */
export interface PlaybackToken {
  readonly token: string;
  readonly expiresAt: string;
  readonly url: string;
}

/** A marker to be made. */
export interface NewMarker {
  readonly at: string;
  readonly until?: string | null;
  readonly label: string;
  readonly type: string;
}

/** How a request is sent; a GET without a body by default. */
export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** The request outlives the page. */
  readonly keepalive?: boolean;
}

/** Sends a request with the tab's key. @throws ApiError for anything but 2xx; the signal's reason when it aborts. */
export async function send(path: string, options: RequestOptions = {}): Promise<Response> {
  const { method = 'GET', body, signal, keepalive = false } = options;
  const headers = {
    ...authorization(),
    ...options.headers,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      keepalive,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    signal?.throwIfAborted();
    noteDown();
    throw new ApiError(0, 'unreachable', 'The server does not answer. The console tries again by itself.', error);
  }
  if (response.ok) {
    noteUp();
    return response;
  }
  const problem = await readProblem(response);
  if (problem.isOutage) noteDown();
  else noteUp();
  if (problem.status === 401) noteUnauthenticated();
  throw problem;
}

/** Sends a request and reads its JSON answer. @throws as {@link send} */
export async function read<T>(path: string, options?: RequestOptions): Promise<T> {
  const response = await send(path, options);
  // The shapes are the server's own types; both are built from one source.
  return (await response.json()) as T;
}

const stream = (id: string): string => `/v1/streams/${encodeURIComponent(id)}`;
const archive = (id: string): string => `/v1/archives/${encodeURIComponent(id)}`;
/** A query string with its question mark; what is undefined or null is left out. */
export const query = (values: Readonly<Record<string, string | number | undefined | null>>): string => {
  const entries = Object.entries(values).flatMap(([key, value]) =>
    value === undefined || value === null ? [] : [[key, String(value)]],
  );
  return entries.length === 0 ? '' : `?${new URLSearchParams(entries).toString()}`;
};
const rfc3339 = (atMs: number): string => new Date(Math.round(atMs)).toISOString();

/** The requests the console makes; see docs/design/http.md. */
export const api = {
  async *streams(signal?: AbortSignal): AsyncGenerator<readonly StreamJson[]> {
    let cursor: string | null = null;
    do {
      const page: Page<StreamJson> = await read(`/v1/streams${query({ limit: 200, cursor })}`, { signal });
      yield page.items;
      cursor = page.nextCursor;
    } while (cursor !== null);
  },
  makeStream: (name: string, kind: 'push' | 'chunks'): Promise<StreamJson> =>
    read('/v1/streams', { method: 'POST', body: { name, kind } }),
  endStream: (id: string): Promise<StreamJson> => read(`${stream(id)}/end`, { method: 'POST' }),
  stream: (id: string, signal?: AbortSignal): Promise<StreamJson> => read(stream(id), { signal }),
  timeline: (id: string, fromMs?: number, toMs?: number, signal?: AbortSignal): Promise<TimelineJson> => {
    const bounds = fromMs === undefined || toMs === undefined ? {} : { from: rfc3339(fromMs), to: rfc3339(toMs) };
    return read(`${stream(id)}/timeline${query(bounds)}`, { signal });
  },
  addMarker: (id: string, marker: NewMarker): Promise<MarkerJson> =>
    read(`${stream(id)}/markers`, { method: 'POST', body: marker }),
  deleteMarker: async (id: string, markerId: string, keepalive = false): Promise<void> => {
    await send(`${stream(id)}/markers/${encodeURIComponent(markerId)}`, { method: 'DELETE', keepalive });
  },
  streamToken: (id: string): Promise<PlaybackToken> => read(`${stream(id)}/tokens`, { method: 'POST', body: {} }),
  archiveToken: (id: string): Promise<PlaybackToken> => read(`${archive(id)}/tokens`, { method: 'POST', body: {} }),
  archives: (cursor: string | null, streamId: string | null, signal?: AbortSignal): Promise<Page<ArchiveJson>> =>
    read(`/v1/archives${query({ limit: 100, cursor, streamId })}`, { signal }),
  archive: (id: string, signal?: AbortSignal): Promise<ArchiveJson> => read(archive(id), { signal }),
  deleteArchive: async (id: string): Promise<void> => {
    await send(archive(id), { method: 'DELETE' });
  },
};

/** The newest picture of a stream; the version makes a new URL for each picture. */
export function latestPictureUrl(id: string, version: string, width?: number): string {
  return `${stream(id)}/latest.jpg${query({ v: version, width })}`;
}

/** The picture shown at a wall time. */
export function pictureUrl(id: string, atMs: number, width?: number): string {
  return `${stream(id)}/frame.jpg${query({ at: rfc3339(atMs), width })}`;
}

/** Which playlist of a stream. */
export interface PlaylistChoice {
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly speed?: number;
  readonly rendition?: string | undefined;
}

/** The path of a stream's playlist, without a token. */
export function playlistPath(id: string, name: 'dvr' | 'range', choice: PlaylistChoice): string {
  const { fromMs, toMs, speed = 1, rendition } = choice;
  const bounds = fromMs === undefined || toMs === undefined ? {} : { from: rfc3339(fromMs), to: rfc3339(toMs) };
  const rest = query({ ...bounds, rendition, speed: speed === 1 ? undefined : speed });
  return `/play/streams/${encodeURIComponent(id)}/${name}.m3u8${rest}`;
}

/** The path of the playlist of an archive or a recording, or of a part of it, without a token. */
export function keptPlaylistPath(
  kept: {
    readonly folder: 'archives' | 'recordings';
    readonly id: string;
    readonly window: { readonly fromMs: number; readonly toMs: number | null } | null;
  },
  speed = 1,
): string {
  const { folder, id, window } = kept;
  const bounds = {
    from: window === null ? null : rfc3339(window.fromMs),
    to: window === null || window.toMs === null ? null : rfc3339(window.toMs),
  };
  return `/play/${folder}/${encodeURIComponent(id)}/index.m3u8${query({ ...bounds, speed: speed === 1 ? undefined : speed })}`;
}

/** The path of a stream's marker events. */
export function markerEventsPath(id: string): string {
  return `${stream(id)}/markers/events`;
}
