import type { Clock, Timer } from '../../base/clock.ts';
import { isZoetropeError, messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { CatalogChange, MarkerStore } from '../../catalog/catalog.ts';
import type { Marker } from '../../timeline/marker.ts';

const PAGE = 1000;
/** A change by another process does not say what it removed: all markers are read again, at most so often. */
const FULL_READ_MS = 10_000;

/** Someone who wants to know a stream's markers. */
export interface MarkerSubscriber {
  added(marker: Marker): unknown;
  removed(id: string): unknown;
}

/** What a {@link MarkerFeed} needs. */
export interface MarkerFeedDeps {
  readonly catalog: Pick<MarkerStore, 'listMarkers'> & {
    onChange(listener: (change: CatalogChange) => void): () => void;
  };
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Tells subscribers of markers as they are made and removed: each stream's are read once however many there are. */
export class MarkerFeed {
  readonly #deps: MarkerFeedDeps;
  readonly #streams = new Map<string, StreamMarkers>();
  #unlisten: (() => void) | undefined;

  constructor(deps: MarkerFeedDeps) {
    this.#deps = deps;
  }

  /** Tells each marker made from now on, or made after `afterId` if that is given. Answers how to stop. @throws what the catalog throws. */
  async subscribe(streamId: string, afterId: string | undefined, subscriber: MarkerSubscriber): Promise<() => void> {
    this.#unlisten ??= this.#deps.catalog.onChange((change) => this.#changed(change));
    let stream = this.#streams.get(streamId);
    if (stream === undefined) {
      stream = new StreamMarkers(streamId, this.#deps);
      this.#streams.set(streamId, stream);
    }
    const joined = stream;
    joined.interest += 1;
    const leave = (): void => {
      joined.subscribers.delete(subscriber);
      joined.interest -= 1;
      if (joined.interest > 0) return;
      joined.close();
      this.#streams.delete(streamId);
    };
    try {
      await joined.join(subscriber, afterId);
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }

  /** Notes a marker that this process removed. */
  noteRemoved(streamId: string, id: string): void {
    this.#streams.get(streamId)?.noteRemoved(id);
  }

  /** Listens no longer. */
  close(): void {
    this.#unlisten?.();
    this.#unlisten = undefined;
    for (const stream of this.#streams.values()) stream.close();
  }

  #changed(change: CatalogChange): void {
    if (this.#streams.size === 0) return;
    for (const id of change.streamIds) this.#streams.get(id)?.changed(change.remote);
  }
}

/** One stream's markers while someone wants to know them. Reading, joining and telling happen one after the other. */
class StreamMarkers {
  readonly subscribers = new Set<MarkerSubscriber>();
  /** Subscribers that joined or are about to. */
  interest = 0;
  readonly #streamId: string;
  readonly #deps: MarkerFeedDeps;
  #work: Promise<void> = Promise.resolve();
  #isReadQueued = false;
  /** Ids of all markers; null until the first reading. */
  #known: Set<string> | null = null;
  /** The marker made last. */
  #newest: Marker | null = null;
  #fullReadAtMs = Number.NEGATIVE_INFINITY;
  #fullRead: Timer | undefined;

  constructor(streamId: string, deps: MarkerFeedDeps) {
    this.#streamId = streamId;
    this.#deps = deps;
  }

  join(subscriber: MarkerSubscriber, afterId: string | undefined): Promise<void> {
    return this.#enqueue(async () => {
      await (this.#known === null ? this.#readAll() : this.#readNew());
      if (afterId !== undefined) await this.#replay(afterId, subscriber);
      this.subscribers.add(subscriber);
    });
  }

  /** What was made after a marker. When that was removed itself, ids tell the order: they rise with the time of making. */
  async #replay(afterId: string, subscriber: MarkerSubscriber): Promise<void> {
    try {
      await this.#eachAfter(afterId, (marker) => subscriber.added(marker));
    } catch (error) {
      if (!isZoetropeError(error, 'not_found')) throw error;
      const later = (await this.#list()).filter((marker) => marker.id > afterId);
      for (const marker of later.sort(byMaking)) subscriber.added(marker);
    }
  }

  changed(isRemote: boolean): void {
    if (isRemote) this.#planFullRead();
    if (this.#isReadQueued) return;
    this.#isReadQueued = true;
    this.#inBackground(() => {
      this.#isReadQueued = false;
      return this.#readNew();
    });
  }

  noteRemoved(id: string): void {
    this.#inBackground(async () => {
      await this.#readNew();
      this.#tellRemoved(id);
    });
  }

  close(): void {
    this.#fullRead?.cancel();
    this.subscribers.clear();
  }

  #planFullRead(): void {
    if (this.#fullRead !== undefined) return;
    const waitMs = Math.max(0, this.#fullReadAtMs + FULL_READ_MS - this.#deps.clock.monotonicMs());
    this.#fullRead = this.#deps.clock.schedule(waitMs, () => {
      this.#fullRead = undefined;
      this.#inBackground(() => this.#readAll());
    });
  }

  /** Reads all markers, tells those not known and those that are no more. */
  async #readAll(): Promise<void> {
    this.#fullReadAtMs = this.#deps.clock.monotonicMs();
    const all = await this.#list();
    const ids = new Set(all.map((marker) => marker.id));
    const before = this.#known;
    this.#known ??= new Set();
    for (const marker of all.sort(byMaking)) this.#tellAdded(marker, before !== null);
    for (const id of before ?? []) if (!ids.has(id)) this.#tellRemoved(id);
  }

  async #list(): Promise<Marker[]> {
    const all: Marker[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#deps.catalog.listMarkers(
        this.#streamId,
        {},
        { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) },
      );
      all.push(...page.items);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return all;
  }

  async #readNew(): Promise<void> {
    if (this.#known === null || this.#newest === null) return this.#readAll();
    try {
      await this.#eachAfter(this.#newest.id, (marker) => this.#tellAdded(marker, true));
    } catch (error) {
      if (!isZoetropeError(error, 'not_found') && !isZoetropeError(error, 'invalid_argument')) throw error;
      await this.#readAll(); // The newest marker was removed: there is nothing to count from.
    }
  }

  async #eachAfter(afterId: string, tell: (marker: Marker) => void): Promise<void> {
    let after = afterId;
    for (;;) {
      const { items } = await this.#deps.catalog.listMarkers(this.#streamId, { after }, { limit: PAGE });
      for (const marker of items) tell(marker);
      const last = items.at(-1);
      if (last === undefined || items.length < PAGE) return;
      after = last.id;
    }
  }

  #tellAdded(marker: Marker, isNews: boolean): void {
    if (this.#known?.has(marker.id) === true) return;
    this.#known?.add(marker.id);
    if (this.#newest === null || byMaking(this.#newest, marker) < 0) this.#newest = marker;
    if (isNews) for (const subscriber of this.subscribers) subscriber.added(marker);
  }

  #tellRemoved(id: string): void {
    if (this.#known?.delete(id) !== true) return;
    for (const subscriber of this.subscribers) subscriber.removed(id);
  }

  #inBackground(run: () => Promise<void>): void {
    this.#enqueue(run).catch((error: unknown) => {
      this.#deps.logger.warn({ streamId: this.#streamId, error: messageOf(error) }, 'could not read the markers');
    });
  }

  #enqueue(run: () => Promise<void>): Promise<void> {
    const done = this.#work.then(run);
    this.#work = done.catch(() => undefined); // Told to whoever enqueued it.
    return done;
  }
}

function byMaking(a: Marker, b: Marker): number {
  return a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
