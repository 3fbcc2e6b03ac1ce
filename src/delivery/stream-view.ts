import type { Clock } from '../base/clock.ts';
import { wallMs, type WallMs } from '../base/time.ts';
import type { AppendedSegment, Catalog } from '../catalog/catalog.ts';
import type { Epoch } from '../timeline/epoch.ts';
import type { Marker } from '../timeline/marker.ts';
import type { Rendition } from '../timeline/rendition.ts';
import { segmentEndMs, type Segment } from '../timeline/segment.ts';
import { effectiveSettings, type Stream, type StreamSettings } from '../timeline/stream.ts';
import { DvrWindow } from './dvr-window.ts';
import { Freshness } from './freshness.ts';
import { newestMarkers } from './newest-markers.ts';
import type { TimelineView } from './view-cache.ts';

/** What a view reads from. */
export interface StreamViewDeps {
  readonly catalog: Pick<Catalog, 'getStream' | 'liveWindow' | 'dvrWindow' | 'listMarkers'>;
  readonly clock: Clock;
  readonly defaults: StreamSettings;
  /** Segments in a live playlist. */
  readonly liveSegments: number;
}

/** The newest on-time segments, oldest first, with the epochs that they need. */
export interface LiveWindow {
  readonly rendition: Rendition;
  readonly segments: readonly Segment[];
  readonly epochs: ReadonlyMap<string, Epoch>;
}

/** A stream as playlists show it. */
export interface StreamState {
  /** Of the view when reading began. */
  readonly revision: number;
  readonly stream: Stream;
  readonly settings: StreamSettings;
  readonly live: LiveWindow;
  /** Oldest first. */
  readonly markers: readonly Marker[];
}

/** A {@link StreamState} with its whole retained window. */
export interface DvrState extends StreamState {
  readonly dvr: DvrWindow;
}

/** A window that only grew is read as a whole now and then all the same, for what its numbers do not tell (a segment that was lost). */
const FULL_READ_EVERY_MS = 60_000;

/** One stream in memory: read when it is first asked for, grown by the catalog's change feed, read again when more than that happened. */
export class StreamView implements TimelineView {
  readonly streamId: string;
  readonly #deps: StreamViewDeps;
  readonly #freshness: Freshness;
  #state: StreamState | undefined;
  #dvr: DvrWindow | undefined;
  #dvrReadAtMs = 0;
  #windowIsStale = true;
  #factsAreStale = true;

  constructor(streamId: string, deps: StreamViewDeps) {
    this.streamId = streamId;
    this.#deps = deps;
    this.#freshness = new Freshness(deps.clock);
  }

  get usedAtMs(): number {
    return this.#freshness.usedAtMs;
  }

  get windowLength(): number {
    return this.#dvr?.length ?? 0;
  }

  isAt(revision: number): boolean {
    return this.#freshness.isAt(revision);
  }

  dropWindows(): void {
    this.#dvr = undefined;
  }

  close(): void {
    this.#freshness.close();
  }

  change(appended: readonly AppendedSegment[], isRemote: boolean): void {
    this.#freshness.rise();
    this.#factsAreStale = true;
    if (this.#freshness.isReading || isRemote || appended.length === 0) this.#windowIsStale = true;
    if (this.#windowIsStale) return;
    this.#windowIsStale = !appended.every((one) => this.#grow(one));
  }

  /** The stream as it is now. @throws not_found; what the catalog throws. */
  async read(): Promise<StreamState> {
    await this.#refresh(false);
    return this.#loaded();
  }

  /** The stream as it is now, with its whole window. @throws not_found; what the catalog throws. */
  async readDvr(): Promise<DvrState> {
    await this.#refresh(true);
    const dvr = this.#dvr ?? (await this.#readWholeWindow());
    return { ...this.#loaded(), dvr };
  }

  #loaded(): StreamState {
    if (this.#state === undefined) throw new Error('A stream was looked at before it was read.');
    return this.#state;
  }

  #refresh(withDvr: boolean): Promise<void> {
    return this.#freshness.refresh(
      () => this.#needsReading(withDvr),
      () => this.#read(withDvr),
    );
  }

  #needsReading(withDvr: boolean): boolean {
    return this.#factsAreStale || this.#windowIsStale || (withDvr && this.#dvr === undefined);
  }

