import type { Timer } from '../../base/clock.ts';
import { isZoetropeError, ZoetropeError } from '../../base/errors.ts';
import { formatRfc3339, wallMs } from '../../base/time.ts';
import type { HoldStore, StreamStore } from '../../catalog/catalog.ts';
import type { ChunkStore } from '../../catalog/chunk-store.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { ChunkRuns } from '../../timeline/chunk.ts';
import { MAIN_RENDITION } from '../../timeline/rendition.ts';
import { effectiveSettings, type Stream, type StreamSettings } from '../../timeline/stream.ts';
import { FIRST_BACK_OFF_MS, isRetryable, persistently } from '../back-off.ts';
import { isRecordedAt } from '../frames/recorded.ts';
import { PushedTimeline, type PushedTimelineDeps } from '../push/pushed-timeline.ts';
import type { SegmentFile } from '../push/sent-segment.ts';
import { SourceKeeper } from '../push/source-keeper.ts';
import type { EventInHand, SerialWriter } from '../serial-lane.ts';
import { takesNoChunks, type AnnouncedChunk, type ChunkRecord, type StreamEnd } from './chunk-event.ts';
import type { ChunkMetrics } from './chunk-metrics.ts';
import { ChunkOrder, type ChunkPatience } from './chunk-order.ts';
import { readChunk } from './read-chunk.ts';

/** An announced object that does not lie there is looked for so long. */
const OBJECT_WAIT_MS = 20_000;
/** When so many wait, as after a night without a server, missing ones are not waited for any more. */
const PATIENT_WAITING = 200;
/** Announcements of one stream that may wait, for objects that do not come; each is some hundred bytes. */
const MAX_WAITING = 2000;
/** An index that lies farther ahead is a mistake: taken, it would make all that follow late. */
const FARTHEST_AHEAD = 1_000_000;
/** What says that a chunk is at fault, not the world. */
const REJECTING: ReadonlySet<string> = new Set([
  'missing_input',
  'payload_too_large',
  'corrupt_media',
  'unsupported_media',
  'out_of_range',
]);

/** What a writer works with. */
export interface ChunkWriterDeps extends PushedTimelineDeps {
  readonly catalog: PushedTimelineDeps['catalog'] &
    Pick<StreamStore, 'getStream' | 'endStream' | 'noteSource'> &
    Pick<ChunkStore, 'takenChunks' | 'rejectChunk'> &
    Pick<HoldStore, 'listHolds'>;
  readonly objects: PushedTimelineDeps['objects'] & Pick<ObjectStore, 'head' | 'delete'>;
  readonly metrics: ChunkMetrics;
  readonly defaults: StreamSettings;
  readonly maxChunkBytes: number;
}

interface Waiting {
  readonly event: EventInHand<AnnouncedChunk>;
  readonly index: number;
  readonly durationMs: number;
  readonly sinceMs: number;
  retryAtMs: number;
  backOffMs: number;
}

/** What a writer knows of its stream. */
interface Opened {
  readonly stream: Stream;
  readonly timeline: PushedTimeline;
  readonly runs: ChunkRuns;
  readonly order: ChunkOrder;
  readonly source: SourceKeeper;
}

/** Turns the chunks that are announced for one stream into segments on its timeline, each index once. */
export class ChunkWriter implements SerialWriter<ChunkRecord> {
  readonly #streamId: string;
  readonly #fence: number;
  readonly #deps: ChunkWriterDeps;
  readonly #wake: () => void;
  #opened: Opened | null = null;
  #isStale = false;
  /** By rising index, then in order of announcement. */
  #waiting: Waiting[] = [];
  /** The highest index that was announced. */
  #announced = -1;
  /** What came behind an end that waits for what came before it; the end is the first. */
  #held: EventInHand<ChunkRecord>[] = [];
  #timer: Timer | null = null;

  constructor(streamId: string, fence: number, deps: ChunkWriterDeps, wake: () => void) {
    this.#streamId = streamId;
    this.#fence = fence;
    this.#deps = deps;
    this.#wake = wake;
  }

  get waiting(): number {
    return this.#waiting.length + this.#held.length;
  }

  refresh(): void {
    this.#isStale = true;
  }

  async take(event: EventInHand<ChunkRecord>): Promise<void> {
    if (this.waiting >= MAX_WAITING && event.record.kind === 'chunk') {
      return event.bury('too_many', `${MAX_WAITING} announcements of the stream wait already.`);
    }
    this.#held.push(event);
    await this.advance();
  }

