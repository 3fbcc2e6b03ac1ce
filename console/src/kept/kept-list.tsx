import { useEffect, useState, type ReactElement, type ReactNode } from 'react';
import { api, type Page } from '../api/client.ts';
import { resyncs } from '../api/connection.ts';
import { describeError } from '../api/problem.ts';
import { Store, useStore } from '../api/store.ts';
import { toast } from '../shell/toasts.tsx';
import { clockTime, shortDate } from '../time/format.ts';
import { startOfDay, type Zone } from '../time/zone.ts';
import '../styles/kept.css';

/** What a list of kept things is made of. */
export interface KeptItem {
  readonly id: string;
  readonly streamId: string;
}

/** A list that is read in pages, and whose items change and go. */
export class KeptItems<T extends KeptItem> {
  /** Null until the first page has come. */
  readonly items = new Store<readonly T[] | null>(null);
  readonly error = new Store<unknown>(null);
  readonly cursor = new Store<string | null>(null);
  readonly #read: (cursor: string | null, signal?: AbortSignal) => Promise<Page<T>>;

  constructor(read: (cursor: string | null, signal?: AbortSignal) => Promise<Page<T>>) {
    this.#read = read;
  }

  /** Reads the first page anew. */
  async load(signal: AbortSignal): Promise<void> {
    try {
      const page = await this.#read(null, signal);
      if (signal.aborted) return;
      this.items.set(page.items);
      this.cursor.set(page.nextCursor);
      this.error.set(null);
    } catch (reason) {
      if (!signal.aborted) this.error.set(reason);
    }
  }

  /** Reads the next page. */
  async more(): Promise<void> {
    try {
      const page = await this.#read(this.cursor.get());
      this.items.set([...(this.items.get() ?? []), ...page.items]);
      this.cursor.set(page.nextCursor);
    } catch (reason) {
      toast(describeError(reason), { tone: 'bad' });
    }
  }

  /** Takes in an item that changed. */
  put(item: T): void {
    this.items.set(this.items.get()?.map((each) => (each.id === item.id ? item : each)) ?? null);
  }

  /** Takes away an item that is gone. */
  drop(id: string): void {
    this.items.set(this.items.get()?.filter((each) => each.id !== id) ?? null);
  }
}

/** From when to when, in a zone; the day is said once when it is one. */
export function spanText(fromMs: number, toMs: number, shownZone: Zone): string {
  const sameDay = startOfDay(fromMs, shownZone) === startOfDay(toMs, shownZone);
  const end = `${sameDay ? '' : `${shortDate(toMs, shownZone)} `}${clockTime(toMs, shownZone)}`;
  return `${shortDate(fromMs, shownZone)} ${clockTime(fromMs, shownZone)} – ${end}`;
}

/** The names of the streams that things belong to; asked for once each. */
export function useStreamNames(items: readonly KeptItem[]): ReadonlyMap<string, string> {
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map());
  const missing = [...new Set(items.map(({ streamId }) => streamId))].filter((id) => !names.has(id)).join(' ');
  useEffect(() => {
    if (missing === '') return undefined;
    const loading = new AbortController();
    const load = async (id: string): Promise<readonly [string, string]> => {
      try {
        return [id, (await api.stream(id, loading.signal)).name];
      } catch {
        // The stream is gone and what is kept of it is not: then its id has to do.
        return [id, id];
      }
    };
    void Promise.all(missing.split(' ').map(load)).then((found) => {
      if (!loading.signal.aborted) setNames((before) => new Map([...before, ...found]));
    });
    return () => loading.abort();
  }, [missing]);
  return names;
}

/** What a {@link KeptList} shows. */
export interface KeptListProps<T extends KeptItem> {
  readonly title: string;
  readonly list: KeptItems<T>;
  /** What it says when there is nothing. */
  readonly empty: ReactNode;
  readonly row: (item: T, name: string | undefined) => ReactElement;
}

/** A page that lists what is kept. */
export function KeptList<T extends KeptItem>({ title, list, empty, row }: KeptListProps<T>): ReactElement {
  const items = useStore(list.items);
  const error = useStore(list.error);
  const cursor = useStore(list.cursor);
  const resync = useStore(resyncs);
  const names = useStreamNames(items ?? []);
  useEffect(() => {
    document.title = `${title} · Zoetrope`;
    const loading = new AbortController();
    void list.load(loading.signal);
    return () => loading.abort();
  }, [title, list, resync]);
  if (items === null && error !== null) {
    return (
      <div className="notice" role="alert">
        <h1>The {title.toLowerCase()} could not be loaded</h1>
        <p className="muted">{describeError(error)}</p>
      </div>
    );
  }
  return (
    <div className="kept-page">
      <h1>{title}</h1>
      {items === null ? (
        <div className="kept-loading" aria-busy="true" aria-label={`Loading ${title.toLowerCase()}`}>
          {Array.from({ length: 5 }, (_, index) => (
            <div key={index} className="skeleton" />
          ))}
        </div>
      ) : items.length === 0 ? (
        empty
      ) : (
        <ul className="kept-list" aria-label={title}>
          {items.map((item) => row(item, names.get(item.streamId)))}
        </ul>
      )}
      {cursor !== null && (
        <button type="button" className="button" onClick={() => void list.more()}>
          Show more
        </button>
      )}
    </div>
  );
}
