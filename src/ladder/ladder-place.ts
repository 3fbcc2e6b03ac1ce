/** Where a ladder stands, in sequence numbers of the source. */
export interface LadderPlace {
  /** Of the source's newest segment. */
  readonly newest: number;
  /** What each rung needs next; of rungs that do not exist yet, nothing. */
  readonly rungsNext: readonly number[];
  /** Segments that a rung may be behind and still catch up. */
  readonly maxBehind: number;
}

/** Segments from which on players take a rendition: a new rung begins with as many. */
const FIRST_SEGMENTS = 3;

/**
 * The segment that a ladder goes on with: the oldest that a rung lacks, as long as that is near the source's end. Where all rungs are new or farther behind, it goes on with
 * the newest few.
 */
export function firstToMake({ newest, rungsNext, maxBehind }: LadderPlace): number {
  const near = rungsNext.filter((next) => next > newest - maxBehind);
  return near.length === 0 ? Math.max(0, newest + 1 - FIRST_SEGMENTS) : Math.min(newest + 1, ...near);
}

/** How many segments to pass over, so that what is made next is at the source's end again; 0 while the ladder keeps up. */
export function toPassOver(next: number, { newest, maxBehind }: Omit<LadderPlace, 'rungsNext'>): number {
  return newest - next >= maxBehind ? newest - next : 0;
}
