import { LRUCache } from 'lru-cache';
import type { Clock, Timer } from '../base/clock.ts';
import { isZoetropeError, type ZoetropeError } from '../base/errors.ts';
import { isId, type IdKind } from '../base/ids.ts';
import type { AppendedSegment, Catalog, CatalogChange } from '../catalog/catalog.ts';

const MAX_VIEWS = 5000;
/** Bytes that a segment of a window takes, with its text. */
const SEGMENT_BYTES = 700;
const IDLE_MS = 300_000;
const SWEEP_EVERY_MS = 60_000;

/** A timeline in memory, told of what happens to it. */
export interface TimelineView {
  readonly streamId: string;
  /** When it was last asked for, by the monotonic clock. */
  readonly usedAtMs: number;
  /** Segments of whole windows in memory. */
  readonly windowLength: number;
  /** Takes in a change. */
  change(appended: readonly AppendedSegment[], isRemote: boolean): void;
  /** Lets go of whole windows; they are read again when they are asked for. */
  dropWindows(): void;
  /** Makes everything rendered from it stale for good: it left the cache. */
  close(): void;
}

/** What views are kept by. */
export interface ViewCacheOptions<View extends TimelineView> {
  readonly catalog: Pick<Catalog, 'onChange'>;
  readonly clock: Clock;
  /** Memory for whole windows; the least recently used are let go beyond it. */
  readonly maxWindowBytes: number;
  /** Of the ids that can have a view. */
  readonly idKind: IdKind;
  readonly make: (id: string) => View;
  /** What is thrown for one that is not there. */
  readonly missing: (id: string) => ZoetropeError;
}

/** The timelines that somebody is looking at. One that nobody looks at costs nothing. */
export class ViewCache<View extends TimelineView> {
  readonly #options: ViewCacheOptions<View>;
  readonly #views = new LRUCache<string, View>({ max: MAX_VIEWS, dispose: (view) => view.close() });
  #stopListening: (() => void) | undefined;
  #timer: Timer | undefined;

  constructor(options: ViewCacheOptions<View>) {
    this.#options = options;
  }

  /** Views in memory. */
  get size(): number {
    return this.#views.size;
  }

  /** Begins to follow the catalog's changes. */
  start(): void {
    this.#stopListening = this.#options.catalog.onChange((change) => this.#onChange(change));
    this.#scheduleSweep();
  }

  /** Forgets everything. */
  close(): void {
    this.#timer?.cancel();
    this.#stopListening?.();
    this.#views.clear();
  }

  /** A view and what is read of it. @throws not_found; what `read` throws */
  async read<State>(
    id: string,
    read: (view: View) => Promise<State>,
  ): Promise<{ readonly view: View; readonly state: State }> {
    const view = this.#view(id);
    try {
      const state = await read(view);
      this.#boundWindows(view);
      return { view, state };
    } catch (error) {
      if (!isZoetropeError(error, 'not_found')) throw error;
      this.#views.delete(id);
      throw this.#options.missing(id);
    }
  }

  #view(id: string): View {
    if (!isId(this.#options.idKind, id)) throw this.#options.missing(id);
    let view = this.#views.get(id);
    if (view === undefined) {
      view = this.#options.make(id);
      this.#views.set(id, view);
    }
    return view;
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
  #boundWindows(asked: View): void {
    if (asked.windowLength === 0) return;
    let bytes = 0;
    for (const view of this.#views.values()) {
      bytes += view.windowLength * SEGMENT_BYTES;
      if (bytes > this.#options.maxWindowBytes && view !== asked) view.dropWindows();
    }
  }

  #scheduleSweep(): void {
    this.#timer = this.#options.clock.schedule(SWEEP_EVERY_MS, () => {
      const idleBeforeMs = this.#options.clock.monotonicMs() - IDLE_MS;
      const idle = [...this.#views.values()].filter((view) => view.usedAtMs < idleBeforeMs);
      for (const view of idle) this.#views.delete(view.streamId);
      this.#scheduleSweep();
    });
  }
}
