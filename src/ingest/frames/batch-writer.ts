import { isZoetropeError, messageOf, ZoetropeError } from '../../base/errors.ts';
import type { IdSource } from '../../base/ids.ts';
import type { WallMs } from '../../base/time.ts';
import type { TimelineStore } from '../../catalog/catalog.ts';
import type { EncodedSegment, EncodeFramesResult, Engine, FrameLimits } from '../../engine/engine.ts';
import type { Placement } from '../../timeline/segment.ts';
import { FIRST_BACK_OFF_MS, isRetryable, persistently, type Persistence } from '../back-off.ts';
import type { PlacedFrame } from './frame-buffer.ts';
import type { FrameLedger } from './frame-ledger.ts';
import type { FramesMetrics } from './metrics.ts';
import type { StreamTimeline } from './stream-timeline.ts';

/** The frames of one closed segment. */
export interface Batch {
  readonly placement: Placement;
  /** Rising in capture time, without a gap between them. */
  readonly frames: readonly PlacedFrame[];
}

/** What a batch writer works with. */
export interface BatchWriterDeps {
  readonly catalog: Pick<TimelineStore, 'appendSegment' | 'knownFrameTimes'>;
  readonly engine: Pick<Engine, 'encodeFrames'>;
  readonly ids: IdSource;
  readonly metrics: FramesMetrics;
  readonly limits: FrameLimits;
  /** Tries for a missing frame before it goes to the dead letters. */
  readonly maxTries: number;
}

/** Encodes batches and appends them to the timeline: object, then row, then the frames are settled. */
export class BatchWriter {
  readonly #deps: BatchWriterDeps;
  readonly #ledger: FrameLedger;
  readonly #persistence: Persistence;
  readonly #stopped: AbortSignal;
  #isWaitingForPictures = false;

  /** @param stopped aborts the encoding itself; the persistence's signal only ends waiting and trying again. */
  constructor(deps: BatchWriterDeps, ledger: FrameLedger, persistence: Persistence, stopped: AbortSignal) {
    this.#stopped = stopped;
    this.#deps = deps;
    this.#ledger = ledger;
    this.#persistence = persistence;
  }

  /** Whether the newest batch has pictures that are not there yet. */
  get isWaitingForPictures(): boolean {
    return this.#isWaitingForPictures;
  }

  /**
   * Writes what is not settled of a batch; may be called again after a failure.
   * @param nextMs the capture time of the frame behind the batch, if it is known and follows without a gap.
   * @throws fenced, not_found (the stream is gone), and what may pass: too_many, unavailable, storage_full.
   */
  async write(timeline: StreamTimeline, batch: Batch, nextMs: WallMs | null): Promise<void> {
    if (batch.placement === 'late') await this.#settleKnown(timeline, batch);
    try {
      await this.#encode(timeline, batch.placement, this.#unsettled(batch), nextMs);
    } catch (error) {
      if (!isZoetropeError(error, 'conflict')) throw error;
      await this.#settleKnown(timeline, batch);
      await this.#encode(timeline, batch.placement, this.#unsettled(batch), nextMs);
    }
  }

  #unsettled(batch: Batch): readonly PlacedFrame[] {
    return batch.frames.filter((frame) => !this.#ledger.isSettled(frame.incoming));
  }

