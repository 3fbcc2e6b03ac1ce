import { ZoetropeError } from '../../base/errors.ts';
import { readInit } from '../cmaf/init-reader.ts';

/** A sample's place in its segment and its times, without its bytes. */
export interface SampleEntry {
  readonly offset: number;
  readonly size: number;
  readonly duration: number;
  readonly isSync: boolean;
  readonly compositionOffset: number;
  /** Bytes that are put before it, such as parameter sets; `size` does not count them. */
  readonly prefix?: Uint8Array;
}

/** A media segment without its bytes. */
export interface SegmentTable {
  readonly baseMediaDecodeTime: number;
  /** Which of {@link MovieTrack.descriptions} its samples need; left out: the first. */
  readonly description?: number;
  readonly samples: readonly SampleEntry[];
}

/** A track to be put in a movie; times are in the init segment's timescale. */
export interface MovieTrack {
  /** `ftyp` and `moov` of the one track that the segments belong to. */
  readonly init: Uint8Array;
  /** In order of time. */
  readonly segments: readonly SegmentTable[];
  /** Sample entries, whole boxes, in place of the init segment's own. */
  readonly descriptions?: readonly Uint8Array[];
  /** Ticks a second, in place of the init segment's own: more of them make the movie faster. */
  readonly timescale?: number;
  /** Decoding clock at the movie's start, in ticks. Left out: tracks are lined up by the init segments' edit lists. */
  readonly startsAt?: number;
}

/** Bytes of one segment that lie together in a movie. */
export interface MovieChunk {
  /** Place of the track, and of the segment in its track, in what was planned. */
  readonly track: number;
  readonly segment: number;
  /** The bytes to copy. */
  readonly offset: number;
  readonly size: number;
  /** What stands before them. */
  readonly prefix?: Uint8Array;
}

/** A chunk of a laid-out track. */
export interface TimedChunk extends MovieChunk {
  readonly sampleCount: number;
  /** Number of its sample description, from 0. */
  readonly description: number;
  /** Seconds from the movie's start, for interleaving. */
  readonly startS: number;
}

/** A track with its samples on one clock that begins with the first of them. */
export interface LaidOutTrack {
  readonly init: Uint8Array;
  /** Null: the init segment's own. */
  readonly descriptions: readonly Uint8Array[] | null;
  readonly timescale: number;
  readonly samples: readonly SampleEntry[];
  /** Sum of the durations. */
  readonly duration: number;
  /** Media time at the movie's start; below 0 where the track begins later. */
  readonly startMediaTime: number;
  readonly chunks: readonly TimedChunk[];
}

/** What a segment's table needs of it: the bytes can be let go of. */
export function segmentTable({ baseMediaDecodeTime, samples: read }: SegmentTable): SegmentTable {
  const samples = read.map(({ offset, size, duration, isSync, compositionOffset }) => ({
    offset,
    size,
    duration,
    isSync,
    compositionOffset,
  }));
  return { baseMediaDecodeTime, samples };
}

/**
 * Puts tracks on one clock: the movie starts with whichever is presented first. A hole between segments is bridged by the sample before it.
 * @throws invalid_argument when there is no sample, or segments overlap; corrupt_media on a bad init segment
 */
export function layOutTracks(tracks: readonly MovieTrack[]): readonly LaidOutTrack[] {
  const read = tracks.map((track, index) => readTrack(track, index));
  const startS = Math.min(...read.map(({ presentedFrom, timescale }) => presentedFrom / timescale));
  return read.map(({ init, timescale, mediaTime, base, samples, segments, duration }, track) => {
    const { startsAt, descriptions = null, segments: tables = [] } = tracks[track] ?? {};
    const startMediaTime = (startsAt ?? Math.round(startS * timescale) + mediaTime) - base;
    const descriptionOf = (segment: number): number => tables[segment]?.description ?? 0;
    return {
      init,
      descriptions,
      timescale,
      samples,
      duration,
      startMediaTime,
      chunks: chunksOf(segments, track, { timescale, startMediaTime, descriptionOf }),
    };
  });
}

