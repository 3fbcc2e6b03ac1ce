import { useEffect, useState, type ReactElement } from 'react';
import { pictureUrl } from '../api/client.ts';
import { loadPicture, type Picture } from '../api/pictures.ts';
import { clockTime, dayName, duration } from '../time/format.ts';
import type { Zone } from '../time/zone.ts';
import type { Cluster } from './clusters.ts';
import type { Hold, Stretch } from './timeline-data.ts';

/** What a {@link Preview} shows. */
export interface PreviewProps {
  readonly streamId: string;
  readonly atMs: number;
  /** Pixels from the timeline's left edge. */
  readonly x: number;
  readonly width: number;
  /** Times closer than this may share a picture. */
  readonly grainMs: number;
  readonly gap: Stretch | undefined;
  readonly cluster: Cluster | undefined;
  /** The recording under the pointer. */
  readonly recording: Hold | undefined;
  readonly nowMs: number;
  readonly zone: Zone;
}

const BOX_PX = 176;
const PAUSE_MS = 90;
const KEPT = 240;

/** Pictures shown before, newest last: going back over the timeline must not ask again. */
const cache = new Map<string, Picture>();

function keep(url: string, picture: Picture): void {
  cache.set(url, picture);
  const [oldest] = cache.keys();
  if (cache.size <= KEPT || oldest === undefined) return;
  cache.get(oldest)?.release();
  cache.delete(oldest);
}

function usePreview(url: string | null): Picture | 'none' | null {
  const [shown, setShown] = useState<{ readonly url: string; readonly picture: Picture | 'none' } | null>(null);
  useEffect(() => {
    if (url === null || cache.has(url)) return undefined;
    const loading = new AbortController();
    const timer = setTimeout(() => {
      loadPicture(url, loading.signal).then(
        (picture) => {
          keep(url, picture);
          if (!loading.signal.aborted) setShown({ url, picture });
        },
        () => {
          if (!loading.signal.aborted) setShown({ url, picture: 'none' });
        },
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      loading.abort();
    };
  }, [url]);
  if (url === null) return null;
  const kept = cache.get(url);
  if (kept !== undefined) return kept;
  // Until the next one is there the last one stays, unless there was none.
  return shown?.picture === 'none' && shown.url !== url ? null : (shown?.picture ?? null);
}

/** The picture and the time under the pointer. */
export function Preview(props: PreviewProps): ReactElement {
  const { streamId, atMs, x, width, grainMs, gap, cluster, recording, nowMs, zone } = props;
  const only = cluster?.markers.length === 1 ? cluster.markers[0] : undefined;
  const wantedMs = only?.atMs ?? Math.floor(atMs / grainMs) * grainMs;
  const future = atMs > nowMs;
  const picture = usePreview(gap !== undefined || future ? null : pictureUrl(streamId, wantedMs, 160));
  const left = Math.min(Math.max(x - BOX_PX / 2, 4), Math.max(4, width - BOX_PX - 4));
  return (
    <div className="preview" style={{ left, width: BOX_PX }} aria-hidden>
      {gap === undefined && !future && (
        <div className="preview-picture" data-empty={picture === 'none'}>
          {picture !== null && picture !== 'none' && <img src={picture.src} alt="" />}
          {picture === 'none' && <span>No picture</span>}
        </div>
      )}
      {cluster !== undefined && (
        <p className="preview-label">{only === undefined ? `${cluster.markers.length} markers` : only.label}</p>
      )}
      {recording !== undefined && (
        <p className="preview-label preview-recording">
          {recording.name}
          <span className="muted"> {duration((recording.running ? nowMs : recording.toMs) - recording.fromMs)}</span>
        </p>
      )}
      {gap !== undefined && <p className="preview-label">No pictures for {duration(gap.toMs - gap.fromMs)}</p>}
      <p className="preview-time">
        <span>{clockTime(only?.atMs ?? atMs, zone)}</span>
        <span className="muted">{dayName(atMs, nowMs, zone)}</span>
      </p>
    </div>
  );
}
