import { createHash } from 'node:crypto';
import { isZoetropeError, messageOf, ZoetropeError } from '../../base/errors.ts';
import type { IdSource } from '../../base/ids.ts';
import { pts90k, TICKS_PER_MS, wallMs, type WallMs } from '../../base/time.ts';
import type { NewSegment, TimelineStore, WriterState } from '../../catalog/catalog.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { PLAYLIST_LIMITS } from '../../packager/hls/playlist-lines.ts';
import { readFragmentedMedia } from '../../packager/cmaf/fragmented-reader.ts';
import type { DemuxedMedia } from '../../packager/demuxed/demuxed-media.ts';
import { firstPts90k, unwrapMedia } from '../../packager/demuxed/media-clock.ts';
import { repackage, type RepackagedSegment } from '../../packager/demuxed/repackage.ts';
import { readTransportStream } from '../../packager/mpegts/ts-reader.ts';
import { MAIN_RENDITION } from '../../timeline/rendition.ts';
import type { TakenFile } from '../../timeline/source-report.ts';
import { segmentEndMs } from '../../timeline/segment.ts';
import type { StreamSettings } from '../../timeline/stream.ts';
import { isRetryable, persistently, type Persistence } from '../back-off.ts';
import type { PushedFile } from './push-event.ts';
import { advanceClock, placeSegment, type Arrival, type RunningClock, type SegmentPlacement } from './push-clock.ts';
import type { PushMetrics } from './push-metrics.ts';
import type { SourceNotes } from './source-notes.ts';

/** A segment as it was sent. */
export interface SegmentFile extends PushedFile {
  /** Its bytes, where they were read already. */
  readonly bytes?: Uint8Array;
  /** Where the source counts its segments for good: the number that this one takes. */
  readonly chunkIndex?: number;
}

/** What a pushed timeline is written with. */
export interface PushedTimelineDeps {
  readonly catalog: Pick<TimelineStore, 'claimRendition' | 'appendSegment' | 'segmentsBetween' | 'getSegment'>;
  readonly objects: Pick<ObjectStore, 'get' | 'put'>;
  readonly ids: IdSource;
  readonly metrics: PushMetrics;
  readonly persistence: Persistence;
  /** A segment took its place: where it ends, and when it arrived. */
  readonly seen: (endMs: WallMs, receivedAtMs: number) => void;
}

/** What the source says of a segment, apart from its bytes. */
export interface SegmentFacts {
  readonly programDateTimeMs: WallMs | null;
  /** EXT-X-DISCONTINUITY stands before it. */
  readonly discontinuity: boolean;
  readonly isOutOfOrder: boolean;
  /** How long it plays, by the source; 0: it does not say. Milliseconds. */
  readonly durationMs: number;
}

/** What became of a segment that was taken. */
export type Taken = 'appended' | 'duplicate' | 'rejected';

/** A segment may be so much longer than its playlist says, and so much more: short ones are said in whole seconds. */
const [LIES_FACTOR, LIES_MS] = [4, 10_000];

/** Faults of the media, which no second try mends. */
const MEDIA_FAULTS: ReadonlySet<string> = new Set([
  'corrupt_media',
  'unsupported_media',
  'out_of_range',
  'payload_too_large',
  'invalid_argument',
  'missing_input',
]);

/** One rendition of a pushed stream, written by one process at a time: takes segments as they were sent, and appends what becomes of them. */
export class PushedTimeline {
  readonly #deps: PushedTimelineDeps;
  readonly #rendition: string;
  readonly #streamId: string;
  readonly #fence: number;
  readonly #notes: SourceNotes;
  #clock: RunningClock | null = null;
  #epoch: { readonly id: string; readonly initSha256: string } | null = null;
  #audioGridSamples: number | null = null;

  private constructor(deps: PushedTimelineDeps, state: WriterState, fence: number, notes: SourceNotes) {
    this.#deps = deps;
    this.#rendition = state.rendition.name;
    this.#streamId = state.stream.id;
    this.#fence = fence;
    this.#notes = notes;
    this.#resume(state);
  }