/** The longest that a chunk lasts. */
const CHUNK_S = 1;

interface ReadTrack {
  readonly init: Uint8Array;
  readonly timescale: number;
  readonly mediaTime: number;
  readonly base: number;
  /** Seamless. */
  readonly segments: readonly (readonly SampleEntry[])[];
  readonly samples: readonly SampleEntry[];
  readonly duration: number;
  /** Presentation time of what is seen or heard first. */
  readonly presentedFrom: number;
}

function readTrack({ init, segments, ...track }: MovieTrack, number: number): ReadTrack {
  const { mediaTime, ...info } = readInit(init);
  const timescale = track.timescale ?? info.timescale;
  const seamless = segments.map((segment, index) => bridged(segment, segments[index + 1], index));
  const samples = seamless.flat();
  const [first] = samples;
  if (segments[0] === undefined || first === undefined) {
    throw new ZoetropeError(
      'invalid_argument',
      `A movie needs at least one sample of each track. Track ${number} has none.`,
    );
  }
  const base = segments[0].baseMediaDecodeTime;
  let decoding = base;
  let earliest = Number.POSITIVE_INFINITY;
  for (const sample of samples) {
    earliest = Math.min(earliest, decoding + sample.compositionOffset);
    decoding += sample.duration;
  }
  const presentedFrom = Math.max(0, earliest - mediaTime);
  return { init, timescale, mediaTime, base, segments: seamless, samples, duration: decoding - base, presentedFrom };
}

function bridged(segment: SegmentTable, next: SegmentTable | undefined, index: number): readonly SampleEntry[] {
  const last = segment.samples.at(-1);
  if (last === undefined || next === undefined) return segment.samples;
  const before = segment.samples.slice(0, -1);
  const lastStart = before.reduce((sum, sample) => sum + sample.duration, segment.baseMediaDecodeTime);
  const duration = next.baseMediaDecodeTime - lastStart;
  if (duration < 0) {
    throw new ZoetropeError(
      'invalid_argument',
      `The segments of a movie must rise in time: number ${index + 1} begins at ${next.baseMediaDecodeTime}, before the last sample of number ${index}, at ${lastStart}.`,
    );
  }
  return duration === last.duration ? segment.samples : [...before, { ...last, duration }];
}

/** Runs of samples that follow each other in one segment, of a second at most (ISO/IEC 14496-12 §8.7.4). */
function chunksOf(
  segments: readonly (readonly SampleEntry[])[],
  track: number,
  options: {
    readonly timescale: number;
    readonly startMediaTime: number;
    readonly descriptionOf: (segment: number) => number;
  },
): readonly TimedChunk[] {
  const { timescale, startMediaTime } = options;
  const chunks: TimedChunk[] = [];
  let decoding = 0;
  for (const [segment, samples] of segments.entries()) {
    let from = 0;
    while (from < samples.length) {
      const first = samples[from];
      if (first === undefined) break;
      const startS = (decoding - startMediaTime) / timescale;
      let [to, size, lasts] = [from, 0, 0];
      for (let next = samples[to]; next !== undefined; next = samples[to]) {
        const isFull =
          to > from &&
          (lasts + next.duration > CHUNK_S * timescale ||
            next.offset !== first.offset + size ||
            next.prefix !== undefined);
        if (isFull) break;
        size += next.size;
        lasts += next.duration;
        to += 1;
      }
      const description = options.descriptionOf(segment);
      chunks.push({
        track,
        segment,
        offset: first.offset,
        size,
        ...(first.prefix === undefined ? {} : { prefix: first.prefix }),
        sampleCount: to - from,
        description,
        startS,
      });
      decoding += lasts;
      from = to;
    }
  }
  return chunks;
}
