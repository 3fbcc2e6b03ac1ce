import type { Segment } from './segment.ts';

/** The numbers of a `dvr` window. */
export interface WindowNumbers {
  /** EXT-X-MEDIA-SEQUENCE (RFC 8216 4.3.3.2) of its first segment. */
  readonly mediaSequence: number;
  /** EXT-X-DISCONTINUITY-SEQUENCE (RFC 8216 4.3.3.3): tags that have left it. */
  readonly discontinuitySequence: number;
  /** How many segments it holds. */
  readonly length: number;
  /** How many of them have an EXT-X-DISCONTINUITY before them. */
  readonly tags: number;
}

/** A segment beside the place of insertion. */
export type Neighbour = Pick<Segment, 'epochId' | 'dvrDiscontinuity'>;

/** What inserting a segment does to a window. */
export interface Insertion {
  readonly numbers: WindowNumbers;
  /** Of the inserted segment. */
  readonly dvrDiscontinuity: boolean;
  /** Of the segment behind it; null when there is none. */
  readonly followerDiscontinuity: boolean | null;
}

/**
 * Puts a segment between its neighbours in wall order. At the end of the window numbers go on. Anywhere else, and for every late segment, the
 * numbers of what follows would change under a player's feet; so the whole window is given new ones, as if all of it had left and come back:
 * the media sequence goes up by the window's length and the discontinuity sequence by its tags (RFC 8216 6.2.2: neither may fall, and
 * a segment keeps its number).
 */
export function insertIntoWindow(
  window: WindowNumbers,
  segment: Pick<Segment, 'placement' | 'epochId' | 'discontinuity'>,
  neighbours: { readonly before: Neighbour | null; readonly after: Neighbour | null },
): Insertion {
  const { before, after } = neighbours;
  const dvrDiscontinuity =
    segment.placement === 'late' || (before === null ? segment.discontinuity : before.epochId !== segment.epochId);
  const followerDiscontinuity = after === null ? null : after.epochId !== segment.epochId;
  const followerTags = after === null ? 0 : Number(followerDiscontinuity ?? false) - Number(after.dvrDiscontinuity);
  const isRenumbered = segment.placement === 'late' || after !== null;
  return {
    dvrDiscontinuity,
    followerDiscontinuity,
    numbers: {
      mediaSequence: window.mediaSequence + (isRenumbered ? window.length : 0),
      discontinuitySequence: window.discontinuitySequence + (isRenumbered ? window.tags : 0),
      length: window.length + 1,
      tags: window.tags + Number(dvrDiscontinuity) + followerTags,
    },
  };
}

/** Takes the first `count` segments out of a window, of which `tags` have an EXT-X-DISCONTINUITY before them. */
export function retireFromWindow(
  window: WindowNumbers,
  retired: { readonly count: number; readonly tags: number },
): WindowNumbers {
  return {
    mediaSequence: window.mediaSequence + retired.count,
    discontinuitySequence: window.discontinuitySequence + retired.tags,
    length: window.length - retired.count,
    tags: window.tags - retired.tags,
  };
}
