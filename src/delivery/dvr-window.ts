import type { WallMs } from '../base/time.ts';
import type { Window } from '../catalog/catalog.ts';
import { playSeconds } from '../packager/hls/attributes.ts';
import type { PlaylistSegment } from '../packager/hls/media-playlist.ts';
import { SlidingPlaylist } from '../packager/hls/sliding-playlist.ts';
import { targetDuration, type SegmentLength, type SegmentRhythm } from '../packager/hls/target-duration.ts';
import { tracksOf, type Epoch, type EpochTracks } from '../timeline/epoch.ts';
import type { Rendition } from '../timeline/rendition.ts';
import { segmentEndMs, type Segment } from '../timeline/segment.ts';
import { STREAM_LISTING, type Listing } from './child-uris.ts';
import type { Variant } from './variant.ts';

/** Variants whose text is kept at once for one window. */
const MAX_VARIANTS = 4;

/** What is kept of a segment in a window of thousands. */
export interface ListedSegment {
  readonly id: string;
  readonly epochId: string;
  readonly startMs: WallMs;
  readonly endMs: WallMs;
  readonly mediaStart90k: number;
  readonly duration90k: number;
  readonly frameCount: number;
  readonly sizeBytes: number;
  /** See {@link Segment}. */
  readonly keyframeBytes: number | null;
  readonly discontinuity: boolean;
  readonly lost: boolean;
  /** Of its epoch. */
  readonly tracks: EpochTracks;
}

interface VariantText {
  readonly variant: Variant;
  readonly playlist: SlidingPlaylist;
  targetDurationS: number;
}

/** A segment as the `dvr` window and ranges list it; `epoch` is its own. */
export function listedSegment(segment: Segment, epoch: Pick<Epoch, 'codecs'> | undefined): ListedSegment {
  return {
    id: segment.id,
    epochId: segment.epochId,
    startMs: segment.startMs,
    endMs: segmentEndMs(segment),
    mediaStart90k: segment.mediaStart90k,
    duration90k: segment.duration90k,
    frameCount: segment.frameTimesMs.length,
    sizeBytes: segment.sizeBytes,
    keyframeBytes: segment.keyframeBytes,
    discontinuity: segment.dvrDiscontinuity,
    lost: segment.lost,
    tracks: epoch === undefined ? ALL_TRACKS : tracksOf(epoch),
  };
}

const ALL_TRACKS: EpochTracks = { video: true, audio: true };

/** A segment as a playlist of a variant lists it. */
export function playlistSegment(segment: ListedSegment, variant: Variant, listing = STREAM_LISTING): PlaylistSegment {
  return {
    uri: listing.segment(segment.id, variant),
    mapUri: listing.map(segment.epochId, variant),
    durationS: playSeconds(segment.duration90k, variant.speed),
    startMs: listing.hasWallTime ? segment.startMs : null,
    discontinuity: segment.discontinuity,
    // A view of one track has nothing to show where the source did not send it.
    gap: segment.lost || (variant.track !== null && !segment.tracks[variant.track]),
    // Its vector is the media sequence number.
    ...(listing.keyUri === null ? {} : { key: { uri: listing.keyUri, iv: null } }),
  };
}

/** What a segment tells of the length of others. */
export function lengthOf(segment: Pick<ListedSegment, 'duration90k' | 'frameCount'>): SegmentLength {
  return { durationS: playSeconds(segment.duration90k, 1), frameCount: segment.frameCount };
}

/**
 * The whole retained window of a rendition and its text in a few variants. It grows at its end and shrinks at its beginning at a cost that
 * does not depend on its length; anything else that happens to it makes it anew.
 */
export class DvrWindow {
  readonly #segments: ListedSegment[];
  /** Segments before it have been retired; they are cut off now and then. */
  #first = 0;
  #rendition: Rendition;
  /** When a late segment renumbered the window: until then delta updates would not fit what clients hold. */
  #renumberedAtMs: number;
  readonly #listing: Listing;
  readonly #epochs = new Map<string, Epoch>();
  #newestEpoch: Epoch | undefined;
  readonly #texts = new Map<string, VariantText>();

  constructor(window: Window, renumberedAtMs: number, listing = STREAM_LISTING) {
    this.#listing = listing;
    this.#learn(window.epochs);
    this.#segments = window.segments.map((segment) => this.#listed(segment));
    this.#rendition = window.rendition;
    const lateMs = window.segments.map((segment) => (segment.placement === 'late' ? segment.createdAtMs : 0));
    this.#renumberedAtMs = lateMs.reduce((latest, at) => Math.max(latest, at), renumberedAtMs);
  }

  /** The numbers that go with the segments. */
  get rendition(): Rendition {
    return this.#rendition;
  }

  /** When clients last had to read it as a whole. */
  get renumberedAtMs(): number {
    return this.#renumberedAtMs;
  }

  /** How its segments are listed. */
  get listing(): Listing {
    return this.#listing;
  }

  get length(): number {
    return this.#segments.length - this.#first;
  }

