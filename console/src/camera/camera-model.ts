import { api, type StreamJson } from '../api/client.ts';
import { listen } from '../api/events.ts';
import { ownAddress } from '../api/own-address.ts';
import { recordingApi } from '../api/recording-api.ts';
import { Store } from '../api/store.ts';
import { nextPicturesMs, sourceWithin, type Kept } from '../kept/kept.ts';
import { PlaybackAccess } from '../player/playback-access.ts';
import { Player } from '../player/player.ts';
import type { StartAt } from '../player/player-state.ts';
import { sourceFor } from '../player/source.ts';
import { setQuery } from '../shell/router.tsx';
import { TimelineFeed } from '../timeline/timeline-feed.ts';
import type { Marker, Stretch } from '../timeline/timeline-data.ts';
import { contains, firstView, fit, placeAt, spanOf, zoomAt, clampTo, type Viewport } from '../timeline/viewport.ts';
import { QualityChoice } from './quality-choice.ts';
import { RangeMarks } from './range-marks.ts';

/** So near to its end, a playlist was played out. */
const AT_END_MS = 1000;
/** How often the facts of an encoder are asked for. */
const SOURCE_EVERY_MS = 3000;
/** How often it is looked for other qualities. */
const QUALITIES_EVERY_MS = 20_000;

/** What a page's address asks for. */
export interface OpenAt {
  readonly atMs: number | null;
  readonly selection: Stretch | null;
}

/** Reads `?t=`, `?from=` and `?to=`. */
export function readOpenAt(search: string): OpenAt {
  const query = new URLSearchParams(search);
  const read = (name: string): number => Date.parse(query.get(name) ?? '');
  const [atMs, fromMs, toMs] = [read('t'), read('from'), read('to')];
  return {
    atMs: Number.isFinite(atMs) ? atMs : null,
    selection: toMs > fromMs ? { fromMs, toMs } : null,
  };
}

/** A camera's page: its stream, its player, and what the timeline shows of it. The page of an archive or a recording is the same, in bounds. */
export class CameraModel {
  readonly stream: Store<StreamJson>;
  /** What is kept and shown here; null: the camera itself, as far as it is retained. */
  readonly kept: Store<Kept | null>;
  readonly feed: TimelineFeed;
  readonly player: Player;
  readonly view: Store<Viewport>;
  readonly selection: Store<Stretch | null>;
  /** Whether dragging on the timeline selects rather than pans. */
  readonly selecting = new Store(false);
  readonly marks: RangeMarks;
  readonly quality: QualityChoice;
  readonly #access: PlaybackAccess;
  /** Whether the view was ever moved by hand, or set by what was found. */
  #placed = false;

