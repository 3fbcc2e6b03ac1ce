import type { Clock } from '../../base/clock.ts';
import { isZoetropeError, messageOf, ZoetropeError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Catalog, CatalogChange, Window } from '../../catalog/catalog.ts';
import type { CopyCursor } from '../../catalog/copy-store.ts';
import type { Rendition } from '../../timeline/rendition.ts';
import type { Segment } from '../../timeline/segment.ts';
import type { Stream } from '../../timeline/stream.ts';
import { MOST_ROWS, type EdgeCursor, type EdgeStream } from '../protocol.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import { Bell } from './bell.ts';
import type { ControlClient } from './control-client.ts';
import { rowsOf } from './edge-rows.ts';
import { endsSession, type EdgeSession } from './edge-session.ts';
import { retryDelayMs } from './retry-delay.ts';
import { runTogether } from './run-together.ts';

/** Streams that are copied at once. */
const LANES = 4;
const STREAMS_AT_ONCE = 1000;
const NOTHING: CopyCursor = { nextSequence: 0, nextLateSequence: 0 };

/** What copies timelines to control. */
export interface RowReplicatorDeps {
  readonly catalog: Pick<Catalog, 'getStream' | 'listStreams' | 'renditionsOf' | 'segmentsFrom' | 'onChange'>;
  readonly client: Pick<ControlClient, 'putStream' | 'deleteStream' | 'sendRows'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: AgentMetrics;
  readonly random: () => number;
  /** On-time segments of a rendition whose rows control has just taken, when they are its newest. */
  readonly onNewest: (segments: readonly Segment[]) => void;
}

/** What control was told of a stream. */
type Told = Omit<EdgeStream, 'session'>;

/**
 * Copies the rows of all streams to control: for each rendition from where control has got to, woken by the catalog's change feed. Streams are
 * independent of each other; one's trouble is tried again alone.
 */
export class RowReplicator {
  readonly #deps: RowReplicatorDeps;
  readonly #bell = new Bell();
  readonly #changed = new Set<string>();
  readonly #busy = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #told = new Map<string, Told>();
  /** Streams that somebody has deleted at control. */
  readonly #unwanted = new Set<string>();
  /** By stream and rendition: how far control has come, and how far there is anything. */
  readonly #sent = new Map<string, CopyCursor>();
  readonly #there = new Map<string, CopyCursor>();
  #unsubscribe: (() => void) | undefined;

  constructor(deps: RowReplicatorDeps) {
    this.#deps = deps;
  }

  /** Rows that control has not taken yet, as far as is known. */
  get backlogRows(): number {
    let sum = 0;
    for (const [key, there] of this.#there) {
      const sent = this.#sent.get(key) ?? NOTHING;
      sum += Math.max(0, there.nextSequence - sent.nextSequence);
      sum += Math.max(0, there.nextLateSequence - sent.nextLateSequence);
    }
    return sum;
  }

  /** Begins to listen for changes. */
  start(): void {
    this.#unsubscribe = this.#deps.catalog.onChange((change) => this.#note(change));
  }

  close(): void {
    this.#unsubscribe?.();
  }

  /** Copies for as long as a session holds. @throws what ended it */
  async run(session: EdgeSession, cursors: readonly EdgeCursor[]): Promise<void> {
    this.#sent.clear();
    this.#unwanted.clear();
    this.#failures.clear();
    for (const cursor of cursors) this.#sent.set(keyOf(cursor.streamId, cursor.rendition), cursor);
    const known = new Set(cursors.map(({ streamId }) => streamId));
    for (const id of this.#told.keys()) if (!known.has(id)) this.#told.delete(id);
    // What control has and the edge has not is found missing, and control told.
    for (const id of known) this.#changed.add(id);
    for await (const { id } of this.#allStreams()) this.#changed.add(id);
    const lane = (signal: AbortSignal): Promise<void> => this.#copyOn({ ...session, signal });
    const lanes = Array.from({ length: LANES }, () => lane);
    await runTogether(lanes, session.signal);
  }

  #note({ streamIds, appended }: CatalogChange): void {
    for (const { rendition } of appended) this.#noteThere(rendition);
    for (const id of streamIds) this.#changed.add(id);
    this.#bell.ring();
  }

  #noteThere(rendition: Rendition): void {
    const { streamId, name, nextSequence, nextLateSequence } = rendition;
    this.#there.set(keyOf(streamId, name), { nextSequence, nextLateSequence });
  }

