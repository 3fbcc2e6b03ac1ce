import { ZoetropeError } from '../../../base/errors.ts';
import type { Block } from './clip-blocks.ts';
import type { PictureGroup, SourcePicture } from './clip-source.ts';

/** A part of a clip's pictures. Times are ticks of the source. */
export type Piece =
  /** Coded pictures as they are, in decoding order. Those that would be shown before `start` are shown from there on. */
  | {
      readonly kind: 'copy';
      readonly init: number;
      readonly pictures: readonly SourcePicture[];
      readonly start: number;
      readonly end: number;
    }
  /** What is shown from `start` to `end`, encoded again. All groups are decoded, each run in one go. */
  | {
      readonly kind: 'encode';
      readonly init: number;
      readonly runs: readonly (readonly PictureGroup[])[];
      readonly start: number;
      readonly end: number;
    }
  /** Nothing to be seen. */
  | { readonly kind: 'black'; readonly init: number; readonly start: number; readonly end: number };

/** What a clip's pictures consist of. */
export interface PicturePlan {
  /** In order of time. */
  readonly pieces: readonly Piece[];
  /** Where the clip begins in the source: 0, or the time of a keyframe before. */
  readonly origin: number;
}

/** What the plan is to keep to. */
export interface PlanOptions {
  /** Where the clip ends, exclusive. */
  readonly end: number;
  readonly mode: 'exact' | 'keyframes';
  readonly gaps: 'skip' | 'black';
}

/**
 * Decides what is copied and what is encoded. Copied are groups that are shown whole, that begin with their keyframe, or that end behind pictures to
 * which nothing left out belongs; and none may follow an encoded one unless decoders begin anew there.
 * @throws out_of_range when nothing is to be seen
 */
export function planPictures(blocks: readonly Block[], options: PlanOptions): PicturePlan {
  const origin = options.mode === 'keyframes' ? keyframeBefore(blocks) : 0;
  const planner = new Planner(origin, options);
  for (const block of blocks) planner.add(block);
  const pieces = planner.finish();
  if (!pieces.some(({ kind }) => kind !== 'black')) {
    throw new ZoetropeError('out_of_range', 'There is no picture in this stretch of the timeline. Choose another one.');
  }
  return { pieces, origin };
}

/** The time of the last keyframe at or before 0 in what is shown at 0; 0 without one. */
function keyframeBefore(blocks: readonly Block[]): number {
  const block = blocks.find(({ start, end }) => start <= 0 && end > 0);
  const times = block?.groups.flatMap(({ pictures: [first] }) => (first === undefined ? [] : [first.at])) ?? [];
  return times.findLast((at) => at <= 0) ?? 0;
}

class Planner {
  readonly #start: number;
  readonly #options: PlanOptions;
  readonly #pieces: Piece[] = [];
  /** Up to where the clip is planned. */
  #at: number;
  /** The group before in the source, when the next goes on from it. */
  #before: PictureGroup | null = null;
  /** Whether that group is the last thing in the clip, copied to its end. */
  #isBeforeCopied = false;
  #lastInit: number | null = null;

  constructor(origin: number, options: PlanOptions) {
    this.#start = origin;
    this.#at = origin;
    this.#options = options;
  }

  add(block: Block): void {
    if (block.isAfterGap) this.#before = null;
    if (block.end > this.#start && block.start < this.#options.end) {
      if (block.start > this.#at) this.#gap(block);
      if (block.isWoven) this.#weave(block);
      else for (const group of block.groups) this.#group(group);
    }
    this.#before = block.isWoven ? null : (block.groups.at(-1) ?? null);
  }

  finish(): readonly Piece[] {
    const { end, gaps } = this.#options;
    if (gaps === 'black' && this.#at < end && this.#lastInit !== null) {
      this.#pieces.push({ kind: 'black', init: this.#lastInit, start: this.#at, end });
    }
    return this.#pieces;
  }

  #gap(block: Block): void {
    this.#isBeforeCopied = false;
    const init = this.#lastInit ?? block.groups[0]?.init ?? 0;
    if (this.#options.gaps === 'black') this.#pieces.push({ kind: 'black', init, start: this.#at, end: block.start });
    this.#at = block.start;
  }

  #weave({ groups, start, end }: Block): void {
    const runs = new Map<number, PictureGroup[]>();
    for (const group of groups) {
      const segment = group.pictures[0]?.segment ?? 0;
      const run = runs.get(segment);
      if (run === undefined) runs.set(segment, [group]);
      else run.push(group);
    }
    this.#encode([...runs.values()], groups[0]?.init ?? 0, this.#within(start, end));
  }