  /** Takes the rendition for writing. @throws not_found, fenced */
  static async open(
    deps: PushedTimelineDeps,
    place: { readonly streamId: string; readonly rendition: string; readonly fence: number },
    notes: SourceNotes,
  ): Promise<PushedTimeline> {
    const state = await deps.catalog.claimRendition(place.streamId, place.rendition, place.fence);
    return new PushedTimeline(deps, state, place.fence, notes);
  }

  /** Goes on where the timeline ends. */
  #resume(state: WriterState): void {
    const clock = resumeClock(state, this.#notes);
    // Without knowing how the source's clock lies on it, the epoch cannot go on.
    this.#epoch = clock === null || state.last === null ? null : state.last.epoch;
    this.#audioGridSamples =
      this.#epoch === null ? null : (this.#notes.clockOf(this.#rendition)?.audioGridSamples ?? null);
    this.#clock = clock ?? clockAtEnd(state);
  }

  /**
   * Takes a segment. It is durable on the timeline, known to be there, or noted as rejected when the call resolves.
   * @throws fenced, not_found (the stream is gone), cancelled
   */
  async take(file: SegmentFile, initKey: string | null, facts: SegmentFacts, settings: StreamSettings): Promise<Taken> {
    if (this.#notes.isTaken(takenOf(file, facts), facts.durationMs)) return this.#twin(file);
    try {
      return await persistently(() => this.#write(file, initKey, facts, settings), {
        ...this.#deps.persistence,
        isTransient: (error) => isRetryable(error) && !isZoetropeError(error, 'missing_input'),
      });
    } catch (error) {
      if (!isZoetropeError(error) || !MEDIA_FAULTS.has(error.code)) throw error;
      return this.reject(file.name, error);
    }
  }

  /** Notes a segment that cannot be taken. */
  reject(name: string, error: ZoetropeError): Taken {
    const { metrics, persistence } = this.#deps;
    metrics.rejected(error.code);
    this.#notes.rejected(name, error.code, messageOf(error), persistence.clock.nowMs());
    persistence.logger.warn({ name, code: error.code, error: error.message }, 'a pushed segment cannot be taken');
    return 'rejected';
  }

