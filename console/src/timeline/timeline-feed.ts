import { api, markerEventsPath, type MarkerJson } from '../api/client.ts';
import { resyncs } from '../api/connection.ts';
import { listen } from '../api/events.ts';
import { Store } from '../api/store.ts';
import {
  mergeTimelines,
  readMarker,
  readTimeline,
  type Hold,
  type Marker,
  type TimelineData,
} from './timeline-data.ts';

const EDGE_EVERY_MS = 4000;
const WHOLE_EVERY_MS = 300_000;
/** Segments that close late change what was known of the last minutes. */
const EDGE_REACH_MS = 180_000;
/** The server answers for 32 days at most. */
const LONGEST_MS = 31.9 * 86_400_000;

/** What is known of one stream's timeline, kept current: its newest end every few seconds, its markers as they are made. */
export class TimelineFeed {
  readonly data = new Store<TimelineData | null>(null);
  /** Server clock minus this browser's, in ms. */
  readonly skewMs = new Store(0);
  readonly #streamId: string;
  readonly #hidden = new Set<string>();
  #stopped = new AbortController();

  constructor(streamId: string) {
    this.#streamId = streamId;
  }

  /** The server's clock now. */
  nowMs(): number {
    return Date.now() + this.skewMs.get();
  }

  /** Follows the stream, and first asks for the stretch given (of something kept; null: it grows), until the returned function is called. */
  follow(fromMs?: number, toMs?: number | null): () => void {
    this.#stopped = new AbortController();
    const fixed = fromMs !== undefined && typeof toMs === 'number';
    const whole = async (): Promise<void> => {
      // The server answers for some weeks: of what is longer, the newest.
      const endMs = fromMs === undefined ? undefined : (toMs ?? this.nowMs());
      await this.#ask(fromMs === undefined ? undefined : Math.max(fromMs, (endMs ?? 0) - LONGEST_MS), endMs);
      const known = this.data.get();
      // What is kept from before the retained window is asked for apart, so that the window shows without waiting for it.
      if (fromMs === undefined && known !== null) await this.#ask(this.nowMs() - LONGEST_MS, known.fromMs);
    };
    const edge = async (): Promise<void> => {
      const known = this.data.get();
      if (known === null) return whole();
      if (document.hidden || fixed) return undefined;
      const sinceMs = Math.min(known.liveEdgeMs ?? known.toMs, known.toMs) - EDGE_REACH_MS;
      return this.#ask(Math.max(known.fromMs, sinceMs, this.nowMs() - LONGEST_MS), this.nowMs());
    };
    void whole();
    const timers = [setInterval(() => void edge(), EDGE_EVERY_MS), setInterval(() => void whole(), WHOLE_EVERY_MS)];
    const forgetResync = resyncs.watch(() => void whole());
    const onShown = (): void => {
      if (!document.hidden) void whole();
    };
    document.addEventListener('visibilitychange', onShown);
    const stopEvents = listen(markerEventsPath(this.#streamId), {
      onEvent: ({ type, data }) => {
        if (type === 'marker') this.putMarker(readMarker(JSON.parse(data) as MarkerJson));
        if (type === 'removed') this.dropMarker((JSON.parse(data) as { readonly id: string }).id);
      },
    });
    return () => {
      this.#stopped.abort();
      for (const timer of timers) clearInterval(timer);
      document.removeEventListener('visibilitychange', onShown);
      forgetResync();
      stopEvents();
    };
  }

  async #ask(fromMs?: number, toMs?: number): Promise<void> {
    const { signal } = this.#stopped;
    if (fromMs !== undefined && toMs !== undefined && toMs - fromMs < 1000) return;
    try {
      const json = await api.timeline(this.#streamId, fromMs, toMs, signal);
      if (signal.aborted) return;
      this.skewMs.set(Date.parse(json.now) - Date.now());
      const fresh = readTimeline(json);
      const old = this.data.get();
      const merged = old === null ? fresh : mergeTimelines(old, fresh);
      this.data.set({ ...merged, markers: merged.markers.filter((marker) => !this.#hidden.has(marker.id)) });
    } catch {
      // The banner or the sign-in card says what is wrong; the next turn asks again.
    }
  }

  /** Takes in a hold that was made or changed; null: the one of this id is gone. */
  putHold(id: string, hold: Hold | null): void {
    const data = this.data.get();
    if (data === null) return;
    const others = data.holds.filter((each) => each.id !== id);
    const holds = hold === null ? others : [...others, hold].toSorted((a, b) => a.fromMs - b.fromMs);
    this.data.set({ ...data, holds });
  }

  /** Takes in a marker that was made. */
  putMarker(marker: Marker): void {
    const data = this.data.get();
    if (data === null || this.#hidden.has(marker.id)) return;
    const others = data.markers.filter((each) => each.id !== marker.id);
    this.data.set({ ...data, markers: [...others, marker].toSorted((a, b) => a.atMs - b.atMs) });
  }

  /** Takes away a marker that is gone. */
  dropMarker(id: string): void {
    const data = this.data.get();
    if (data !== null) this.data.set({ ...data, markers: data.markers.filter((marker) => marker.id !== id) });
  }

  /** Hides a marker from all later answers, until {@link TimelineFeed.showMarker}: its removal may yet be undone. */
  hideMarker(marker: Marker): void {
    this.#hidden.add(marker.id);
    this.dropMarker(marker.id);
  }

  /** Shows a hidden marker again. */
  showMarker(marker: Marker): void {
    this.#hidden.delete(marker.id);
    this.putMarker(marker);
  }
}
