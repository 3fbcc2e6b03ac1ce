import { LRUCache } from 'lru-cache';
import type { Timer } from '../base/clock.ts';
import { isZoetropeError, ZoetropeError } from '../base/errors.ts';
import { isId } from '../base/ids.ts';
import type { AppendedSegment, Catalog, CatalogChange } from '../catalog/catalog.ts';
import { StreamView, type DvrState, type StreamState, type StreamViewDeps } from './stream-view.ts';

const MAX_VIEWS = 5000;
/** Bytes that a segment of a retained window takes, with its text. */
const DVR_SEGMENT_BYTES = 700;
const IDLE_MS = 300_000;
const SWEEP_EVERY_MS = 60_000;

/** What the views read from. */
export interface StreamViewsDeps extends StreamViewDeps {
  readonly catalog: StreamViewDeps['catalog'] & Pick<Catalog, 'onChange'>;
  /** Memory for retained windows; the least recently used are let go beyond it. */
  readonly maxDvrBytes: number;
}

/** The streams that somebody is looking at. A stream that nobody looks at costs nothing. */
export class StreamViews {
  readonly #deps: StreamViewsDeps;
  readonly #views = new LRUCache<string, StreamView>({ max: MAX_VIEWS, dispose: (view) => view.close() });
  #stopListening: (() => void) | undefined;
  #timer: Timer | undefined;

  constructor(deps: StreamViewsDeps) {
    this.#deps = deps;
  }

  /** Streams in memory. */
  get size(): number {
    return this.#views.size;
  }

  start(): void {
    this.#stopListening = this.#deps.catalog.onChange((change) => this.#onChange(change));
    this.#scheduleSweep();
  }

  close(): void {
    this.#timer?.cancel();
    this.#stopListening?.();
    this.#views.clear();
  }

  /** A stream's view and state. @throws not_found */
  async read(streamId: string): Promise<{ readonly view: StreamView; readonly state: StreamState }> {
    const view = this.#view(streamId);
    return { view, state: await this.#orForget(view, view.read()) };
  }

  /** A stream's view and state with its whole window. @throws not_found */
  async readDvr(streamId: string): Promise<{ readonly view: StreamView; readonly state: DvrState }> {
    const view = this.#view(streamId);
    const state = await this.#orForget(view, view.readDvr());
    this.#boundWindows(view);
    return { view, state };
  }

  #view(streamId: string): StreamView {
    if (!isId('stream', streamId)) throw noSuchStream(streamId);
    let view = this.#views.get(streamId);
    if (view === undefined) {
      view = new StreamView(streamId, this.#deps);
      this.#views.set(streamId, view);
    }
    return view;
  }

  async #orForget<T>(view: StreamView, reading: Promise<T>): Promise<T> {
    try {
      return await reading;
    } catch (error) {
      if (!isZoetropeError(error, 'not_found')) throw error;
      this.#views.delete(view.streamId);
      throw noSuchStream(view.streamId);
    }
  }

  #onChange(change: CatalogChange): void {
    for (const streamId of change.streamIds) {
      const view = this.#views.peek(streamId);
      if (view === undefined) continue;
      const appended: AppendedSegment[] = change.appended.filter((one) => one.segment.streamId === streamId);
      view.change(appended, change.remote);
    }
  }

  /** Lets windows go, the least recently used first, until they fit; never the one just asked for. */
  #boundWindows(asked: StreamView): void {
    let bytes = 0;
    for (const view of this.#views.values()) {
      bytes += view.dvrLength * DVR_SEGMENT_BYTES;
      if (bytes > this.#deps.maxDvrBytes && view !== asked) view.dropDvr();
    }
  }

  #scheduleSweep(): void {
    this.#timer = this.#deps.clock.schedule(SWEEP_EVERY_MS, () => {
      const idleBeforeMs = this.#deps.clock.monotonicMs() - IDLE_MS;
      const idle = [...this.#views.values()].filter((view) => view.usedAtMs < idleBeforeMs);
      for (const view of idle) this.#views.delete(view.streamId);
      this.#scheduleSweep();
    });
  }
}

/** What is thrown for a stream that is not there, or not for who asks. */
export function noSuchStream(streamId: string): ZoetropeError {
  return new ZoetropeError('not_found', `There is no stream ${JSON.stringify(streamId)}.`);
}
