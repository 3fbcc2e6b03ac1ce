import { createHash } from 'node:crypto';
import { isZoetropeError, ZoetropeError } from '../../base/errors.ts';
import type { IdSource } from '../../base/ids.ts';
import { pts90k, TICKS_PER_MS, wallMs, type WallMs } from '../../base/time.ts';
import type { NewSegment, TimelineStore, WriterState } from '../../catalog/catalog.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { parseAudioSpecificConfig } from '../../packager/aac/audio-specific-config.ts';
import { readFragmentedMedia } from '../../packager/cmaf/fragmented-reader.ts';
import type { DemuxedMedia } from '../../packager/demuxed/demuxed-media.ts';
import { firstPts90k, unwrapMedia } from '../../packager/demuxed/media-clock.ts';
import { initOf, repackage, type RepackagedSegment } from '../../packager/demuxed/repackage.ts';
import { fillWithSilence } from '../../packager/demuxed/silence.ts';
import { readMuxedInit } from '../../packager/cmaf/muxed-reader.ts';
import { readTransportStream } from '../../packager/mpegts/ts-reader.ts';
import { MAIN_RENDITION } from '../../timeline/rendition.ts';
import type { TakenFile } from '../../timeline/source-report.ts';
import type { Epoch } from '../../timeline/epoch.ts';
import type { StreamSettings } from '../../timeline/stream.ts';
import { isRetryable, persistently, type Persistence } from '../back-off.ts';
import type { PushedFile } from './push-event.ts';
import {
  advanceClock,
  inOrder,
  placeSegment,
  type Arrival,
  type RunningClock,
  type SegmentPlacement,
} from './push-clock.ts';
import type { PushMetrics } from './push-metrics.ts';
import { MEDIA_FAULTS, rejectFile } from './rejected-files.ts';
import { clockAtEnd, resumeClock } from './resumed-clock.ts';
import type { SegmentFacts, SegmentFile } from './sent-segment.ts';
import { checkLength } from './segment-length.ts';
import type { SourceNotes } from './source-notes.ts';

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

/** The epoch that goes on. */
interface RunningEpoch {
  readonly id: string;
  readonly initSha256: string;
  /** Of its sound; null without. */
  readonly audioConfig: Uint8Array | null;
}

/** A segment as it is to be appended. */
interface MadeSegment {
  readonly place: SegmentPlacement;
  readonly arrival: Arrival;
  readonly made: RepackagedSegment;
  /** Of the epoch that begins with it; null: none does, or it is late. */
  readonly ordinal: number | null;
}

/** Before the first packet of a rendition of sound. 90 kHz ticks. */
const LEAD_90K = 90_000;

/** What became of a segment that was taken. */
export type Taken = 'appended' | 'duplicate' | 'rejected';

/** One rendition of a pushed stream, written by one process at a time: takes segments as they were sent, and appends what becomes of them. */
export class PushedTimeline {
  readonly #deps: PushedTimelineDeps;
  readonly #rendition: string;
  readonly #streamId: string;
  readonly #fence: number;
  readonly #notes: SourceNotes;
  #clock: RunningClock | null = null;
  #epoch: RunningEpoch | null = null;
  #nextOrdinal: number;
  #newestReceivedAtMs = 0;
  #audioGridSamples: number | null = null;
  /** The sound goes up to there; else it is only known that packets stand there. */
  #isGridEnd = false;

  private constructor(deps: PushedTimelineDeps, state: WriterState, fence: number, notes: SourceNotes) {
    this.#deps = deps;
    this.#rendition = state.rendition.name;
    this.#streamId = state.stream.id;
    this.#fence = fence;
    this.#notes = notes;
    this.#nextOrdinal = state.rendition.nextEpochOrdinal;
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
    this.#epoch = clock === null || state.last === null ? null : runningEpoch(state.last.epoch);
    this.#nextOrdinal = state.rendition.nextEpochOrdinal;
    if (clock !== null && state.last !== null) {
      this.#notes.epochs.note(this.#rendition, { ...clock, ordinal: state.last.epoch.ordinal });
    }
    this.#audioGridSamples =
      this.#epoch === null ? null : (this.#notes.clockOf(this.#rendition)?.audioGridSamples ?? null);
    this.#isGridEnd = false;
    this.#clock = clock ?? clockAtEnd(state);
  }

