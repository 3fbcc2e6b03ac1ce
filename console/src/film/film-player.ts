import { assetApi } from '../api/asset-api.ts';
import { ownAddress } from '../api/own-address.ts';
import { describeError } from '../api/problem.ts';
import { patch, Store } from '../api/store.ts';
import { PlaybackAccess } from '../player/playback-access.ts';
import type { FilmSession, FilmSessionEvents, Wishes } from './film-session.ts';
import { FILM_RATES, FIRST_STATE, type FilmState } from './film-state.ts';
import { hasMore, renditionsOf } from './renditions.ts';

/** At the end of what there is: so near that nothing more can be shown. */
const AT_EDGE_S = 0.3;
const RETRY_MS = 2500;
/** A change that takes longer shows that it waits. */
const LONGEST_FREEZE_MS = 3000;

const WORDS: Readonly<Record<Parameters<FilmSessionEvents['onFailed']>[0], string>> = {
  missing: 'It is no longer there.',
  denied: 'The server does not allow it. The link may have run out.',
  unreachable: 'The server does not answer. Trying again…',
  media: 'This browser cannot play it.',
};

/** Plays an asset in media time, also while it is being made: renditions that come later join without a cut. */
export class FilmPlayer {
  readonly state = new Store<FilmState>(FIRST_STATE);
  /** Seconds from the start; changes with each picture while it plays. */
  readonly position = new Store(0);
  /** Set while the playlist is read anew: the picture of before covers the change. */
  readonly isFrozen = new Store(false);
  readonly access: PlaybackAccess;
  readonly #master: string;
  #video: HTMLVideoElement | null = null;
  #cover: HTMLCanvasElement | null = null;
  #session: FilmSession | null = null;
  #wishes: Wishes = { quality: null, audio: null, caption: null };
  #renditions: readonly string[] = [];
  #generation = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #thaw: ReturnType<typeof setTimeout> | undefined;

  constructor(assetId: string, masterPath: string, startS = 0) {
    this.#master = ownAddress(masterPath);
    this.access = new PlaybackAccess(() => assetApi.token(assetId));
    this.position.set(startS);
  }

