import type { Clock, Timer } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { StreamStore } from '../../catalog/catalog.ts';
import type { StreamSettings } from '../../timeline/stream.ts';
import { stateOf, timeJson, type StreamState } from './json.ts';

const POLL_MS = 1000;
const PAGE = 1000;

/** What is told of a stream. */
export interface StreamNews {
  readonly id: string;
  readonly state: StreamState;
  readonly lastCapturedAt: string | null;
  readonly lastReceivedAt: string | null;
}

/** Someone who wants to know. */
export interface StreamSubscriber {
  canSee(tenant: string): boolean;
  changed(news: StreamNews): unknown;
  removed(id: string): unknown;
}

interface Known {
  readonly tenant: string;
  readonly news: StreamNews;
  /** Of the poll that saw it last. */
  round: number;
}

/** Tells subscribers how streams fare: reads the catalog once a second however many there are, and not at all for none. */
export class StreamFeed {
  readonly #deps: {
    readonly catalog: Pick<StreamStore, 'listStreams'>;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly defaults: StreamSettings;
  };
  readonly #subscribers = new Set<StreamSubscriber>();
  readonly #known = new Map<string, Known>();
  #round = 0;
  /** Of the timer: a poll that outlives its subscribers must not go on beside the next ones'. */
  #generation = 0;
  #polling: Promise<void> | undefined;
  #timer: Timer | undefined;

  constructor(deps: {
    readonly catalog: Pick<StreamStore, 'listStreams'>;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly defaults: StreamSettings;
  }) {
    this.#deps = deps;
  }

  /** Tells the state of every stream at once, then each change. Answers how to stop. @throws what the catalog throws. */
  async subscribe(subscriber: StreamSubscriber): Promise<() => void> {
    if (this.#subscribers.size === 0) {
      await this.#polling?.catch(() => undefined); // It began for others and may have missed what changed since.
      await this.#poll();
    }
    for (const { tenant, news } of this.#known.values()) if (subscriber.canSee(tenant)) subscriber.changed(news);
    this.#subscribers.add(subscriber);
    this.#timer ??= this.#scheduleNext(++this.#generation);
    return () => this.#unsubscribe(subscriber);
  }

  #unsubscribe(subscriber: StreamSubscriber): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#known.clear();
  }

  #scheduleNext(generation: number): Timer {
    return this.#deps.clock.schedule(POLL_MS, () => {
      this.#poll()
        .catch((error: unknown) => this.#deps.logger.warn({ error: messageOf(error) }, 'could not read the streams'))
        .finally(() => {
          const isCurrent = this.#timer !== undefined && this.#generation === generation;
          if (isCurrent) this.#timer = this.#scheduleNext(generation);
        });
    });
  }

  #poll(): Promise<void> {
    this.#polling ??= this.#readAll().finally(() => {
      this.#polling = undefined;
    });
    return this.#polling;
  }

  async #readAll(): Promise<void> {
    const round = ++this.#round;
    let cursor: string | undefined;
    do {
      const page = await this.#deps.catalog.listStreams(
        {},
        { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) },
      );
      const nowMs = this.#deps.clock.nowMs();
      for (const stream of page.items) {
        this.#note(stream.tenant, round, {
          id: stream.id,
          state: stateOf(stream, { defaults: this.#deps.defaults, nowMs }),
          lastCapturedAt: timeJson(stream.lastCapturedAtMs),
          lastReceivedAt: timeJson(stream.lastReceivedAtMs),
        });
      }
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    for (const [id, known] of this.#known) if (known.round !== round) this.#forget(id, known.tenant);
  }

  #note(tenant: string, round: number, news: StreamNews): void {
    const known = this.#known.get(news.id);
    if (known !== undefined && isSame(known.news, news)) {
      known.round = round;
      return;
    }
    this.#known.set(news.id, { tenant, news, round });
    for (const subscriber of this.#subscribers) if (subscriber.canSee(tenant)) subscriber.changed(news);
  }

  #forget(id: string, tenant: string): void {
    this.#known.delete(id);
    for (const subscriber of this.#subscribers) if (subscriber.canSee(tenant)) subscriber.removed(id);
  }
}

function isSame(a: StreamNews, b: StreamNews): boolean {
  return a.state === b.state && a.lastCapturedAt === b.lastCapturedAt && a.lastReceivedAt === b.lastReceivedAt;
}
