import type { Clock, Timer } from '../../base/clock.ts';
import type { Component } from '../../base/component.ts';
import { messageOf, ZoetropeError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { formatRfc3339 } from '../../base/time.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { awaySince } from '../../timeline/edge.ts';
import type { Segment } from '../../timeline/segment.ts';
import type { Stream } from '../../timeline/stream.ts';
import type { EdgeMetrics } from './edge-metrics.ts';

/** An edge that went away just now may be coming back: a moment is waited for it. */
const AWAY_GRACE_MS = 3000;
/** Segments that requests of this process wait for at once. */
const MOST_AWAITED = 2000;
/** Seconds after which a client may ask again. */
const RETRY_AFTER_S = 5;
/** A newest picture is asked for so often. */
const PICTURE_EVERY_MS = 60_000;
/** Streams whose watchers are remembered. */
const MOST_STREAMS = 20_000;

/** What asking edges works with. */
export interface RemoteMediaDeps {
  readonly catalog: Pick<Catalog, 'getSegment' | 'getStream' | 'edgesOf' | 'watchStream' | 'wantSegment' | 'onChange'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<EdgeMetrics, 'waited'>;
  readonly idleAfterMs: number;
  /** The longest that a request waits for bytes. */
  readonly waitMs: number;
}

interface Awaited {
  readonly edgeId: string;
  look(): void;
}

/** Where delivery says what is watched of edges' streams, and waits for bytes that are not here yet. */
export class RemoteMedia implements Component {
  readonly name = 'media of edges';
  readonly #deps: RemoteMediaDeps;
  /** When streams of edges were last marked as watched, by a clock that never runs back. */
  readonly #marked = new Map<string, number>();
  readonly #pictures = new Map<string, number>();
  readonly #arriving = new Map<string, Promise<Segment>>();
  readonly #awaited = new Set<Awaited>();
  #stop: (() => void) | undefined;
  #isClosed = false;

  constructor(deps: RemoteMediaDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#stop = this.#deps.catalog.onChange(({ streamIds }) => {
      for (const one of this.#awaited) if (streamIds.includes(one.edgeId)) one.look();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stop?.();
    for (const one of this.#awaited) one.look();
  }

  /** Somebody was sent a playlist of a stream. */
  watched(stream: Pick<Stream, 'id' | 'edgeId'>): void {
    if (stream.edgeId === null) return void this.#marked.delete(stream.id);
    if (!this.#marked.has(stream.id)) remember(this.#marked, stream.id, Number.NEGATIVE_INFINITY);
    this.watchedAgain(stream.id);
  }

  /** As {@link RemoteMedia.watched}, of a stream that may be an edge's: costs nothing where it is none. */
  watchedAgain(streamId: string): void {
    const markedMs = this.#marked.get(streamId);
    if (markedMs === undefined) return;
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs - markedMs < this.#deps.idleAfterMs / 3) return;
    this.#marked.set(streamId, nowMs);
    this.#deps.catalog.watchStream(streamId, this.#deps.idleAfterMs).catch((error: unknown) => {
      this.#marked.set(streamId, Number.NEGATIVE_INFINITY);
      this.#deps.logger.warn({ streamId, error: messageOf(error) }, 'could not note that a stream is watched');
    });
  }

  /** The segment, once its bytes are here. @throws unavailable when they do not come, not_found when they never will */
  async arrived(segment: Segment): Promise<Segment> {
    if (!segment.remote) return segment;
    let arriving = this.#arriving.get(segment.id);
    if (arriving === undefined) {
      if (this.#arriving.size >= MOST_AWAITED) throw unavailable('Too many segments are waited for. Try again.');
      arriving = this.#await(segment).finally(() => this.#arriving.delete(segment.id));
      this.#arriving.set(segment.id, arriving);
    }
    return arriving;
  }

  /** A picture of this segment would be welcome, and nobody waits: a wall of streams must not pull everything, so this asks now and then. Answers whether it did. */
  async wish(segment: Segment): Promise<boolean> {
    const nowMs = this.#deps.clock.monotonicMs();
    const askedMs = this.#pictures.get(segment.streamId);
    if (askedMs !== undefined && nowMs - askedMs < PICTURE_EVERY_MS) return false;
    remember(this.#pictures, segment.streamId, nowMs);
    await this.#deps.catalog.wantSegment(segment.id);
    return true;
  }

  async #await(segment: Segment): Promise<Segment> {
    const { catalog, clock, metrics, waitMs } = this.#deps;
    const { edgeId } = await catalog.getStream(segment.streamId);
    const edge = edgeId === null ? undefined : (await catalog.edgesOf([edgeId])).get(edgeId);
    if (edge === undefined) throw await this.#settle(segment);
    const awayMs = awaySince(edge, clock.nowMs());
    if (awayMs !== null && clock.nowMs() - awayMs > AWAY_GRACE_MS) {
      metrics.waited('away');
      throw unavailable(
        `The bytes of segment ${segment.id} are at the edge ${edge.name}, which is away since ${formatRfc3339(awayMs)}. Try again when it is back.`,
      );
    }
    await using place = this.#place(edge.id, waitMs);
    await catalog.wantSegment(segment.id);
    for (;;) {
      // Retention may take it, and its edge may lose it.
      const now = await catalog.getSegment(segment.id);
      if (!now.remote) {
        metrics.waited('served');
        return now;
      }
      if (place.isOver()) break;
      await place.next();
    }
    metrics.waited('late');
    throw unavailable(
      `The bytes of segment ${segment.id} did not come from the edge ${edge.name} within ${waitMs / 1000} s. Try again.`,
    );
  }

  /** Its edge was removed meanwhile. */
  async #settle(segment: Segment): Promise<ZoetropeError> {
    const now = await this.#deps.catalog.getSegment(segment.id);
    if (now.remote) return unavailable(`The edge of segment ${segment.id} is not known any more. Try again.`);
    return new ZoetropeError('not_found', `The bytes of segment ${segment.id} were lost with its edge.`);
  }

  #place(edgeId: string, waitMs: number): AsyncDisposable & { isOver(): boolean; next(): Promise<void> } {
    let isOver = false;
    let hasNews = false;
    let resolve: (() => void) | undefined;
    const look = (): void => {
      hasNews = true;
      resolve?.();
    };
    const one: Awaited = { edgeId, look };
    this.#awaited.add(one);
    const timer: Timer = this.#deps.clock.schedule(waitMs, () => {
      isOver = true;
      look();
    });
    return {
      isOver: () => isOver || this.#isClosed,
      next: async () => {
        if (!hasNews) {
          await new Promise<void>((wake) => {
            resolve = wake;
          });
        }
        hasNews = false;
        resolve = undefined;
      },
      [Symbol.asyncDispose]: async () => {
        timer.cancel();
        this.#awaited.delete(one);
      },
    };
  }
}

/** What is thrown for bytes that do not come: with when to ask again. */
function unavailable(message: string): ZoetropeError {
  return new ZoetropeError('unavailable', message, { details: { retryAfterS: RETRY_AFTER_S } });
}

function remember(known: Map<string, number>, id: string, atMs: number): void {
  known.delete(id);
  known.set(id, atMs);
  const oldest = known.size > MOST_STREAMS ? known.keys().next().value : undefined;
  if (oldest !== undefined) known.delete(oldest);
}
