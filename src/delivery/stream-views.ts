import { ZoetropeError } from '../base/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { StreamView, type DvrState, type StreamState, type StreamViewDeps } from './stream-view.ts';
import { ViewCache } from './view-cache.ts';

/** What the views read from. */
export interface StreamViewsDeps extends StreamViewDeps {
  readonly catalog: StreamViewDeps['catalog'] & Pick<Catalog, 'onChange'>;
  /** Memory for retained windows; the least recently used are let go beyond it. */
  readonly maxDvrBytes: number;
}

/** The streams that somebody is looking at. */
export class StreamViews {
  readonly #cache: ViewCache<StreamView>;

  constructor(deps: StreamViewsDeps) {
    this.#cache = new ViewCache({
      catalog: deps.catalog,
      clock: deps.clock,
      maxWindowBytes: deps.maxDvrBytes,
      idKind: 'stream',
      make: (streamId) => new StreamView(streamId, deps),
      missing: noSuchStream,
    });
  }

  /** Streams in memory. */
  get size(): number {
    return this.#cache.size;
  }

  start(): void {
    this.#cache.start();
  }

  close(): void {
    this.#cache.close();
  }

  /** A stream's view and state. @throws not_found */
  read(streamId: string): Promise<{ readonly view: StreamView; readonly state: StreamState }> {
    return this.#cache.read(streamId, (view) => view.read());
  }

  /** A stream's view and state with its whole window. @throws not_found */
  readDvr(streamId: string): Promise<{ readonly view: StreamView; readonly state: DvrState }> {
    return this.#cache.read(streamId, (view) => view.readDvr());
  }
}

/** What is thrown for a stream that is not there, or not for who asks. */
export function noSuchStream(streamId: string): ZoetropeError {
  return new ZoetropeError('not_found', `There is no stream ${JSON.stringify(streamId)}.`);
}
