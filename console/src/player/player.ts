import { describeError } from '../api/problem.ts';
import { patch, Store } from '../api/store.ts';
import { behindHole, bufferedOf, isBuffered } from './buffered.ts';
import { FrameMap, INTO_FRAME_S } from './frame-map.ts';
import type { MediaSession, SessionEvents } from './hls-session.ts';
import { isAtEdge, isNearEdge, livePosition } from './live-edge.ts';
import { prepareSession } from './open-session.ts';
import { PlaybackClock } from './playback-clock.ts';
import { FIRST_STATE, type PlayerOptions, type PlayerState, type StartAt, type WallSpan } from './player-state.ts';
import { isCutOff, isSameSource, nextSource, olderSource, type Source } from './source.ts';
import { startPlaying } from './start-playing.ts';
import { watchFrames } from './watch-frames.ts';

const RETRY_MS = 3000;
const MOST_CORRECTIONS = 4;

/** Plays one stream, archive or recording by wall clock. All times that go in and out are ms since the Unix epoch. */
export class Player {
  readonly state: Store<PlayerState>;
  readonly #options: PlayerOptions;
  #video: HTMLVideoElement | null = null;
  #session: MediaSession | null = null;
  #opening = 0;
  #clock: PlaybackClock | null = null;
  #start: StartAt;
  /** The wall time last asked for, until it plays on: fragments that turn out to lie elsewhere must not move the picture. */
  #wantedMs: number | null = null;
  /** How often the same picture was sought again. */
  #corrections = 0;
  /** Media time of the frame on screen, as the browser says. */
  #shownS: number | null = null;
  #wantsToPlay: boolean;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #listening = new AbortController();

  constructor(options: PlayerOptions) {
    this.#options = options;
    this.#start = options.start;
    this.#wantsToPlay = options.autoplay;
    this.state = new Store<PlayerState>({ ...FIRST_STATE, playing: options.autoplay, source: options.source });
  }

