import { assetApi, assetEventsPath } from '../api/asset-api.ts';
import type { AssetJson } from '../api/asset-types.ts';
import { resyncs } from '../api/connection.ts';
import { listen } from '../api/events.ts';
import { describeError } from '../api/problem.ts';
import { patch, Store } from '../api/store.ts';
import { append, remove, statesOf, upsert, type AssetFilter, type AssetList } from './asset-list.ts';

/** What a page of assets shows. */
export interface FeedState {
  readonly list: AssetList;
  readonly load: 'loading' | 'ready' | 'failed';
  readonly isLoadingMore: boolean;
  readonly why: string;
  /** The filter that the list is for; the wanted one may be another for a moment. */
  readonly filter: AssetFilter;
}

const PAGE = 50;
const MOST_AT_ONCE = 200;
const EMPTY: AssetList = { items: [], nextCursor: null };

/** The newest assets, kept current by the server's events. */
export class AssetsFeed {
  readonly state = new Store<FeedState>({
    list: EMPTY,
    load: 'loading',
    isLoadingMore: false,
    why: '',
    filter: { state: 'all', text: '' },
  });
  #wanted: AssetFilter = { state: 'all', text: '' };
  #loading: AbortController | null = null;
  /** What came while a page was on its way: the page may be older. */
  #meanwhile: ((list: AssetList) => AssetList)[] | null = null;

  /** Loads and follows until the returned function is called. */
  follow(): () => void {
    const stop = listen(assetEventsPath(), {
      // Events from before the stream opened are lost: the list is asked for after it.
      onOpen: () => void this.#load(),
      onEvent: ({ type, data }) => {
        if (type === 'asset') this.put(JSON.parse(data) as AssetJson);
        if (type === 'removed') this.drop((JSON.parse(data) as { readonly id: string }).id);
      },
    });
    void this.#load();
    const forget = resyncs.watch(() => void this.#load());
    return () => {
      stop();
      forget();
      this.#loading?.abort();
    };
  }

  /** Narrows the list; the old one stays until the new one is there. */
  filter(filter: AssetFilter): void {
    this.#wanted = filter;
    void this.#load();
  }

  /** Takes what an answer or an event says of an asset. */
  put(asset: AssetJson): void {
    this.#apply((list) => upsert(list, asset, this.#wanted));
  }

  /** Takes an asset off the list. */
  drop(id: string): void {
    this.#apply((list) => remove(list, id));
  }

  /** Asks for the next older ones. */
  async more(): Promise<void> {
    const { list, isLoadingMore, filter } = this.state.get();
    if (list.nextCursor === null || isLoadingMore || filter !== this.#wanted) return;
    patch(this.state, { isLoadingMore: true });
    try {
      const page = await assetApi.list({ ...this.#query(filter), cursor: list.nextCursor });
      if (filter === this.#wanted) this.#apply((now) => append(now, page));
    } catch (error) {
      patch(this.state, { why: describeError(error) });
    } finally {
      patch(this.state, { isLoadingMore: false });
    }
  }

  #query(filter: AssetFilter): Parameters<typeof assetApi.list>[0] {
    return { states: statesOf(filter.state), text: filter.text.trim(), limit: PAGE, cursor: null };
  }

  #apply(change: (list: AssetList) => AssetList): void {
    this.#meanwhile?.push(change);
    patch(this.state, { list: change(this.state.get().list) });
  }

  async #load(): Promise<void> {
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    this.#meanwhile = [];
    const filter = this.#wanted;
    const shown = filter === this.state.get().filter ? this.state.get().list.items.length : 0;
    try {
      let list = EMPTY;
      do {
        const limit = Math.min(MOST_AT_ONCE, Math.max(PAGE, shown - list.items.length));
        const cursor = list.nextCursor;
        list = append(list, await assetApi.list({ ...this.#query(filter), limit, cursor }, loading.signal));
      } while (list.nextCursor !== null && list.items.length < shown);
      list = this.#meanwhile.reduce((now, change) => change(now), list);
      patch(this.state, { list, load: 'ready', why: '', filter });
    } catch (error) {
      if (loading.signal.aborted) return;
      // With assets on screen, the banner is enough; they come back with the server.
      patch(this.state, {
        why: describeError(error),
        load: this.state.get().list.items.length === 0 ? 'failed' : 'ready',
      });
    } finally {
      if (this.#loading === loading) this.#meanwhile = null;
    }
  }
}
