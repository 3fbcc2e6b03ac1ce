import type { Clock, Timer } from '../../base/clock.ts';
import { isZoetropeError, messageOf, ZoetropeError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { WallMs } from '../../base/time.ts';
import type { HoldStore, StreamStore, TimelineStore } from '../../catalog/catalog.ts';
import { effectiveSettings, type Stream, type StreamSettings } from '../../timeline/stream.ts';
import { isRetryable, persistently, type Persistence } from '../back-off.ts';
import { BatchWriter, type Batch, type BatchWriterDeps } from './batch-writer.ts';
import { FrameBuffer, type PlacedFrame } from './frame-buffer.ts';
import type { FrameTarget, IncomingFrame } from './frame-event.ts';
import { FrameLedger, type FrameLedgerDeps, type FrameLedgerEvents } from './frame-ledger.ts';
import { framePrefix, isStoredElsewhere, type FrameRoots } from './frame-roots.ts';
import { isRecordedAt } from './recorded.ts';
import { StreamTimeline } from './stream-timeline.ts';

/** Late frames wait this long for company: their place in `live` is lost anyway. */
const LATE_WAIT_MS = 5_000;

/** What a writer works with. */
export interface StreamWriterDeps extends BatchWriterDeps, FrameLedgerDeps {
  readonly catalog: BatchWriterDeps['catalog'] &
    Pick<StreamStore, 'ensureDeviceStream' | 'getStream'> &
    Pick<TimelineStore, 'claimRendition'> &
    Pick<HoldStore, 'listHolds'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly defaults: StreamSettings;
  readonly roots: FrameRoots;
}

/** What a writer tells the one that feeds it. */
export interface StreamWriterEvents extends FrameLedgerEvents {
  /** A frame took its place on a stream's timeline or was already there. */
  readonly seen: (streamId: string, capturedAtMs: WallMs, receivedAtMs: number) => void;
  /** The writer cannot go on: it was fenced, or it made a mistake. */
  readonly failed: (error: unknown) => void;
}

/** Turns the frames of one stream into segments, one at a time and in order. Its trouble is its own: it waits and retries alone. */
export class StreamWriter {
  readonly #target: FrameTarget;
  readonly #fence: number;
  readonly #deps: StreamWriterDeps;
  readonly #events: StreamWriterEvents;
  readonly #ledger: FrameLedger;
  readonly #batchWriter: BatchWriter;
  readonly #stopped = new AbortController();
  /** Ends all waiting for better times: when draining, what fails is left to the next start. */
  readonly #impatient = new AbortController();
  readonly #open = new FrameBuffer();
  readonly #late = new FrameBuffer();
  readonly #persistence: Persistence;
  #waiters: (() => void)[] = [];
  #inbox: IncomingFrame[] = [];
  #batches: Batch[] = [];
  #timeline: StreamTimeline | null = null;
  #isStale = false;
  #isWorking = false;
  #isDraining = false;
  #timer: Timer | null = null;
  #pending = 0;
  #lastArrivalMs: number;

  constructor(target: FrameTarget, fence: number, deps: StreamWriterDeps, events: StreamWriterEvents) {
    const { clock, logger } = deps;
    this.#target = target;
    this.#fence = fence;
    this.#deps = deps;
    this.#events = events;
    this.#persistence = { clock, logger, signal: this.#impatient.signal };
    this.#ledger = new FrameLedger(deps, { bury: events.bury, done: (frame) => this.#done(frame) }, this.#persistence);
    this.#batchWriter = new BatchWriter(deps, this.#ledger, this.#persistence, this.#stopped.signal);
    this.#lastArrivalMs = clock.monotonicMs();
  }

  /** Frames that were pushed and are not done. */
  get pending(): number {
    return this.#pending;
  }

  /** Whether pictures of its own are missing: then the overflow of its queue is its own fault, and not that of a full disk or a busy engine. */
  get isWaitingForPictures(): boolean {
    return this.#batchWriter.isWaitingForPictures;
  }

  /** The stream it writes, once known. */
  get streamId(): string | null {
    return this.#timeline?.streamId ?? null;
  }

  /** Takes a frame. */
  push(frame: IncomingFrame): void {
    this.#pending += 1;
    this.#lastArrivalMs = this.#deps.clock.monotonicMs();
    this.#inbox.push(frame);
    this.#kick();
  }

  /** The stream's settings changed, or the stream was removed: looks again before the next segment. */
  refresh(): void {
    this.#isStale = true;
  }

  /** Closes what is open, now and from now on, and resolves when nothing is pending, or what is left would have to wait. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#impatient.abort(
      new ZoetropeError('cancelled', 'The server is ending; the frames are read again at its next start.'),
    );
    this.#closeOpen();
    this.#closeLate();
    this.#kick();
    while (this.#pending > 0 && !this.#stopped.signal.aborted) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** Lets everything go; what is not done is the next owner's. */
  stop(): void {
    this.#timer?.cancel();
    const reason = new ZoetropeError('cancelled', 'The partition was given up.');
    this.#impatient.abort(reason);
    this.#stopped.abort(reason);
    this.#wakeWaiters();
  }

  #kick(): void {
    if (this.#isWorking || this.#stopped.signal.aborted) return;
    this.#isWorking = true;
    this.#work().then(
      () => {
        this.#isWorking = false;
        if (this.#inbox.length > 0 || this.#batches.length > 0) this.#kick();
      },
      (error: unknown) => {
        this.#isWorking = false;
        if (this.#isDraining && isZoetropeError(error, 'cancelled')) this.stop();
        if (!this.#stopped.signal.aborted) this.#events.failed(error);
      },
    );
  }

  async #work(): Promise<void> {
    for (;;) {
      this.#stopped.signal.throwIfAborted();
      const [batch] = this.#batches;
      try {
        if (this.#inbox.length > 0) await this.#admit();
        else if (batch !== undefined) await this.#write(batch);
        else break;
      } catch (error) {
        if (!isZoetropeError(error, 'not_found')) throw error;
        await this.#buryAll(error.message);
      }
    }
    this.#setTimer();
  }

  async #admit(): Promise<void> {
    let timeline = await persistently(() => this.#ensureTimeline(), this.#persistence);
    for (let [frame] = this.#inbox; frame !== undefined; [frame] = this.#inbox) {
      if (isStoredElsewhere(frame.record.framePath, timeline.streamId)) {
        // The door may know sooner than the change feed tells us that the device began a new stream.
        this.#isStale = true;
        timeline = await persistently(() => this.#ensureTimeline(), this.#persistence);
      }
      this.#inbox.shift();
      await this.#place(timeline, frame);
    }
    if (!this.#isDraining) return;
    this.#closeOpen();
    this.#closeLate();
  }

  async #write(batch: Batch): Promise<void> {
    await persistently(
      async () => {
        const timeline = await this.#ensureTimeline();
        await this.#batchWriter.write(timeline, batch, this.#nextAfter(timeline, batch));
      },
      {
        ...this.#persistence,
        isTransient: (error) => this.#isRemoved(error) || isRetryable(error),
      },
    );
    this.#batches.shift();
  }

  /** Whether the stream was removed under the writer: its device begins it anew with the frames that are here. */
  #isRemoved(error: unknown): boolean {
    if (!isZoetropeError(error, 'not_found') || this.#timeline === null) return false;
    this.#timeline = null;
    return true;
  }

  async #ensureTimeline(): Promise<StreamTimeline> {
    if (this.#timeline !== null && !this.#isStale) return this.#timeline;
    const { catalog, defaults } = this.#deps;
    // Before reading: a change that comes meanwhile makes it stale again.
    this.#isStale = false;
    try {
      const stream = await this.#readStream();
      if (this.#timeline?.streamId === stream.id) {
        this.#timeline.settings = effectiveSettings(stream, defaults);
        return this.#timeline;
      }
      const state = await catalog.claimRendition(stream.id, 'main', this.#fence);
      const timeline = new StreamTimeline(state, this.#fence, defaults);
      // What waits was closed on the timeline of a stream that is no more; it is appended to this one before anything newer.
      for (const { placement, frames } of this.#batches) {
        if (placement === 'onTime') timeline.close(frames.map((frame) => frame.capturedAtMs));
      }
      this.#timeline = timeline;
      return timeline;
    } catch (error) {
      this.#isStale = true;
      throw error;
    }
  }

  #readStream(): Promise<Stream> {
    const { catalog, ids } = this.#deps;
    const target = this.#target;
    if (target.kind === 'stream') return catalog.getStream(target.streamId);
    const { tenant, deviceId } = target;
    const id = ids.next('stream');
    return catalog.ensureDeviceStream({ id, tenant, kind: 'frames', name: deviceId, deviceId, settings: {} });
  }

  async #place(timeline: StreamTimeline, incoming: IncomingFrame): Promise<void> {
    const { capturedAtMs } = incoming;
    const { streamId, settings } = timeline;
    const { catalog, clock } = this.#deps;
    const nowMs = clock.nowMs();
    const isTooOld =
      capturedAtMs < nowMs - settings.retentionMs &&
      !(await persistently(() => isRecordedAt(catalog, streamId, capturedAtMs), this.#persistence));
    if (capturedAtMs > nowMs + settings.futureToleranceMs || isTooOld) {
      const where = capturedAtMs > nowMs ? "in the future; set the source's clock" : 'before the retained window';
      const cause = `The capture time ${incoming.record.timestamp} lies ${where}.`;
      return this.#ledger.dead(incoming, 'out_of_range', cause, 1);
    }
    this.#events.seen(streamId, capturedAtMs, incoming.receivedAtMs);
    if (timeline.has(capturedAtMs) && !this.#isWaiting(capturedAtMs)) {
      return this.#ledger.duplicate(streamId, incoming, null);
    }
    let frame: PlacedFrame;
    try {
      frame = await this.#locate(streamId, incoming);
    } catch (error) {
      return this.#ledger.dead(incoming, isZoetropeError(error) ? error.code : 'internal', messageOf(error), 1);
    }
    const isLate = timeline.edgeMs !== null && capturedAtMs <= timeline.edgeMs;
    const last = this.#open.last;
    if (!isLate && last !== undefined && timeline.isGapAfter(last.capturedAtMs, capturedAtMs)) this.#closeOpen();
    const twin = this.#waitingTwin(capturedAtMs) ?? (isLate ? this.#late : this.#open).add(frame, clock.monotonicMs());
    if (twin !== null) return this.#ledger.duplicate(streamId, incoming, twin);
    if (isLate) this.#deps.metrics.late(1);
    const displaced = this.#deps.newest.note(streamId, frame, frame.ownedKey);
    if (displaced !== null) await this.#ledger.release([displaced]);
    if (this.#open.size >= settings.framesPerSegment) this.#closeOpen();
    if (this.#late.size >= settings.framesPerSegment) this.#closeLate();
  }

  async #locate(streamId: string, incoming: IncomingFrame): Promise<PlacedFrame> {
    const ref = await this.#deps.roots.resolve(incoming.record.framePath, streamId);
    const ownedKey = 'objectKey' in ref && ref.objectKey.startsWith(framePrefix(streamId)) ? ref.objectKey : null;
    return { capturedAtMs: incoming.capturedAtMs, ref, ownedKey, incoming };
  }

  /** The frame of this capture time in a closed segment that is not written yet. */
  #waitingTwin(capturedAtMs: WallMs): PlacedFrame | null {
    for (const { frames } of this.#batches) {
      const twin = frames.find((frame) => frame.capturedAtMs === capturedAtMs);
      if (twin !== undefined) return twin;
    }
    return null;
  }

  #isWaiting(capturedAtMs: WallMs): boolean {
    return this.#waitingTwin(capturedAtMs) !== null;
  }

  #closeOpen(): void {
    if (this.#timeline === null || this.#open.size === 0) return;
    const frames = this.#open.takeAll();
    for (const run of splitAtGaps(frames, this.#timeline)) this.#batches.push({ placement: 'onTime', frames: run });
    this.#timeline.close(frames.map((frame) => frame.capturedAtMs));
  }

  #closeLate(): void {
    if (this.#timeline === null || this.#late.size === 0) return;
    for (const run of splitAtGaps(this.#late.takeAll(), this.#timeline)) {
      this.#batches.push({ placement: 'late', frames: run });
    }
  }

  /** An open segment closes by itself: after the longest wait since its first frame, or when the source counts as offline. */
  #setTimer(): void {
    this.#timer?.cancel();
    const { openMs, lateMs } = this.#deadlines();
    const dueMs = Math.min(openMs, lateMs);
    this.#timer = Number.isFinite(dueMs)
      ? this.#deps.clock.schedule(dueMs - this.#deps.clock.monotonicMs(), () => this.#closeDue())
      : null;
  }

  #closeDue(): void {
    const { openMs, lateMs } = this.#deadlines();
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs >= openMs) this.#closeOpen();
    if (nowMs >= lateMs) this.#closeLate();
    this.#kick();
  }

  /** By the monotonic clock: a wall clock that is set must not keep a segment open, nor close it early. */
  #deadlines(): { readonly openMs: number; readonly lateMs: number } {
    const settings = this.#timeline?.settings;
    const openedAtMs = this.#open.openedAtMs;
    const lateAtMs = this.#late.openedAtMs;
    const never = Number.POSITIVE_INFINITY;
    if (settings === undefined) return { openMs: never, lateMs: never };
    const { maxSegmentWaitMs, offlineAfterMs } = settings;
    return {
      openMs:
        openedAtMs === null ? never : Math.min(openedAtMs + maxSegmentWaitMs, this.#lastArrivalMs + offlineAfterMs),
      lateMs: lateAtMs === null ? never : lateAtMs + Math.min(LATE_WAIT_MS, maxSegmentWaitMs),
    };
  }

  /** The capture time of the frame that follows a batch, when it is here already and follows without a gap. */
  #nextAfter(timeline: StreamTimeline, batch: Batch): WallMs | null {
    const last = batch.frames.at(-1);
    if (batch.placement === 'late' || last === undefined) return null;
    const behind = this.#batches.find((other) => other !== batch && other.placement === 'onTime');
    const next = behind?.frames[0] ?? this.#open.first;
    if (next === undefined || next.capturedAtMs <= last.capturedAtMs) return null;
    return timeline.isGapAfter(last.capturedAtMs, next.capturedAtMs) ? null : next.capturedAtMs;
  }

  /** The stream was removed and no device is there to begin it anew: its frames have no place. */
  async #buryAll(cause: string): Promise<void> {
    const batched = [
      ...this.#batches.flatMap(({ frames }) => frames),
      ...this.#open.takeAll(),
      ...this.#late.takeAll(),
    ];
    const frames = [...batched.map((frame) => frame.incoming), ...this.#inbox];
    this.#batches = [];
    this.#inbox = [];
    for (const frame of frames)
      if (!this.#ledger.isSettled(frame)) await this.#ledger.dead(frame, 'not_found', cause, 1);
  }

  #done(frame: IncomingFrame): void {
    this.#pending -= 1;
    this.#events.done(frame);
    if (this.#pending === 0) this.#wakeWaiters();
  }

  #wakeWaiters(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

function splitAtGaps(frames: readonly PlacedFrame[], timeline: StreamTimeline): readonly (readonly PlacedFrame[])[] {
  const runs: PlacedFrame[][] = [];
  for (const frame of frames) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run === undefined || last === undefined || timeline.isGapAfter(last.capturedAtMs, frame.capturedAtMs))
      runs.push([frame]);
    else run.push(frame);
  }
  return runs;
}
