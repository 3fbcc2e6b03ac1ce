import type { Clock } from '../../base/clock.ts';
import type { Component } from '../../base/component.ts';
import { isZoetropeError, messageOf, ZoetropeError } from '../../base/errors.ts';
import type { IdSource } from '../../base/ids.ts';
import type { Logger } from '../../base/logger.ts';
import { wallMs, type WallMs } from '../../base/time.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { LONGEST_SYNC_WAIT_MS, type EdgeDesired, type EdgeStatus } from '../protocol.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import { ClockOffset } from './clock-offset.ts';
import { ControlClient } from './control-client.ts';
import type { EdgeSession } from './edge-session.ts';
import { retryDelayMs } from './retry-delay.ts';
import { RowReplicator } from './row-replicator.ts';
import { runTogether } from './run-together.ts';
import { Uploader } from './uploader.ts';

const EDGE_ID_SECRET = 'edge-id';
/** A session that held for so long was no failure. */
const SOUND_SESSION_MS = 30_000;
const STREAMS_AT_ONCE = 1000;
/** Control answers at once when it wants something else. If it does with the same again and again, it is not asked more often than this. */
const SAME_ANSWER_WAIT_MS = 1000;

/** What an edge is made with. */
export interface EdgeAgentDeps {
  readonly catalog: Pick<
    Catalog,
    | 'getSegment'
    | 'getStream'
    | 'keepForControl'
    | 'listStreams'
    | 'liveWindow'
    | 'onChange'
    | 'renditionsOf'
    | 'segmentsFrom'
    | 'serverSecret'
    | 'totals'
  >;
  readonly objects: Pick<ObjectStore, 'open' | 'freeBytes'>;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly metrics: AgentMetrics;
  /** The base URL of control. */
  readonly control: string;
  readonly key: string | null;
  readonly name: string;
  /** Of the program. */
  readonly version: string;
  /** For segments that fill up. 0: no limit. */
  readonly fillBytesPerS: number;
  /** The longest that a connection may stand still. */
  readonly stallMs: number;
  /** From 0 to 1, for jitter. Default: `Math.random`. */
  readonly random?: () => number;
}

/** How an edge fares, by itself. */
export interface EdgeAgentStatus {
  /** Null before its start. */
  readonly id: string | null;
  readonly name: string;
  /** Without a password. */
  readonly control: string;
  readonly connected: boolean;
  /** Since when it is so. */
  readonly sinceMs: WallMs | null;
  /** Why there is no link; null while there is one. */
  readonly lastError: string | null;
  readonly backlogRows: number;
  readonly backlogSegments: number;
  readonly backlogBytes: number;
  readonly sentSegments: number;
  readonly sentBytes: number;
  readonly liveStreams: number;
  readonly keptStretches: number;
  readonly clockOffsetMs: number | null;
  readonly roundTripMs: number | null;
}

/**
 * What makes a server an edge: it dials out to control, copies the rows of its timelines there, keeps what control wants kept and sends the segments
 * that it wants. Without a link the server goes on as if it were alone; the agent tries again for ever.
 */
