import {
  AudioLines,
  Captions,
  Gauge,
  Maximize,
  Pause,
  PictureInPicture2,
  Play,
  Settings2,
  Volume1,
  Volume2,
  VolumeX,
} from 'lucide-react';
import type { ReactElement, RefObject } from 'react';
import { useStore } from '../api/store.ts';
import { bitRate } from '../assets/quantities.ts';
import { toast } from '../shell/toasts.tsx';
import { mediaTime } from '../time/media-time.ts';
import { ChoiceMenu } from './choice-menu.tsx';
import type { FilmPlayer } from './film-player.ts';
import { FILM_RATES } from './film-state.ts';

/** What {@link FilmControls} act on. */
export interface FilmControlsProps {
  readonly player: FilmPlayer;
  readonly video: RefObject<HTMLVideoElement | null>;
  readonly durationS: number;
  readonly onFullscreen: () => void;
}

const AUTO = 'auto';
const OFF = 'off';

function Readout({ player, durationS }: { readonly player: FilmPlayer; readonly durationS: number }): ReactElement {
  const positionS = useStore(player.position);
  const { playing } = useStore(player.state);
  const text = mediaTime(positionS, playing ? 'second' : 'tenth');
  const [whole, tenth] = text.split('.');
  return (
    <p className="film-readout">
      <span className="film-readout-now">
        {whole}
        {tenth !== undefined && <span className="readout-ms">.{tenth}</span>}
      </span>
      <span className="muted"> / {mediaTime(durationS)}</span>
    </p>
  );
}

function QualityMenu({ player }: { readonly player: FilmPlayer }): ReactElement | null {
  const { qualities, quality, shown } = useStore(player.state);
  if (qualities.length === 0) return null;
  const best = qualities.toSorted((a, b) => b.height * b.width - a.height * a.width || b.bitsPerS - a.bitsPerS);
  const chosen = qualities.find(({ key }) => key === quality);
  const now = chosen?.name ?? shown?.name;
  return (
    <ChoiceMenu
      title="Quality"
      icon={Settings2}
      label={chosen === undefined ? (now === undefined ? 'Auto' : `Auto · ${now}`) : chosen.name}
      isChanged={chosen !== undefined}
      choices={[
        {
          key: AUTO,
          name: 'Automatic',
          detail: chosen === undefined ? shown?.name : undefined,
          isChosen: chosen === undefined,
        },
        ...best.map(({ key, name, bitsPerS }) => ({
          key,
          name,
          detail: shown?.key === key ? 'on screen' : bitRate(bitsPerS),
          isChosen: key === quality,
        })),
      ]}
      onChoose={(key) => player.setQuality(key === AUTO ? null : key)}
    />
  );
}

function SoundAndText({ player }: { readonly player: FilmPlayer }): ReactElement {
  const { audios, audio, captions, caption } = useStore(player.state);
  return (
    <>
      {audios.length > 1 && (
        <ChoiceMenu
          title="Sound"
          icon={AudioLines}
          label=""
          isChanged={audio !== null && audio !== audios[0]?.key}
          choices={audios.map(({ key, name }) => ({ key, name, isChosen: key === audio }))}
          onChoose={(key) => player.setAudio(key)}
        />
      )}
      {captions.length > 0 && (
        <ChoiceMenu
          title="Captions"
          icon={Captions}
          label=""
          shortcut="C"
          isChanged={caption !== null}
          choices={[
            { key: OFF, name: 'Off', isChosen: caption === null },
            ...captions.map(({ key, name }) => ({ key, name, isChosen: key === caption })),
          ]}
          onChoose={(key) => player.setCaption(key === OFF ? null : key)}
        />
      )}
    </>
  );
}

function Volume({ player }: { readonly player: FilmPlayer }): ReactElement {
  const { volume, muted } = useStore(player.state);
  const silent = muted || volume === 0;
  const Icon = silent ? VolumeX : volume < 0.5 ? Volume1 : Volume2;
  return (
    <span className="film-volume">
      <button
        type="button"
        className="icon-button"
        aria-label={silent ? 'Sound on' : 'Sound off'}
        title={`${silent ? 'Sound on' : 'Sound off'} (M)`}
        onClick={() => player.toggleMuted()}
      >
        <Icon aria-hidden />
      </button>
      <input
        type="range"
        className="keyboard-only"
        min={0}
        max={100}
        value={silent ? 0 : Math.round(volume * 100)}
        aria-label="Volume"
        onChange={(event) => player.setVolume(Number(event.target.value) / 100)}
      />
    </span>
  );
}

/** The row under a film: where it is and how it plays. */
export function FilmControls({ player, video, durationS, onFullscreen }: FilmControlsProps): ReactElement {
  const { playing, rate } = useStore(player.state);
  const pip = 'pictureInPictureEnabled' in document && document.pictureInPictureEnabled;
  return (
    <div className="film-controls">
      <button
        type="button"
        className="icon-button play-button"
        aria-label={playing ? 'Pause' : 'Play'}
        title={`${playing ? 'Pause' : 'Play'} (Space)`}
        onClick={() => player.toggle()}
      >
        {playing ? <Pause aria-hidden /> : <Play aria-hidden />}
      </button>
      <Volume player={player} />
      <Readout player={player} durationS={durationS} />
      <div className="film-controls-end">
        <QualityMenu player={player} />
        <SoundAndText player={player} />
        <ChoiceMenu
          title="Speed"
          icon={Gauge}
          label={rate === 1 ? '' : `${rate}×`}
          shortcut="J, L"
          isChanged={rate !== 1}
          choices={FILM_RATES.map((value) => ({
            key: String(value),
            name: value === 1 ? 'Normal' : `${value}×`,
            isChosen: value === rate,
          }))}
          onChoose={(key) => player.setRate(Number(key))}
        />
        {pip && (
          <button
            type="button"
            className="icon-button film-pip"
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
