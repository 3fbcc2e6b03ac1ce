import { setImmediate as nextTurn } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { isZoetropeError, ZoetropeError } from '../base/errors.ts';
import { isId } from '../base/ids.ts';
import { wallMs, type WallMs } from '../base/time.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Hold, HoldKind } from '../timeline/hold.ts';
import type { Epoch } from '../timeline/epoch.ts';
import type { Segment } from '../timeline/segment.ts';

const MAX_HOLDS = 2000;
const PAGE_SEGMENTS = 5000;

/** A hold in memory. */
export interface HoldView {
  readonly hold: Hold;
  /** Whether nothing happened to its stream since it was read. */
  readonly isFresh: () => boolean;
}

/** Named ranges by id, read again whenever their stream changed. */
export class Holds {
  readonly #catalog: Pick<Catalog, 'getHold' | 'onChange'>;
  readonly #views = new LRUCache<string, HoldView>({ max: MAX_HOLDS });
  /** The newest change of each stream that has a hold in memory; one that was forgotten counts as changed. */
  readonly #changes = new LRUCache<string, number>({ max: MAX_HOLDS });
  #changeCount = 0;
  #stopListening: (() => void) | undefined;

  constructor(catalog: Pick<Catalog, 'getHold' | 'onChange'>) {
    this.#catalog = catalog;
  }

  start(): void {
    this.#stopListening = this.#catalog.onChange(({ streamIds }) => {
      for (const id of streamIds) {
        if (this.#changes.has(id)) this.#changes.set(id, ++this.#changeCount);
      }
    });
  }

  close(): void {
    this.#stopListening?.();
    this.#views.clear();
    this.#changes.clear();
  }

  /** @throws not_found when there is none of this kind, or it was let go. */
  async read(holdId: string, kind: HoldKind): Promise<HoldView> {
    const view = await this.readEvenReleased(holdId, kind);
    if (view.hold.releasedAtMs !== null) throw noSuchHold(holdId, kind);
    return view;
  }

  /** As {@link Holds.read}, and those in the grace after they were let go: who plays one may finish. */
  async readEvenReleased(holdId: string, kind: HoldKind): Promise<HoldView> {
    const known = this.#views.get(holdId);
    const view = known?.isFresh() === true ? known : await this.#load(holdId, kind);
    if (view.hold.kind !== kind) throw noSuchHold(holdId, kind);
    return view;
  }

  async #load(holdId: string, kind: HoldKind): Promise<HoldView> {
    if (!isId(kind === 'clip' ? 'hold' : kind, holdId)) throw noSuchHold(holdId, kind);
    const { streamId } = await this.#get(holdId, kind);
    const seen = this.#changes.get(streamId) ?? ++this.#changeCount;
    this.#changes.set(streamId, seen);
    // Read (again) after the stream's changes are being watched, so that none is missed.
    const hold = await this.#get(holdId, kind);
    const view: HoldView = { hold, isFresh: () => this.#changes.get(streamId) === seen };
    this.#views.set(holdId, view);
    return view;
  }

  async #get(holdId: string, kind: HoldKind): Promise<Hold> {
    try {
      return await this.#catalog.getHold(holdId);
    } catch (error) {
      if (isZoetropeError(error, 'not_found')) throw noSuchHold(holdId, kind);
      throw error;
    }
  }
}

/** A stretch of a rendition. */
export interface WallStretch {
  readonly streamId: string;
  /** By name. */
  readonly rendition: string;
  readonly fromMs: WallMs;
  readonly toMs: WallMs;
}

/** All shown segments that overlap a stretch, in wall order, read in pages, with their epochs. @throws out_of_range above `most`. */
export async function segmentsBetween(
  catalog: Pick<Catalog, 'segmentsBetween'>,
  { streamId, rendition, fromMs, toMs }: WallStretch,
  most: number,
): Promise<{ readonly segments: readonly Segment[]; readonly epochs: ReadonlyMap<string, Epoch> }> {
  const found = new Map<string, Segment>();
  const epochs = new Map<string, Epoch>();
  let startMs = fromMs;
  for (;;) {
    const page = await catalog.segmentsBetween(streamId, startMs, toMs, PAGE_SEGMENTS, rendition);
    const { segments } = page;
    for (const epoch of page.epochs) epochs.set(epoch.id, epoch);
    const before = found.size;
    for (const segment of segments) found.set(segment.id, segment);
    if (found.size > most) {
      throw new ZoetropeError('out_of_range', `The range has more than ${most} segments. Ask for a shorter one.`);
    }
    const last = segments.at(-1);
    if (last === undefined || segments.length < PAGE_SEGMENTS || found.size === before) {
      return { segments: [...found.values()], epochs };
    }
    // From the last one's start, not its end: another may have begun while it lasted.
    startMs = wallMs(Math.max(startMs, last.startMs));
    // An embedded catalog answers without leaving this turn; a range of weeks would keep everyone else waiting.
    await nextTurn();
  }
}

/** What is thrown for a hold that is not there, or not for who asks. */
export function noSuchHold(holdId: string, kind: HoldKind): ZoetropeError {
  return new ZoetropeError('not_found', `There is no ${kind} ${JSON.stringify(holdId)}.`);
}