  async #isKnown(segmentId: string): Promise<boolean> {
    try {
      await this.#deps.catalog.getSegment(segmentId);
      return true;
    } catch (error) {
      if (isZoetropeError(error, 'not_found')) return false;
      throw error;
    }
  }

  /** Something like it is there. With a number of its own it should not be: then its source is mistaken. */
  #twin({ name, chunkIndex }: SegmentFile): Taken {
    if (chunkIndex !== undefined) {
      const message = 'The timeline has something at its place already. Check its timestamp and its index.';
      return this.reject(name, new ZoetropeError('conflict', message));
    }
    this.#deps.metrics.duplicate();
    this.#notes.count('duplicates');
    return 'duplicate';
  }

  async #write(
    file: SegmentFile,
    initKey: string | null,
    facts: SegmentFacts,
    settings: StreamSettings,
  ): Promise<Taken> {
    if (await this.#isKnown(file.id)) {
      // A crash, or a lost answer, came between its append and the end of its event. Its object must not be written again.
      this.#resume(await this.#deps.catalog.claimRendition(this.#streamId, this.#rendition, this.#fence));
      return 'duplicate';
    }
    const media = await this.#read(file, initKey);
    const clock = this.#clock;
    const near = clock === null ? media : unwrapMedia(media, clock.endPts90k);
    const trial = this.#repackage(near, firstPts90k(near), null);
    checkLength(trial.duration90k, facts.durationMs);
    const arrival: Arrival = {
      startPts90k: trial.startPts90k,
      duration90k: trial.duration90k,
      programDateTimeMs: facts.programDateTimeMs,
      receivedAtMs: wallMs(file.receivedAtMs),
      isBreak: facts.discontinuity || this.#epoch === null || this.#epoch.initSha256 !== sha256(trial.init),
      isOutOfOrder: facts.isOutOfOrder && clock !== null,
    };
    const place = placeSegment(clock, arrival, {
      toleranceMs: settings.clockToleranceMs,
      futureToleranceMs: settings.futureToleranceMs,
      retentionMs: settings.retentionMs,
    });
    if (place.placement === 'late' && (await this.#isCovered(place, arrival))) return this.#twin(file);
    const made =
      place.begin === null && clock !== null
        ? this.#repackage(near, clock.originPts90k, this.#audioGridSamples)
        : trial;
    await this.#append(file, place, arrival, made, settings);
    return 'appended';
  }

  async #read(file: SegmentFile, initKey: string | null): Promise<DemuxedMedia> {
    const { objects } = this.#deps;
    const bytes = file.bytes ?? (await objects.get(file.objectKey));
    if (file.container === 'ts') return readTransportStream(bytes);
    // A segment that carries its own init segment needs no other.
    const init = initKey === null ? bytes : await objects.get(initKey);
    return readFragmentedMedia(init, bytes);
  }

  #repackage(media: DemuxedMedia, originPts90k: number, audioGridSamples: number | null): RepackagedSegment {
    const made = repackage(media, { sequenceNumber: 0, originPts90k, nextPts90k: null, audioGridSamples });
    if (made.startsWithKeyframe) return made;
    throw new ZoetropeError(
      'corrupt_media',
      `A pushed segment must begin with a picture that needs no other. This one has ${made.pictureCount} pictures, ${made.hasKeyframe ? 'a keyframe not being the first' : 'no keyframe'}. ` +
        'Have the encoder begin each segment with a keyframe (ffmpeg: -g and -sc_threshold 0, or -force_key_frames).',
    );
  }

  /** Whether there is something already where a late segment would lie. */
  async #isCovered({ startMs }: SegmentPlacement, { duration90k }: Arrival): Promise<boolean> {
    const lengthMs = duration90k / TICKS_PER_MS;
    const [from, to] = [wallMs(startMs + lengthMs * 0.3), wallMs(startMs + lengthMs * 0.7)];
    const { segments } = await this.#deps.catalog.segmentsBetween(this.#streamId, from, to, 1);
    return segments.length > 0;
  }

  async #append(
    file: SegmentFile,
    place: SegmentPlacement,
    arrival: Arrival,
    made: RepackagedSegment,
    settings: StreamSettings,
  ): Promise<void> {
    const { objects, ids, metrics, persistence } = this.#deps;
    const objectKey = `media/${this.#streamId}/${file.id}.m4s`;
    await objects.put(objectKey, made.bytes);
    const initSha256 = sha256(made.init);
    const originPts90k = place.begin?.originPts90k ?? this.#clock?.originPts90k ?? arrival.startPts90k;
    const existing = place.begin === null ? this.#epoch : null;
    const row: NewSegment = {
      id: file.id,
      streamId: this.#streamId,
      rendition: this.#rendition,
      placement: place.placement,
      startMs: place.startMs,
      mediaStart90k: pts90k(arrival.startPts90k - originPts90k),
      duration90k: pts90k(arrival.duration90k),
      frameTimesMs: [],
      objectKey,
      sizeBytes: made.bytes.length,
      sha256: sha256(made.bytes),
      keyframeBytes: null,
      epoch:
        existing !== null
          ? { existingId: existing.id }
          : {
              begin: {
                id: ids.next('epoch'),
                anchorMs: place.startMs,
                init: made.init,
                initSha256,
                codecs: made.codecs,
                width: made.width,
                height: made.height,
              },
            },
      ...(file.chunkIndex === undefined ? {} : { chunkIndex: file.chunkIndex }),
      fence: this.#fence,
      // One rendition is enough to say whether the source is there.
      offlineAfterMs: this.#rendition === MAIN_RENDITION ? settings.offlineAfterMs : null,
    };
    const { epoch } = await this.#deps.catalog.appendSegment(row);
    this.#notes.taken(takenOf(file, { programDateTimeMs: arrival.programDateTimeMs }));
    metrics.segment(place.placement, made.bytes.length);
    this.#notes.count('segments');
    if (place.placement === 'late') return this.#notes.count('late');
    this.#clock = advanceClock(this.#clock, place, arrival);
    if (place.begin !== null) this.#begin(epoch.id, initSha256, originPts90k, place, made);
    this.#audioGridSamples = made.audio?.endSamples ?? this.#audioGridSamples;
    if (place.gapMs > 0) {
      metrics.gap();
      this.#notes.count('gaps');
    }
    this.#deps.seen(this.#clock.endMs, file.receivedAtMs);
    metrics.playable((persistence.clock.nowMs() - file.receivedAtMs) / 1000);
    this.#describe(file, place, arrival, made);
  }

  #begin(
    epochId: string,
    initSha256: string,
    originPts90k: number,
    place: SegmentPlacement,
    made: RepackagedSegment,
  ): void {
    this.#epoch = { id: epochId, initSha256 };
    this.#audioGridSamples = made.audio?.startSamples ?? null;
    this.#notes.count('epochs');
    this.#notes.setClock(this.#rendition, {
      epochId,
      originPts90k,
      audioGridSamples: this.#audioGridSamples,
      clock: place.clock,
    });
  }

  #describe(file: SegmentFile, place: SegmentPlacement, arrival: Arrival, made: RepackagedSegment): void {
    if (this.#rendition !== MAIN_RENDITION) return;
    const seconds = arrival.duration90k / TICKS_PER_MS / 1000;
    this.#notes.change({
      container: file.container,
      codecs: made.codecs,
      width: made.width,
      height: made.height,
      frameRate: made.pictureCount === 0 ? null : Math.round((made.pictureCount / seconds) * 1000) / 1000,
      bitsPerS: Math.round((made.bytes.length * 8) / seconds),
      clock: place.clock,
      driftMs: Math.round(place.driftMs * 10) / 10,
    });
  }
}

