import {
  Camera,
  Maximize,
  Pause,
  PictureInPicture2,
  Play,
  StepBack,
  StepForward,
  Volume2,
  VolumeX,
} from 'lucide-react';
import type { ReactElement, RefObject } from 'react';
import { useStore } from '../api/store.ts';
import type { CameraModel } from '../camera/camera-model.ts';
import { zone } from '../shell/preferences.ts';
import { toast } from '../shell/toasts.tsx';
import { clockTime, dayName, shortDate } from '../time/format.ts';
import { zoneLabel } from '../time/zone.ts';
import { QualityMenu } from './quality-menu.tsx';
import { download, pictureOf } from './snapshot.ts';
import { SpeedMenu } from './speed-menu.tsx';

/** What {@link Controls} act on. */
export interface ControlsProps {
  readonly model: CameraModel;
  readonly video: RefObject<HTMLVideoElement | null>;
  readonly onFullscreen: () => void;
}

/** Saves the picture on screen under the camera's name and its capture time. */
export async function saveSnapshot(model: CameraModel, video: HTMLVideoElement | null): Promise<void> {
  const { frameMs } = model.player.state.get();
  if (video === null || frameMs === null || video.videoWidth === 0) {
    toast('There is no picture to save yet.');
    return;
  }
  const time = new Date(frameMs).toISOString().replaceAll(':', '-');
  download(await pictureOf(video), `${model.stream.get().name} ${time}.jpg`);
}

function Readout({ model }: { readonly model: CameraModel }): ReactElement {
  const { frameMs } = useStore(model.player.state);
  const shownZone = useStore(zone);
  if (frameMs === null) {
    return (
      <p className="readout" data-empty>
        <span className="readout-time">--:--:--</span>
      </p>
    );
  }
  const [whole, ms] = clockTime(frameMs, shownZone, 'ms').split('.');
  const day = dayName(frameMs, model.feed.nowMs(), shownZone);
  return (
    <time className="readout" dateTime={new Date(frameMs).toISOString()} title="When the picture on screen was taken">
      <span className="readout-time">
        {whole}
        <span className="readout-ms">.{ms}</span>
      </span>
      <span className="readout-day">
        {day === 'Today' || day === 'Yesterday' ? `${day}, ${shortDate(frameMs, shownZone)}` : day} ·{' '}
        {zoneLabel(frameMs, shownZone)}
      </span>
    </time>
  );
}

function SoundButton({ model }: { readonly model: CameraModel }): ReactElement | null {
  const { hasSound, muted } = useStore(model.player.state);
  if (!hasSound) return null;
  const label = muted ? 'Sound on' : 'Sound off';
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      title={`${label} (S)`}
      onClick={() => model.player.toggleMuted()}
    >
      {muted ? <VolumeX aria-hidden /> : <Volume2 aria-hidden />}
    </button>
  );
}

/** The row under the picture: what it shows and how it plays. */
export function Controls({ model, video, onFullscreen }: ControlsProps): ReactElement {
  const { player } = model;
  const { playing, live } = useStore(player.state);
  const { state } = useStore(model.stream);
  const pip = 'pictureInPictureEnabled' in document && document.pictureInPictureEnabled;
  return (
    <div className="controls">
      <div className="controls-play">
        <button
          type="button"
          className="icon-button"
          aria-label="Previous frame"
          title="Previous frame (←)"
          onClick={() => player.step(-1)}
        >
          <StepBack aria-hidden />
        </button>
        <button
          type="button"
          className="icon-button play-button"
          aria-label={playing ? 'Pause' : 'Play'}
          title={`${playing ? 'Pause' : 'Play'} (Space)`}
          onClick={() => player.toggle()}
        >
          {playing ? <Pause aria-hidden /> : <Play aria-hidden />}
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label="Next frame"
          title="Next frame (→)"
          onClick={() => player.step(1)}
        >
          <StepForward aria-hidden />
        </button>
      </div>
      <Readout model={model} />
      {!model.isKept && (
        <button
          type="button"
          className="live-button"
          data-live={live && state === 'online'}
          aria-pressed={live && state === 'online'}
          title={state === 'online' ? 'Go live (E)' : 'Go to the newest picture (E)'}
          onClick={() => model.goLive()}
        >
          {state === 'online' ? 'Live' : 'Newest'}
        </button>
      )}
      <div className="controls-end">
        <SoundButton model={model} />
        <QualityMenu model={model} />
        <SpeedMenu player={player} />
        <button
          type="button"
          className="icon-button"
          aria-label="Save this picture"
          title="Save this picture"
          onClick={() => void saveSnapshot(model, video.current)}
        >
          <Camera aria-hidden />
        </button>
        {pip && (
          <button
            type="button"
            className="icon-button"
            aria-label="Picture in picture"
            title="Picture in picture"
            onClick={() => {
              video.current
                ?.requestPictureInPicture()
                .catch(() => toast('Picture in picture needs a playing picture first.'));
            }}
          >
            <PictureInPicture2 aria-hidden />
          </button>
        )}
        <button
          type="button"
          className="icon-button"
          aria-label="Full screen"
          title="Full screen (F)"
          onClick={onFullscreen}
        >
          <Maximize aria-hidden />
        </button>
      </div>
    </div>
  );
}
