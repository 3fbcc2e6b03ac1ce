import { api, type StreamJson } from '../api/client.ts';
import { resyncs } from '../api/connection.ts';
import { listen } from '../api/events.ts';
import { ApiError, describeError } from '../api/problem.ts';
import { Store } from '../api/store.ts';

/** How far the list of streams is: `partial` has some and goes on. */
export type LoadState =
  | { readonly state: 'loading' | 'partial' | 'ready' }
  | { readonly state: 'failed'; readonly why: string };

/** What a `stream` event says. */
interface StreamChange {
  readonly id: string;
  readonly state: StreamJson['state'];
  readonly lastCapturedAt: string | null;
  readonly lastReceivedAt: string | null;
}

/** How often the facts of encoders are asked for. */
const SOURCES_EVERY_MS = 5000;

/**
 * Every camera, live. Each has a store of its own, so that a thousand cameras with a frame every few seconds wake only the
 * tiles that show them.
 */
export class StreamsStore {
  /** Ids in order of name. */
  readonly ids = new Store<readonly string[]>([]);
  readonly load = new Store<LoadState>({ state: 'loading' });
  /** Counts up when a name or a state changed: what lists and counts depend on. */
  readonly revision = new Store(0);
  /** Counts up when all were read anew: what no event tells may have changed. */
  readonly refreshed = new Store(0);
  readonly #streams = new Map<string, Store<StreamJson>>();
  #loading: AbortController | null = null;

  /** The camera's own store; undefined once it was removed. */
  of(id: string): Store<StreamJson> | undefined {
    return this.#streams.get(id);
  }

  /** Loads and follows until the returned function is called. */
  follow(): () => void {
    const stop = listen('/v1/streams/events', {
      // Events from before the stream opened are lost: the list is asked for after it.
      onOpen: () => void this.#reload(),
      onEvent: ({ type, data }) => {
        if (type === 'stream') void this.#change(JSON.parse(data) as StreamChange);
        if (type === 'removed') this.#remove((JSON.parse(data) as { readonly id: string }).id);
      },
    });
    void this.#reload();
    const timer = setInterval(() => {
      const some = [...this.#streams.values()];
      // What is known of encoders and edges is in no event.
      const isWanted = some.some((each) => each.get().kind !== 'frames' || each.get().edge !== null);
      if (isWanted && !document.hidden && this.load.get().state === 'ready') void this.#reload();
    }, SOURCES_EVERY_MS);
    const forget = resyncs.watch(() => void this.#reload());
    return () => {
      stop();
      clearInterval(timer);
      forget();
      this.#loading?.abort();
    };
  }

  async #reload(): Promise<void> {
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    const seen = new Set<string>();
    try {
      for await (const items of api.streams(loading.signal)) {
        for (const stream of items.filter((item) => item.kind !== 'asset')) {
          seen.add(stream.id);
          this.#put(stream);
        }
        this.#sort();
        if (this.load.get().state !== 'ready') this.load.set({ state: 'partial' });
      }
      for (const id of this.#streams.keys()) if (!seen.has(id)) this.#streams.delete(id);
      this.#sort();
      this.refreshed.set(this.refreshed.get() + 1);
      this.load.set({ state: 'ready' });
    } catch (error) {
      if (loading.signal.aborted) return;
      // With cameras on screen, the banner is enough; they come back with the server.
      if (this.#streams.size === 0) this.load.set({ state: 'failed', why: describeError(error) });
    }
  }

  #put(stream: StreamJson): void {
    const store = this.#streams.get(stream.id);
    if (store === undefined) this.#streams.set(stream.id, new Store(stream));
    else store.set(stream);
  }

  #sort(): void {
    const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
    const all = [...this.#streams.values()].map((store) => store.get());
    all.sort((a, b) => collator.compare(a.name, b.name) || (a.id < b.id ? -1 : 1));
    this.ids.set(all.map((stream) => stream.id));
    this.revision.set(this.revision.get() + 1);
  }

  async #change(change: StreamChange): Promise<void> {
    const store = this.#streams.get(change.id);
    if (store === undefined) {
      try {
        this.#put(await api.stream(change.id));
        this.#sort();
      } catch (error) {
        // Removed again before we asked. Anything else heals with the next event or resync.
        if (!(error instanceof ApiError)) throw error;
      }
      return;
    }
    const before = store.get();
    store.set({ ...before, ...change });
    if (before.state !== change.state) this.revision.set(this.revision.get() + 1);
  }

  #remove(id: string): void {
    if (this.#streams.delete(id)) this.#sort();
  }
}
