import type { Clock } from '../../base/clock.ts';
import type { Segment } from '../../timeline/segment.ts';
import type { SendReason } from './agent-metrics.ts';

/** Newest segments of a live rendition that wait at most: who watches live has no use for older ones, and asks for those that it wants. */
const MOST_LIVE = 6;
/** Segments that are remembered as settled. */
const MOST_SETTLED = 2000;

/** What a segment is to be sent for. */
export interface SendJob {
  readonly segment: Segment;
  readonly reason: SendReason;
}

/** A segment that control wants. */
export interface Wanted {
  readonly segment: Segment;
  readonly urgent: boolean;
}

/**
 * Which segment is sent next: what somebody waits for, in the order of control's list; then what is live, oldest first; then the rest of the list.
 * A segment is under way once at a time. The list is replaced as a whole: what it names no more is not wanted.
 */
export class SendQueue {
  readonly #clock: Clock;
  #wanted = new Map<string, Wanted>();
  readonly #live = new Map<string, Segment>();
  readonly #underWay = new Set<string>();
  /** Failures in a row, and when it may be tried again. */
  readonly #failed = new Map<string, { readonly failures: number; readonly notBeforeMs: number }>();
  /** When control said that it has (or has given up) a segment. */
  readonly #settled = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Segments to be sent, those under way included. */
  get size(): number {
    let both = 0;
    for (const id of this.#live.keys()) if (this.#wanted.has(id)) both++;
    return this.#wanted.size + this.#live.size - both;
  }

  get sizeBytes(): number {
    let sum = 0;
    for (const { segment } of this.#wanted.values()) sum += segment.sizeBytes;
    for (const [id, segment] of this.#live) if (!this.#wanted.has(id)) sum += segment.sizeBytes;
    return sum;
  }

  /** Forgets everything: another session begins. */
  clear(): void {
    this.#wanted.clear();
    this.#live.clear();
    this.#underWay.clear();
    this.#failed.clear();
    this.#settled.clear();
  }

  /** The segment of an id that is wanted already. */
  known(id: string): Segment | undefined {
    return this.#wanted.get(id)?.segment ?? this.#live.get(id);
  }

  /** Takes control's list, which it made after `askedAtMs` (monotonic). What was settled since may still stand in it. */
  want(list: readonly Wanted[], askedAtMs: number): void {
    const fresh = list.filter(({ segment }) => (this.#settled.get(segment.id) ?? Number.NEGATIVE_INFINITY) < askedAtMs);
    this.#wanted = new Map(fresh.map((one) => [one.segment.id, one]));
    for (const id of this.#failed.keys()) if (!this.#wanted.has(id) && !this.#live.has(id)) this.#failed.delete(id);
  }

  /** Adds live segments, oldest first. */
  offerLive(segments: readonly Segment[]): void {
    for (const segment of segments) {
      if (this.#settled.has(segment.id)) continue;
      this.#live.set(segment.id, segment);
      const ofRendition = [...this.#live.values()].filter(({ renditionId }) => renditionId === segment.renditionId);
      for (const old of ofRendition.slice(0, -MOST_LIVE)) this.#live.delete(old.id);
    }
  }

  /** Live segments of other streams than these are not wanted any more. */
  keepLive(streamIds: ReadonlySet<string>): void {
    for (const [id, { streamId }] of this.#live) if (!streamIds.has(streamId)) this.#live.delete(id);
  }

  /** Whether something is to be sent at once. */
  hasPressing(): boolean {
    return this.#findPressing() !== undefined;
  }

  /** Whether something of the list may take its time. */
  hasFill(): boolean {
    return this.#findFill() !== undefined;
  }

  /** The next segment for which somebody waits, or that is live. End it with one of the next three. */
  takePressing(): SendJob | undefined {
    return this.#take(this.#findPressing());
  }

  /** The next one of the rest. */
  takeFill(): SendJob | undefined {
    return this.#take(this.#findFill());
  }

  /** Control has it, or knows that it will not get it. */
  settle(id: string): void {
    this.drop(id);
    this.#settled.set(id, this.#clock.monotonicMs());
    for (const oldest of this.#settled.keys()) {
      if (this.#settled.size <= MOST_SETTLED) break;
      this.#settled.delete(oldest);
    }
  }

  /** Nobody wants it, unless it is asked for again. */
  drop(id: string): void {
    this.#wanted.delete(id);
    this.#live.delete(id);
    this.#underWay.delete(id);
    this.#failed.delete(id);
  }

  /** It is tried again after a while, which the number of failures decides. Answers the while. */
  fail(id: string, delayMs: (failures: number) => number): number {
    this.#underWay.delete(id);
    const failures = (this.#failed.get(id)?.failures ?? 0) + 1;
    const waitMs = delayMs(failures);
    this.#failed.set(id, { failures, notBeforeMs: this.#clock.monotonicMs() + waitMs });
    return waitMs;
  }

  #take(job: SendJob | undefined): SendJob | undefined {
    if (job !== undefined) this.#underWay.add(job.segment.id);
    return job;
  }

  #findPressing(): SendJob | undefined {
    for (const { segment, urgent } of this.#wanted.values()) {
      if (urgent && this.#mayGo(segment)) return { segment, reason: 'urgent' };
    }
    for (const segment of this.#live.values()) if (this.#mayGo(segment)) return { segment, reason: 'live' };
    return undefined;
  }

  #findFill(): SendJob | undefined {
    for (const { segment, urgent } of this.#wanted.values()) {
      if (!urgent && this.#mayGo(segment)) return { segment, reason: 'fill' };
    }
    return undefined;
  }

  #mayGo({ id }: Segment): boolean {
    if (this.#underWay.has(id)) return false;
    return (this.#failed.get(id)?.notBeforeMs ?? Number.NEGATIVE_INFINITY) <= this.#clock.monotonicMs();
  }
}
