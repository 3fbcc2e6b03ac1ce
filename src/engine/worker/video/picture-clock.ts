import { ZoetropeError } from '../../../base/errors.ts';

/** A segment to come, by the pictures in it. */
export interface PictureRange {
  /** The first picture's index. */
  readonly from: number;
  /** Behind the last picture's index; null while it is not known. */
  readonly to: number | null;
}

/** Counts the pictures of a stretch, keeps their times and tells where segments begin: the same for every rung. */
export class PictureClock {
  readonly #starts90k: readonly number[];
  readonly #times90k: number[] = [];
  readonly #firsts: number[] = [];
  #nextStart = 0;
  #end90k: number | null = null;

  /** A segment begins with the first picture at or after each of these times; where several meet in one picture there is one segment. */
  constructor(starts90k: readonly number[]) {
    this.#starts90k = starts90k;
  }

  get count(): number {
    return this.#times90k.length;
  }

  /** The next picture. Its number, and whether a segment begins with it. */
  next(time90k: number): { readonly index: number; readonly isFirst: boolean } {
    const index = this.#times90k.length;
    const before = this.#nextStart;
    while ((this.#starts90k[this.#nextStart] ?? Number.POSITIVE_INFINITY) <= time90k) this.#nextStart += 1;
    const isFirst = index === 0 || this.#nextStart > before;
    if (isFirst) this.#firsts.push(index);
    this.#times90k.push(time90k);
    return { index, isFirst };
  }

  /** There are no more; the last picture stays until `end90k`. */
  finish(end90k: number): void {
    this.#end90k = Math.max(end90k, (this.#times90k.at(-1) ?? 0) + 1);
  }

  segment(number: number): PictureRange | undefined {
    const from = this.#firsts[number];
    if (from === undefined) return undefined;
    return { from, to: this.#firsts[number + 1] ?? (this.#end90k === null ? null : this.#times90k.length) };
  }

  /** When a picture is shown; behind the last one, its end. */
  timeOf(index: number): number {
    const time = this.#times90k[index] ?? this.#end90k;
    if (time === null) throw new ZoetropeError('internal', `There is no picture ${index} yet.`);
    return time;
  }
}
