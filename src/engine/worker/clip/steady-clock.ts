import type { SourceSegment } from './clip-source.ts';

/** Sources whose media time stamps jump by no more go on: 0.1 s, which players pass over. 90 kHz ticks. */
const CONTINUOUS = 9000;
/** So far the wall clock of a source may be off from what its media time says before it counts: 20 ms. */
const SLACK = 1800;

/** A segment, and whether its media go on where those of the one before it end. */
export interface SteadySegment extends SourceSegment {
  readonly goesOn: boolean;
}

/**
 * Takes the jitter out of sources that say the wall time of each segment, which is never quite what the media before it add up to: pictures would be trimmed, and sound
 * have holes of a packet. Within an epoch segments follow each other by media time until that is off by {@link SLACK}; what goes on never overlaps.
 */
export function steadyClock(segments: readonly SourceSegment[]): readonly SteadySegment[] {
  const steady: SteadySegment[] = [];
  const last = new Map<number, SteadySegment>();
  for (const segment of segments) {
    const before = last.get(segment.clock);
    const goesOn = before !== undefined && Math.abs(segment.mediaStart - before.mediaEnd) <= CONTINUOUS;
    const shifted = { ...(before === undefined ? segment : shift(segment, wayFrom(before, segment, goesOn))), goesOn };
    steady.push(shifted);
    last.set(segment.clock, shifted);
  }
  return steady.sort((a, b) => a.start - b.start);
}

function wayFrom(before: SourceSegment, segment: SourceSegment, goesOn: boolean): number {
  const byMedia = before.start + (segment.mediaStart - before.mediaStart);
  const off = segment.start - byMedia;
  if (Math.abs(off) <= SLACK) return -off;
  return goesOn ? Math.max(0, before.end - segment.start) : 0;
}

function shift(segment: SourceSegment, by: number): SourceSegment {
  if (by === 0) return segment;
  const { groups, sounds } = segment;
  return {
    ...segment,
    start: segment.start + by,
    end: segment.end + by,
    lastAt: segment.lastAt + by,
    groups: groups.map((group) => ({
      ...group,
      start: group.start + by,
      end: group.end + by,
      pictures: group.pictures.map((picture) => ({ ...picture, at: picture.at + by })),
    })),
    sounds: sounds.map((sound) => ({ ...sound, at: sound.at + by })),
  };
}
