import { ZoetropeError } from '../../base/errors.ts';
import { decodeOrderSamples, type TimedSamples } from '../cmaf/decode-order.ts';
import type { VideoTrack } from '../cmaf/init-track.ts';
import { readMuxedInit } from '../cmaf/muxed-reader.ts';
import { writeMuxedInit, writeMuxedSegment } from '../cmaf/muxed-writer.ts';
import { parseSps } from '../h264/sps.ts';
import { parseHevcSps } from '../hevc/sps.ts';
import { layOutAudio, type LaidOutAudio } from './audio-layout.ts';
import type { DemuxedMedia, DemuxedVideo } from './demuxed-media.ts';

/** Where a segment goes on its epoch's clock. */
export interface SegmentPlace {
  /** `mfhd` sequence number. */
  readonly sequenceNumber: number;
  /** What becomes time 0 of the epoch, on the clock of the media's own times: see `unwrapMedia`. */
  readonly originPts90k: number;
  /** Where the next segment's first picture is, on the same clock; null: not known, the last picture is taken to last as long as others. */
  readonly nextPts90k: number | null;
  /** A sample of the epoch at which a packet of sound begins or ends, such as where the segment before ended; null: there is none yet. */
  readonly audioGridSamples: number | null;
}

/** A segment as it is kept, and what is to be known of it. */
export interface RepackagedSegment {
  readonly init: Uint8Array;
  readonly bytes: Uint8Array;
  /** RFC 6381, of all tracks, e.g. `avc1.64001F,mp4a.40.2`. */
  readonly codecs: string;
  /** 0 without pictures. */
  readonly width: number;
  readonly height: number;
  /** Presentation time of the first picture, or sound where there is none, on the source's clock. */
  readonly startPts90k: number;
  /** Of the pictures, or of the sound where there are none. */
  readonly duration90k: number;
  /** The source, or the place of the next segment, says where this one ends. */
  readonly isDurationKnown: boolean;
  readonly pictureCount: number;
  readonly hasKeyframe: boolean;
  /** Decoding can begin with the first picture. True without pictures. */
  readonly startsWithKeyframe: boolean;
  /** Null without sound. */
  readonly audio: Omit<LaidOutAudio, 'samples'> | null;
  readonly faults: readonly string[];
}

/**
 * Writes a segment that was taken apart as Zoetrope keeps it: one fragmented MP4 with pictures and sound on the epoch's clock. Pictures decode
 * within the time in which they are shown (see `decodeOrderSamples`), whatever the source did; sound stands on one grid of packets as long as
 * its times agree with it. What sounds before the origin is left out.
 * @throws out_of_range when it begins before the origin, corrupt_media on bad parameter sets or impossible times
 */
export function repackage(media: DemuxedMedia, place: SegmentPlace): RepackagedSegment {
  const { originPts90k, sequenceNumber } = place;
  const faults = [...media.faults];
  const pictures = media.video === null ? null : layOutPictures(media.video, place, faults);
  const sound =
    media.audio === null
      ? null
      : layOutAudio(media.audio, { originPts90k, gridSamples: place.audioGridSamples, faults });
  if (pictures === null && sound === null) {
    throw new ZoetropeError(
      'out_of_range',
      `A segment must not end before its epoch begins, at ${originPts90k}. Begin a new epoch.`,
    );
  }
  const init = initOf({ video: media.video, audio: sound === null ? null : media.audio });
  const info = readMuxedInit(init);
  const soundTiming = sound === null || media.audio === null ? null : timingOf(sound, media.audio.sampleRateHz);
  const [start, end] = pictures === null ? (soundTiming ?? [0, 0]) : [pictures.start, pictures.end];
  return {
    init,
    bytes: writeMuxedSegment({
      sequenceNumber,
      video: pictures?.timed ?? null,
      audio: sound === null ? null : { baseMediaDecodeTime: sound.startSamples, samples: sound.samples },
    }),
    codecs: [info.video, info.audio].flatMap((track) => track?.codecs ?? []).join(','),
    width: info.video?.width ?? 0,
    height: info.video?.height ?? 0,
    startPts90k: originPts90k + start,
    duration90k: end - start,
    isDurationKnown: pictures?.isEndKnown ?? true,
    pictureCount: pictures?.timed.samples.length ?? 0,
    hasKeyframe: pictures?.timed.samples.some((sample) => sample.isSync) ?? true,
    startsWithKeyframe: pictures?.timed.samples[0]?.isSync ?? true,
    audio: sound === null ? null : { startSamples: sound.startSamples, endSamples: sound.endSamples },
    faults,
  };
}

