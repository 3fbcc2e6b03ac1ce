import type { Clock } from '../base/clock.ts';
import type { AppendedSegment, Catalog, Window } from '../catalog/catalog.ts';
import type { Epoch } from '../timeline/epoch.ts';
import type { Rendition } from '../timeline/rendition.ts';
import type { Segment } from '../timeline/segment.ts';
import { DvrWindow } from './dvr-window.ts';

/** What windows are read from. */
export interface RenditionWindowsDeps {
  readonly catalog: Pick<Catalog, 'liveWindow' | 'dvrWindow'>;
  readonly clock: Clock;
  /** Segments in a live playlist. */
  readonly liveSegments: number;
}

/** The newest on-time segments, oldest first, with the epochs that they need. */
export interface LiveWindow {
  readonly rendition: Rendition;
  readonly segments: readonly Segment[];
  readonly epochs: ReadonlyMap<string, Epoch>;
}

/** A window that only grew is read as a whole now and then all the same, for what its numbers do not tell (a segment that was lost). */
const FULL_READ_EVERY_MS = 60_000;

/** The windows of one rendition in memory: they grow with what this process appends, and are read again when more than that happened. */
export class RenditionWindows {
  readonly #streamId: string;
  readonly #name: string;
  readonly #deps: RenditionWindowsDeps;
  #live: LiveWindow | undefined;
  #dvr: DvrWindow | undefined;
  #dvrReadAtMs = 0;
  #isStale = true;

  constructor(streamId: string, name: string, deps: RenditionWindowsDeps) {
    this.#streamId = streamId;
    this.#name = name;
    this.#deps = deps;
  }

  get live(): LiveWindow | undefined {
    return this.#live;
  }

  /** Undefined until it is asked for. */
  get dvr(): DvrWindow | undefined {
    return this.#dvr;
  }

  needsReading(withDvr: boolean): boolean {
    return this.#isStale || (withDvr && this.#dvr === undefined);
  }

  /** Notes that what is here is no longer all. */
  spoil(): void {
    this.#isStale = true;
  }

  dropWhole(): void {
    this.#dvr = undefined;
  }

  /** Takes in a segment of this rendition that this process just committed. */
  take(appended: AppendedSegment): void {
    if (!this.#isStale) this.#isStale = !this.#grow(appended);
  }

  /** Reads what is stale or missing. @throws what the catalog throws */
  async read(withDvr: boolean): Promise<void> {
    let live = this.#live;
    if (live === undefined || this.#isStale) live = await this.#readLive();
    if (this.#dvr === undefined ? withDvr : this.#isStale) await this.#readDvr(live);
    this.#live = live;
  }

  /** Notes that nothing happened while it was read. */
  settle(): void {
    this.#isStale = false;
  }

  /** The whole window, read anew unless it is as it was. */
  async readWhole(): Promise<DvrWindow> {
    const window = await this.#deps.catalog.dvrWindow(this.#streamId, this.#name);
    this.#dvrReadAtMs = this.#deps.clock.monotonicMs();
    const old = this.#dvr;
    const added = window.rendition.nextSequence - (old?.rendition.nextSequence ?? 0);
    const newest = window.segments.slice(Math.max(0, window.segments.length - added));
    if (old?.follow(window.rendition, newest, window.epochs) === true && old.equals(window)) return old;
    this.#dvr = new DvrWindow(window, old === undefined ? 0 : this.#deps.clock.nowMs());
    return this.#dvr;
  }

  async #readLive(): Promise<LiveWindow> {
    const window = await this.#deps.catalog.liveWindow(this.#streamId, this.#deps.liveSegments, this.#name);
    return { ...window, epochs: epochsById(window) };
  }

  async #readDvr(live: LiveWindow): Promise<void> {
    const isRecent = this.#deps.clock.monotonicMs() - this.#dvrReadAtMs < FULL_READ_EVERY_MS;
    const hasMoved =
      this.#dvr !== undefined &&
      (this.#dvr.rendition.nextSequence !== live.rendition.nextSequence ||
        this.#dvr.rendition.dvrMediaSequence !== live.rendition.dvrMediaSequence);
    // Numbers that did not move say that something else happened: a segment was lost or found.
    if (isRecent && hasMoved && this.#dvr?.follow(live.rendition, live.segments, live.epochs.values()) === true) return;
    await this.readWhole();
  }

  /** Appends a segment. Answers false when it does not simply follow what is here. */
  #grow({ segment, epoch, rendition }: AppendedSegment): boolean {
    const live = this.#live;
    if (live === undefined || segment.placement !== 'onTime') return false;
    if (segment.sequence !== (live.segments.at(-1)?.sequence ?? -1) + 1) return false;
    if (this.#dvr?.follow(rendition, [segment], [epoch]) === false) return false;
    const segments = [...live.segments, segment].slice(-this.#deps.liveSegments);
    const epochs = new Map([...live.epochs, [epoch.id, epoch] as const]);
    for (const id of live.epochs.keys()) {
      if (!segments.some((one) => one.epochId === id)) epochs.delete(id);
    }
    this.#live = { rendition, segments, epochs };
    return true;
  }
}

function epochsById({ epochs }: Window): ReadonlyMap<string, Epoch> {
  return new Map(epochs.map((epoch) => [epoch.id, epoch]));
}
