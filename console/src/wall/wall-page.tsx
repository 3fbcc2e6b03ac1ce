import { Grid2x2, Grid3x3, Plus, Rows3, Search, Square } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, useState, type CSSProperties, type ReactElement } from 'react';
import { useStore } from '../api/store.ts';
import { isTyping } from '../shell/keys.ts';
import { tileSize, type TileSize } from '../shell/preferences.ts';
import { AddSourceDialog } from '../sources/add-source-dialog.tsx';
import { WallEmpty } from './wall-empty.tsx';
import { passes, type WallFilter } from './filter.ts';
import { SourcesTable } from './sources-table.tsx';
import { StreamsStore } from './streams-store.ts';
import { Tile } from './tile.tsx';

const SIZES: readonly (readonly [TileSize, string, typeof Square])[] = [
  ['small', 'Small tiles', Grid3x3],
  ['medium', 'Medium tiles', Grid2x2],
  ['large', 'Large tiles', Square],
  ['table', 'A table', Rows3],
];

/** The shape most pictures have, so that tiles neither crop nor frame them more than need be. */
function useCommonShape(): readonly [number, (aspect: number) => void] {
  const counts = useRef(new Map<number, number>());
  const [shape, setShape] = useState(16 / 9);
  const add = useCallback((aspect: number): void => {
    const rounded = Math.round(aspect * 1000) / 1000;
    counts.current.set(rounded, (counts.current.get(rounded) ?? 0) + 1);
    const [most] = [...counts.current].toSorted((a, b) => b[1] - a[1]);
    if (most !== undefined) setShape(Math.min(2, Math.max(1.2, most[0])));
  }, []);
  return [shape, add];
}

/** Every camera at a glance. */
export function WallPage(): ReactElement {
  const [isAdding, setAdding] = useState(false);
  return (
    <>
      <Wall onAdd={() => setAdding(true)} />
      {isAdding && <AddSourceDialog onClose={() => setAdding(false)} />}
    </>
  );
}

function Wall({ onAdd }: { readonly onAdd: () => void }): ReactElement {
  const [store] = useState(() => new StreamsStore());
  useEffect(() => store.follow(), [store]);
  useEffect(() => {
    document.title = 'Cameras · Zoetrope';
  }, []);
  const ids = useStore(store.ids);
  const load = useStore(store.load);
  const revision = useStore(store.revision);
  const refreshed = useStore(store.refreshed);
  const size = useStore(tileSize);
  const [filter, setFilter] = useState<WallFilter>({ text: '', state: 'all' });
  const [shape, addShape] = useCommonShape();
  const search = useRef<HTMLInputElement>(null);

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== '/' || isTyping(event)) return;
      event.preventDefault();
      search.current?.focus();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);

  const { shown, online } = useMemo(() => {
    const cameras = ids.flatMap((id) => store.of(id) ?? []);
    return {
      shown: cameras.filter((camera) => passes(camera.get(), filter)),
      online: cameras.filter((camera) => camera.get().state === 'online').length,
      // The revision stands for the states and names behind the ids.
      revision,
    };
  }, [ids, store, filter, revision]);

  if (load.state === 'failed') {
    return (
      <div className="notice" role="alert">
        <h1>The cameras could not be loaded</h1>
        <p className="muted">{load.why}</p>
      </div>
    );
  }
  if (load.state === 'ready' && ids.length === 0) {
    return <WallEmpty onAdd={onAdd} />;
  }

  const states = [
    ['all', 'All', ids.length],
    ['online', 'Online', online],
    ['offline', 'Offline', ids.length - online],
  ] as const;
  return (
    <div className="wall-page">
      <div className="wall-bar">
        <h1>Cameras</h1>
        <div className="segmented" role="group" aria-label="Show">
          {states.map(([value, label, count]) => (
            <button
              key={value}
              type="button"
              aria-pressed={filter.state === value}
              onClick={() => setFilter({ ...filter, state: value })}
            >
              {label} <span className="count">{count}</span>
            </button>
          ))}
        </div>
        <label className="search">
          <Search aria-hidden />
          <input
            ref={search}
            type="search"
            placeholder="Search"
            aria-label="Search cameras"
            value={filter.text}
            onChange={(event) => setFilter({ ...filter, text: event.target.value })}
          />
          <kbd aria-hidden>/</kbd>
        </label>
        <button type="button" className="button wall-add" title="Add a source" onClick={onAdd}>
          <Plus aria-hidden /> <span>Add source</span>
        </button>
        <div className="segmented wall-sizes" role="group" aria-label="Tile size">
          {SIZES.map(([value, label, Icon]) => (
            <button
              key={value}
              type="button"
              aria-pressed={size === value}
              aria-label={label}
              title={label}
              onClick={() => tileSize.set(value)}
            >
              <Icon aria-hidden />
            </button>
          ))}
        </div>
      </div>
      {load.state === 'loading' ? (
        <ul className="wall" data-size={size} aria-busy="true" aria-label="Loading cameras">
          {Array.from({ length: 8 }, (_, index) => (
            <li key={index} className="tile tile-skeleton">
              <div className="tile-picture" data-loading />
              <div className="tile-foot" />
            </li>
          ))}
        </ul>
      ) : size === 'table' ? (
        <SourcesTable stores={shown} revision={refreshed} />
      ) : (
        <ul className="wall" data-size={size} style={{ '--tile-shape': shape } as CSSProperties}>
          {shown.map((camera) => (
            <Tile key={camera.get().id} store={camera} onShape={addShape} />
          ))}
        </ul>
      )}
      {load.state !== 'loading' && shown.length === 0 && (
        <div className="notice">
          <p>No camera matches.</p>
          <button type="button" className="button" onClick={() => setFilter({ text: '', state: 'all' })}>
            Show all {ids.length}
          </button>
        </div>
      )}
    </div>
  );
}