/** The init segment of an epoch that such a segment can be in. */
export function initOf({ video, audio }: Pick<DemuxedMedia, 'video' | 'audio'>): Uint8Array {
  return writeMuxedInit({
    video: video === null ? null : videoTrack(video),
    audio: audio === null ? null : { codec: 'mp4a', audioConfig: audio.audioSpecificConfig, primingSamples: 0 },
  });
}

/** Longer segments are taken for time stamps that lie; so far 32 bits of duration and offset reach by far. */
const MAX_SEGMENT_90K = 3600 * 90_000;

/** Of the only picture of a segment that says nothing: 25 a second. */
const USUAL_FRAME_90K = 3600;

interface LaidOutPictures {
  readonly timed: TimedSamples;
  /** Since the origin. */
  readonly start: number;
  readonly end: number;
  readonly isEndKnown: boolean;
}

function layOutPictures(
  video: DemuxedVideo,
  { originPts90k, nextPts90k }: SegmentPlace,
  faults: string[],
): LaidOutPictures {
  const times = distinctTimes(video, originPts90k, faults);
  const sorted = [...times].sort((a, b) => a - b);
  const [start = 0, last = 0] = [sorted[0], sorted.at(-1)];
  if (start < 0) {
    throw new ZoetropeError(
      'out_of_range',
      `A segment must not begin before its epoch, at ${originPts90k}. Got ${originPts90k + start}; begin a new epoch.`,
    );
  }
  const said = [nextPts90k, video.end90k].find((end) => end !== null && end - originPts90k > last) ?? null;
  const end = said === null ? last + usualStep(sorted) : said - originPts90k;
  if (end - start > MAX_SEGMENT_90K) {
    throw new ZoetropeError(
      'corrupt_media',
      `The pictures of one segment must lie within an hour. Got ${Math.round((end - start) / 90_000)} s; look at the encoder's clock.`,
    );
  }
  const packets = video.samples.map(({ data, isSync }, index) => ({ data, isSync, pts: times[index] ?? 0 }));
  return { timed: decodeOrderSamples(packets, end), start, end, isEndKnown: said !== null };
}

/** Presentation times since the origin, in decoding order; of two pictures at one time the later comes a tick later. */
function distinctTimes(video: DemuxedVideo, originPts90k: number, faults: string[]): readonly number[] {
  const times = video.samples.map(({ pts90k }) => pts90k - originPts90k);
  const order = times.map((_, index) => index).sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0));
  let [before, moved] = [Number.NEGATIVE_INFINITY, 0];
  for (const index of order) {
    const time = times[index] ?? 0;
    const distinct = Math.max(time, before + 1);
    if (distinct !== time) moved += 1;
    times[index] = distinct;
    before = distinct;
  }
  if (moved > 0) faults.push(`${moved} pictures have the time of another; they were put a tick behind it.`);
  return times;
}

/** The middle of all steps from picture to picture. */
function usualStep(sorted: readonly number[]): number {
  const steps = sorted.slice(1).map((time, index) => time - (sorted[index] ?? 0));
  return steps.sort((a, b) => a - b)[steps.length >> 1] ?? USUAL_FRAME_90K;
}

function videoTrack(video: DemuxedVideo): VideoTrack {
  if (video.codec === 'h264') {
    const { width, height } = parseSps(video.sets.sps);
    return { codec: 'avc1', ...video.sets, width, height };
  }
  const { width, height } = parseHevcSps(video.sets.sps);
  return { codec: 'hvc1', ...video.sets, width, height };
}

/** Start and end of sound in ticks since the origin. */
function timingOf({ startSamples, endSamples }: LaidOutAudio, sampleRateHz: number): readonly [number, number] {
  const to90k = (samples: number): number => Math.round((samples * 90_000) / sampleRateHz);
  return [to90k(startSamples), to90k(endSamples)];
}