  constructor(stream: StreamJson, kept: Kept | null, open: OpenAt) {
    this.stream = new Store(stream);
    this.kept = new Store(kept);
    this.feed = new TimelineFeed(stream.id);
    this.#access = new PlaybackAccess(() =>
      kept === null
        ? api.streamToken(stream.id)
        : kept.kind === 'archive'
          ? api.archiveToken(kept.id)
          : recordingApi.token(kept.id),
    );
    this.selection = new Store(open.selection);
    const openMs = open.atMs ?? open.selection?.fromMs ?? null;
    const atMs = openMs ?? kept?.fromMs ?? null;
    const start: StartAt =
      atMs !== null ? { atMs } : stream.state === 'offline' || stream.endedAt !== null ? 'newest' : 'live';
    this.player = new Player({
      streamId: stream.id,
      access: this.#access,
      source: kept === null ? { kind: 'dvr' } : sourceWithin(kept, atMs ?? kept.fromMs, Date.now()),
      start,
      // A link to a moment shows that moment; without one, the camera plays.
      autoplay: openMs === null,
      chooseSource: (wantedMs, startMs) => {
        const now = this.kept.get();
        if (now !== null) {
          const nearMs = nextPicturesMs(wantedMs, this.feed.data.get()?.stretches ?? []);
          return sourceWithin(now, nearMs, this.feed.nowMs());
        }
        return this.quality.of(sourceFor(wantedMs, startMs ?? this.#windowStartMs(), this.feed.data.get()));
      },
      intervalS: () => {
        const { effective, source } = this.stream.get();
        return source?.frameRate ? 1 / source.frameRate : effective.frameIntervalSeconds;
      },
    });
    this.quality = new QualityChoice(ownAddress(stream.urls.master), this.#access, () => this.player);
    this.marks = new RangeMarks({
      player: this.player,
      kind: () => this.stream.get().kind,
      range: () => this.selection.get(),
      setRange: (range) => this.select(range),
      latestMs: () => this.#latestMs(),
    });
    const nowMs = Date.now();
    this.view = new Store<Viewport>({ fromMs: nowMs - 3_600_000, toMs: nowMs });
    if (kept !== null) this.view.set(fit(this.#spanOf(kept), this.bounds()));
  }

  /** All of what is kept, as far as there are pictures; null on a stream's own page. */
  whole(): Stretch | null {
    const kept = this.kept.get();
    const toMs = kept === null ? 0 : (kept.toMs ?? this.#latestMs());
    return kept === null || toMs <= kept.fromMs ? null : { fromMs: kept.fromMs, toMs };
  }

  /** Whether it shows something kept rather than the camera itself. */
  get isKept(): boolean {
    return this.kept.get() !== null;
  }

  #spanOf(kept: Kept): Viewport {
    return { fromMs: kept.fromMs, toMs: Math.max(kept.fromMs + 1000, kept.toMs ?? this.feed.nowMs()) };
  }

  #windowStartMs(): number {
    return this.feed.nowMs() - this.stream.get().effective.retentionHours * 3_600_000;
  }

  /** Follows the server until the returned function is called. */
  follow(): () => void {
    const { id } = this.stream.get();
    const kept = this.kept.get();
    const stops = [
      this.feed.follow(kept?.fromMs, kept?.toMs),
      this.feed.data.watch(() => this.#placeFirst()),
      this.marks.follow(),
      listen('/v1/streams/events', {
        onEvent: ({ type, data }) => {
          if (type !== 'stream') return;
          const change = JSON.parse(data) as Partial<StreamJson>;
          if (change.id !== id) return;
          this.stream.set({ ...this.stream.get(), ...change });
          if (change.state === 'online') this.#goOn();
        },
        onOpen: () => void this.#refresh(),
      }),
      () => this.#access.close(),
      this.#lookEvery(),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** A stream that had been ended sends again: its playlist must be read anew, for nobody asks again for one that has an end. */
  #goOn(): void {
    const { source, isOver, playing } = this.player.state.get();
    if (!isOver || source.kind !== 'dvr' || this.isKept) return;
    const atMs = this.player.playheadMs();
    const wasHeld = !playing && atMs !== null && atMs < (this.player.bounds().endMs ?? 0) - AT_END_MS;
    if (wasHeld) this.player.load(source, { atMs });
    else this.player.load(source, 'live');
    if (!wasHeld) this.player.play();
  }

  /** What is known of an encoder or an edge is in no event. */
  #lookEvery(): () => void {
    const { kind, edge } = this.stream.get();
    if (this.isKept || (kind === 'frames' && edge === null)) return () => undefined;
    const stopped = new AbortController();
    const look = (): void => {
      if (this.stream.get().state !== 'new') void this.quality.look(stopped.signal);
    };
    const timers = [
      setInterval(() => {
        if (!document.hidden) void this.#refresh();
      }, SOURCE_EVERY_MS),
      setInterval(() => {
        if (!document.hidden) look();
      }, QUALITIES_EVERY_MS),
    ];
    look();
    return () => {
      stopped.abort();
      for (const timer of timers) clearInterval(timer);
    };
  }

  async #refresh(): Promise<void> {
    try {
      this.stream.set(await api.stream(this.stream.get().id));
    } catch {
      // The banner says that the server is away; the next opening of the events asks again.
    }
  }

  #placeFirst(): void {
    const data = this.feed.data.get();
    if (this.#placed || data === null || this.isKept) return;
    const nowMs = this.feed.nowMs();
    const { atMs, selection } = readOpenAt(location.search);
    // What is kept from before the retained window comes with a later answer.
    const wantedMs = selection?.fromMs ?? atMs ?? nowMs;
    this.#placed = data.stretches.length > 0 && contains(this.bounds(), wantedMs);
    const view = firstView(data.stretches[0]?.fromMs ?? nowMs, nowMs, this.bounds());
    if (selection !== null) this.view.set(fit(selection, this.bounds()));
    else if (atMs !== null && !contains(view, atMs)) this.view.set(placeAt(atMs, 0.5, spanOf(view), this.bounds()));
    else this.view.set(view);
  }

  /** How far the timeline can be moved: all that is kept, and a little past now. */
  bounds(): Viewport {
    const kept = this.kept.get();
    if (kept !== null) {
      const { fromMs, toMs } = this.#spanOf(kept);
      const air = Math.max(5000, (toMs - fromMs) * 0.05);
      return { fromMs: fromMs - air, toMs: toMs + air };
    }
    const nowMs = this.feed.nowMs();
    const firstMs = this.feed.data.get()?.stretches[0]?.fromMs ?? nowMs;
    const span = spanOf(this.view.get());
    return { fromMs: Math.min(firstMs, this.#windowStartMs()), toMs: nowMs + Math.max(5000, span * 0.05) };
  }

  /** The end of the newest pictures that are known of, here or to the player. */
  #latestMs(): number {
    const nowMs = this.feed.nowMs();
    const data = this.feed.data.get();
    const known = Math.max(data?.liveEdgeMs ?? 0, data?.stretches.at(-1)?.toMs ?? 0, this.player.bounds().endMs ?? 0);
    return Math.min(this.kept.get()?.toMs ?? nowMs, known === 0 ? nowMs : Math.min(known, nowMs));
  }

  /** Moves the view by hand. */
  setView(view: Viewport): void {
    this.#placed = true;
    this.view.set(clampTo(view, this.bounds()));
  }

  /** Zooms around the playhead, or around the middle when it is not in view. */
  zoom(factor: number): void {
    const view = this.view.get();
    const playheadMs = this.player.playheadMs();
    const middle = (view.fromMs + view.toMs) / 2;
    this.setView(
      zoomAt(view, playheadMs !== null && contains(view, playheadMs) ? playheadMs : middle, factor, this.bounds()),
    );
  }

  /** Shows a length of time around the playhead; with the live edge at its right end when that is in it. */
  showSpan(spanMs: number): void {
    const nowMs = this.feed.nowMs();
    const atMs = this.player.playheadMs() ?? nowMs;
    this.setView(
      nowMs - atMs < spanMs * 0.9
        ? placeAt(nowMs, 0.97, spanMs, this.bounds())
        : placeAt(atMs, 0.5, spanMs, this.bounds()),
    );
  }

  /** Brings a wall time into view if it is outside. */
  reveal(atMs: number, share = 0.5): void {
    const view = this.view.get();
    if (!contains(view, atMs)) this.view.set(placeAt(atMs, share, spanOf(view), this.bounds()));
  }

  /** Shows the picture of a wall time, keeps it in view and in the address. Returns the time found. */
  seek(atMs: number): number | null {
    const found = this.player.seek(atMs);
    if (found !== null) {
      this.reveal(found);
      setQuery({ t: new Date(Math.round(found)).toISOString() });
    }
    return found;
  }

  /** Goes to the newest pictures. */
  goLive(): void {
    const kept = this.kept.get();
    if (kept !== null) {
      this.seek(kept.toMs === null ? (this.player.bounds().endMs ?? this.feed.nowMs()) - 1 : kept.toMs - 1);
      return;
    }
    setQuery({ t: null });
    if (this.stream.get().state === 'offline') {
      const endMs = this.player.bounds().endMs;
      if (endMs !== null) this.seek(endMs - 1);
      return;
    }
    this.player.goLive();
    this.reveal(this.feed.nowMs(), 0.97);
  }

  /** Sets or clears the selection, here and in the address. */
  select(stretch: Stretch | null): void {
    this.selection.set(stretch);
    if (this.player.state.get().stretch?.loop === true) {
      if (stretch === null) this.player.pause();
      else this.player.playStretch(stretch, true);
    }
    const write = (atMs: number | undefined): string | null =>
      atMs === undefined ? null : new Date(Math.round(atMs)).toISOString();
    setQuery({ from: write(stretch?.fromMs), to: write(stretch?.toMs) });
  }

  /** Plays the selection again and again, or leaves that. */
  toggleLoop(): void {
    const selection = this.selection.get();
    if (this.player.state.get().stretch?.loop === true) this.player.pause();
    else if (selection !== null) this.player.playStretch(selection, true);
  }

  /** Goes to the next (`1`) or previous (`-1`) marker. */
  seekMarker(direction: 1 | -1): Marker | null {
    const atMs = this.player.playheadMs();
    if (atMs === null) return null;
    const markers = this.feed.data.get()?.markers ?? [];
    // Half a second of play-through still counts as being at a marker, so that "previous" gets past it.
    const marker =
      direction === 1
        ? markers.find((each) => each.atMs > atMs + 5)
        : markers.findLast((each) => each.atMs < atMs - (this.player.state.get().playing ? 1500 : 5));
    if (marker !== undefined) this.seek(marker.atMs);
    return marker ?? null;
  }
}
