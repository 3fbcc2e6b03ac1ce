import { ZoetropeError } from '../base/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { MAIN_RENDITION, type Rendition } from '../timeline/rendition.ts';
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

  /** A stream's view and state in a rendition (default: `main`). @throws not_found */
  async read(
    streamId: string,
    rendition = MAIN_RENDITION,
  ): Promise<{ readonly view: StreamView; readonly state: StreamState }> {
    await this.#requireRendition(streamId, rendition);
    return this.#cache.read(streamId, (view) => view.read(rendition));
  }

  /** As {@link StreamViews.read}, with the whole window. @throws not_found */
  async readDvr(
    streamId: string,
    rendition = MAIN_RENDITION,
  ): Promise<{ readonly view: StreamView; readonly state: DvrState }> {
    await this.#requireRendition(streamId, rendition);
    return this.#cache.read(streamId, (view) => view.readDvr(rendition));
  }

  /** Told apart from a stream that is not there. */
  async #requireRendition(streamId: string, name: string): Promise<void> {
    if (name === MAIN_RENDITION) return;
    const { state } = await this.#cache.read(streamId, (view) => view.read());
    if (!state.renditions.some((one) => one.name === name)) throw noSuchRendition(streamId, name, state.renditions);
  }
}

/** What is thrown for a stream that is not there, or not for who asks. */
export function noSuchStream(streamId: string): ZoetropeError {
  return new ZoetropeError('not_found', `There is no stream ${JSON.stringify(streamId)}.`);
}

function noSuchRendition(streamId: string, name: string, renditions: readonly Rendition[]): ZoetropeError {
  const names = renditions.map((one) => one.name).join(', ');
  return new ZoetropeError(
    'not_found',
    `The stream ${streamId} has no rendition ${JSON.stringify(name)}. It has: ${names}.`,
  );
}