export class EdgeAgent implements Component {
  readonly name = 'edge agent';
  readonly #deps: EdgeAgentDeps;
  readonly #random: () => number;
  readonly #stopping = new AbortController();
  readonly #offset = new ClockOffset();
  #parts:
    | { readonly client: ControlClient; readonly replicator: RowReplicator; readonly uploader: Uploader }
    | undefined;
  #id: string | null = null;
  #running: Promise<void> = Promise.resolve();
  #startedAtMs = 0;
  #link: Pick<EdgeAgentStatus, 'connected' | 'sinceMs' | 'lastError'> = {
    connected: false,
    sinceMs: null,
    lastError: null,
  };
  #keptStretches = 0;

  constructor(deps: EdgeAgentDeps) {
    this.#deps = deps;
    this.#random = deps.random ?? Math.random;
  }

  /** Does not wait for control. */
  async start(): Promise<void> {
    const { catalog, clock, control, ids, key, logger, stallMs } = this.#deps;
    const id = await catalog.serverSecret(EDGE_ID_SECRET, () => Buffer.from(ids.next('edge')));
    this.#id = Buffer.from(id).toString();
    this.#startedAtMs = clock.monotonicMs();
    const client = new ControlClient({ control, edgeId: this.#id, key, stallMs });
    const uploader = new Uploader({ ...this.#deps, client, random: this.#random });
    const replicator = new RowReplicator({
      ...this.#deps,
      client,
      random: this.#random,
      onNewest: (segments) => uploader.offer(segments),
    });
    replicator.start();
    this.#parts = { client, replicator, uploader };
    logger.info({ edgeId: this.#id, control: shownUrl(control) }, 'this server is an edge');
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#stopping.abort(new ZoetropeError('cancelled', 'The server is shutting down.'));
    await this.#running;
    this.#parts?.replicator.close();
    await this.#parts?.client.close();
  }

  /** How it fares. */
  status(): EdgeAgentStatus {
    const { name, control } = this.#deps;
    const uploads = this.#parts?.uploader.stats();
    const estimate = this.#offset.estimate();
    return {
      id: this.#id,
      name,
      control: shownUrl(control),
      ...this.#link,
      backlogRows: this.#parts?.replicator.backlogRows ?? 0,
      backlogSegments: uploads?.backlogSegments ?? 0,
      backlogBytes: uploads?.backlogBytes ?? 0,
      sentSegments: uploads?.sentSegments ?? 0,
      sentBytes: uploads?.sentBytes ?? 0,
      liveStreams: uploads?.liveStreams ?? 0,
      keptStretches: this.#keptStretches,
      clockOffsetMs: estimate?.offsetMs ?? null,
      roundTripMs: estimate?.roundTripMs ?? null,
    };
  }

  async #run(): Promise<void> {
    const { clock, metrics } = this.#deps;
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted;) {
      const beganAtMs = clock.monotonicMs();
      try {
        await this.#runSession(signal);
      } catch (error) {
        if (signal.aborted) return;
        const wasSound = this.#link.connected && !isZoetropeError(error, 'fenced');
        const wasLong = clock.monotonicMs() - beganAtMs > SOUND_SESSION_MS;
        failures = wasSound || wasLong ? 1 : failures + 1;
        this.#noteBreak(error);
        metrics.retry('session');
      }
      try {
        await clock.wait(retryDelayMs(failures, this.#random), signal);
      } catch {
        return; // Stopped while it waited.
      }
    }
  }

  async #runSession(stopping: AbortSignal): Promise<void> {
    const parts = this.#parts;
    if (parts === undefined) return;
    const { client, replicator, uploader } = parts;
    const { name, version } = this.#deps;
    const { session: number, cursors } = await client.register({ name, version }, stopping);
    await runTogether(
      [
        (signal) => replicator.run({ number, signal }, cursors),
        (signal) => uploader.run({ number, signal }),
        (signal) => this.#sync({ number, signal }),
      ],
      stopping,
    );
  }

  /** Asks control what it wants, again and again. */
  async #sync({ number: session, signal }: EdgeSession): Promise<never> {
    const { clock, stallMs } = this.#deps;
    const { client, uploader } = this.#parts ?? {};
    if (client === undefined || uploader === undefined)
      throw new ZoetropeError('internal', 'The agent has not started.');
    const waitMs = Math.min(LONGEST_SYNC_WAIT_MS, stallMs);
    for (let seen: string | null = null; ;) {
      const status = await this.#status();
      const sentAtMs = clock.nowMs();
      const askedAtMs = clock.monotonicMs();
      const desired: EdgeDesired = await client.sync({ session, seen, waitMs, sentAtMs, status }, signal);
      const tookMs = clock.monotonicMs() - askedAtMs;
      this.#offset.add({
        sentAtMs,
        receivedAtMs: desired.receivedAtMs,
        answeredAtMs: desired.sentAtMs,
        // The edge's clock may have been set meanwhile.
        arrivedAtMs: sentAtMs + tookMs,
      });
      await this.#keep(desired);
      await uploader.want(desired, askedAtMs);
      this.#noteLink();
      if (seen === desired.version && tookMs < waitMs / 2) await clock.wait(SAME_ANSWER_WAIT_MS, signal);
      seen = desired.version;
    }
  }

  async #keep({ keep }: EdgeDesired): Promise<void> {
    await this.#deps.catalog.keepForControl(
      keep.map(({ id, streamId, name, fromMs, toMs }) => ({
        id,
        streamId,
        name,
        fromMs: wallMs(fromMs),
        toMs: toMs === null ? null : wallMs(toMs),
      })),
    );
    this.#keptStretches = keep.length;
  }

  async #status(): Promise<EdgeStatus> {
    const { catalog, clock, objects } = this.#deps;
    const [totals, freeBytes] = await Promise.all([catalog.totals(), objects.freeBytes()]);
    const streams: EdgeStatus['streams'][number][] = [];
    let cursor: string | undefined;
    do {
      const page = { limit: STREAMS_AT_ONCE, ...(cursor === undefined ? {} : { cursor }) };
      const { items, nextCursor } = await catalog.listStreams({}, page);
      for (const { id, lastCapturedAtMs, lastReceivedAtMs } of items) {
        streams.push({ id, lastCapturedAtMs, lastReceivedAtMs });
      }
      cursor = nextCursor ?? undefined;
    } while (cursor !== undefined);
    const { backlogRows, backlogSegments, backlogBytes, sentBytes, clockOffsetMs, roundTripMs } = this.status();
    return {
      uptimeS: Math.round((clock.monotonicMs() - this.#startedAtMs) / 1000),
      freeBytes,
      storedBytes: totals.segmentBytes + totals.retiredBytes,
      backlogRows,
      backlogSegments,
      backlogBytes,
      sentBytes,
      clockOffsetMs,
      roundTripMs: roundTripMs === null ? null : roundTripMs / 2,
      streams,
    };
  }

  #noteLink(): void {
    if (this.#link.connected) return;
    const { clock, control, logger } = this.#deps;
    this.#link = { connected: true, sinceMs: clock.nowMs(), lastError: null };
    logger.info({ edgeId: this.#id, control: shownUrl(control) }, 'the link to control is there');
  }

  #noteBreak(error: unknown): void {
    const { clock, control, logger } = this.#deps;
    const lastError = remedied(error);
    const isNews = this.#link.connected || this.#link.lastError !== lastError;
    const sinceMs = this.#link.connected || this.#link.sinceMs === null ? clock.nowMs() : this.#link.sinceMs;
    this.#link = { connected: false, sinceMs, lastError };
    if (!isNews) return;
    const fields = { edgeId: this.#id, control: shownUrl(control), error: lastError };
    logger.warn(fields, 'there is no link to control; it is tried again for ever, and nothing is lost meanwhile');
  }
}

function remedied(error: unknown): string {
  const message = messageOf(error);
  if (isZoetropeError(error, 'unauthenticated') || isZoetropeError(error, 'permission_denied')) {
    return `${message} Set ZOETROPE_EDGE_KEY to a key of control with the scope ingest (there: zoetrope keys create).`;
  }
  if (isZoetropeError(error, 'fenced')) {
    return `${message} If it happens again and again, two edges run on copies of one data directory: stop one, and let it begin with an empty directory.`;
  }
  return message;
}

function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname === '/' ? '' : pathname}`;
}
