import { useEffect, useState, type ReactElement } from 'react';
import { assetApi, assetEventsPath } from '../api/asset-api.ts';
import { isFinal, type AssetJson } from '../api/asset-types.ts';
import { resyncs } from '../api/connection.ts';
import { listen } from '../api/events.ts';
import { ApiError, describeError } from '../api/problem.ts';
import { FilmPlayer } from '../film/film-player.ts';
import { FilmView } from '../film/film-view.tsx';
import { Link, navigate } from '../shell/router.tsx';
import { toast } from '../shell/toasts.tsx';
import { AssetHeader } from './asset-header.tsx';
import { canRetry } from './asset-list.ts';
import { AssetSide } from './asset-side.tsx';
import { workLine } from './asset-row.tsx';
import { OutputTable } from './output-table.tsx';
import { ProgressBar, stateWord } from './progress-bar.tsx';
import { ThumbnailGallery } from './thumbnail-gallery.tsx';
import '../styles/assets.css';
import '../styles/asset.css';

type Loaded =
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly asset: AssetJson }
  | { readonly state: 'failed'; readonly error: unknown };

/** An asset, kept current by the server's events. */
function useAsset(id: string): readonly [Loaded, (asset: AssetJson) => void] {
  const [loaded, setLoaded] = useState<Loaded>({ state: 'loading' });
  useEffect(() => {
    const over = new AbortController();
    const load = (): void => {
      assetApi.get(id, over.signal).then(
        (asset) => setLoaded({ state: 'ready', asset }),
        (error: unknown) => {
          if (over.signal.aborted) return;
          // With an asset on screen, the banner is enough.
          setLoaded((before) => (before.state === 'ready' ? before : { state: 'failed', error }));
        },
      );
    };
    load();
    const stop = listen(assetEventsPath(id), {
      onOpen: load,
      onEvent: ({ type, data }) => {
        if (type === 'asset') setLoaded({ state: 'ready', asset: JSON.parse(data) as AssetJson });
        if (type === 'removed') {
          toast('This asset was deleted.');
          navigate('/assets');
        }
      },
    });
    const forget = resyncs.watch(load);
    return () => {
      over.abort();
      stop();
      forget();
    };
  }, [id]);
  return [loaded, (asset) => setLoaded({ state: 'ready', asset })];
}

/** Which moment the address names, in seconds. */
function startOf(search: string): number {
  const value = Number(new URLSearchParams(search).get('t') ?? 0);
  return Number.isFinite(value) && value > 0 ? value : 0;
}

function usePlayer(asset: AssetJson): FilmPlayer | null {
  const path = asset.playback?.hls ?? null;
  const make = (): FilmPlayer | null =>
    path === null ? null : new FilmPlayer(asset.id, path, startOf(location.search));
  const [made, setMade] = useState(() => ({ path, player: make() }));
  // It became playable, or no longer is.
  if (made.path !== path) setMade({ path, player: make() });
  const { player } = made;
  // What has begun since: each may be a rendition that the playlist now names.
  const begun = asset.outputs
    .filter(({ kind, progress }) => progress > 0 && (kind === 'video' || kind === 'audio' || kind === 'subtitles'))
    .map(({ id, state }) => `${id} ${isFinal(state) ? 'over' : 'begun'}`)
    .join(' ');
  useEffect(() => {
    // Renditions come in a burst: one new playlist for all of them.
    const timer = setTimeout(() => void player?.refresh(), 1500);
    return () => clearTimeout(timer);
  }, [player, begun, asset.state]);
  return player;
}

/** Where the player will be: what is being done, or why there will be none. */
function Stand({ asset }: { readonly asset: AssetJson }): ReactElement {
  const over = isFinal(asset.state);
  return (
    <div className="film-stand" data-state={asset.state}>
      <h2>{over ? stateWord(asset.state) : 'It plays here in a moment'}</h2>
      {asset.cause !== null && <p className="film-stand-cause">{asset.cause.message}</p>}
      {asset.state === 'cancelled' && (
        <p className="muted">
          {canRetry(asset)
            ? 'What had been made of it is removed.'
            : 'The file is removed, and what had been made of it. Upload it again to have it made.'}
        </p>
      )}
      {!over && (
        <>
          <ProgressBar part={asset.progress > 0 ? asset.progress : null} label={asset.name} />
          <p className="muted">{workLine(asset)}</p>
        </>
      )}
    </div>
  );
}

function Body({
  asset,
  onChanged,
}: {
  readonly asset: AssetJson;
  readonly onChanged: (asset: AssetJson) => void;
}): ReactElement {
  const player = usePlayer(asset);
  const over = isFinal(asset.state);
  useEffect(() => {
    document.title = `${asset.name} · Zoetrope`;
  }, [asset.name]);
  const seek =
    player === null
      ? undefined
      : (toS: number): void => {
          player.seek(toS);
          player.play();
          document.querySelector('.film')?.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
        };
  return (
    <div className="asset-page">
      <AssetHeader asset={asset} onChanged={onChanged} />
      <div className="asset-top">
        <div className="asset-stage">
          {player === null ? <Stand asset={asset} /> : <FilmView asset={asset} player={player} />}
          {player !== null && !over && (
            <div className="asset-work" role="status">
              <span>{stateWord(asset.state)}</span>
              <ProgressBar part={asset.progress} label="Whole asset" />
              <span className="muted">{workLine({ ...asset, playback: null })}</span>
            </div>
          )}
          {player !== null && asset.cause !== null && <p className="asset-cause">{asset.cause.message}</p>}
        </div>
        <AssetSide asset={asset} sign={(url) => player?.access.sign(url) ?? url} />
      </div>
      <ThumbnailGallery asset={asset} onSeek={seek} />
      {!(over && asset.outputs.length === 0) && (
        <section className="asset-section" aria-label="Outputs">
          <h2>Outputs</h2>
          <div className="asset-outputs">
            <OutputTable asset={asset} />
          </div>
        </section>
      )}
    </div>
  );
}

/** An asset's page: it plays, and everything about it. */
export default function AssetPage({ id }: { readonly id: string }): ReactElement {
  const [loaded, setAsset] = useAsset(id);
  switch (loaded.state) {
    case 'ready':
      return <Body asset={loaded.asset} onChanged={setAsset} />;
    case 'failed': {
      const gone = loaded.error instanceof ApiError && loaded.error.status === 404;
      return (
        <div className="notice" role={gone ? undefined : 'alert'}>
          <h1>{gone ? 'No such asset' : 'The asset could not be loaded'}</h1>
          <p className="muted">{describeError(loaded.error)}</p>
          <Link className="button" href="/assets">
            Back to the assets
          </Link>
        </div>
      );
    }
    case 'loading':
      return (
        <div className="asset-page" aria-busy="true" aria-label="Loading">
          <div className="asset-header">
            <div className="skeleton" style={{ width: 260, height: 24 }} />
          </div>
          <div className="asset-top">
            <div className="skeleton" style={{ aspectRatio: 16 / 10 }} />
            <div className="skeleton" style={{ height: 320 }} />
          </div>
        </div>
      );
  }
}