  async advance(): Promise<void> {
    this.#timer?.cancel();
    if (this.waiting === 0 && !Number.isFinite(this.#opened?.source.dueAtMs)) return;
    try {
      await this.#advance(await this.#open());
    } catch (error) {
      if (!isZoetropeError(error, 'not_found') && !isZoetropeError(error, 'precondition_failed')) throw error;
      this.#giveUp(error);
    }
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** @throws not_found; precondition_failed: the stream takes no chunks */
  async #open(): Promise<Opened> {
    const { catalog, persistence } = this.#deps;
    const known = this.#opened;
    if (known !== null && !this.#isStale) return known;
    this.#isStale = false;
    const stream = await persistently(() => catalog.getStream(this.#streamId), persistence);
    if (stream.kind !== 'chunks') throw new ZoetropeError('precondition_failed', takesNoChunks(stream));
    if (known !== null) return this.#know({ ...known, stream });
    const source = new SourceKeeper(stream.id, stream.source, this.#deps);
    const place = { streamId: stream.id, rendition: MAIN_RENDITION, fence: this.#fence };
    const timeline = await persistently(() => PushedTimeline.open(this.#deps, place, source.notes), persistence);
    const runs = new ChunkRuns(await persistently(() => catalog.takenChunks(stream.id), persistence));
    return this.#know({ stream, timeline, runs, source, order: new ChunkOrder(runs.newest) });
  }

  #know(opened: Opened): Opened {
    this.#opened = opened;
    return opened;
  }

  /** The stream is gone, or none of ours. */
  #giveUp({ code, message }: ZoetropeError): void {
    this.stop();
    for (const { event } of this.#waiting.splice(0)) event.bury(code, message);
    for (const event of this.#held.splice(0)) event.bury(code, message);
    this.#opened = null;
    this.#announced = -1;
  }

  async #advance(opened: Opened): Promise<void> {
    const { clock, signal } = this.#deps.persistence;
    for (;;) {
      signal.throwIfAborted();
      await this.#admit(opened);
      const step = opened.order.next(this.#waiting, clock.monotonicMs(), this.#patience());
      if (step.kind === 'take') {
        await this.#write(step.chunk, step.isLate);
      } else if (this.#held.length > 0 && this.#waiting.length === 0) {
        const [end] = this.#held.splice(0, 1);
        if (end?.record.kind === 'end') await this.#end(opened, { ...end, record: end.record });
      } else {
        await opened.source.catchUp();
        const lookAtMs = Math.min(step.untilMs, opened.source.dueAtMs);
        if (!Number.isFinite(lookAtMs)) return;
        this.#timer = clock.schedule(Math.max(1, lookAtMs - clock.monotonicMs()), this.#wake);
        return;
      }
    }
  }

  #patience(): ChunkPatience {
    if (this.#waiting.length >= PATIENT_WAITING) return 'none';
    return this.#held.length > 0 ? 'announced' : 'full';
  }

  /** Lets chunks wait for their turn that came before the next end. */
  async #admit({ runs, source }: Opened): Promise<void> {
    for (;;) {
      const [event] = this.#held;
      if (event?.record.kind !== 'chunk') return;
      const { record } = event;
      const isTwin = this.#waiting.some(({ event: other }) => isSame(other.record, record));
      if (runs.has(record.index) || isTwin) {
        source.notes.count('duplicates');
        this.#deps.metrics.duplicate();
        if (!isTwin) await this.#remove(record);
        await source.nowAndThen();
        event.done();
      } else {
        const { index, durationMs } = record;
        this.#announced = Math.max(this.#announced, index);
        const sinceMs = this.#deps.persistence.clock.monotonicMs();
        const chunk = { event: { ...event, record }, index, durationMs, sinceMs };
        const at = this.#waiting.findIndex((other) => other.index > index);
        this.#waiting.splice(at === -1 ? this.#waiting.length : at, 0, {
          ...chunk,
          retryAtMs: sinceMs,
          backOffMs: FIRST_BACK_OFF_MS,
        });
      }
      this.#held.shift();
    }
  }

  async #write(chunk: Waiting, isLate: boolean): Promise<void> {
    const { metrics } = this.#deps;
    const { record } = chunk.event;
    const opened = await this.#open();
    const { runs, source, order, timeline } = opened;
    const name = String(record.index);
    let taken: Awaited<ReturnType<PushedTimeline['take']>> = 'duplicate';
    if (runs.has(record.index)) {
      // Announced twice, in two ways, and the other one was right.
      source.notes.count('duplicates');
      metrics.duplicate();
    } else {
      try {
        taken = await this.#put(opened, record, isLate);
      } catch (error) {
        if (isZoetropeError(error, 'missing_input') && this.#isLookedForAgain(chunk)) return;
        if (!isZoetropeError(error) || !REJECTING.has(error.code)) throw error;
        taken = timeline.reject(name, error);
      }
    }
    // It counts as missing until it comes as it was announced.
    if (taken === 'rejected') return this.#rejected(opened, chunk);
    const missing = order.passed(record.index);
    if (missing > 0) metrics.missing(missing);
    runs.add(record.index);
    await source.nowAndThen();
    await this.#remove(record);
    this.#leave(chunk);
    chunk.event.done();
  }

  /** From here on it is not given up with the stream. */
  #leave(chunk: Waiting): void {
    this.#waiting = this.#waiting.filter((other) => other !== chunk);
  }

  /** @throws what says why it cannot be taken */
  async #put(opened: Opened, record: AnnouncedChunk, isLate: boolean): ReturnType<PushedTimeline['take']> {
    const { defaults, objects, persistence, ids, maxChunkBytes } = this.#deps;
    const { stream, timeline, runs } = opened;
    checkIndex(record.index, runs);
    const settings = effectiveSettings(stream, defaults);
    await this.#checkTime(record, settings);
    const read = await persistently(() => readChunk(record, objects, maxChunkBytes), {
      ...persistence,
      isTransient: (error) => isRetryable(error) && !isZoetropeError(error, 'missing_input'),
    });
    const file: SegmentFile = {
      kind: 'segment',
      streamId: stream.id,
      name: String(record.index),
      id: ids.next('segment'),
      objectKey: record.objectKey,
      sizeBytes: record.sizeBytes,
      receivedAtMs: record.receivedAtMs,
      chunkIndex: record.index,
      ...read,
    };
    const facts = {
      programDateTimeMs: record.startMs,
      discontinuity: false,
      isOutOfOrder: isLate,
      endedByMs: null,
      durationMs: record.durationMs,
    };
    // A late chunk fills a hole in what has ended; only one behind its end lets it go on.
    const endedAtMs = isLate ? null : stream.endedAtMs;
    if (endedAtMs !== null) await this.#setEnd(opened, null);
    // It was judged above whether the time may be: now it counts as said.
    const judged = { ...settings, futureToleranceMs: Infinity, retentionMs: Infinity };
    const taken = await timeline.take(file, null, facts, judged);
    if (taken === 'rejected' && endedAtMs !== null) await this.#setEnd(await this.#open(), endedAtMs);
    return taken;
  }

  /** @throws out_of_range */
  async #checkTime({ startMs, receivedAtMs }: AnnouncedChunk, settings: StreamSettings): Promise<void> {
    const { catalog, persistence } = this.#deps;
    const isAhead = startMs > receivedAtMs + settings.futureToleranceMs;
    if (!isAhead && startMs >= persistence.clock.nowMs() - settings.retentionMs) return;
    if (!isAhead && (await persistently(() => isRecordedAt(catalog, this.#streamId, startMs), persistence))) return;
    const where = isAhead ? 'in the future; set the source’s clock' : 'before the retained window';
    throw new ZoetropeError('out_of_range', `The chunk's timestamp ${formatRfc3339(startMs)} lies ${where}.`);
  }

  /** False: it was looked for long enough. */
  #isLookedForAgain(chunk: Waiting): boolean {
    const nowMs = this.#deps.persistence.clock.monotonicMs();
    if (nowMs >= chunk.sinceMs + OBJECT_WAIT_MS) return false;
    chunk.retryAtMs = Math.min(nowMs + chunk.backOffMs, chunk.sinceMs + OBJECT_WAIT_MS);
    chunk.backOffMs *= 2;
    return true;
  }

  /** Its object stays: a corrected announcement may name it. */
  async #rejected({ source }: Opened, chunk: Waiting): Promise<void> {
    const { record, bury } = chunk.event;
    const { catalog, persistence } = this.#deps;
    const { code = 'internal', message = '' } = source.notes.report.lastRejection ?? {};
    const { algorithm, hex } = record.checksum;
    const rejection = {
      streamId: this.#streamId,
      chunkIndex: record.index,
      objectKey: record.objectKey,
      checksum: `${algorithm}:${hex}`,
      code,
      message,
    };
    await persistently(() => catalog.rejectChunk(rejection), persistence);
    await source.write();
    this.#leave(chunk);
    bury(code, message);
  }

  async #end(opened: Opened, { record, done }: EventInHand<StreamEnd>): Promise<void> {
    const stream = await opened.source.end(record.receivedAtMs);
    if (stream !== null) {
      this.#know({ ...opened, stream });
      // What was rejected before and comes right after is late, and does not let the stream go on.
      if (this.#announced >= 0) opened.order.passed(this.#announced);
    }
    done();
  }

  async #setEnd(opened: Opened, atMs: number | null): Promise<void> {
    const { catalog, persistence } = this.#deps;
    const endedAtMs = atMs === null ? null : wallMs(atMs);
    const stream = await persistently(() => catalog.endStream(this.#streamId, endedAtMs), persistence);
    this.#know({ ...opened, stream });
  }

  async #remove({ objectKey }: AnnouncedChunk): Promise<void> {
    await persistently(() => this.#deps.objects.delete([objectKey]), this.#deps.persistence);
  }
}

/** @throws out_of_range */
function checkIndex(index: number, { newest }: ChunkRuns): void {
  if (newest === null || index <= newest + FARTHEST_AHEAD) return;
  throw new ZoetropeError(
    'out_of_range',
    `The newest chunk is ${newest}; ${index} lies more than ${FARTHEST_AHEAD} ahead. Count up by one from chunk to chunk.`,
  );
}

/** Whether two announcements say the same. */
function isSame(a: AnnouncedChunk, b: AnnouncedChunk): boolean {
  return (
    a.index === b.index && a.objectKey === b.objectKey && a.checksum.hex === b.checksum.hex && a.startMs === b.startMs
  );
}
