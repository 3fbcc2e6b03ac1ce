import { readMuxedInit, type MuxedInfo } from '../packager/cmaf/muxed-reader.ts';
import type { TrackKind } from '../packager/cmaf/track-boxes.ts';
import type { AudioRepresentation, SegmentListing, VideoRepresentation } from '../packager/dash/adaptation-sets.ts';
import type { TimelinePeriod } from '../packager/dash/live-mpd.ts';
import type { Epoch } from '../timeline/epoch.ts';
import type { Stream } from '../timeline/stream.ts';
import { bitRatesOf } from './bit-rates.ts';
import { STREAM_LISTING } from './child-uris.ts';
import type { ListedSegment } from './dvr-window.ts';
import { frameRateOf } from './stream-master.ts';
import { hasOwnMedia } from './stream-variant.ts';
import { languageTag } from './track-name.ts';
import { variantOf, type Variant } from './variant.ts';

/** Catalog times. */
const TICKS_PER_S = 90_000;

/** Segments of a rendition in wall order, with their epochs. */
export interface RenditionStretch {
  /** Of the rendition; `main` first. */
  readonly name: string;
  readonly segments: readonly ListedSegment[];
  readonly epoch: (id: string) => Epoch | undefined;
}

/** What periods are told of. */
export interface PeriodsRequest {
  readonly stream: Stream;
  readonly renditions: readonly RenditionStretch[];
  /** Of the newest sound; what else segments weigh are pictures. */
  readonly audioBitsPerS: number;
  /** One of them alone, or both. */
  readonly track: TrackKind | null;
  /**
   * Wall time at which presentation time is 0. Null: the Unix epoch, and periods begin where their media clocks do, so that they stay where they are while
   * segments leave. A time: periods begin with what is listed of them.
   */
  readonly originMs: number | null;
}

interface Run {
  readonly epoch: Epoch;
  readonly segments: readonly ListedSegment[];
}

/**
 * A period for each epoch of `main`, with what the other renditions have in the same time. Pictures and sound are sets of their own, over views of one track of
 * the same segments. What was lost is left out; so are late segments of a timeline that goes on, for they would be inserted.
 */
export function periodsOf(request: PeriodsRequest): readonly TimelinePeriod[] {
  const [main, ...others] = request.renditions;
  if (main === undefined) return [];
  const otherRuns = others.map((other) => ({ name: other.name, runs: runsOf(other, request) }));
  const periods: TimelinePeriod[] = [];
  for (const run of runsOf(main, request)) {
    const startMs = startOf(run, request);
    // An epoch whose clock was set back begins where the one before it does, or earlier: there is no room for it.
    const startS = (startMs - (request.originMs ?? 0)) / 1000;
    if (startS < 0 || startS <= (periods.at(-1)?.startS ?? -1)) continue;
    const beside = otherRuns.flatMap(({ name, runs }) => {
      const same = runs.find((other) => overlaps(other, run));
      return same === undefined ? [] : [{ name, run: same }];
    });
    const media = mediaOf([{ name: main.name, run }, ...beside], startMs, request);
    if (media.video.length + media.audio.length > 0) periods.push({ id: idOf(run, periods), startS, ...media });
  }
  return periods;
}

/** A late segment may lie within an epoch: what is behind it is a period of its own. */
function idOf({ epoch }: Run, periods: readonly TimelinePeriod[]): string {
  const before = periods.filter(({ id }) => id.startsWith(epoch.id)).length;
  return before === 0 ? epoch.id : `${epoch.id}.${before}`;
}

/** Neighbours of one epoch. */
function runsOf({ segments, epoch }: RenditionStretch, { originMs }: PeriodsRequest): readonly Run[] {
  const runs: { epoch: Epoch; segments: ListedSegment[] }[] = [];
  for (const segment of segments) {
    const own = epoch(segment.epochId);
    if (segment.lost || own === undefined || (originMs === null && own.placement === 'late')) continue;
    const last = runs.at(-1);
    if (last?.epoch.id === own.id) last.segments.push(segment);
    else runs.push({ epoch: own, segments: [segment] });
  }
  return runs;
}

function startOf({ epoch, segments }: Run, { originMs }: PeriodsRequest): number {
  const first = segments[0]?.mediaStart90k ?? 0;
  return originMs === null ? epoch.anchorMs : epoch.anchorMs + (first / TICKS_PER_S) * 1000;
}

/** Renditions have the same boundaries: the first segment of either lies in the other. */
function overlaps(a: Run, b: Run): boolean {
  const [startA, endA] = [a.segments[0]?.startMs ?? 0, a.segments.at(-1)?.endMs ?? 0];
  const [startB, endB] = [b.segments[0]?.startMs ?? 0, b.segments.at(-1)?.endMs ?? 0];
  return startA < endB && startB < endA;
}

function mediaOf(
  named: readonly { readonly name: string; readonly run: Run }[],
  startMs: number,
  { stream, audioBitsPerS, track }: PeriodsRequest,
): Pick<TimelinePeriod, 'video' | 'audio'> {
  const video: VideoRepresentation[] = [];
  const audio: AudioRepresentation[] = [];
  for (const { name, run } of named) {
    const info: MuxedInfo = readMuxedInit(run.epoch.init);
    const bits = bitRatesOf(
      run.segments.map((one) => ({ bits: one.sizeBytes * 8, seconds: one.duration90k / TICKS_PER_S })),
    ).peakBitsPerS;
    if (info.video !== null && track !== 'audio') {
      video.push({
        id: name,
        bitsPerS: Math.max(1, info.audio === null ? bits : bits - audioBitsPerS),
        codecs: info.video.codecs,
        width: info.video.width,
        height: info.video.height,
        frameRate: frameRateOf(run.epoch, stream, name),
        listing: listingOf(run, startMs, hasOwnMedia(stream) ? 'video' : null),
      });
    }
    // Sound beside pictures is the same in all renditions.
    if (info.audio !== null && track !== 'video' && (audio.length === 0 || info.video === null)) {
      const said = stream.source?.sound?.[name];
      audio.push({
        id: `${name}-audio`,
        bitsPerS: Math.max(1, info.video === null ? bits : audioBitsPerS),
        codecs: info.audio.codecs,
        sampleRateHz: info.audio.sampleRateHz,
        channels: info.audio.channels,
        language: languageTag(said?.language ?? null),
        label: said?.label ?? null,
        isDefault: said?.isDefault ?? audio.length === 0,
        listing: listingOf(run, startMs, 'audio'),
      });
    }
  }
  return { video, audio };
}

function listingOf({ epoch, segments }: Run, startMs: number, track: Variant['track']): SegmentListing {
  const variant = variantOf(1, 'cmaf', track);
  return {
    initUri: STREAM_LISTING.map(epoch.id, variant) ?? '',
    timescale: TICKS_PER_S,
    periodStart: Math.round(((startMs - epoch.anchorMs) * TICKS_PER_S) / 1000),
    segments: segments.map((segment) => ({
      uri: STREAM_LISTING.segment(segment.id, variant),
      start: segment.mediaStart90k,
      duration: segment.duration90k,
    })),
  };
}