  async *#allStreams(): AsyncIterable<Stream> {
    let cursor: string | undefined;
    do {
      const page = await this.#deps.catalog.listStreams(
        {},
        { limit: STREAMS_AT_ONCE, ...(cursor === undefined ? {} : { cursor }) },
      );
      yield* page.items;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }

  async #copyOn(session: EdgeSession): Promise<never> {
    for (;;) {
      const streamId = await this.#next(session.signal);
      try {
        await this.#copy(streamId, session);
        this.#failures.delete(streamId);
      } catch (error) {
        this.#changed.add(streamId);
        session.signal.throwIfAborted();
        if (endsSession(error)) throw error;
        this.#afterFailure(streamId, error);
      } finally {
        this.#busy.delete(streamId);
        this.#bell.ring();
      }
    }
  }

  async #next(signal: AbortSignal): Promise<string> {
    for (;;) {
      signal.throwIfAborted();
      for (const id of this.#changed) {
        if (this.#busy.has(id)) continue;
        this.#changed.delete(id);
        this.#busy.add(id);
        return id;
      }
      await this.#bell.wait(signal);
    }
  }

  #afterFailure(streamId: string, error: unknown): void {
    const { clock, logger, metrics, random } = this.#deps;
    this.#changed.delete(streamId);
    if (isZoetropeError(error, 'gone')) {
      this.#unwanted.add(streamId);
      logger.info({ streamId }, 'control has deleted this stream; it is not sent there any more');
      return;
    }
    // Control does not know the stream (any more): it is made again before its rows.
    if (isZoetropeError(error, 'not_found')) this.#told.delete(streamId);
    const failures = (this.#failures.get(streamId) ?? 0) + 1;
    this.#failures.set(streamId, failures);
    const delayMs = retryDelayMs(failures, random);
    metrics.retry('rows');
    logger.warn({ streamId, error: messageOf(error), delayMs }, 'a stream could not be copied to control; tried again');
    clock.schedule(delayMs, () => {
      this.#changed.add(streamId);
      this.#bell.ring();
    });
  }

  async #copy(streamId: string, session: EdgeSession): Promise<void> {
    if (this.#unwanted.has(streamId)) return;
    const { catalog } = this.#deps;
    let stream: Stream;
    let renditions: readonly Rendition[];
    try {
      stream = await catalog.getStream(streamId);
      renditions = await catalog.renditionsOf(streamId);
    } catch (error) {
      if (!isZoetropeError(error, 'not_found')) throw error;
      return this.#forget(streamId, session);
    }
    // Of assets control has no use, and what an edge of our own has is not ours to pass on.
    if (stream.kind === 'asset' || stream.edgeId !== null) return;
    const { kind, name, endedAtMs } = stream;
    const before = this.#told.get(streamId)?.endedAtMs ?? null;
    // That it goes on again is said before its rows, that it has ended after them.
    await this.#tell(streamId, { kind, name, endedAtMs: endedAtMs === null ? null : before }, session);
    for (const rendition of renditions) await this.#copyRendition(rendition, session);
    await this.#tell(streamId, { kind, name, endedAtMs }, session);
  }

  async #tell(streamId: string, stream: Told, session: EdgeSession): Promise<void> {
    const told = this.#told.get(streamId);
    const { kind, name, endedAtMs } = stream;
    if (told?.kind === kind && told.name === name && told.endedAtMs === endedAtMs) return;
    await this.#deps.client.putStream(streamId, { session: session.number, ...stream }, session.signal);
    this.#told.set(streamId, stream);
  }

  async #forget(streamId: string, { number, signal }: EdgeSession): Promise<void> {
    const isKnown = this.#told.has(streamId) || [...this.#sent.keys()].some((key) => key.startsWith(`${streamId}/`));
    if (isKnown) await this.#deps.client.deleteStream(streamId, number, signal);
    this.#told.delete(streamId);
    for (const cursors of [this.#sent, this.#there]) {
      for (const key of cursors.keys()) if (key.startsWith(`${streamId}/`)) cursors.delete(key);
    }
  }

  async #copyRendition({ streamId, name }: Rendition, session: EdgeSession): Promise<void> {
    const { catalog, client, metrics } = this.#deps;
    const key = keyOf(streamId, name);
    for (;;) {
      const from = this.#sent.get(key) ?? NOTHING;
      const window = await catalog.segmentsFrom(streamId, name, from, MOST_ROWS);
      if (window.segments.length === 0) {
        // What lies between was removed before it could be copied: nobody has it any more.
        this.#there.set(key, from);
        return;
      }
      this.#noteThere(window.rendition);
      const { rows, epochs, segments } = rowsOf(window);
      const sent = await client.sendRows(
        streamId,
        { session: session.number, rendition: name, epochs, rows },
        session.signal,
      );
      this.#sent.set(key, sent);
      if (sent.nextSequence === from.nextSequence && sent.nextLateSequence === from.nextLateSequence) {
        throw new ZoetropeError(
          'unavailable',
          `Control took none of ${rows.length} rows of ${streamId} from ${from.nextSequence} on.`,
          { details: { status: 200 } },
        );
      }
      metrics.rows(rows.length);
      this.#tellNewest(window, segments);
    }
  }

  #tellNewest({ rendition }: Window, segments: readonly Segment[]): void {
    const onTime = segments.filter(({ placement }) => placement === 'onTime');
    if (onTime.at(-1)?.sequence === rendition.nextSequence - 1) this.#deps.onNewest(onTime);
  }
}

function keyOf(streamId: string, rendition: string): string {
  return `${streamId}/${rendition}`;
}
