import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import { formatRfc3339, wallMs, type WallMs } from '../base/time.ts';
import type { AppendedSegment, Catalog } from '../catalog/catalog.ts';
import { EventPlaylist } from '../packager/hls/event-playlist.ts';
import { targetDuration, type SegmentRhythm } from '../packager/hls/target-duration.ts';
import type { Epoch } from '../timeline/epoch.ts';
import type { Hold } from '../timeline/hold.ts';
import { byWallOrder, segmentEndMs, type Segment } from '../timeline/segment.ts';
import { lengthOf, listedSegment, playlistSegment } from './dvr-window.ts';
import { KeptTexts } from './kept-texts.ts';
import type { Variant } from './variant.ts';

const PAGE_SEGMENTS = 5000;
/** More no player takes at once, and 22 MB of text are enough for one answer. */
export const MAX_LISTED = 200_000;
/** A hold is read as a whole again at most this share of the time: one of weeks takes seconds. */
const READING_SHARE = 0.02;
/** Delta updates reach back so many target durations (RFC 8216bis §4.4.3.8: at least six). */
export const SKIP_TARGETS = 6;
/** How far a hold that has no end reaches. */
const FAR_MS = wallMs(8_640_000_000_000_000);

/** What the text of a hold is made from. */
export interface HoldTextDeps {
  readonly catalog: Pick<Catalog, 'segmentsBetween'>;
  readonly clock: Clock;
}

/** What is asked of a hold's text. */
export interface HoldTextWish {
  readonly hold: Hold;
  /** Nothing on time can come to lie within it any more. */
  readonly isFinal: boolean;
  readonly rhythm: SegmentRhythm;
}

/** A segment of a hold with its epoch. */
export interface HeldSegment {
  readonly segment: Segment;
  readonly epoch: Epoch | undefined;
}

/** The segments of one hold as text, in one rendition and variant. */
export class HoldText {
  readonly rendition: string;
  readonly variant: Variant;
  readonly #deps: HoldTextDeps;
  #revision = 0;
  readonly #hold: Hold;
  #isFinal = false;
  #needsReading = true;
  #needsGrowing = false;
  #isTooLong = false;
  #updating: Promise<void> | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #readingMs = 0;
  #list = new GrowingList();

  /** In a rendition of its stream, by name. */
  constructor(hold: Hold, rendition: string, variant: Variant, deps: HoldTextDeps) {
    this.#hold = hold;
    this.rendition = rendition;
    this.variant = variant;
    this.#deps = deps;
  }

  get streamId(): string {
    return this.#hold.streamId;
  }

  /** Rises with everything that may change the text. */
  get revision(): number {
    return this.#revision;
  }

  /** What it takes in memory, roughly. */
  get sizeBytes(): number {
    return this.#list.playlist.sizeBytes;
  }

  /** Whether what was rendered of a list that was current at a revision is what would be rendered now. */
  isAt(revision: number): boolean {
    return this.#revision === revision && !(this.#needsReading && this.#isDue());
  }