  #group(group: PictureGroup): void {
    const range = this.#within(group.start, group.end);
    if (range.start < range.end) {
      const copied = this.#copyOf(group, range);
      if (copied !== null) {
        this.#pieces.push({ kind: 'copy', init: group.init, ...copied });
        this.#isBeforeCopied = copied.pictures.length === group.pictures.length;
        this.#at = copied.end;
        this.#lastInit = group.init;
      } else {
        const [keyframe] = group.pictures;
        const before = this.#before !== null && this.#before.init === group.init ? this.#before : null;
        const needsBefore = before !== null && keyframe !== undefined && keyframe.at > group.start;
        this.#encode([needsBefore ? [before, group] : [group]], group.init, range);
      }
    }
    this.#before = group;
  }

  /** What of a group can be copied; null: it has to be encoded. */
  #copyOf(
    group: PictureGroup,
    { start, end }: { readonly start: number; readonly end: number },
  ): Pick<Extract<Piece, { kind: 'copy' }>, 'pictures' | 'start' | 'end'> | null {
    const [keyframe] = group.pictures;
    if (keyframe === undefined) return null;
    const goesOn = this.#isBeforeCopied && this.#before !== null && this.#before.init === group.init;
    if (!group.isClosed && !goesOn && this.#pieces.length > 0) return null;
    const shownAtStart = Math.max(...group.pictures.filter(({ at }) => at <= start).map(({ at }) => at));
    const first = Number.isFinite(shownAtStart) ? shownAtStart : group.start;
    const isCutInside = first > keyframe.at || (keyframe.at > group.start && !goesOn && first < keyframe.at);
    if (isCutInside) return null;
    const isShown = ({ at }: SourcePicture): boolean => at >= first && at < end;
    const last = group.pictures.findLastIndex(isShown);
    const prefix = group.pictures.slice(0, last + 1);
    const kept = prefix.filter(({ at }) => at >= first);
    if (kept.every(isShown)) return { pictures: kept, start, end };
    // Pictures behind the end are decoded before ones within.
    if (this.#options.mode === 'exact') return null;
    const dropped = group.pictures.slice(last + 1).map(({ at }) => at);
    const latest = Math.max(...kept.map(({ at }) => at));
    return { pictures: kept, start, end: Math.min(group.end, ...dropped.filter((at) => at > latest)) };
  }

  #encode(
    runs: readonly (readonly PictureGroup[])[],
    init: number,
    { start, end }: { readonly start: number; readonly end: number },
  ): void {
    if (end <= start) return;
    const last = this.#pieces.at(-1);
    const [run = []] = runs;
    if (
      last?.kind === 'encode' &&
      last.init === init &&
      last.end === start &&
      last.runs.length === 1 &&
      runs.length === 1
    ) {
      const [before = []] = last.runs;
      const added = run.filter((group) => !before.includes(group));
      this.#pieces.splice(-1, 1, { ...last, runs: [[...before, ...added]], end });
    } else {
      this.#pieces.push({ kind: 'encode', init, runs, start, end });
    }
    this.#isBeforeCopied = false;
    this.#at = end;
    this.#lastInit = init;
  }

  #within(start: number, end: number): { readonly start: number; readonly end: number } {
    return { start: Math.max(start, this.#start), end: Math.min(end, this.#options.end) };
  }
}
