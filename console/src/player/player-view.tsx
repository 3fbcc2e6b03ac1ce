import { TriangleAlert, WifiOff } from 'lucide-react';
import { useEffect, type ReactElement, type RefObject } from 'react';
import { latestPictureUrl } from '../api/client.ts';
import { sessionKey } from '../api/session-key.ts';
import { useStore } from '../api/store.ts';
import type { CameraModel } from '../camera/camera-model.ts';
import { zone } from '../shell/preferences.ts';
import { listTime } from '../time/format.ts';

/** What a {@link PlayerView} shows. */
export interface PlayerViewProps {
  readonly model: CameraModel;
  readonly video: RefObject<HTMLVideoElement | null>;
}

function Cover({ model }: { readonly model: CameraModel }): ReactElement | null {
  const { phase, why, frameMs, waiting, source } = useStore(model.player.state);
  const stream = useStore(model.stream);
  if (phase === 'empty') {
    return (
      <div className="cover" role="status">
        <p>
          {source.kind !== 'dvr'
            ? 'These pictures are no longer kept.'
            : stream.state === 'new'
              ? stream.kind === 'frames'
                ? 'Waiting for the first frame.'
                : 'Waiting for the first segment of an encoder.'
              : stream.state === 'offline'
                ? 'No pictures of this camera are kept.'
                : 'The first segment is being made.'}
        </p>
        <p className="cover-detail">It plays by itself as soon as there are pictures.</p>
      </div>
    );
  }
  if (phase === 'failed') {
    return (
      <div className="cover" role="alert">
        <TriangleAlert aria-hidden />
        <p>The pictures cannot be loaded just now. Trying again…</p>
        <p className="cover-detail">{why}</p>
      </div>
    );
  }
  if (frameMs === null || waiting === 'data') {
    return (
      <div className="cover" data-late>
        <span className="spinner" role="status" aria-label="Loading pictures" />
      </div>
    );
  }
  return null;
}

/** The picture, and what must be said over it. */
export function PlayerView({ model, video }: PlayerViewProps): ReactElement {
  const { player } = model;
  const { frameMs } = useStore(player.state);
  const stream = useStore(model.stream);
  const shownZone = useStore(zone);
  useEffect(() => (video.current === null ? undefined : player.attach(video.current)), [player, video]);
  // Before the first decoded frame, the newest picture is better than black; with a key, an `img` could not fetch it.
  const poster =
    frameMs === null && stream.lastCapturedAt !== null && !model.isKept && sessionKey.get() === null
      ? latestPictureUrl(stream.id, stream.lastCapturedAt)
      : undefined;
  const isOffline = stream.state === 'offline' && !model.isKept;
  return (
    <div className="player-picture">
      <video
        ref={video}
        playsInline
        muted
        poster={poster}
        disableRemotePlayback
        aria-label={`Pictures of ${stream.name}`}
        onClick={() => player.toggle()}
      />
      <Cover model={model} />
      {isOffline && stream.lastCapturedAt !== null && (
        <p className="offline-badge" role="status">
          <WifiOff aria-hidden /> Offline since{' '}
          {listTime(Date.parse(stream.lastCapturedAt), model.feed.nowMs(), shownZone)}
        </p>
      )}
    </div>
  );
}
