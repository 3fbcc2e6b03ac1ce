import { Router } from 'lucide-react';
import { useEffect, useRef, useState, type ReactElement } from 'react';
import { latestPictureUrl, type StreamJson } from '../api/client.ts';
import { loadPicture, type Picture } from '../api/pictures.ts';
import { useStore, type Store } from '../api/store.ts';
import { zone } from '../shell/preferences.ts';
import { Link } from '../shell/router.tsx';
import { bitRate } from '../assets/quantities.ts';
import { sourceLine, sourceState, stateWords } from '../sources/source-state.ts';
import { ago, listTime } from '../time/format.ts';
import { useNow } from '../time/now.ts';

/** What a {@link Tile} shows. */
export interface TileProps {
  readonly store: Store<StreamJson>;
  /** Called with a picture's width over its height once it is known. */
  readonly onShape: (aspect: number) => void;
}

/** Whether the element is on screen, or nearly. */
function useNearScreen(ref: { readonly current: Element | null }): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (element === null) return undefined;
    const observer = new IntersectionObserver((entries) => setNear(entries.some((entry) => entry.isIntersecting)), {
      rootMargin: '200px',
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return near;
}

/** The newest picture; it stays until the next one is decoded. `missing` when there is none to be had. */
function useLatest(stream: StreamJson, wanted: boolean, onShape: (aspect: number) => void): Picture | 'missing' | null {
  const [picture, setPicture] = useState<Picture | 'missing' | null>(null);
  const { id, lastCapturedAt } = stream;
  useEffect(() => {
    if (!wanted || lastCapturedAt === null) return undefined;
    const loading = new AbortController();
    loadPicture(latestPictureUrl(id, lastCapturedAt, 640), loading.signal).then(
      (next) => {
        if (loading.signal.aborted) {
          next.release();
          return;
        }
        onShape(next.width / next.height);
        setPicture((before) => {
          if (before !== null && before !== 'missing') before.release();
          return next;
        });
      },
      () => {
        if (!loading.signal.aborted) setPicture((before) => before ?? 'missing');
      },
    );
    return () => loading.abort();
  }, [id, lastCapturedAt, wanted, onShape]);
  return picture;
}

/** A camera on the wall: its newest picture, name, state, and when it was last seen. */
export function Tile({ store, onShape }: TileProps): ReactElement {
  const stream = useStore(store);
  const shownZone = useStore(zone);
  const ref = useRef<HTMLLIElement>(null);
  const near = useNearScreen(ref);
  const now = useNow(near);
  const picture = useLatest(stream, near, onShape);
  const seenMs = stream.lastCapturedAt === null ? null : Date.parse(stream.lastCapturedAt);
  const { source, edge } = stream;
  const { state } = sourceState(stream);
  const words = stateWords(stream, now);
  const isLivePush = source !== null && state === 'live';
  const lastSeen = isLivePush ? bitRate(source.bitsPerSecond) : seenMs === null ? 'waiting' : ago(seenMs, now);
  return (
    <li ref={ref} className="tile" data-state={stream.state}>
      <Link href={`/streams/${encodeURIComponent(stream.id)}`} className="tile-link">
        <div className="tile-picture" data-loading={picture === null && stream.lastCapturedAt !== null}>
          {picture === 'missing' || stream.lastCapturedAt === null ? (
            <span className="tile-empty">{stream.state === 'new' ? words : 'No picture'}</span>
          ) : (
            picture !== null && <img src={picture.src} alt="" draggable={false} />
          )}
          {stream.state === 'offline' && <span className="tile-badge">{words}</span>}
          {edge !== null && (
            <span className="tile-edge" data-away={!edge.connected}>
              <Router aria-hidden /> {edge.name}
            </span>
          )}
        </div>
        <div className="tile-foot">
          <span className="state-dot" data-state={stream.state} role="img" aria-label={words} />
          <span className="tile-name" title={stream.name}>
            {stream.name}
          </span>
          <time
            className="tile-seen"
            dateTime={stream.lastCapturedAt ?? undefined}
            title={
              isLivePush
                ? sourceLine(source)
                : seenMs === null
                  ? undefined
                  : `Newest frame: ${listTime(seenMs, now, shownZone)}`
            }
          >
            {lastSeen}
          </time>
        </div>
      </Link>
    </li>
  );
}