  async #read(withDvr: boolean): Promise<void> {
    const { revision } = this.#freshness;
    const { catalog, clock, defaults } = this.#deps;
    const stream = await catalog.getStream(this.streamId);
    let live = this.#state?.live;
    if (live === undefined || this.#windowIsStale) live = await this.#readLive();
    if (this.#dvr === undefined ? withDvr : this.#windowIsStale) await this.#readDvr(live);
    const fromMs = this.#dvr?.at(0)?.startMs ?? live.segments[0]?.startMs;
    const lastSegment = live.segments.at(-1);
    const edgeMs = Math.max(clock.nowMs(), lastSegment === undefined ? 0 : segmentEndMs(lastSegment));
    const markers =
      fromMs === undefined ? [] : await newestMarkers(catalog, this.streamId, fromMs, wallMs(edgeMs + 60_000));
    this.#state = { revision, stream, settings: effectiveSettings(stream, defaults), live, markers };
    if (this.#freshness.revision !== revision) return;
    this.#windowIsStale = false;
    this.#factsAreStale = false;
  }

  async #readLive(): Promise<LiveWindow> {
    const window = await this.#deps.catalog.liveWindow(this.streamId, this.#deps.liveSegments);
    return { ...window, epochs: new Map(window.epochs.map((epoch) => [epoch.id, epoch])) };
  }

  async #readDvr(live: LiveWindow): Promise<void> {
    const isRecent = this.#deps.clock.monotonicMs() - this.#dvrReadAtMs < FULL_READ_EVERY_MS;
    const hasMoved =
      this.#dvr !== undefined &&
      (this.#dvr.rendition.nextSequence !== live.rendition.nextSequence ||
        this.#dvr.rendition.dvrMediaSequence !== live.rendition.dvrMediaSequence);
    // Numbers that did not move say that something else happened: a segment was lost or found.
    if (isRecent && hasMoved && this.#dvr?.follow(live.rendition, live.segments) === true) return;
    await this.#readWholeWindow();
  }

  async #readWholeWindow(): Promise<DvrWindow> {
    const window = await this.#deps.catalog.dvrWindow(this.streamId);
    this.#dvrReadAtMs = this.#deps.clock.monotonicMs();
    const old = this.#dvr;
    const added = window.rendition.nextSequence - (old?.rendition.nextSequence ?? 0);
    const newest = window.segments.slice(Math.max(0, window.segments.length - added));
    if (old?.follow(window.rendition, newest) === true && old.equals(window)) return old;
    this.#dvr = new DvrWindow(window, old === undefined ? 0 : this.#deps.clock.nowMs());
    return this.#dvr;
  }

  /** Appends a segment that this process just committed. Answers false when it does not simply follow what is here. */
  #grow(appended: AppendedSegment): boolean {
    const { segment, epoch, rendition } = appended;
    if (this.#state === undefined || segment.placement !== 'onTime') return false;
    const { live } = this.#state;
    if (segment.sequence !== (live.segments.at(-1)?.sequence ?? -1) + 1) return false;
    if (this.#dvr?.follow(rendition, [segment]) === false) return false;
    const segments = [...live.segments, segment].slice(-this.#deps.liveSegments);
    const epochs = new Map([...live.epochs, [epoch.id, epoch] as const]);
    for (const id of live.epochs.keys()) {
      if (!segments.some((one) => one.epochId === id)) epochs.delete(id);
    }
    this.#state = { ...this.#state, live: { rendition, segments, epochs } };
    return true;
  }
}

/** The end of the newest on-time segment; null on an empty timeline. */
export function liveEdgeMs(live: LiveWindow): WallMs | null {
  const last = live.segments.at(-1);
  return last === undefined ? null : segmentEndMs(last);
}
