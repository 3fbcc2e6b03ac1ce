import type { Clock, Timer } from '../base/clock.ts';
import { isZoetropeError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { WallMs } from '../base/time.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { LadderLease } from '../catalog/ladder-store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { Epoch } from '../timeline/epoch.ts';
import type { LadderReport } from '../timeline/ladder.ts';
import type { Rendition } from '../timeline/rendition.ts';
import { segmentEndMs, type Segment } from '../timeline/segment.ts';
import type { Stream } from '../timeline/stream.ts';
import type { LadderMetrics, MissedCause } from './ladder-metrics.ts';
import { firstToMake, toPassOver } from './ladder-place.ts';
import { LadderSource, type SourceCatalog, type SourceEnd } from './ladder-source.ts';
import { makeRungs, type MadeRungs, type MakeRungsDeps } from './make-rungs.ts';
import type { PlannedRung } from './plan-rungs.ts';
import type { Slots } from './slots.ts';

/** What the ladder of a stream works with. */
export interface StreamLadderDeps extends MakeRungsDeps {
  readonly catalog: SourceCatalog & Pick<Catalog, 'appendRungs' | 'noteLadder'>;
  readonly objects: Pick<ObjectStore, 'delete'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: LadderMetrics;
  readonly slots: Slots;
  /** Segments that a rung may be behind the source; beyond that it goes on with the newest. */
  readonly maxBehind: number;
}

/** A segment on its way. `made` is null when it came to nothing, undefined while it is encoded. */
interface Work {
  readonly segment: Segment;
  readonly rungs: readonly PlannedRung[];
  made: MadeRungs | null | undefined;
  /** Its rows may be there, whatever the answer was. */
  isTried: boolean;
}

/** After a failure of the stores. */
const RETRY_MS = 1000;
/** What is known is written down at most so often. */
const NOTE_EVERY_MS = 2000;

/**
 * Makes the rungs of one stream: what is to be done follows from the catalog alone, so nothing is lost with the process. Segments are encoded side by
 * side where there are slots, and appended in order.
 */
export class StreamLadder {
  readonly fence: number;
  readonly #streamId: string;
  readonly #deps: StreamLadderDeps;
  readonly #source: LadderSource;
  readonly #abort = new AbortController();
  readonly #encoding = new Set<Promise<void>>();
  readonly #wake = (): void => this.wake();
  #work: Work[] = [];
  #rungs: ReadonlyMap<string, Rendition> | null = null;
  /** Of the source: what is encoded next, on time and late. Null: it must be found out. */
  #next: number | null = null;
  #nextLate: number | null = null;
  #turning: Promise<void> | null = null;
  #isAgain = false;
  #retry: Timer | null = null;
  #report: LadderReport;
  #noted: LadderReport;
  #noteTimer: Timer | null = null;
  #notedAtMs = Number.NEGATIVE_INFINITY;
  #newestEndMs: WallMs | null = null;
  #doneEndMs: WallMs | null = null;

  constructor({ streamId, fence, report }: LadderLease, deps: StreamLadderDeps) {
    this.#streamId = streamId;
    this.fence = fence;
    this.#deps = deps;
    this.#source = new LadderSource(streamId, deps.catalog, deps.maxBehind + 1);
    this.#report = report ?? { rungs: [], made: 0, missed: 0, lastFailure: null };
    this.#noted = this.#report;
  }

  /** How far the rungs are behind the source; 0 when they have all of it. */
  get lagMs(): number {
    if (this.#newestEndMs === null || this.#doneEndMs === null) return 0;
    return Math.max(0, this.#newestEndMs - this.#doneEndMs);
  }

  /** Looks for work; called when the stream may have changed. */
  wake(): void {
    if (this.#abort.signal.aborted) return;
    this.#isAgain = true;
    this.#turning ??= this.#turns().finally(() => {
      this.#turning = null;
      if (this.#isAgain) this.wake();
    });
  }

  /** Ends what is encoded. */
  async close(): Promise<void> {
    this.#stop();
    await this.#turning;
    await Promise.all(this.#encoding);
    await this.#discard(this.#work.splice(0));
  }

  #stop(): void {
    this.#abort.abort(new Error('The ladder is stopping.'));
    this.#retry?.cancel();
    this.#noteTimer?.cancel();
    this.#deps.slots.forget(this.#wake);
  }

  async #turns(): Promise<void> {
    while (this.#isAgain && !this.#abort.signal.aborted) {
      this.#isAgain = false;
      try {
        await this.#turn();
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  #failed(error: unknown): void {
    const { clock, logger } = this.#deps;
    // Another process has it, nobody wants it, or the stream is gone: whoever asks the catalog next is told.
    if (isZoetropeError(error, 'fenced') || isZoetropeError(error, 'not_found')) return this.#stop();
    logger.warn({ streamId: this.#streamId, error: messageOf(error) }, 'a live ladder must wait');
    this.#retry?.cancel();
    this.#retry = clock.schedule(RETRY_MS, this.#wake);
  }

  async #turn(): Promise<void> {
    const end = await this.#source.read();
    await this.#begin(end);
    for (;;) {
      const [head] = this.#work;
      if (head?.made === undefined) break;
      await this.#append(head, end);
      this.#work.shift();
    }
    await this.#note(end);
  }

  /** Starts what can be started. */
  async #begin(end: SourceEnd): Promise<void> {
    const { stream, segments, epochs } = end;
    const newest = segments.at(-1);
    if (newest === undefined) return;
    this.#newestEndMs = segmentEndMs(newest);
    this.#next ??= await this.#locate(end, newest);
    const next = this.#next;
    this.#doneEndMs ??= segments.find(({ sequence }) => sequence === next)?.startMs ?? segmentEndMs(newest);
    this.#passOver(newest);
    for (const segment of segments) {
      const epoch = epochs.get(segment.epochId);
      if (epoch === undefined || segment.sequence < this.#next) continue;
      if (this.#work.length > this.#deps.maxBehind || !(await this.#start(stream, segment, epoch))) return;
      this.#next = segment.sequence + 1;
    }
    if (this.#work.length === 0) await this.#beginLate(end);
  }

  /** Where to go on. What came late before there was a rung is left alone. */
  async #locate({ stream, epochs, rendition }: SourceEnd, newest: Segment): Promise<number> {
    this.#rungs ??= await this.#source.rungs();
    const epoch = epochs.get(newest.epochId);
    const planned = epoch === undefined ? [] : await this.#source.plan(stream, epoch, this.#rungs);
    const rungs = planned.flatMap(({ name }) => this.#rungs?.get(name) ?? []);
    this.#nextLate = Math.min(rendition.nextLateSequence, ...rungs.map((rung) => rung.nextLateSequence));
    const rungsNext = rungs.map((rung) => rung.nextSequence);
    return firstToMake({ newest: newest.sequence, rungsNext, maxBehind: this.#deps.maxBehind });
  }

  #passOver(newest: Segment): void {
    const next = this.#next ?? newest.sequence;
    const count = toPassOver(next, { newest: newest.sequence, maxBehind: this.#deps.maxBehind });
    if (count === 0) return;
    this.#next = next + count;
    this.#missed('slow', count);
  }

  async #beginLate({ stream, rendition }: SourceEnd): Promise<void> {
    const from = this.#nextLate ?? rendition.nextLateSequence;
    if (from >= rendition.nextLateSequence) return;
    const late = await this.#source.late(from);
    if (late === null) this.#nextLate = rendition.nextLateSequence;
    else if (await this.#start(stream, late.segment, late.epoch)) this.#nextLate = late.segment.sequence + 1;
  }

  /** False: there is no slot for it yet. */
  async #start(stream: Stream, segment: Segment, epoch: Epoch): Promise<boolean> {
    const { slots } = this.#deps;
    const rungs = segment.lost ? [] : await this.#source.plan(stream, epoch, this.#rungs ?? new Map());
    if (rungs.length === 0) {
      this.#done(segment);
      return true;
    }
    if (!slots.tryTake(this.#wake)) return false;
    const work: Work = { segment, rungs, made: undefined, isTried: false };
    this.#work.push(work);
    const encoded = this.#encode(work, stream, epoch).finally(() => {
      this.#encoding.delete(encoded);
      slots.give();
      this.wake();
    });
    this.#encoding.add(encoded);
    return true;
  }

  async #encode(work: Work, { tenant }: Stream, epoch: Epoch): Promise<void> {
    const { clock, logger } = this.#deps;
    const { segment, rungs } = work;
    const { signal } = this.#abort;
    try {
      work.made = await makeRungs(this.#deps, { segment, epoch, rungs, tenant, signal });
    } catch (error) {
      work.made = null;
      if (signal.aborted) return;
      const { streamId, id } = segment;
      logger.warn({ streamId, segmentId: id, error: messageOf(error) }, 'a live segment could not be encoded');
      const code = isZoetropeError(error) ? error.code : 'internal';
      const lastFailure = { atMs: clock.nowMs(), segmentId: id, code, message: messageOf(error) };
      this.#report = { ...this.#report, lastFailure };
      this.#missed('failed', 1);
    }
  }

  async #append(work: Work, end: SourceEnd): Promise<void> {
    const { segment, made, rungs } = work;
    if (made === null || made === undefined) return this.#done(segment);
    const { clock, metrics } = this.#deps;
    try {
      await this.#appendAll(work, made);
    } catch (error) {
      if (!this.#isPast(error, segment, end)) throw error;
      this.#missed('failed', 1);
      return this.#done(segment);
    }
    metrics.made(rungs.length, (clock.nowMs() - segment.createdAtMs) / 1000, made.cpuMs / 1000);
    const known = made.segments.map(({ rendition, init: { width, height } }) => ({ name: rendition, width, height }));
    this.#report = { ...this.#report, rungs: known, made: this.#report.made + 1 };
    this.#done(segment);
  }

  async #appendAll(work: Work, { segments }: MadeRungs): Promise<void> {
    const request = { streamId: this.#streamId, fence: this.fence, sourceId: work.segment.id, rungs: segments };
    work.isTried = true;
    for (;;) {
      const { isComplete } = await this.#deps.catalog.appendRungs(request);
      if (isComplete) return;
    }
  }

  /** Whether a segment cannot be appended any more: it has been swept, or what is before it stays in the way for too long. */
  #isPast(error: unknown, { placement, sequence }: Segment, { segments }: SourceEnd): boolean {
    // That the stream itself is gone is found when it is read next.
    if (isZoetropeError(error, 'not_found')) return true;
    const behind = (segments.at(-1)?.sequence ?? sequence) - sequence;
    return isZoetropeError(error, 'unavailable') && placement === 'onTime' && behind > this.#deps.maxBehind;
  }

  #done(segment: Segment): void {
    if (segment.placement === 'onTime') this.#doneEndMs = segmentEndMs(segment);
  }

  #missed(cause: MissedCause, segments: number): void {
    this.#deps.metrics.missed(cause, segments);
    this.#report = { ...this.#report, missed: this.#report.missed + segments };
  }

  async #note({ stream }: SourceEnd): Promise<void> {
    const { catalog, clock } = this.#deps;
    const report = this.#report;
    if (report === this.#noted) return;
    const waitMs = this.#notedAtMs + NOTE_EVERY_MS - clock.monotonicMs();
    if (waitMs > 0) {
      this.#noteTimer ??= clock.schedule(waitMs, () => {
        this.#noteTimer = null;
        this.wake();
      });
      return;
    }
    this.#notedAtMs = clock.monotonicMs();
    await catalog.noteLadder(stream.id, this.fence, report);
    this.#noted = report;
  }

  /** What was encoded and not appended is nobody's. */
  async #discard(left: readonly Work[]): Promise<void> {
    const keys = left.flatMap(({ made, isTried }) => (isTried ? [] : (made?.segments ?? [])));
    if (keys.length > 0) await this.#deps.objects.delete(keys.map(({ objectKey }) => objectKey));
  }
}