  /**
   * Takes a segment. It is durable on the timeline, known to be there, or noted as rejected when the call resolves.
   * @throws fenced, not_found (the stream is gone), cancelled
   */
  async take(file: SegmentFile, initKey: string | null, facts: SegmentFacts, settings: StreamSettings): Promise<Taken> {
    if (this.#notes.isTaken(this.#takenOf(file, facts), facts.durationMs)) return this.#twin(file);
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
    rejectFile(this.#deps, this.#notes, name, error);
    return 'rejected';
  }

  /** Whether something that came after a file was taken already. */
  hasNewer({ receivedAtMs }: PushedFile): boolean {
    return receivedAtMs < this.#newestReceivedAtMs;
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
    const continued = this.#withSound(near);
    const trial = this.#repackage(near, { originPts90k: firstPts90k(near), audioGridSamples: null }, facts);
    checkLength(trial.duration90k, facts.durationMs);
    const isSame = this.#epoch !== null && this.#epoch.initSha256 === sha256(this.#initOf(continued, near, trial));
    const arrival: Arrival = {
      startPts90k: trial.startPts90k,
      duration90k: trial.duration90k,
      programDateTimeMs: facts.programDateTimeMs,
      receivedAtMs: wallMs(file.receivedAtMs),
      endedByMs: facts.endedByMs,
      isBreak: facts.discontinuity || !isSame,
      isOutOfOrder: facts.isOutOfOrder && clock !== null,
    };
    const place = placeSegment(clock, arrival, {
      toleranceMs: settings.clockToleranceMs,
      futureToleranceMs: settings.futureToleranceMs,
      retentionMs: settings.retentionMs,
    });
    if (place.placement === 'late' && (await this.#isCovered(place, arrival))) return this.#twin(file);
    if (place.begin === null && clock !== null) {
      const { originPts90k } = clock;
      const made = this.#repackage(continued, { originPts90k, audioGridSamples: this.#audioGridSamples }, facts);
      await this.#append(file, { place, arrival, made, ordinal: null }, settings);
    } else {
      await this.#append(file, this.#begun(near, { place, arrival, made: trial }, facts), settings);
    }
    return 'appended';
  }

  /** An epoch that begins: in step with the other renditions, where they began it already. */
  #begun(near: DemuxedMedia, own: Omit<MadeSegment, 'ordinal'>, facts: SegmentFacts): MadeSegment {
    const { place, arrival } = own;
    if (place.placement === 'late') return { ...own, ordinal: null };
    const { epochs } = this.#notes;
    const shared = epochs.at(this.#rendition, arrival.startPts90k, place.startMs);
    if (shared === null || shared.ordinal < this.#nextOrdinal) {
      const ordinal = Math.max(this.#nextOrdinal, epochs.numberAt(this.#rendition, place.startMs));
      if (near.video !== null || this.#rendition === MAIN_RENDITION) return { ...own, ordinal };
      // Pictures that go with it may begin before it, and join it all the same.
      const originPts90k = arrival.startPts90k - LEAD_90K;
      const begin = { anchorMs: wallMs(place.startMs - LEAD_90K / TICKS_PER_MS), originPts90k };
      const led = this.#repackage(near, { originPts90k, audioGridSamples: null }, facts);
      return { ...own, place: { ...place, begin }, made: led, ordinal };
    }
    const media = unwrapMedia(near, shared.originPts90k);
    const { originPts90k, anchorMs, ordinal } = shared;
    const joined = this.#repackage(media, { originPts90k, audioGridSamples: null }, facts);
    const { startPts90k, duration90k } = joined;
    // Sound from before the origin is left out.
    const cutMs = (startPts90k - firstPts90k(media)) / TICKS_PER_MS;
    const saidMs = place.clock === 'programDateTime' ? place.startMs : shared.startMs;
    return {
      place: { ...place, startMs: wallMs(saidMs + cutMs), begin: { anchorMs, originPts90k } },
      arrival: { ...arrival, startPts90k, duration90k },
      made: joined,
      ordinal,
    };
  }

  /** The media with the sound that its epoch has, where the encoder sent none. */
  #withSound(media: DemuxedMedia): DemuxedMedia {
    const audioSpecificConfig = this.#epoch?.audioConfig ?? null;
    const [clock, grid] = [this.#clock, this.#audioGridSamples];
    if (audioSpecificConfig === null || clock === null || grid === null) return media;
    const { sampleRateHz } = parseAudioSpecificConfig(audioSpecificConfig);
    const gridPts90k = clock.originPts90k + (grid * 90_000) / sampleRateHz;
    return fillWithSilence(media, { audioSpecificConfig, gridPts90k, isEnd: this.#isGridEnd });
  }

  #initOf(continued: DemuxedMedia, near: DemuxedMedia, trial: RepackagedSegment): Uint8Array {
    if (continued === near || near.audio !== null) return trial.init;
    return initOf(continued);
  }

  async #read(file: SegmentFile, initKey: string | null): Promise<DemuxedMedia> {
    const { objects } = this.#deps;
    const bytes = file.bytes ?? (await objects.get(file.objectKey));
    if (file.container === 'ts') return readTransportStream(bytes);
    // A segment that carries its own init segment needs no other.
    const init = initKey === null ? bytes : await objects.get(initKey);
    return readFragmentedMedia(init, bytes);
  }

  #repackage(
    media: DemuxedMedia,
    clock: { readonly originPts90k: number; readonly audioGridSamples: number | null },
    { durationMs }: SegmentFacts,
  ): RepackagedSegment {
    // A lone picture does not show how long pictures last.
    const isLone = media.video?.samples.length === 1 && media.video.end90k === null && durationMs > 0;
    const nextPts90k = isLone ? firstPts90k(media) + Math.round(durationMs * TICKS_PER_MS) : null;
    const made = repackage(media, { sequenceNumber: 0, nextPts90k, ...clock });
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
    const { segments } = await this.#deps.catalog.segmentsBetween(this.#streamId, from, to, 1, this.#rendition);
    return segments.length > 0;
  }

  async #append(
    file: SegmentFile,
    { place: wished, arrival, made, ordinal }: MadeSegment,
    settings: StreamSettings,
  ): Promise<void> {
    const place = inOrder(this.#clock, wished);
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
                anchorMs: place.begin?.anchorMs ?? place.startMs,
                init: made.init,
                initSha256,
                codecs: made.codecs,
                width: made.width,
                height: made.height,
                ...(ordinal === null ? {} : { leastOrdinal: ordinal }),
              },
            },
      ...(file.chunkIndex === undefined ? {} : { chunkIndex: file.chunkIndex }),
      fence: this.#fence,
      // One rendition is enough to say whether the source is there.
      offlineAfterMs: this.#rendition === MAIN_RENDITION ? settings.offlineAfterMs : null,
    };
    const { epoch } = await this.#deps.catalog.appendSegment(row);
    this.#notes.taken(this.#takenOf(file, { programDateTimeMs: arrival.programDateTimeMs }));
    metrics.segment(place.placement, made.bytes.length);
    this.#notes.count('segments');
    if (place.placement === 'late') return this.#notes.count('late');
    this.#clock = advanceClock(this.#clock, place, arrival);
    if (place.begin !== null) this.#begin(epoch, originPts90k, place, made);
    this.#audioGridSamples = made.audio?.endSamples ?? this.#audioGridSamples;
    this.#isGridEnd = made.audio !== null;
    if (place.gapMs > 0) {
      metrics.gap();
      this.#notes.count('gaps');
    }
    this.#newestReceivedAtMs = Math.max(this.#newestReceivedAtMs, file.receivedAtMs);
    this.#deps.seen(this.#clock.endMs, file.receivedAtMs);
    metrics.playable((persistence.clock.nowMs() - file.receivedAtMs) / 1000);
    this.#describe(file, place, arrival, made);
  }

  #begin(epoch: Epoch, originPts90k: number, place: SegmentPlacement, made: RepackagedSegment): void {
    this.#epoch = runningEpoch(epoch);
    this.#nextOrdinal = epoch.ordinal + 1;
    this.#notes.epochs.note(this.#rendition, { ordinal: epoch.ordinal, anchorMs: epoch.anchorMs, originPts90k });
    this.#audioGridSamples = made.audio?.startSamples ?? null;
    this.#notes.count('epochs');
    this.#notes.setClock(this.#rendition, {
      epochId: epoch.id,
      originPts90k,
      audioGridSamples: this.#audioGridSamples,
      clock: place.clock,
    });
  }

  #takenOf(file: PushedFile, { programDateTimeMs }: Pick<SegmentFacts, 'programDateTimeMs'>): TakenFile {
    const taken = { sha256: file.sha256, programDateTimeMs, receivedAtMs: wallMs(file.receivedAtMs) };
    return this.#rendition === MAIN_RENDITION ? taken : { ...taken, rendition: this.#rendition };
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

function runningEpoch({ id, init, initSha256 }: Pick<Epoch, 'id' | 'init' | 'initSha256'>): RunningEpoch {
  return { id, initSha256, audioConfig: readMuxedInit(init).audio?.audioConfig ?? null };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
