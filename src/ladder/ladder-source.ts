import type { Catalog } from '../catalog/catalog.ts';
import type { Epoch } from '../timeline/epoch.ts';
import { MAIN_RENDITION, type Rendition } from '../timeline/rendition.ts';
import type { Segment } from '../timeline/segment.ts';
import type { Stream } from '../timeline/stream.ts';
import { planRungs, rateOf, type PlannedRung } from './plan-rungs.ts';

/** The end of the source's timeline. */
export interface SourceEnd {
  readonly stream: Stream;
  readonly rendition: Rendition;
  /** On time, oldest first. */
  readonly segments: readonly Segment[];
  readonly epochs: ReadonlyMap<string, Epoch>;
}

/** What a source is read from. */
export type SourceCatalog = Pick<Catalog, 'getStream' | 'liveWindow' | 'renditionsOf' | 'lateSegments'>;

/** `main` of a stream as its ladder sees it. */
export class LadderSource {
  readonly #streamId: string;
  readonly #catalog: SourceCatalog;
  readonly #length: number;
  /** Rates that rungs were begun with, by rung and the source's epoch. */
  readonly #rates = new Map<string, { readonly ordinal: number; readonly rate: number }>();

  /** `length`: how many of the newest segments are looked at. */
  constructor(streamId: string, catalog: SourceCatalog, length: number) {
    this.#streamId = streamId;
    this.#catalog = catalog;
    this.#length = length;
  }

  /** @throws not_found when the stream is gone */
  async read(): Promise<SourceEnd> {
    const stream = await this.#catalog.getStream(this.#streamId);
    const { rendition, segments, epochs } = await this.#catalog.liveWindow(this.#streamId, this.#length);
    return { stream, rendition, segments, epochs: new Map(epochs.map((epoch) => [epoch.id, epoch])) };
  }

  /** The first late segment from a late sequence number on. */
  async late(fromSequence: number): Promise<{ readonly segment: Segment; readonly epoch: Epoch } | null> {
    const { segments, epochs } = await this.#catalog.lateSegments(this.#streamId, fromSequence, 1);
    const [segment] = segments;
    const epoch = epochs.find(({ id }) => id === segment?.epochId);
    return segment === undefined || epoch === undefined ? null : { segment, epoch };
  }

  /** What rungs need next, by their names. */
  async rungs(): Promise<ReadonlyMap<string, Rendition>> {
    const renditions = await this.#catalog.renditionsOf(this.#streamId);
    return new Map(renditions.filter(({ name }) => name !== MAIN_RENDITION).map((one) => [one.name, one]));
  }

  /** The rungs of a segment, at the rate at which they were begun. */
  async plan(stream: Stream, epoch: Epoch, known: ReadonlyMap<string, Rendition>): Promise<readonly PlannedRung[]> {
    const planned = planRungs(stream.settings.ladder ?? null, { epoch, frameRate: stream.source?.frameRate ?? null });
    const rated: PlannedRung[] = [];
    for (const rung of planned) {
      const rate = epoch.placement === 'late' ? null : await this.#rateOf(rung, epoch, known.has(rung.name));
      rated.push(rate === null ? rung : { ...rung, spec: { ...rung.spec, frameRate: rate } });
    }
    return rated;
  }

  async #rateOf({ name, spec }: PlannedRung, { ordinal }: Epoch, exists: boolean): Promise<number> {
    const kept = this.#rates.get(name);
    if (kept?.ordinal === ordinal) return kept.rate;
    const begun = exists && kept === undefined ? await this.#begunWith(name, ordinal) : null;
    const rate = begun ?? spec.frameRate;
    this.#rates.set(name, { ordinal, rate });
    return rate;
  }

  async #begunWith(name: string, ordinal: number): Promise<number | null> {
    const { epochs } = await this.#catalog.liveWindow(this.#streamId, 1, name);
    const [epoch] = epochs;
    return epoch?.ordinal === ordinal ? rateOf(epoch) : null;
  }
}
