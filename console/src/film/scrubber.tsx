import { useEffect, useRef, useState, type CSSProperties, type PointerEvent, type ReactElement } from 'react';
import { useStore } from '../api/store.ts';
import { mediaTime, spokenMediaTime } from '../time/media-time.ts';
import type { FilmPlayer } from './film-player.ts';
import { fitTile, previewLeft, tileAt, type StoryboardTile } from './storyboard.ts';

/** What a {@link Scrubber} moves along. */
export interface ScrubberProps {
  readonly player: FilmPlayer;
  /** The whole length, also of what has not been made yet. Seconds. */
  readonly durationS: number;
  readonly tiles: readonly StoryboardTile[];
  /** Makes the address of a sheet one that the browser may load. */
  readonly sign: (url: string) => string;
}

const PREVIEW = { width: 192, height: 144 } as const;
/** A label without a picture. */
const LABEL_WIDTH = 64;

function Preview(props: {
  readonly timeS: number;
  readonly x: number;
  readonly barWidth: number;
  readonly tile: StoryboardTile | undefined;
  readonly isMade: boolean;
  readonly sign: (url: string) => string;
}): ReactElement {
  const { timeS, x, barWidth, tile, isMade, sign } = props;
  const fit = tile === undefined || !isMade ? null : fitTile(tile, PREVIEW);
  const width = fit?.width ?? (isMade ? LABEL_WIDTH : 120);
  return (
    <div className="film-preview" style={{ left: previewLeft(x, width, barWidth), width }} aria-hidden>
      {fit !== null && tile !== undefined && (
        <span className="film-preview-picture" style={{ height: fit.height }}>
          <span
            data-tile={tile.startS}
            style={{
              width: tile.width,
              height: tile.height,
              backgroundImage: `url("${sign(tile.sheetUrl)}")`,
              backgroundPosition: `${-tile.x}px ${-tile.y}px`,
              transform: `scale(${fit.scale})`,
            }}
          />
        </span>
      )}
      <span className="film-preview-time">{isMade ? mediaTime(timeS) : 'not made yet'}</span>
    </div>
  );
}

/** The length of a film: where it is, what is there, and what a moment shows. */
export function Scrubber({ player, durationS, tiles, sign }: ScrubberProps): ReactElement {
  const { availableS, bufferedToS, isGrowing } = useStore(player.state);
  const bar = useRef<HTMLDivElement>(null);
  const [hover, setHover] = useState<{ readonly x: number; readonly width: number } | null>(null);
  const [spokenS, setSpokenS] = useState(0);
  const dragging = useRef(false);
  const lengthS = Math.max(durationS, isGrowing ? 0 : availableS, 0.001);
  // Sixty times a second: past React, straight to the style.
  useEffect(() => {
    const paint = (): void => {
      const positionS = player.position.get();
      bar.current?.style.setProperty('--position', String(Math.min(1, positionS / lengthS)));
      setSpokenS(Math.floor(positionS));
    };
    paint();
    return player.position.watch(paint);
  }, [player, lengthS]);

  const place = (event: PointerEvent): { readonly x: number; readonly width: number } => {
    const box = bar.current?.getBoundingClientRect();
    const width = box?.width ?? 1;
    return { x: Math.max(0, Math.min(width, event.clientX - (box?.left ?? 0))), width };
  };
  const seekTo = (event: PointerEvent): void => {
    const { x, width } = place(event);
    player.seek((x / width) * lengthS);
  };
  const hoverS = hover === null ? 0 : (hover.x / hover.width) * lengthS;
  const style = {
    '--buffered': Math.min(1, bufferedToS / lengthS),
    '--available': Math.min(1, availableS / lengthS),
  } as CSSProperties;
  return (
    <div
      ref={bar}
      className="scrubber"
      role="slider"
      tabIndex={0}
      aria-label="Position"
      aria-valuemin={0}
      aria-valuemax={Math.round(lengthS)}
      aria-valuenow={spokenS}
      aria-valuetext={`${spokenMediaTime(spokenS)} of ${spokenMediaTime(lengthS)}`}
      style={style}
      onPointerEnter={(event) => setHover(place(event))}
      onPointerMove={(event) => {
        setHover(place(event));
        if (dragging.current) seekTo(event);
      }}
      onPointerLeave={() => {
        if (!dragging.current) setHover(null);
      }}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        dragging.current = true;
        event.currentTarget.setPointerCapture(event.pointerId);
        seekTo(event);
      }}
      onPointerUp={(event) => {
        dragging.current = false;
        if (event.pointerType !== 'mouse') setHover(null);
      }}
      onPointerCancel={() => {
        dragging.current = false;
        setHover(null);
      }}
    >
      <span className="scrubber-track">
        <span className="scrubber-available" />
        <span className="scrubber-buffered" />
        <span className="scrubber-played" />
      </span>
      {hover !== null && <span className="scrubber-needle" style={{ left: hover.x }} />}
      <span className="scrubber-thumb" />
      {hover !== null && (
        <Preview
          timeS={hoverS}
          x={hover.x}
          barWidth={hover.width}
          tile={tileAt(tiles, hoverS)}
          isMade={!isGrowing || hoverS <= availableS}
          sign={sign}
        />
      )}
    </div>
  );
}