  #set(change: Partial<PlayerState>): void {
    patch(this.state, change);
  }

  /** Takes a media element and opens the playlist; the returned function lets go of both. */
  attach(video: HTMLVideoElement): () => void {
    this.#video = video;
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    const on = (type: keyof HTMLVideoElementEventMap, run: () => void): void =>
      video.addEventListener(type, run, { signal });
    on('play', () => this.#set({ playing: true }));
    on('pause', () => {
      // A media element that runs out of an ended playlist pauses by itself.
      if (video.ended && this.#goOn()) return;
      if (video.ended) this.#wantsToPlay = false;
      if (!this.#wantsToPlay) this.#set({ playing: false, live: false, waiting: 'no' });
    });
    for (const type of ['waiting', 'seeking'] as const) on(type, () => this.#noteWaiting());
    on('playing', () => this.#set({ waiting: 'no' }));
    on('seeked', () => {
      if (video.readyState > 1) this.#set({ waiting: 'no' });
      this.#settle();
    });
    on('canplay', () => this.#resume());
    on('timeupdate', () => this.#noteTime());
    on('ratechange', () => this.#set({ rate: video.playbackRate }));
    on('volumechange', () => this.#set({ muted: video.muted }));
    watchFrames(video, signal, (mediaTimeS) => {
      this.#shownS = mediaTimeS;
      this.#noteFrame();
      this.#correct();
      this.#noteStretch();
    });
    void this.#open();
    return () => this.#detach();
  }

  #detach(): void {
    this.#opening += 1;
    clearTimeout(this.#retry);
    this.#listening.abort();
    this.#session?.close();
    [this.#session, this.#video] = [null, null];
  }

  async #open(): Promise<void> {
    const video = this.#video;
    if (video === null) return;
    this.#opening += 1;
    const opening = this.#opening;
    clearTimeout(this.#retry);
    this.#session?.close();
    this.#session = null;
    [this.#clock, this.#shownS] = [null, null];
    if (this.state.get().phase === 'ready') this.#set({ phase: 'loading', waiting: 'no' });
    const { streamId, access } = this.#options;
    const events: SessionEvents = {
      onReady: (session) => {
        this.#session = session;
        this.#clock = null;
        this.#set({ phase: 'ready', why: '' });
        return this.#startPosition();
      },
      onChange: () => this.#noteChange(),
      onBuffered: () => this.#correct(),
      onFailed: (kind, why) => {
        if (opening === this.#opening) this.#fail(kind === 'empty' ? 'empty' : 'failed', why);
      },
    };
    try {
      const { source, speed } = this.state.get();
      const open = await prepareSession({ streamId, access, source, speed });
      if (opening === this.#opening) this.#session = open(video, events);
    } catch (error) {
      if (opening === this.#opening) this.#fail('failed', describeError(error));
    }
  }

  /** Says so, and opens the playlist anew a little later, where it was. */
  #fail(phase: 'empty' | 'failed', why: string): void {
    const atMs = this.#wantedMs ?? this.playheadMs();
    if (atMs !== null && !this.state.get().live) this.#start = { atMs };
    this.#session?.close();
    this.#session = null;
    const wantedMs = typeof this.#start === 'string' ? Number.MAX_SAFE_INTEGER : this.#start.atMs;
    const older = phase === 'empty' ? olderSource(this.state.get().source, wantedMs, this.#options.chooseSource) : null;
    if (older !== null) {
      this.load(older, { atMs: Math.min(wantedMs, older.toMs - 1) });
      return;
    }
    this.#set({ phase, why, waiting: 'no' });
    this.#retry = setTimeout(() => void this.#open(), RETRY_MS);
  }

  #startPosition(): number {
    const start = this.#start;
    const last = this.#session?.fragments().at(-1);
    this.#resume();
    if (start === 'live') return livePosition(this.#session) ?? this.#session?.fragments()[0]?.startS ?? 0;
    if (start === 'newest') return last === undefined ? 0 : last.startS + last.durationS - INTO_FRAME_S;
    this.#wantedMs = start.atMs;
    return (this.#clockNow()?.mediaAt(start.atMs)?.timeS ?? 0) + INTO_FRAME_S;
  }

  #clockNow(): PlaybackClock | null {
    if (this.#session === null) return null;
    this.#clock ??= new PlaybackClock(this.#session.fragments(), this.state.get().speed);
    return this.#clock;
  }

  /** The pictures of the playlist; null before there is one. */
  frames(): FrameMap | null {
    const clock = this.#clockNow();
    const session = this.#session;
    if (clock === null || session === null) return null;
    return new FrameMap(clock, {
      fragments: session.fragments(),
      offsets: (index) => session.frameOffsets(index),
      intervalS: this.#options.intervalS() / this.state.get().speed,
    });
  }

  #noteChange(): void {
    this.#clock = null;
    this.#set({ hasSound: this.#session?.hasSound() === true, isOver: this.#session?.liveEdge() === null });
    this.#settle();
    this.#noteFrame();
    this.#resume();
  }

  /** The picture asked for must be the one shown, also when its fragment turned out to start a little off. */
  #settle(): void {
    const video = this.#video;
    const aimS = this.#aim();
    if (video === null || aimS === null || video.readyState === 0) return;
    if (!video.paused && video.currentTime > aimS && video.currentTime < aimS + 1) return;
    if (Math.abs(aimS - video.currentTime) > 0.004) video.currentTime = aimS;
  }

  /** Where the wall time last asked for lies on the media clock now; null when none is, or it has been shown. */
  #aim(): number | null {
    if (this.#wantedMs === null || this.state.get().phase !== 'ready') return null;
    const found = this.#clockNow()?.mediaAt(this.#wantedMs);
    return found ? found.timeS + INTO_FRAME_S : null;
  }

  /**
   * Seeks again if another picture than the wanted one is on screen. Chromium takes data up to twice the longest frame after
   * the wanted time for near enough (SourceBufferRange's fudge room), which for these pictures are two frames.
   */
  #correct(): void {
    const video = this.#video;
    const aimS = this.#aim();
    if (video === null || aimS === null || video.seeking || this.#shownS === null) return;
    const frames = this.frames();
    if (frames?.startAt(aimS) === frames?.startAt(this.#shownS)) {
      this.#corrections = 0;
      if (!video.paused) this.#wantedMs = null;
      return;
    }
    if (!isBuffered(bufferedOf(video), aimS) || this.#corrections >= MOST_CORRECTIONS) return;
    this.#corrections += 1;
    video.currentTime = aimS;
  }

  #resume(): void {
    const video = this.#video;
    // Playing one that has been played out would begin at 0, where there is nothing.
    if (video === null || !this.#wantsToPlay || !video.paused || video.ended) return;
    void startPlaying(video).then((mayPlay) => {
      if (!mayPlay) this.pause();
    });
  }

  #noteWaiting(): void {
    const edge = this.#session?.liveEdge() ?? null;
    const video = this.#video;
    if (video === null) return;
    const atEdge = isAtEdge(edge, video.currentTime);
    const behindS = atEdge || video.seeking ? null : behindHole(bufferedOf(video), video.currentTime);
    if (behindS !== null) {
      // A frame came late, and left a hole as long as it was late.
      video.currentTime = behindS + INTO_FRAME_S;
      return;
    }
    if (atEdge && video.playbackRate > 1) video.playbackRate = 1;
    this.#set({ waiting: atEdge ? 'edge' : 'data' });
  }

  #noteTime(): void {
    const video = this.#video;
    if (video === null) return;
    const { source, speed } = this.state.get();
    const nearEdge = isNearEdge(this.#session?.liveEdge() ?? null, video.currentTime);
    this.#set({ live: nearEdge && !video.paused && source.kind === 'dvr' && speed === 1 });
    const aimS = this.#aim();
    // Once it has played on for a second, no other picture can be meant.
    if (aimS !== null && !video.seeking && !video.paused && video.currentTime > aimS + 1) this.#wantedMs = null;
    this.#noteStretch();
  }

  /** A stretch that is played out holds at its last picture, or begins again. */
  #noteStretch(): void {
    const { stretch } = this.state.get();
    const playheadMs = this.playheadMs();
    if (stretch === null || playheadMs === null || this.#video?.seeking !== false || playheadMs < stretch.toMs) return;
    if (stretch.loop) this.#show(stretch.fromMs);
    else {
      this.pause();
      this.seek(stretch.toMs - 1);
    }
  }

  /** What plays on when a playlist has been played out; false: nothing does. */
  #goOn(): boolean {
    const { stretch, source } = this.state.get();
    if (stretch?.loop === true) {
      this.#show(stretch.fromMs);
      this.#resume();
      return true;
    }
    const { endMs } = this.bounds();
    const next = endMs === null ? null : nextSource(source, endMs, this.#options.chooseSource);
    if (next !== null) this.load(next, { atMs: endMs ?? 0 });
    return next !== null;
  }

  #noteFrame(): void {
    const frameMs = this.#shownS === null ? null : (this.frames()?.takenAt(this.#shownS) ?? null);
    if (frameMs !== null) this.#set({ frameMs });
  }

  /** The wall time of the playhead; null before anything is loaded. */
  playheadMs(): number | null {
    const video = this.#video;
    if (this.#wantedMs !== null && video?.seeking !== false) return this.#wantedMs;
    return video === null ? null : (this.#clockNow()?.wallAt(video.currentTime) ?? null);
  }

  /** The wall times between which the playlist has pictures. */
  bounds(): { readonly startMs: number | null; readonly endMs: number | null } {
    const clock = this.#clockNow();
    return { startMs: clock?.startMs ?? null, endMs: clock?.endMs ?? null };
  }

  /** Shows the picture of a wall time; in a gap, the next one. Answers the time found, not exact while another playlist is loaded for it; null: there is nothing. */
  seek(atMs: number): number | null {
    this.#set({ stretch: null });
    return this.#show(atMs);
  }

  #show(atMs: number): number | null {
    const found = this.#clockNow()?.mediaAt(atMs) ?? null;
    const { source } = this.state.get();
    const outside = found !== null && (found.found === 'before' || (found.found === 'after' && isCutOff(source)));
    if (found === null || outside) {
      const startMs = source.kind === 'dvr' ? this.bounds().startMs : null;
      const better = this.#options.chooseSource(atMs, startMs);
      if (better !== null && !isSameSource(better, source)) {
        this.load(better, { atMs });
        return atMs;
      }
      if (found === null) {
        this.#start = { atMs };
        return null;
      }
    }
    this.#wantedMs = found.wallMs;
    this.#corrections = 0;
    if (this.#video !== null) this.#video.currentTime = found.timeS + INTO_FRAME_S;
    this.#set({ live: false });
    return found.wallMs;
  }

  /** Opens another playlist, at another speed if need be. */
  load(source: Source, start: StartAt, speed = this.state.get().speed): void {
    this.#start = start;
    this.#wantedMs = start === 'live' || start === 'newest' ? null : start.atMs;
    this.#set({ source, speed, live: false, stretch: null });
    void this.#open();
  }

  /** Plays from here. */
  play(): void {
    this.#wantsToPlay = true;
    this.#set({ playing: true });
    if (this.#video?.ended === true) this.#video.currentTime = this.#session?.fragments()[0]?.startS ?? 0;
    this.#resume();
  }

  /** Holds the picture. */
  pause(): void {
    this.#wantsToPlay = false;
    this.#video?.pause();
    this.#set({ playing: false, live: false, waiting: 'no', stretch: null });
  }

  /** Plays if it is held, holds if it plays. */
  toggle(): void {
    if (this.state.get().playing) this.pause();
    else this.play();
  }

  /** Plays a stretch and holds at its end, or plays it again and again. */
  playStretch({ fromMs, toMs }: WallSpan, loop = false): void {
    this.seek(fromMs);
    this.#set({ stretch: { fromMs, toMs, loop } });
    this.play();
  }

  /** Goes to the newest pictures at their own pace. */
  goLive(): void {
    const { source, speed } = this.state.get();
    this.#set({ stretch: null });
    this.#wantedMs = null;
    this.setRate(1);
    if (source.kind === 'range' || speed !== 1)
      this.load(this.#options.chooseSource(Number.MAX_SAFE_INTEGER, null) ?? source, 'live', 1);
    const position = livePosition(this.#session);
    if (position !== null && this.#video !== null) this.#video.currentTime = position;
    this.play();
  }

  /** Holds, and shows the next (`1`) or the previous (`-1`) picture. */
  step(direction: 1 | -1): void {
    const video = this.#video;
    if (video === null || this.#session === null) return;
    this.pause();
    const fromS = video.seeking ? video.currentTime : (this.#shownS ?? video.currentTime);
    const target = this.frames()?.neighbour(fromS, direction) ?? null;
    if (target === null) return;
    this.#wantedMs = this.#clockNow()?.wallAt(target + 1e-6) ?? null;
    this.#corrections = 0;
    video.currentTime = target + INTO_FRAME_S;
  }

  /** Plays that many times faster or slower, 0.0625–16. */
  setRate(rate: number): void {
    const bounded = Math.min(16, Math.max(0.0625, rate));
    // The default is what a media element falls back to with its next playlist.
    if (this.#video !== null) [this.#video.defaultPlaybackRate, this.#video.playbackRate] = [bounded, bounded];
  }

  /** Turns the sound on or off. */
  toggleMuted(): void {
    if (this.#video !== null) this.#video.muted = !this.#video.muted;
  }

  /** Loads the playlist retimed: `speed` seconds of wall time in one of media time, every picture shown. */
  setSpeed(speed: number): void {
    const { source } = this.state.get();
    if (speed === this.state.get().speed) return;
    const atMs = this.playheadMs();
    this.setRate(1);
    this.load(source, atMs === null ? 'live' : { atMs }, speed);
  }
}
