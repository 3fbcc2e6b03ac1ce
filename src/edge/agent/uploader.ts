import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { isZoetropeError, messageOf, ZoetropeError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import type { Segment } from '../../timeline/segment.ts';
import type { EdgeDesired } from '../protocol.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import { Bell } from './bell.ts';
import type { ControlClient } from './control-client.ts';
import { endsSession, type EdgeSession } from './edge-session.ts';
import { retryDelayMs } from './retry-delay.ts';
import { runTogether } from './run-together.ts';
import { SendQueue, type SendJob, type Wanted } from './send-queue.ts';
import { TokenBucket } from './token-bucket.ts';

/** Segments under way at once: pressing ones, and beside them those that fill up. */
const PRESSING_LANES = 4;
const FILL_LANES = 6;
/** Newest segments of a rendition that are sent when its stream becomes live: what a player begins with. */
const FIRST_LIVE = 3;
const GONE_AT_ONCE = 200;

/** What sends segments. */
export interface UploaderDeps {
  readonly catalog: Pick<Catalog, 'getSegment' | 'renditionsOf' | 'liveWindow'>;
  readonly objects: Pick<ObjectStore, 'open'>;
  readonly client: Pick<ControlClient, 'putSegment' | 'reportGone'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: AgentMetrics;
  readonly random: () => number;
  /** For what fills up; 0: no limit. */
  readonly fillBytesPerS: number;
}

/** Sends the segments that control wants, and nothing else: each until control has it, has given it up, or wants it no more. */
export class Uploader {
  readonly #deps: UploaderDeps;
  readonly #queue: SendQueue;
  readonly #bucket: TokenBucket;
  readonly #bell = new Bell();
  /** Bytes that are here no more, and control is still to be told. */
  readonly #gone = new Set<string>();
  #live: ReadonlySet<string> = new Set();
  #sentBytes = 0;
  #sentSegments = 0;

  constructor(deps: UploaderDeps) {
    this.#deps = deps;
    this.#queue = new SendQueue(deps.clock);
    this.#bucket = new TokenBucket(deps.clock, deps.fillBytesPerS);
  }

  /** How much is to be sent, and how much has been. */
  stats(): {
    readonly backlogSegments: number;
    readonly backlogBytes: number;
    readonly sentSegments: number;
    readonly sentBytes: number;
    readonly liveStreams: number;
  } {
    return {
      backlogSegments: this.#queue.size,
      backlogBytes: this.#queue.sizeBytes,
      sentSegments: this.#sentSegments,
      sentBytes: this.#sentBytes,
      liveStreams: this.#live.size,
    };
  }

  /** Sends for as long as a session holds. @throws what ended it */
  async run(session: EdgeSession): Promise<void> {
    this.#queue.clear();
    this.#gone.clear();
    this.#live = new Set();
    const pressing = (signal: AbortSignal): Promise<void> => this.#sendPressing({ ...session, signal });
    const fill = (signal: AbortSignal): Promise<void> => this.#sendFill({ ...session, signal });
    await runTogether(
      [
        ...Array.from({ length: PRESSING_LANES }, () => pressing),
        ...Array.from({ length: FILL_LANES }, () => fill),
        (signal) => this.#tellGone({ ...session, signal }),
      ],
      session.signal,
    );
  }

  /** Takes what control wants. It was asked at `askedAtMs` (monotonic). */
  async want({ segments, live }: Pick<EdgeDesired, 'segments' | 'live'>, askedAtMs: number): Promise<void> {
    const list: Wanted[] = [];
    for (const { id, urgent } of segments) {
      const segment = await this.#find(id);
      if (segment !== null) list.push({ segment, urgent });
    }
    this.#queue.want(list, askedAtMs);
    const before = this.#live;
    this.#live = new Set(live);
    this.#queue.keepLive(this.#live);
    for (const streamId of live) if (!before.has(streamId)) await this.#beginLive(streamId);
    this.#bell.ring();
  }

  /** Control has just taken the rows of these, the newest of their rendition. */
  offer(segments: readonly Segment[]): void {
    const newest = segments.slice(-FIRST_LIVE).filter(({ streamId, lost }) => this.#live.has(streamId) && !lost);
    if (newest.length === 0) return;
    this.#queue.offerLive(newest);
    this.#bell.ring();
  }

  async #find(id: string): Promise<Segment | null> {
    if (this.#gone.has(id)) return null;
    const known = this.#queue.known(id);
    if (known !== undefined) return known;
    try {
      const segment = await this.#deps.catalog.getSegment(id);
      if (!segment.lost) return segment;
    } catch (error) {
      if (!isZoetropeError(error, 'not_found')) throw error;
    }
    this.#giveUp(id, 'its row says that it was lost, or is not here any more');
    return null;
  }

  async #beginLive(streamId: string): Promise<void> {
    const { catalog } = this.#deps;
    try {
      for (const { name } of await catalog.renditionsOf(streamId)) {
        this.offer((await catalog.liveWindow(streamId, FIRST_LIVE, name)).segments);
      }
    } catch (error) {
      // Deleted meanwhile: control is told by its rows.
      if (!isZoetropeError(error, 'not_found')) throw error;
    }
  }

  async #sendPressing(session: EdgeSession): Promise<never> {
    for (;;) {
      const job = this.#queue.takePressing();
      if (job === undefined) await this.#bell.wait(session.signal);
      else await this.#send(job, session);
    }
  }

  async #sendFill(session: EdgeSession): Promise<never> {
    const { signal } = session;
    for (;;) {
      if (this.#queue.hasPressing() || !this.#queue.hasFill()) {
        await this.#bell.wait(signal);
        continue;
      }
      await this.#bucket.ready(signal);
      // What has come to be pressing meanwhile goes first.
      const job = this.#queue.hasPressing() ? undefined : this.#queue.takeFill();
      if (job === undefined) continue;
      this.#bucket.pay(job.segment.sizeBytes);
      await this.#send(job, session);
    }
  }

  async #send({ segment, reason }: SendJob, session: EdgeSession): Promise<void> {
    const { client, metrics } = this.#deps;
    const { id, sizeBytes } = segment;
    const own: { fault?: unknown } = {};
    try {
      const bytes = this.#read(segment, own, session.signal);
      await client.putSegment({ id, session: session.number, sizeBytes, bytes }, session.signal);
      this.#queue.settle(id);
      this.#sentSegments++;
      this.#sentBytes += sizeBytes;
      metrics.segment(reason, sizeBytes);
    } catch (error) {
      session.signal.throwIfAborted();
      await this.#afterFailure(segment, own.fault ?? error, own.fault === undefined, session.signal);
    } finally {
      this.#bell.ring();
    }
  }

  async #afterFailure(segment: Segment, error: unknown, isControls: boolean, signal: AbortSignal): Promise<void> {
    const { id } = segment;
    if (isControls && endsSession(error)) throw error;
    if (isControls && isZoetropeError(error, 'not_found')) return this.#queue.drop(id);
    const isDoubtful = isControls ? isMismatch(error) : isZoetropeError(error) && !error.retryable;
    const isMissing = !isControls && isZoetropeError(error, 'missing_input');
    if (isMissing || (isDoubtful && (await this.#isDamaged(segment, signal)))) {
      return this.#giveUp(id, messageOf(error));
    }
    const { clock, logger, metrics, random } = this.#deps;
    const delayMs = this.#queue.fail(id, (failures) => retryDelayMs(failures, random));
    metrics.retry('segment');
    logger.warn({ segmentId: id, error: messageOf(error), delayMs }, 'a segment could not be sent; tried again');
    clock.schedule(delayMs + 1, () => this.#bell.ring());
  }

  #giveUp(id: string, why: string): void {
    this.#queue.settle(id);
    this.#gone.add(id);
    this.#deps.metrics.gone();
    this.#deps.logger.warn({ segmentId: id, why }, 'control wants a segment that is here no more');
    this.#bell.ring();
  }

  async #tellGone({ number, signal }: EdgeSession): Promise<never> {
    const { client, clock, logger, random } = this.#deps;
    for (let failures = 0; ;) {
      if (this.#gone.size === 0) {
        await this.#bell.wait(signal);
        continue;
      }
      const ids = [...this.#gone].slice(0, GONE_AT_ONCE);
      try {
        await client.reportGone({ session: number, ids }, signal);
        for (const id of ids) {
          this.#gone.delete(id);
          this.#queue.settle(id);
        }
        failures = 0;
      } catch (error) {
        signal.throwIfAborted();
        if (endsSession(error)) throw error;
        failures += 1;
        logger.warn({ error: messageOf(error) }, 'control could not be told what is gone; tried again');
        await clock.wait(retryDelayMs(failures, random), signal);
      }
    }
  }

  /** A segment's bytes, no more and no fewer than its row says. What fails here is noted as our own. */
  async *#read(segment: Segment, own: { fault?: unknown }, signal: AbortSignal): AsyncIterable<Uint8Array> {
    let sizeBytes = 0;
    try {
      for await (const chunk of this.#deps.objects.open(segment.objectKey, { signal })) {
        sizeBytes += chunk.length;
        if (sizeBytes > segment.sizeBytes) break;
        yield chunk;
      }
      if (sizeBytes === segment.sizeBytes) return;
      throw new ZoetropeError(
        'corrupt_media',
        `Segment ${segment.id} should have ${segment.sizeBytes} bytes, and has ${sizeBytes} or more.`,
      );
    } catch (error) {
      own.fault = error;
      throw error;
    }
  }

  async #isDamaged({ objectKey, sha256 }: Segment, signal: AbortSignal): Promise<boolean> {
    const hash = createHash('sha256');
    try {
      for await (const chunk of this.#deps.objects.open(objectKey, { signal })) hash.update(chunk);
    } catch (error) {
      if (isZoetropeError(error, 'missing_input')) return true;
      throw error;
    }
    return hash.digest('hex') !== sha256;
  }
}

/** Whether control says that these are not the bytes of the row. */
function isMismatch(error: unknown): boolean {
  return isZoetropeError(error) && error.details['status'] === 400;
}
