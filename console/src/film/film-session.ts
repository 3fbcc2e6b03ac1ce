import HlsPlayer, { ErrorTypes, Events, type ErrorData, type LevelDetails, type MediaPlaylist } from 'hls.js';
import { namedQualities, type Quality, type Track } from './film-state.ts';

/** What a session was told to show; kept over sessions. */
export interface Wishes {
  /** Keys of {@link Quality} and {@link Track}; null: automatic, the default, off. */
  readonly quality: string | null;
  readonly audio: string | null;
  readonly caption: string | null;
}

/** What a {@link FilmSession} tells its owner. */
export interface FilmSessionEvents {
  readonly onQualities: (qualities: readonly Quality[]) => void;
  readonly onShown: (quality: Quality | null) => void;
  readonly onAudios: (audios: readonly Track[], chosen: string | null) => void;
  readonly onCaptions: (captions: readonly Track[]) => void;
  /** Up to where it can be played, in seconds, and whether more is being made. */
  readonly onLength: (availableS: number, isGrowing: boolean) => void;
  readonly onFailed: (kind: 'missing' | 'denied' | 'unreachable' | 'media', detail: string) => void;
}

/** A film's playlists in a media element. */
export interface FilmSession {
  setQuality(key: string | null): void;
  setAudio(key: string): void;
  setCaption(key: string | null): void;
  close(): void;
}

const RETRY = { maxNumRetry: 8, retryDelayMs: 500, maxRetryDelayMs: 8000, backoff: 'exponential' } as const;
const POLICY = {
  default: { maxTimeToFirstByteMs: 15_000, maxLoadTimeMs: 60_000, timeoutRetry: RETRY, errorRetry: RETRY },
};
const MOST_RECOVERIES = 3;

const keyOf = (track: MediaPlaylist): string => `${track.name} ${track.lang ?? ''}`;
const tracksOf = (tracks: readonly MediaPlaylist[]): readonly Track[] => {
  const byKey = new Map(tracks.map((track) => [keyOf(track), { key: keyOf(track), name: track.name }]));
  return [...byKey.values()];
};

function failureOf(data: ErrorData): 'missing' | 'denied' | 'unreachable' | 'media' {
  const status = data.response?.code ?? 0;
  if (status === 401 || status === 403) return 'denied';
  if (status === 404 || status === 410) return 'missing';
  return data.type === ErrorTypes.NETWORK_ERROR ? 'unreachable' : 'media';
}

/** Whether this browser can play through Media Source Extensions. */
export function canPlayFilms(): boolean {
  return HlsPlayer.isSupported();
}

/** Plays a multivariant playlist from a moment on. `sign` adds what the server wants to see in a URL. */
export function openFilm(
  video: HTMLVideoElement,
  request: {
    readonly url: string;
    readonly startS: number;
    readonly wishes: Wishes;
    readonly sign: (url: string) => string;
  },
  events: FilmSessionEvents,
): FilmSession {
  const { url, startS, wishes, sign } = request;
  const hls = new HlsPlayer({
    startPosition: startS,
    // A playlist that still grows is no live stream: nobody chases its end, and it may stand still.
    liveMaxUnchangedPlaylistRefresh: Number.POSITIVE_INFINITY,
    lowLatencyMode: false,
    abrEwmaDefaultEstimate: 4_000_000,
    maxBufferLength: 30,
    backBufferLength: 120,
    manifestLoadPolicy: POLICY,
    playlistLoadPolicy: POLICY,
    fragLoadPolicy: POLICY,
    keyLoadPolicy: POLICY,
    xhrSetup: (xhr, address) => xhr.open('GET', sign(address), true),
  });
  let qualities: readonly Quality[] = [];
  let recoveries = 0;
  const chooseQuality = (key: string | null): number => qualities.findIndex((quality) => quality.key === key);
  const chooseCaption = (key: string | null): void => {
    hls.subtitleTrack = key === null ? -1 : hls.subtitleTracks.findIndex((track) => keyOf(track) === key);
    hls.subtitleDisplay = key !== null;
  };
  const tellLength = (details: LevelDetails): void => events.onLength(details.edge, details.live);

  hls.on(Events.MANIFEST_PARSED, (_, { levels }) => {
    qualities = namedQualities(
      levels.map((level) => ({
        width: level.width,
        height: level.height,
        bitsPerS: level.averageBitrate || level.bitrate,
        codec: level.videoCodec ?? level.codecSet,
      })),
    );
    const wanted = chooseQuality(wishes.quality);
    if (wanted >= 0) hls.currentLevel = wanted;
    events.onQualities(qualities);
  });
  hls.on(Events.LEVEL_LOADED, (_, { details }) => tellLength(details));
  hls.on(Events.LEVEL_UPDATED, (_, { details }) => tellLength(details));
  hls.on(Events.LEVEL_SWITCHED, (_, { level }) => events.onShown(qualities[level] ?? null));
  hls.on(Events.AUDIO_TRACKS_UPDATED, (_, { audioTracks }) => {
    const wanted = audioTracks.findIndex((track) => keyOf(track) === wishes.audio);
    if (wanted >= 0) hls.audioTrack = wanted;
    const chosen = audioTracks[hls.audioTrack] ?? audioTracks.find((track) => track.default) ?? audioTracks[0];
    events.onAudios(tracksOf(audioTracks), chosen === undefined ? null : keyOf(chosen));
  });
  hls.on(Events.SUBTITLE_TRACKS_UPDATED, (_, { subtitleTracks }) => {
    chooseCaption(wishes.caption);
    events.onCaptions(tracksOf(subtitleTracks));
  });
  hls.on(Events.ERROR, (_, data) => {
    if (!data.fatal) return;
    if (data.type === ErrorTypes.MEDIA_ERROR && recoveries < MOST_RECOVERIES) {
      recoveries += 1;
      hls.recoverMediaError();
      return;
    }
    events.onFailed(failureOf(data), `${data.details}: ${data.error.message}`);
  });
  hls.attachMedia(video);
  hls.loadSource(url);
  return {
    setQuality: (key) => {
      // What was chosen is shown from the next segment on, also where another is buffered; automatic goes on from what is there.
      if (key === null) hls.nextLevel = -1;
      else hls.currentLevel = chooseQuality(key);
    },
    setAudio: (key) => {
      hls.audioTrack = hls.audioTracks.findIndex((track) => keyOf(track) === key);
    },
    setCaption: chooseCaption,
    close: () => hls.destroy(),
  };
}
