import { Clapperboard, Search } from 'lucide-react';
import { useCallback, useEffect, useRef, useState, type ReactElement } from 'react';
import type { AssetJson } from '../api/asset-types.ts';
import { useStore } from '../api/store.ts';
import { isTyping } from '../shell/keys.ts';
import { DropZone } from '../uploads/drop-zone.tsx';
import { UnfinishedUploads, UploadRow } from '../uploads/upload-rows.tsx';
import { uploadQueue } from '../uploads/upload-queue.ts';
import { DeleteAssetDialog } from './asset-actions.tsx';
import type { AssetFilter, StateFilter } from './asset-list.ts';
import { AssetRow } from './asset-row.tsx';
import { AssetsFeed } from './assets-feed.ts';
import '../styles/assets.css';

const FILTERS: readonly (readonly [StateFilter, string])[] = [
  ['all', 'All'],
  ['working', 'In work'],
  ['ready', 'Ready'],
  ['failed', 'Failed'],
];
const SEARCH_PAUSE_MS = 250;

/** Uploads that are not assets yet; one that became an asset goes as soon as that is on the list. */
function useUploads(items: readonly AssetJson[]): ReturnType<typeof uploadQueue.uploads.get> {
  const uploads = useStore(uploadQueue.uploads);
  const shown = uploads.filter(({ assetId }) => assetId === null || !items.some(({ id }) => id === assetId));
  useEffect(() => {
    for (const { id, assetId } of uploads) {
      if (assetId !== null && items.some((asset) => asset.id === assetId)) uploadQueue.dismiss(id);
    }
  }, [uploads, items]);
  return shown;
}

/** Asks for more when it is about to be seen. */
function More({ feed, isLoading }: { readonly feed: AssetsFeed; readonly isLoading: boolean }): ReactElement {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const element = button.current;
    if (element === null) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) void feed.more();
      },
      { rootMargin: '600px' },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [feed, isLoading]);
  return (
    <button
      ref={button}
      type="button"
      className="button jobs-more"
      disabled={isLoading}
      onClick={() => void feed.more()}
    >
      {isLoading ? 'Loading…' : 'Show older ones'}
    </button>
  );
}

function Toolbar(props: {
  readonly filter: AssetFilter;
  /** As it is being typed; the filter follows. */
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly onFilter: (filter: AssetFilter) => void;
}): ReactElement {
  const { filter, text, onText, onFilter } = props;
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (text === filter.text) return undefined;
    const timer = setTimeout(() => onFilter({ ...filter, text }), SEARCH_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, filter, onFilter]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== '/' || isTyping(event)) return;
      event.preventDefault();
      search.current?.focus();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  return (
    <div className="wall-bar jobs-bar">
      <h1>Assets</h1>
      <div className="segmented" role="group" aria-label="Show">
        {FILTERS.map(([value, label]) => (
          <button
            key={value}
            type="button"
            aria-pressed={filter.state === value}
            onClick={() => onFilter({ text, state: value })}
          >
            {label}
          </button>
        ))}
      </div>
      <label className="search">
        <Search aria-hidden />
        <input
          ref={search}
          type="search"
          placeholder="Name or reference"
          aria-label="Search assets"
          value={text}
          onChange={(event) => onText(event.target.value)}
        />
        <kbd aria-hidden>/</kbd>
      </label>
    </div>
  );
}

/** Everything that was uploaded, what is being made of it, and where more comes in. */
export default function AssetsPage(): ReactElement {
  const [feed] = useState(() => new AssetsFeed());
  useEffect(() => feed.follow(), [feed]);
  useEffect(() => {
    document.title = 'Assets · Zoetrope';
  }, []);
  const { list, load, why, isLoadingMore } = useStore(feed.state);
  const [filter, setFilter] = useState<AssetFilter>({ state: 'all', text: '' });
  const [text, setText] = useState('');
  const [doomed, setDoomed] = useState<AssetJson | null>(null);
  const uploads = useUploads(list.items);
  const change = useCallback(
    (next: AssetFilter) => {
      setFilter(next);
      setText(next.text);
      feed.filter(next);
    },
    [feed],
  );
  const onChanged = useCallback((asset: AssetJson) => feed.put(asset), [feed]);
  const isPlain = filter.state === 'all' && filter.text === '';
  const nothing = load === 'ready' && list.items.length === 0 && uploads.length === 0;
  return (
    <div className="assets-page">
      <DropZone onMade={onChanged} />
      <Toolbar filter={filter} text={text} onText={setText} onFilter={change} />
      {load === 'failed' && (
        <div className="notice" role="alert">
          <h2>The assets could not be loaded</h2>
          <p className="muted">{why}</p>
        </div>
      )}
      {load === 'loading' && (
        <div className="jobs-loading" aria-busy="true" aria-label="Loading assets">
          {Array.from({ length: 5 }, (_, index) => (
            <div key={index} className="skeleton" />
          ))}
        </div>
      )}
      <ul className="jobs" aria-label="Assets" hidden={load !== 'ready'}>
        {isPlain && <UnfinishedUploads />}
        {uploads.map((upload) => (
          <UploadRow key={upload.id} upload={upload} />
        ))}
        {list.items.map((asset) => (
          <AssetRow key={asset.id} asset={asset} onChanged={onChanged} onDelete={setDoomed} />
        ))}
      </ul>
      {nothing && (
        <div className="jobs-empty">
          <Clapperboard aria-hidden />
          {isPlain ? (
            <>
              <h2>No assets yet</h2>
              <p className="muted">
                What you upload becomes an adaptive stream, in HLS and DASH, and plays here while it is still being
                made.
              </p>
            </>
          ) : (
            <>
              <p>No asset matches.</p>
              <button type="button" className="button" onClick={() => change({ state: 'all', text: '' })}>
                Show all
              </button>
            </>
          )}
        </div>
      )}
      {list.nextCursor !== null && load === 'ready' && <More feed={feed} isLoading={isLoadingMore} />}
      {doomed !== null && (
        <DeleteAssetDialog
          asset={doomed}
          onClose={() => setDoomed(null)}
          onDeleted={() => {
            feed.drop(doomed.id);
            setDoomed(null);
          }}
        />
      )}
    </div>
  );
}