  /** Plays in this element, and covers changes with a picture on this canvas, until the returned function is called. */
  attach(video: HTMLVideoElement, cover: HTMLCanvasElement): () => void {
    this.#video = video;
    this.#cover = cover;
    const stop = new AbortController();
    this.#listen(video, stop.signal);
    void this.#open();
    return () => {
      stop.abort();
      this.#generation += 1;
      clearTimeout(this.#retry);
      clearTimeout(this.#thaw);
      this.#session?.close();
      this.#session = null;
      this.access.close();
      this.#video = null;
    };
  }

  /** Looks whether there are renditions that were not there before, and takes them in. */
  async refresh(): Promise<void> {
    const generation = this.#generation;
    if (this.state.get().phase !== 'ready') return;
    const names = await this.#readRenditions();
    if (generation !== this.#generation || names === null || !hasMore(this.#renditions, names)) return;
    this.#renditions = names;
    this.#freeze();
    await this.#open();
  }

  play(): void {
    const video = this.#video;
    if (video === null) return;
    if (video.ended) video.currentTime = 0;
    video.play().catch((error: unknown) => {
      // A seek or a new playlist came in between: it goes on by itself. Otherwise the browser wants a click first.
      if (!(error instanceof DOMException && error.name === 'AbortError')) patch(this.state, { playing: false });
    });
  }

  pause(): void {
    this.#video?.pause();
  }

  toggle(): void {
    if (this.state.get().playing) this.pause();
    else this.play();
  }

  /** Goes to a moment, so far as it has been made. */
  seek(toS: number): void {
    const video = this.#video;
    if (video === null || this.state.get().phase !== 'ready') return;
    const { availableS } = this.state.get();
    const wanted = Math.max(0, Math.min(toS, availableS - 0.05));
    this.position.set(wanted);
    video.currentTime = wanted;
  }

  /** Goes back or on by so many seconds. */
  skip(byS: number): void {
    this.seek(this.position.get() + byS);
  }

  /** Goes to the picture before or after. */
  step(direction: 1 | -1, frameRate: number): void {
    this.pause();
    this.skip(direction / frameRate);
  }

  setRate(rate: number): void {
    if (this.#video !== null) this.#video.playbackRate = rate;
    patch(this.state, { rate });
  }

  /** The next faster (`1`) or slower (`-1`) rate of the menu. */
  changeRate(direction: 1 | -1): void {
    const { rate } = this.state.get();
    const next =
      direction === 1 ? FILM_RATES.find((value) => value > rate) : FILM_RATES.findLast((value) => value < rate);
    if (next !== undefined) this.setRate(next);
  }

  /** 0–1; sound that was off comes on. */
  setVolume(volume: number): void {
    const video = this.#video;
    if (video === null) return;
    video.volume = Math.max(0, Math.min(1, Math.round(volume * 100) / 100));
    video.muted = video.volume === 0;
  }

  toggleMuted(): void {
    const video = this.#video;
    if (video === null) return;
    if (video.volume === 0) this.setVolume(0.5);
    else video.muted = !video.muted;
  }

  setQuality(key: string | null): void {
    this.#wish({ quality: key });
    patch(this.state, { quality: key });
    this.#session?.setQuality(key);
  }

  setAudio(key: string): void {
    this.#wish({ audio: key });
    patch(this.state, { audio: key });
    this.#session?.setAudio(key);
  }

  setCaption(key: string | null): void {
    this.#wish({ caption: key });
    patch(this.state, { caption: key });
    this.#session?.setCaption(key);
  }

  /** Off, or the first captions that there are. */
  toggleCaptions(): void {
    const { caption, captions } = this.state.get();
    this.setCaption(caption === null ? (captions[0]?.key ?? null) : null);
  }

  #wish(change: Partial<Wishes>): void {
    this.#wishes = { ...this.#wishes, ...change };
  }

  async #readRenditions(): Promise<readonly string[] | null> {
    try {
      const answer = await fetch(this.access.sign(this.#master), { cache: 'no-store' });
      return answer.ok ? renditionsOf(await answer.text()) : null;
    } catch {
      // Asked again with the next change of the asset.
      return null;
    }
  }

  /** Keeps the picture on screen while there is none in the element. */
  #freeze(): void {
    const [video, cover] = [this.#video, this.#cover];
    if (video === null || cover === null || video.videoWidth === 0) return;
    cover.width = video.videoWidth;
    cover.height = video.videoHeight;
    cover.getContext('2d')?.drawImage(video, 0, 0);
    this.isFrozen.set(true);
    clearTimeout(this.#thaw);
    this.#thaw = setTimeout(() => this.isFrozen.set(false), LONGEST_FREEZE_MS);
  }

  async #open(): Promise<void> {
    const video = this.#video;
    if (video === null) return;
    this.#generation += 1;
    const generation = this.#generation;
    clearTimeout(this.#retry);
    const startS = this.position.get();
    const plays = this.state.get().playing;
    try {
      const [{ openFilm, canPlayFilms }] = await Promise.all([import('./film-session.ts'), this.access.ready()]);
      if (generation !== this.#generation) return;
      if (this.#renditions.length === 0) this.#renditions = (await this.#readRenditions()) ?? [];
      if (generation !== this.#generation) return;
      this.#session?.close();
      this.#session = null;
      if (canPlayFilms()) {
        const sign = (url: string): string => this.access.sign(url);
        const request = { url: this.#master, startS, wishes: this.#wishes, sign };
        this.#session = openFilm(video, request, this.#events(generation));
      } else {
        // The browser's own HLS chooses by itself; its menus stay empty.
        video.src = this.access.sign(this.#master);
        video.currentTime = startS;
      }
      video.playbackRate = this.state.get().rate;
      if (plays) this.play();
    } catch (error) {
      if (generation === this.#generation) this.#fail(describeError(error), true);
    }
  }

  #fail(why: string, again: boolean): void {
    this.isFrozen.set(false);
    patch(this.state, { phase: 'failed', why, waiting: 'no' });
    if (again) this.#retry = setTimeout(() => void this.#open(), RETRY_MS);
  }

  #events(generation: number): FilmSessionEvents {
    const now = (change: Partial<FilmState>): void => {
      if (generation === this.#generation) patch(this.state, change);
    };
    return {
      onQualities: (qualities) => now({ qualities, phase: 'ready', why: '' }),
      onShown: (shown) => now({ shown }),
      onAudios: (audios, audio) => now({ audios, audio }),
      onCaptions: (captions) => now({ captions }),
      onLength: (availableS, isGrowing) => now({ availableS, isGrowing, phase: 'ready' }),
      onFailed: (kind, detail) => {
        if (generation !== this.#generation) return;
        this.#fail(kind === 'media' ? `${WORDS.media} ${detail}` : WORDS[kind], kind !== 'media');
      },
    };
  }

  #listen(video: HTMLVideoElement, signal: AbortSignal): void {
    const on = (types: string, run: () => void): void => {
      for (const type of types.split(' ')) video.addEventListener(type, run, { signal });
    };
    let frame = 0;
    const follow = (): void => {
      cancelAnimationFrame(frame);
      // While the playlist changes the element stands at 0.
      if (video.readyState > 0 && !this.isFrozen.get()) this.position.set(video.currentTime);
      if (!video.paused && !signal.aborted) frame = requestAnimationFrame(follow);
    };
    on('play playing pause seeked timeupdate', follow);
    on('play', () => patch(this.state, { playing: true, started: true }));
    on('pause', () => {
      // A new playlist pauses the element for a moment: what the viewer wanted stays.
      if (!this.isFrozen.get()) patch(this.state, { playing: false });
    });
    on('ended', () => patch(this.state, { playing: false, waiting: 'no' }));
    on('waiting stalled seeking', () => this.#noteWaiting(video));
    on('playing seeked canplay', () => {
      if (video.readyState >= 3) {
        patch(this.state, { waiting: 'no' });
        if (this.isFrozen.get()) video.requestVideoFrameCallback(() => this.isFrozen.set(false));
      }
    });
    on('progress timeupdate seeked', () => patch(this.state, { bufferedToS: bufferedTo(video) }));
    on('durationchange', () => {
      if (this.#session === null && Number.isFinite(video.duration)) {
        patch(this.state, { availableS: video.duration, phase: 'ready' });
      }
    });
    on('volumechange', () => patch(this.state, { volume: video.volume, muted: video.muted }));
    on('ratechange', () => patch(this.state, { rate: video.playbackRate }));
    signal.addEventListener('abort', () => cancelAnimationFrame(frame));
  }

  #noteWaiting(video: HTMLVideoElement): void {
    if (video.readyState >= 3 || this.isFrozen.get()) return;
    const { isGrowing, availableS } = this.state.get();
    const isAtEdge = isGrowing && video.currentTime > availableS - AT_EDGE_S;
    patch(this.state, { waiting: isAtEdge ? 'growing' : 'data' });
  }
}

/** Up to where it could play on without the server. */
function bufferedTo(video: HTMLVideoElement): number {
  const { buffered, currentTime } = video;
  for (let index = 0; index < buffered.length; index += 1) {
    if (buffered.start(index) <= currentTime + 0.1 && currentTime < buffered.end(index)) return buffered.end(index);
  }
  return currentTime;
}