  /** Settles those frames that are on the timeline already. */
  async #settleKnown(timeline: StreamTimeline, batch: Batch): Promise<void> {
    const frames = this.#unsettled(batch);
    const times = frames.map((frame) => frame.capturedAtMs);
    const known = await this.#deps.catalog.knownFrameTimes(timeline.streamId, times);
    for (const frame of frames) {
      if (known.has(frame.capturedAtMs)) await this.#ledger.duplicate(timeline.streamId, frame.incoming, null);
    }
  }

  /** A batch that the engine cannot survive is halved until the frame that is to blame stands alone. */
  async #encode(
    timeline: StreamTimeline,
    placement: Placement,
    frames: readonly PlacedFrame[],
    nextMs: WallMs | null,
    tries = 1,
  ): Promise<void> {
    const [first] = frames;
    if (first === undefined) return;
    try {
      await this.#encodeWhole(timeline, placement, frames, first, nextMs);
    } catch (error) {
      if (!isPoison(error)) throw error;
      if (frames.length === 1) {
        // It may have been the machine: one that stood still for a while looks like a frame that takes too long.
        if (isRetryable(error) && tries < this.#deps.maxTries) {
          return this.#encode(timeline, placement, frames, nextMs, tries + 1);
        }
        const code = isZoetropeError(error) ? error.code : 'internal';
        return this.#bury(timeline, first, { code, message: messageOf(error) }, tries);
      }
      const middle = Math.ceil(frames.length / 2);
      const tail = frames.slice(middle);
      await this.#encode(timeline, placement, frames.slice(0, middle), tail[0]?.capturedAtMs ?? nextMs);
      await this.#encode(timeline, placement, tail, nextMs);
    }
  }

  async #encodeWhole(
    timeline: StreamTimeline,
    placement: Placement,
    frames: readonly PlacedFrame[],
    first: PlacedFrame,
    nextMs: WallMs | null,
  ): Promise<void> {
    const { engine, limits, maxTries } = this.#deps;
    const { clock, signal } = this.#persistence;
    const { settings, streamId } = timeline;
    for (let tries = 1, backOffMs = FIRST_BACK_OFF_MS; ; tries++, backOffMs *= 2) {
      const result = await engine.encodeFrames(
        {
          frames: frames.map(({ capturedAtMs, ref }) => ({ capturedAtMs, ref })),
          nextCapturedAtMs: nextMs,
          lastFrameDurationMs: timeline.rhythm.intervalMs,
          epoch: timeline.epochFor(placement, first.capturedAtMs),
          crf: settings.crf,
          overlay: settings.overlay,
          limits,
          outputPrefix: `media/${streamId}/`,
          allowMissing: tries >= maxTries,
        },
        this.#stopped,
      );
      this.#isWaitingForPictures = result.rejected.some((frame) => frame.retryable);
      if (tries < maxTries && this.#isWaitingForPictures) {
        await clock.wait(backOffMs, signal);
        continue;
      }
      assertAllAccounted(frames, result);
      for (const encoded of result.segments) await this.#append(timeline, placement, encoded, frames);
      await this.#settle(timeline, frames, result, tries);
      return;
    }
  }

  /** The object is written: from here only the row is tried again, so that no frame is encoded twice for want of the catalog. */
  async #append(
    timeline: StreamTimeline,
    placement: Placement,
    encoded: EncodedSegment,
    frames: readonly PlacedFrame[],
  ): Promise<void> {
    const { catalog, ids, metrics } = this.#deps;
    const row = timeline.rowOf(placement, encoded, ids);
    const committed = await persistently(() => catalog.appendSegment(row), this.#persistence);
    timeline.appended(committed);
    metrics.segment(placement, encoded.sizeBytes);
    if (placement === 'late') return;
    const nowMs = this.#persistence.clock.nowMs();
    const lastArrivalMs = Math.max(...frames.map((frame) => frame.incoming.receivedAtMs));
    metrics.playable((nowMs - encoded.startMs) / 1000, (nowMs - lastArrivalMs) / 1000);
  }

  async #settle(
    timeline: StreamTimeline,
    frames: readonly PlacedFrame[],
    result: EncodeFramesResult,
    tries: number,
  ): Promise<void> {
    const faults = new Map(result.rejected.map((fault) => [fault.capturedAtMs, fault]));
    const good: PlacedFrame[] = [];
    for (const frame of frames) {
      const fault = faults.get(frame.capturedAtMs);
      if (fault === undefined) good.push(frame);
      else await this.#bury(timeline, frame, fault, fault.retryable ? tries : 1);
    }
    await this.#ledger.accepted(timeline.streamId, good);
  }

  async #bury(
    timeline: StreamTimeline,
    frame: PlacedFrame,
    fault: { readonly code: string; readonly message: string },
    tries: number,
  ): Promise<void> {
    await this.#ledger.dead(frame.incoming, fault.code, fault.message, tries);
    timeline.forget(frame.capturedAtMs);
  }
}

/** No frame is settled as shown that is in no segment. @throws internal: the engine forgot a frame, or named one that it was not given */
function assertAllAccounted(frames: readonly PlacedFrame[], { segments, rejected }: EncodeFramesResult): void {
  const told = new Set<number>(rejected.map((frame) => frame.capturedAtMs));
  for (const time of segments.flatMap((segment) => segment.frameTimesMs)) told.add(time);
  const isWhole = told.size === frames.length && frames.every((frame) => told.has(frame.capturedAtMs));
  if (isWhole) return;
  throw new ZoetropeError(
    'internal',
    `The engine was given ${frames.length} frames and accounted for ${told.size}: each must be in a segment or rejected.`,
  );
}

/** Of these, the first four are about the stream and its owner; the last two are what a frame can do to the engine. */
const NOT_THE_FRAMES_FAULT: ReadonlySet<string> = new Set(['fenced', 'not_found', 'conflict', 'cancelled']);
const THE_FRAMES_FAULT: ReadonlySet<string> = new Set(['engine_failed', 'deadline_exceeded']);

/** Whether it is the frames' fault that they could not be encoded: nothing around them explains it, and waiting would not help. */
function isPoison(error: unknown): boolean {
  if (!isZoetropeError(error)) return true;
  if (NOT_THE_FRAMES_FAULT.has(error.code)) return false;
  return THE_FRAMES_FAULT.has(error.code) || !error.retryable;
}
