import { Play, TriangleAlert } from 'lucide-react';
import { useCallback, useEffect, useRef, type MouseEvent, type ReactElement } from 'react';
import type { AssetJson } from '../api/asset-types.ts';
import { useStore } from '../api/store.ts';
import { ServerPicture } from '../assets/server-picture.tsx';
import { toast } from '../shell/toasts.tsx';
import { FilmControls } from './film-controls.tsx';
import type { FilmPlayer } from './film-player.ts';
import { useFilmShortcuts } from './film-shortcuts.ts';
import { Scrubber } from './scrubber.tsx';
import { useStoryboard } from './use-storyboard.ts';
import '../styles/camera.css';
import '../styles/film.css';

/** What a {@link FilmView} shows. */
export interface FilmViewProps {
  readonly asset: AssetJson;
  readonly player: FilmPlayer;
}

function Cover({
  player,
  poster,
}: {
  readonly player: FilmPlayer;
  readonly poster: string | null;
}): ReactElement | null {
  const { phase, why, waiting, started } = useStore(player.state);
  if (phase === 'failed') {
    return (
      <div className="cover" role="alert">
        <TriangleAlert aria-hidden />
        <p>It cannot be played just now.</p>
        <p className="cover-detail">{why}</p>
      </div>
    );
  }
  if (!started) {
    return (
      <button type="button" className="film-poster" aria-label="Play" onClick={() => player.play()}>
        <ServerPicture url={poster} alt="" />
        <span className="film-start" aria-hidden>
          <Play />
        </span>
      </button>
    );
  }
  if (waiting === 'growing') {
    return (
      <div className="cover" role="status">
        <span className="spinner" />
        <p>This is as far as it has been made.</p>
        <p className="cover-detail">It plays on by itself.</p>
      </div>
    );
  }
  if (waiting === 'data') {
    return (
      <div className="cover" data-late>
        <span className="spinner" role="status" aria-label="Loading" />
      </div>
    );
  }
  return null;
}

/** A button that was clicked gives the keyboard back to the shortcuts. */
function releaseFocus(event: MouseEvent): void {
  if (event.detail > 0 && event.target instanceof Element) event.target.closest<HTMLElement>('button')?.blur();
}

/** An asset's player. */
export function FilmView({ asset, player }: FilmViewProps): ReactElement {
  const video = useRef<HTMLVideoElement>(null);
  const cover = useRef<HTMLCanvasElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const { availableS, captions, started } = useStore(player.state);
  const isFrozen = useStore(player.isFrozen);
  const tiles = useStoryboard(asset.playback?.storyboardVtt ?? null, player.access);
  const track = asset.media?.video[0];
  const durationS = asset.durationMs === null ? availableS : asset.durationMs / 1000;
  useEffect(() => {
    if (video.current === null || cover.current === null) return undefined;
    return player.attach(video.current, cover.current);
  }, [player]);
  const fullscreen = useCallback(() => {
    const done = document.fullscreenElement === null ? stage.current?.requestFullscreen() : document.exitFullscreen();
    done?.catch(() => toast('This browser does not allow full screen here.'));
  }, []);
  useFilmShortcuts(player, track?.frameRate ?? 25, fullscreen);
  const sign = useCallback((url: string) => player.access.sign(url), [player]);
  // As wide as the film, but neither a ribbon nor a tower.
  const aspect = track === undefined ? 16 / 9 : Math.min(2.4, Math.max(1, track.width / track.height));
  return (
    <div ref={stage} className="film" data-captions={captions.length > 0} onClick={releaseFocus}>
      <div className="film-picture" style={{ aspectRatio: aspect }}>
        <video
          ref={video}
          playsInline
          disableRemotePlayback
          aria-label={asset.name}
          onClick={() => player.toggle()}
          onDoubleClick={fullscreen}
        />
        <canvas ref={cover} hidden={!isFrozen} aria-hidden />
        <Cover player={player} poster={started ? null : (asset.playback?.poster ?? null)} />
      </div>
      <Scrubber player={player} durationS={durationS} tiles={tiles} sign={sign} />
      <FilmControls player={player} video={video} durationS={durationS} onFullscreen={fullscreen} />
    </div>
  );
}