/** Media that lasts far longer than the playlist says has time stamps that lie: it would be shown as one picture for all that time. @throws corrupt_media */
function checkLength(duration90k: number, saidMs: number): void {
  const durationMs = duration90k / TICKS_PER_MS;
  const longestMs = saidMs > 0 ? LIES_FACTOR * saidMs + LIES_MS : PLAYLIST_LIMITS.maxSegmentMs;
  if (durationMs <= longestMs) return;
  throw new ZoetropeError(
    'corrupt_media',
    `The pictures of this segment lie within ${Math.round(durationMs / 1000)} s by their time stamps, ${saidMs > 0 ? `where the playlist says ${saidMs / 1000} s` : 'which is too long'}. Look at the encoder's clock.`,
  );
}

function takenOf(file: SegmentFile, { programDateTimeMs }: Pick<SegmentFacts, 'programDateTimeMs'>): TakenFile {
  return { sha256: file.sha256, programDateTimeMs, receivedAtMs: wallMs(file.receivedAtMs) };
}

/** Goes on with the epoch that another writer began, when it is known how the source's clock lies on it. */
function resumeClock({ last, rendition }: WriterState, notes: SourceNotes): RunningClock | null {
  const known = notes.clockOf(rendition.name);
  if (last === null || known === null || known.epochId !== last.epoch.id) return null;
  const { segment, epoch } = last;
  return {
    anchorMs: epoch.anchorMs,
    originPts90k: known.originPts90k,
    endPts90k: known.originPts90k + segment.mediaStart90k + segment.duration90k,
    endMs: segmentEndMs(segment),
    clock: known.clock,
    lagsMs: [],
  };
}

/** Only where the timeline ends is known: whatever comes begins an epoch behind it. */
function clockAtEnd({ last }: WriterState): RunningClock | null {
  if (last === null) return null;
  const { segment, epoch } = last;
  const end90k = segment.mediaStart90k + segment.duration90k;
  return {
    anchorMs: epoch.anchorMs,
    originPts90k: 0,
    endPts90k: end90k,
    endMs: segmentEndMs(segment),
    clock: 'arrival',
    lagsMs: [],
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