  /** The epoch of one of its segments. */
  epoch(id: string): Epoch | undefined {
    return this.#epochs.get(id);
  }

  /** The segment at a place of the window. */
  at(index: number): ListedSegment | undefined {
    return this.#segments[this.#first + index];
  }

  /** Segments from one place to before another, in wall order. */
  slice(from: number, to: number): readonly ListedSegment[] {
    return this.#segments.slice(this.#first + from, this.#first + to);
  }

  /** The first place whose segment ends after a wall time. */
  placeAfter(atMs: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.at(middle)?.endMs ?? 0) > atMs) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /**
   * Follows the rendition: retired segments go from the beginning, `appended` (those it does not have, oldest first; their epochs are among `epochs`) join
   * at the end. Answers false, and changes nothing, when that cannot be all that happened: then the window must be read anew.
   */
  follow(rendition: Rendition, appended: readonly Segment[], epochs: Iterable<Epoch>): boolean {
    const added = rendition.nextSequence - this.#rendition.nextSequence;
    const retired = rendition.dvrMediaSequence - this.#rendition.dvrMediaSequence;
    const fresh = appended.filter((segment) => segment.sequence >= this.#rendition.nextSequence);
    const isPlain =
      rendition.id === this.#rendition.id &&
      rendition.nextLateSequence === this.#rendition.nextLateSequence &&
      retired >= 0 &&
      retired <= this.length &&
      fresh.length === added &&
      fresh.every((segment) => segment.placement === 'onTime') &&
      (fresh[0]?.startMs ?? Number.POSITIVE_INFINITY) >= (this.at(this.length - 1)?.startMs ?? 0);
    if (!isPlain) return false;
    this.#retire(retired);
    this.#learn(epochs);
    for (const segment of fresh) this.#append(this.#listed(segment));
    this.#rendition = rendition;
    return true;
  }

  /** Whether a window that was read anew has the segments of this one, as they are here. */
  equals(window: Window): boolean {
    return (
      window.rendition.dvrMediaSequence === this.#rendition.dvrMediaSequence &&
      window.segments.length === this.length &&
      window.segments.every((segment, index) => {
        const mine = this.at(index);
        return mine?.id === segment.id && mine.lost === segment.lost && mine.discontinuity === segment.dvrDiscontinuity;
      })
    );
  }

  /** The text of a variant. */
  textOf(
    variant: Variant,
    rhythm: SegmentRhythm,
  ): { readonly playlist: SlidingPlaylist; readonly targetDurationS: number } {
    let text = this.#texts.get(variant.key);
    if (text === undefined) {
      text = { variant, playlist: new SlidingPlaylist(), targetDurationS: 1 };
      const all = this.slice(0, this.length);
      for (const segment of all) text.playlist.append(playlistSegment(segment, variant, this.#listing));
      text.targetDurationS = targetDuration(all.map(lengthOf), rhythm, variant.speed);
    }
    // The most recently asked for stand last.
    this.#texts.delete(variant.key);
    this.#texts.set(variant.key, text);
    const [oldest] = this.#texts.keys();
    if (this.#texts.size > MAX_VARIANTS && oldest !== undefined) this.#texts.delete(oldest);
    const newest = this.at(this.length - 1);
    if (newest !== undefined) {
      text.targetDurationS = targetDuration([lengthOf(newest)], rhythm, variant.speed, text.targetDurationS);
    }
    return text;
  }

  #listed(segment: Segment): ListedSegment {
    return listedSegment(segment, this.#epochs.get(segment.epochId));
  }

  /** Cameras begin epochs with the same init segment again and again: it is kept once. */
  #learn(epochs: Iterable<Epoch>): void {
    for (const epoch of epochs) {
      if (this.#epochs.has(epoch.id)) continue;
      const last = this.#newestEpoch;
      this.#newestEpoch = last?.initSha256 === epoch.initSha256 ? { ...epoch, init: last.init } : epoch;
      this.#epochs.set(epoch.id, this.#newestEpoch);
    }
  }

  #append(segment: ListedSegment): void {
    this.#segments.push(segment);
    for (const text of this.#texts.values()) {
      text.playlist.append(playlistSegment(segment, text.variant, this.#listing));
      // The rhythm is looked at when the text is asked for; the segment's own length must never exceed the target.
      const own = { durationS: playSeconds(segment.duration90k, 1), frameCount: 0 };
      text.targetDurationS = targetDuration([own], NO_RHYTHM, text.variant.speed, text.targetDurationS);
    }
  }

  #retire(count: number): void {
    this.#first += count;
    for (const text of this.#texts.values()) text.playlist.retire(count);
    // Cutting off half the array at a time makes each retired segment cost the same, however long the window.
    if (this.#first > this.#segments.length / 2) {
      this.#segments.splice(0, this.#first);
      this.#first = 0;
      const used = new Set(this.#segments.map((segment) => segment.epochId));
      for (const id of this.#epochs.keys()) if (!used.has(id)) this.#epochs.delete(id);
    }
  }
}

const NO_RHYTHM: SegmentRhythm = { framesPerSegment: 0, maxSegmentWaitS: 0 };
