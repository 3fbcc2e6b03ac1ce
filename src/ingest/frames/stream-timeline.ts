import type { IdSource } from '../../base/ids.ts';
import { wallMs, type WallMs } from '../../base/time.ts';
import type { AppendedSegment, NewSegment, WriterState } from '../../catalog/catalog.ts';
import type { EncodedSegment } from '../../engine/engine.ts';
import { isGap } from '../../timeline/gap.ts';
import { segmentEndMs, type Placement } from '../../timeline/segment.ts';
import { effectiveSettings, type StreamSettings } from '../../timeline/stream.ts';
import { Rhythm } from './rhythm.ts';

const RECENT_SEGMENTS = 8;

/** What a writer knows of the timeline it appends to: the edge, the epoch that goes on, the rhythm, the newest capture times. */
export class StreamTimeline {
  readonly streamId: string;
  readonly fence: number;
  readonly rhythm: Rhythm;
  settings: StreamSettings;
  #edgeMs: WallMs | null = null;
  #endMs: WallMs | null = null;
  #epoch: { readonly id: string; readonly initSha256: string; readonly anchorMs: WallMs } | null = null;
  readonly #recent: (readonly WallMs[])[] = [];
  readonly #recentTimes = new Set<WallMs>();

  constructor(state: WriterState, fence: number, defaults: StreamSettings) {
    this.streamId = state.stream.id;
    this.fence = fence;
    this.settings = effectiveSettings(state.stream, defaults);
    this.rhythm = new Rhythm(this.settings.frameIntervalMs);
    if (state.last === null) return;
    const { segment, epoch } = state.last;
    this.#edgeMs = segment.frameTimesMs.at(-1) ?? segment.startMs;
    this.#endMs = segmentEndMs(segment);
    this.#epoch = epoch;
    this.#remember(segment.frameTimesMs);
    for (const timeMs of segment.frameTimesMs) this.rhythm.note(timeMs);
  }

  /** Capture time of the newest frame that is in a closed on-time segment: what is not newer is late. */
  get edgeMs(): WallMs | null {
    return this.#edgeMs;
  }

  /** Whether a frame of this capture time is known to be on the timeline. False means: not among the newest. */
  has(capturedAtMs: WallMs): boolean {
    return this.#recentTimes.has(capturedAtMs);
  }

  /** Notes that an on-time segment of these frames is closed: it will be appended before anything newer. */
  close(timesMs: readonly WallMs[]): void {
    for (const timeMs of timesMs) this.rhythm.note(timeMs);
    const last = timesMs.at(-1);
    if (last !== undefined) this.#edgeMs = wallMs(Math.max(last, this.#edgeMs ?? last));
    this.#remember(timesMs);
  }

  /** A frame of a closed segment could not be shown: one that comes again with its capture time is none too many. */
  forget(capturedAtMs: WallMs): void {
    this.#recentTimes.delete(capturedAtMs);
  }

  /** Whether the silence between a frame (or the durable end) and a later frame is a gap. */
  isGapAfter(lastFrameMs: WallMs, nextFrameMs: WallMs): boolean {
    const intervalMs = this.rhythm.intervalMs;
    const fromMs = wallMs(lastFrameMs + intervalMs);
    return isGap({ fromMs, toMs: nextFrameMs, intervalMs, toleranceMs: this.settings.gapToleranceMs });
  }

  /** The epoch that a segment starting at this time goes on with; null when a new one begins. */
  epochFor(placement: Placement, startMs: WallMs): { readonly initSha256: string; readonly anchorMs: WallMs } | null {
    if (placement === 'late' || this.#epoch === null || this.#endMs === null) return null;
    const intervalMs = this.rhythm.intervalMs;
    const silence = { fromMs: this.#endMs, toMs: startMs, intervalMs, toleranceMs: this.settings.gapToleranceMs };
    return isGap(silence) || startMs < this.#epoch.anchorMs ? null : this.#epoch;
  }

  /** The row of an encoded segment. */
  rowOf(placement: Placement, encoded: EncodedSegment, ids: IdSource): NewSegment {
    const { newEpoch } = encoded;
    const existingId = this.#epoch?.id;
    const epoch =
      newEpoch === null && existingId !== undefined
        ? { existingId }
        : newEpoch === null
          ? null
          : { begin: { id: ids.next('epoch'), ...newEpoch } };
    if (epoch === null) throw new TypeError('The engine went on with an epoch that was never given to it.');
    return {
      id: ids.next('segment'),
      streamId: this.streamId,
      placement,
      startMs: encoded.startMs,
      mediaStart90k: encoded.mediaStart90k,
      duration90k: encoded.duration90k,
      frameTimesMs: encoded.frameTimesMs,
      objectKey: encoded.objectKey,
      sizeBytes: encoded.sizeBytes,
      sha256: encoded.sha256,
      keyframeBytes: null,
      epoch,
      fence: this.fence,
      offlineAfterMs: this.settings.offlineAfterMs,
    };
  }

  /** Notes a segment as durable. */
  appended(committed: AppendedSegment): void {
    if (committed.segment.placement === 'late') {
      this.#remember(committed.segment.frameTimesMs);
      return;
    }
    this.#endMs = segmentEndMs(committed.segment);
    this.#epoch = committed.epoch;
  }

  #remember(timesMs: readonly WallMs[]): void {
    this.#recent.push(timesMs);
    for (const timeMs of timesMs) this.#recentTimes.add(timeMs);
    if (this.#recent.length <= RECENT_SEGMENTS) return;
    for (const timeMs of this.#recent.shift() ?? []) this.#recentTimes.delete(timeMs);
  }
}