  /** Takes in a change of its stream. */
  change(ofStream: readonly AppendedSegment[], isRemote: boolean): void {
    const appended = ofStream.filter(({ rendition }) => rendition.name === this.rendition);
    if (!isRemote && appended.length === 0 && ofStream.length > 0) return;
    const { toMs } = this.#hold;
    const isPlain = !isRemote && appended.length > 0 && appended.every(({ segment }) => segment.placement === 'onTime');
    if (isPlain && toMs !== null && appended.every(({ segment }) => segment.startMs >= toMs)) return;
    this.#revision++;
    if (isPlain && !this.#isFinal) this.#needsGrowing = true;
    else this.#needsReading = true;
  }

  /** The list as it is now; whoever asks while it is read waits for the same reading. @throws out_of_range above {@link MAX_LISTED} segments */
  async update(wish: HoldTextWish): Promise<GrowingList> {
    while (this.#updating !== undefined) await this.#updating;
    if (this.#isTooLong) throw tooLong(wish.hold);
    if (wish.isFinal !== this.#isFinal) {
      this.#isFinal = wish.isFinal;
      this.#needsReading = true;
      this.#readAtMs = Number.NEGATIVE_INFINITY;
    }
    if (!this.#needsReading && !this.#needsGrowing) return this.#list;
    const work = this.#needsReading && this.#isDue() ? this.#read(wish) : this.#grow(wish, this.#list);
    this.#updating = work.then(
      () => void (this.#updating = undefined),
      () => void (this.#updating = undefined),
    );
    // What this reading came to: another may have begun for somebody who wishes otherwise.
    return work;
  }

  /** Whether enough time has passed since it was read as a whole, for what that took. */
  #isDue(): boolean {
    return this.#deps.clock.monotonicMs() - this.#readAtMs >= this.#readingMs / READING_SHARE;
  }

  async #read(wish: HoldTextWish): Promise<GrowingList> {
    const startedMs = this.#deps.clock.monotonicMs();
    // What happens while it is read makes it stale again.
    this.#needsReading = false;
    const list = new GrowingList();
    try {
      await this.#grow(wish, list);
    } catch (error) {
      this.#needsReading = true;
      throw error;
    }
    this.#list = list;
    this.#readAtMs = this.#deps.clock.monotonicMs();
    this.#readingMs = this.#readAtMs - startedMs;
    return list;
  }

  async #grow(wish: HoldTextWish, list: GrowingList): Promise<GrowingList> {
    this.#needsGrowing = false;
    try {
      for await (const page of this.#pages(wish.hold, list.last)) {
        for (const one of page) list.add(one, wish, this.variant);
        // It will not become shorter again: whoever asks next is told at once.
        this.#isTooLong = list.playlist.count > MAX_LISTED;
        if (this.#isTooLong) throw tooLong(wish.hold);
      }
    } catch (error) {
      this.#needsGrowing = true;
      throw error;
    }
    return list;
  }

  /** Segments of the hold behind one, in wall order, in pages between which others get their turn. */
  async *#pages(hold: Hold, after: Segment | null): AsyncGenerator<readonly HeldSegment[]> {
    let last = after;
    for (;;) {
      const fromMs: WallMs = last === null ? hold.fromMs : wallMs(Math.max(hold.fromMs, last.startMs));
      const { segments, epochs } = await this.#deps.catalog.segmentsBetween(
        hold.streamId,
        fromMs,
        hold.toMs ?? FAR_MS,
        PAGE_SEGMENTS,
        this.rendition,
      );
      const behind = last;
      const fresh = behind === null ? segments : segments.filter((one) => byWallOrder(one, behind) > 0);
      const byId = new Map(epochs.map((epoch) => [epoch.id, epoch]));
      yield fresh.map((segment) => ({ segment, epoch: byId.get(segment.epochId) }));
      last = fresh.at(-1) ?? last;
      if (segments.length < PAGE_SEGMENTS || fresh.length === 0) return;
      await nextTurn();
    }
  }
}

function tooLong({ id, fromMs }: Hold): ZoetropeError {
  const [from, to] = [fromMs, wallMs(fromMs + 6 * 3_600_000)].map((atMs) => formatRfc3339(wallMs(atMs)));
  return new ZoetropeError(
    'out_of_range',
    `${id} has more than ${MAX_LISTED} segments, and one playlist lists no more. Ask for a part: ?from=${from}&to=${to}.`,
  );
}

/** Segments of a hold in the order in which its playlist lists them. */
export class GrowingList {
  readonly playlist = new EventPlaylist();
  /** What was rendered of it, whole and as a delta update, each at a length. */
  readonly texts = new KeptTexts(4);
  #first: Segment | null = null;
  #last: Segment | null = null;
  #lastListed: Segment | null = null;
  #lastGrown: Segment | null = null;
  #grown = 0;
  #grownTags = 0;
  #inserted = 0;
  #targetDurationS = 1;

  /** The last one that was looked at, in wall order. */
  get last(): Segment | null {
    return this.#last;
  }

  /** The first one listed. */
  get first(): Segment | null {
    return this.#first;
  }

  /** Where the last one listed ends. */
  get endMs(): WallMs | null {
    return this.#lastListed === null ? null : segmentEndMs(this.#lastListed);
  }

  get targetDurationS(): number {
    return this.#targetDurationS;
  }

  /**
   * The numbers of the first segment. Those of a list that was shown as it grew are 0; if late segments came into it afterwards, all of it leaves and comes
   * back, as in `dvr`: so that a number never means two things.
   */
  get numbers(): { readonly mediaSequence: number; readonly discontinuitySequence: number } {
    if (this.#inserted === 0) return { mediaSequence: 0, discontinuitySequence: 0 };
    return { mediaSequence: this.#grown, discontinuitySequence: this.#grownTags };
  }

  /** Takes in the next segment in wall order. While the list may grow, what came late is left out: a growing list gets nothing inserted. */
  add({ segment, epoch }: HeldSegment, { hold, isFinal, rhythm }: HoldTextWish, variant: Variant): void {
    this.#last = segment;
    const isLater = segment.placement === 'late' && segment.createdAtMs >= hold.createdAtMs;
    const grows = hold.kind === 'recording';
    if (grows && !isLater) {
      this.#grown++;
      this.#grownTags += Number(isBreak(this.#lastGrown, segment));
      this.#lastGrown = segment;
    }
    if (grows && isLater) {
      if (!isFinal) return;
      this.#inserted++;
    }
    const listed = { ...listedSegment(segment, epoch), discontinuity: isBreak(this.#lastListed, segment) };
    this.#first ??= segment;
    this.#lastListed = segment;
    const length = grows ? lengthOf(listed) : { ...lengthOf(listed), frameCount: 0 };
    this.#targetDurationS = targetDuration([length], rhythm, variant.speed, this.#targetDurationS);
    this.playlist.append(playlistSegment(listed, variant), SKIP_TARGETS * this.#targetDurationS);
  }
}

/** Told from what never changes of the two, so that a segment keeps its tag: between two neighbours, others may have been that are gone. */
function isBreak(before: Segment | null, segment: Segment): boolean {
  if (before === null) return segment.discontinuity;
  return before.epochId !== segment.epochId || before.sequence + 1 !== segment.sequence;
}
