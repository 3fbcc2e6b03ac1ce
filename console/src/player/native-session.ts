import type { MediaSession, SessionEvents } from './hls-session.ts';
import type { ClockFragment } from './playback-clock.ts';

/** Reads Safari's start date of a playlist; NaN where it has none. */
function startDateMs(video: HTMLVideoElement): number {
  const getStartDate: unknown = Reflect.get(video, 'getStartDate');
  if (typeof getStartDate !== 'function') return Number.NaN;
  const date: unknown = Reflect.apply(getStartDate, video, []);
  return date instanceof Date ? date.getTime() : Number.NaN;
}

/**
 * Plays through the browser's own HLS, where Media Source Extensions are missing. The browser tells the wall time of its
 * clock's start alone: times are exact up to the first gap of the playlist, and late by the gaps before them after it.
 */
export function openNatively(video: HTMLVideoElement, url: string, events: SessionEvents): MediaSession {
  const fragments = (): readonly ClockFragment[] => {
    const wallMs = startDateMs(video);
    const { seekable } = video;
    if (!Number.isFinite(wallMs) || seekable.length === 0) return [];
    const startS = seekable.start(0);
    const durationS = seekable.end(seekable.length - 1) - startS;
    return [{ startS, durationS, wallMs: wallMs + startS * 1000 }];
  };
  const session: MediaSession = {
    fragments,
    frameOffsets: () => [],
    liveEdge: () =>
      video.duration === Number.POSITIVE_INFINITY && video.seekable.length > 0
        ? { edgeS: video.seekable.end(video.seekable.length - 1), targetS: 10 }
        : null,
    hasSound: () => {
      const tracks: unknown = Reflect.get(video, 'audioTracks');
      return typeof tracks === 'object' && tracks !== null && Number(Reflect.get(tracks, 'length')) > 0;
    },
    close: () => {
      stop.abort();
      video.removeAttribute('src');
      video.load();
    },
  };
  const stop = new AbortController();
  const { signal } = stop;
  video.addEventListener('loadedmetadata', () => (video.currentTime = events.onReady(session)), { signal, once: true });
  video.addEventListener('progress', events.onChange, { signal });
  video.addEventListener('canplay', events.onBuffered, { signal });
  video.addEventListener(
    'error',
    () => events.onFailed('media', video.error?.message ?? 'The video cannot be played.'),
    {
      signal,
    },
  );
  video.src = url;
  return session;
}
