import { wallMs, type WallMs } from '../base/time.ts';
import type { AppendedSegment, Catalog } from '../catalog/catalog.ts';
import type { Marker } from '../timeline/marker.ts';
import { MAIN_RENDITION, type Rendition } from '../timeline/rendition.ts';
import { segmentEndMs } from '../timeline/segment.ts';
import { effectiveSettings, type Stream, type StreamSettings } from '../timeline/stream.ts';
import type { DvrWindow } from './dvr-window.ts';
import { Freshness } from './freshness.ts';
import { newestMarkers } from './newest-markers.ts';
import { RenditionWindows, type LiveWindow, type RenditionWindowsDeps } from './rendition-windows.ts';
import type { TimelineView } from './view-cache.ts';

/** What a view reads from. */
export interface StreamViewDeps extends RenditionWindowsDeps {
  readonly catalog: RenditionWindowsDeps['catalog'] & Pick<Catalog, 'getStream' | 'renditionsOf' | 'listMarkers'>;
  readonly defaults: StreamSettings;
}

/** A stream as playlists show it, in one of its renditions. */
export interface StreamState {
  /** Of the view when reading began. */
  readonly revision: number;
  readonly stream: Stream;
  readonly settings: StreamSettings;
  /** `main` first. Of a stream that has `main` alone by its kind, only that. */
  readonly renditions: readonly Rendition[];
  readonly live: LiveWindow;
  /** Oldest first. */
  readonly markers: readonly Marker[];
}

/** A {@link StreamState} with its whole retained window. */
export interface DvrState extends StreamState {
  readonly dvr: DvrWindow;
}

type StreamFacts = Omit<StreamState, 'live'>;

/** One stream in memory: read when it is first asked for, grown by the catalog's change feed, read again when more than that happened. */
export class StreamView implements TimelineView {
  readonly streamId: string;
  readonly #deps: StreamViewDeps;
  readonly #freshness: Freshness;
  readonly #main: RenditionWindows;
  /** By name: `main`, and those that somebody asked for. */
  readonly #windows = new Map<string, RenditionWindows>();
  #facts: StreamFacts | undefined;
  #factsAreStale = true;

  constructor(streamId: string, deps: StreamViewDeps) {
    this.streamId = streamId;
    this.#deps = deps;
    this.#freshness = new Freshness(deps.clock);
    this.#main = new RenditionWindows(streamId, MAIN_RENDITION, deps);
    this.#windows.set(MAIN_RENDITION, this.#main);
  }

  get usedAtMs(): number {
    return this.#freshness.usedAtMs;
  }

  get windowLength(): number {
    let length = 0;
    for (const { dvr } of this.#windows.values()) length += dvr?.length ?? 0;
    return length;
  }

  isAt(revision: number): boolean {
    return this.#freshness.isAt(revision);
  }

  dropWindows(): void {
    for (const windows of this.#windows.values()) windows.dropWhole();
  }

  close(): void {
    this.#freshness.close();
  }

  change(appended: readonly AppendedSegment[], isRemote: boolean): void {
    this.#freshness.rise();
    this.#factsAreStale = true;
    if (this.#freshness.isReading || isRemote || appended.length === 0) {
      for (const windows of this.#windows.values()) windows.spoil();
    }
    for (const one of appended) this.#windows.get(one.rendition.name)?.take(one);
  }

  /** The stream as it is now, in a rendition that it has. @throws not_found; what the catalog throws. */
  async read(rendition: string = MAIN_RENDITION): Promise<StreamState> {
    const windows = await this.#refresh(rendition, false);
    return this.#loaded(windows);
  }

  /** The stream as it is now, with its whole window. @throws as {@link StreamView.read} */
  async readDvr(rendition: string = MAIN_RENDITION): Promise<DvrState> {
    const windows = await this.#refresh(rendition, true);
    const dvr = windows.dvr ?? (await windows.readWhole());
    return { ...this.#loaded(windows), dvr };
  }

  #loaded({ live }: RenditionWindows): StreamState {
    if (this.#facts === undefined || live === undefined) throw new Error('A stream was looked at before it was read.');
    return { ...this.#facts, live };
  }

  async #refresh(name: string, withDvr: boolean): Promise<RenditionWindows> {
    let windows = this.#windows.get(name);
    if (windows === undefined) {
      windows = new RenditionWindows(this.streamId, name, this.#deps);
      this.#windows.set(name, windows);
    }
    const wanted = windows;
    await this.#freshness.refresh(
      () => this.#factsAreStale || wanted.needsReading(withDvr),
      () => this.#read(wanted, withDvr),
    );
    return wanted;
  }

  /** Facts, the windows that are wanted, and those of `main`, from which the facts are told. */
  async #read(wanted: RenditionWindows, withDvr: boolean): Promise<void> {
    const { revision } = this.#freshness;
    const { catalog, clock, defaults } = this.#deps;
    const stream = await catalog.getStream(this.streamId);
    for (const windows of new Set([this.#main, wanted])) await windows.read(withDvr && windows === wanted);
    const { live, dvr } = this.#main;
    const renditions = await this.#renditions(stream, live);
    const fromMs = dvr?.at(0)?.startMs ?? live?.segments[0]?.startMs;
    const lastSegment = live?.segments.at(-1);
    const edgeMs = Math.max(clock.nowMs(), lastSegment === undefined ? 0 : segmentEndMs(lastSegment));
    const markers =
      fromMs === undefined ? [] : await newestMarkers(catalog, this.streamId, fromMs, wallMs(edgeMs + 60_000));
    this.#facts = { revision, stream, settings: effectiveSettings(stream, defaults), renditions, markers };
    if (this.#freshness.revision !== revision) return;
    for (const windows of [this.#main, wanted]) windows.settle();
    this.#factsAreStale = false;
  }

  /** Cameras have one, so nothing is asked for theirs. */
  async #renditions(stream: Stream, live: LiveWindow | undefined): Promise<readonly Rendition[]> {
    if (stream.kind === 'frames' && live !== undefined) return [live.rendition];
    return this.#deps.catalog.renditionsOf(this.streamId);
  }
}

/** The end of the newest on-time segment; null on an empty timeline. */
export function liveEdgeMs(live: LiveWindow): WallMs | null {
  const last = live.segments.at(-1);
  return last === undefined ? null : segmentEndMs(last);
}
