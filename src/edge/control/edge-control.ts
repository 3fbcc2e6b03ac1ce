import type { Clock } from '../../base/clock.ts';
import type { Component } from '../../base/component.ts';
import { messageOf, ZoetropeError } from '../../base/errors.ts';
import { isId } from '../../base/ids.ts';
import type { Logger } from '../../base/logger.ts';
import { formatRfc3339, wallMs } from '../../base/time.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { awaySince, type Edge } from '../../timeline/edge.ts';
import { effectiveSettings, type StreamSettings } from '../../timeline/stream.ts';
import {
  LONGEST_SYNC_WAIT_MS,
  MOST_WANTED,
  type EdgeCursor,
  type EdgeDesired,
  type EdgeGone,
  type EdgeHello,
  type EdgeRows,
  type EdgeStatus,
  type EdgeStream,
  type EdgeSync,
  type EdgeWelcome,
} from '../protocol.ts';
import { desiredState, isPressing, type DesiredState } from './desired-state.ts';
import { readRows } from './read-rows.ts';
import { type WaitingEdge, SyncDesk } from './sync-desk.ts';

const PAGE = 1000;

/** What control works with. */
export interface EdgeControlDeps {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly defaults: StreamSettings;
  /** How long after it was watched last a stream is still sent live. */
  readonly idleAfterMs: number;
  /** How long a segment that was asked for is wanted: a little longer than anybody waits. */
  readonly askedForMs: number;
}

/** Edges as this server, their control, deals with them: who they are, their rows, and what is wanted of them. Any number of processes may. */
export class EdgeControl implements Component {
  readonly name = 'edges';
  readonly #deps: EdgeControlDeps;
  readonly #desk: SyncDesk;
  /** What each edge was told last by this process. */
  readonly #given = new Map<string, DesiredState>();

  constructor(deps: EdgeControlDeps) {
    this.#deps = deps;
    this.#desk = new SyncDesk(deps.clock);
  }

  async start(): Promise<void> {
    this.#desk.start(this.#deps.catalog);
  }

  async close(): Promise<void> {
    this.#desk.close();
  }

  /** Answers all edges that wait: the server closes. */
  dismissAll(): void {
    this.#desk.dismissAll();
  }

  /** @throws conflict when the id is another tenant's */
  async register(edge: { readonly id: string; readonly tenant: string } & EdgeHello): Promise<EdgeWelcome> {
    const { edge: registered, cursors } = await this.#deps.catalog.registerEdge(edge);
    const { id, name, version, session } = registered;
    this.#deps.logger.info({ edgeId: id, name, version, session }, 'an edge registered');
    return { session, cursors };
  }

  /** Takes note of how an edge is, and answers what is wanted of it once it has to know. @throws fenced */
  async sync(edge: Edge, sync: EdgeSync, receivedAtMs: number, signal: AbortSignal): Promise<EdgeDesired> {
    const { catalog, clock } = this.#deps;
    const by = { edgeId: edge.id, session: sync.session };
    await catalog.noteEdge(by, noteOf(sync.status, clock.nowMs()));
    const place = this.#desk.wait(edge.id, signal);
    const untilMs = clock.monotonicMs() + Math.min(sync.waitMs, LONGEST_SYNC_WAIT_MS);
    try {
      const state = await this.#settled(place, by, { seen: sync.seen, untilMs, signal });
      this.#given.set(edge.id, state);
      return { ...state, receivedAtMs, sentAtMs: clock.nowMs() };
    } finally {
      const isGone = signal.aborted && this.#desk.isNewest(edge.id, place);
      place.leave();
      if (isGone) await this.#noteAway(by);
    }
  }

  /** Makes or changes a stream. @throws fenced, conflict */
  async putStream(edge: Edge, streamId: string, stream: EdgeStream): Promise<void> {
    requireId('stream', streamId);
    const { session, kind, name, endedAtMs } = stream;
    const state = { streamId, kind, name, endedAtMs: endedAtMs === null ? null : wallMs(endedAtMs) };
    await this.#deps.catalog.putEdgeStream({ edgeId: edge.id, session }, state);
  }

  /** The edge has a stream no more. @throws fenced */
  async dropStream(edge: Edge, streamId: string, session: number): Promise<void> {
    requireId('stream', streamId);
    await this.#deps.catalog.dropEdgeStream({ edgeId: edge.id, session }, streamId);
  }

  /** Appends rows. @throws fenced, not_found, conflict, invalid_argument */
  async appendRows(edge: Edge, streamId: string, rows: EdgeRows): Promise<EdgeCursor> {
    requireId('stream', streamId);
    const { catalog, defaults } = this.#deps;
    const batch = readRows(streamId, rows);
    const stream = await catalog.getStream(streamId);
    const { offlineAfterMs } = effectiveSettings(stream, defaults);
    return catalog.appendEdgeRows({ edgeId: edge.id, session: rows.session }, { ...batch, offlineAfterMs });
  }

  /** How many edges there are. */
  async count(): Promise<{ readonly connected: number; readonly away: number }> {
    const { catalog, clock } = this.#deps;
    const counts = { connected: 0, away: 0 };
    let cursor: string | undefined;
    do {
      const page = await catalog.listEdges({}, { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
      for (const edge of page.items) counts[awaySince(edge, clock.nowMs()) === null ? 'connected' : 'away']++;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return counts;
  }

  /** The streams of an edge that are sent live. */
  async watchedOf(edge: Edge): Promise<readonly string[]> {
    const { catalog, idleAfterMs, askedForMs } = this.#deps;
    return (await catalog.demandOn(edge.id, { idleAfterMs, askedForMs, limit: 1 })).live;
  }

  /** Where a request says its session, it is the newest. @throws fenced */
  requireSession(edge: Edge, session: number | undefined): void {
    if (session !== undefined && session !== edge.session) throw olderSession(edge.id);
  }

  /** @throws fenced */
  async noteGone(edge: Edge, { session, ids }: EdgeGone): Promise<void> {
    for (const id of ids) requireId('segment', id);
    await this.#deps.catalog.noteGone({ edgeId: edge.id, session }, ids);
  }

  /** Forgets an edge. @throws conflict while it is connected */
  async remove(edge: Edge): Promise<void> {
    const { catalog, clock } = this.#deps;
    if (awaySince(edge, clock.nowMs()) === null) {
      throw new ZoetropeError(
        'conflict',
        `The edge ${edge.name} is connected; its last word was at ${formatRfc3339(edge.seenAtMs)}. Stop it first: it would register again.`,
      );
    }
    await catalog.removeEdge(edge.id);
    this.#given.delete(edge.id);
  }

  async #settled(
    place: WaitingEdge,
    by: { readonly edgeId: string; readonly session: number },
    asked: { readonly seen: string | null; readonly untilMs: number; readonly signal: AbortSignal },
  ): Promise<DesiredState> {
    const { catalog, clock, idleAfterMs, askedForMs } = this.#deps;
    for (;;) {
      // First of all: it may have registered again just before this place was taken.
      await this.#requireNewest(by);
      const beganMs = clock.monotonicMs();
      const demand = await catalog.demandOn(by.edgeId, { idleAfterMs, askedForMs, limit: MOST_WANTED });
      place.lookingMs = clock.monotonicMs() - beganMs;
      place.streamIds = new Set(demand.streamIds);
      const state = desiredState(demand);
      const isOver = place.isDismissed || asked.signal.aborted || clock.monotonicMs() >= asked.untilMs;
      if (isOver || this.#mustHear(by.edgeId, asked.seen, state)) return state;
      const inMs = demand.changesAtMs === null ? Number.POSITIVE_INFINITY : demand.changesAtMs - clock.nowMs() + 1;
      await place.changed(Math.min(asked.untilMs, clock.monotonicMs() + inMs));
    }
  }

  #mustHear(edgeId: string, seen: string | null, state: DesiredState): boolean {
    if (seen === state.version) return false;
    const given = this.#given.get(edgeId);
    return given === undefined || given.version !== seen || isPressing(given, state);
  }

  /** Another start of the edge registered meanwhile, or it was removed. */
  async #requireNewest({ edgeId, session }: { readonly edgeId: string; readonly session: number }): Promise<void> {
    const edge = (await this.#deps.catalog.edgesOf([edgeId])).get(edgeId);
    if (edge?.session === session) return;
    throw olderSession(edgeId);
  }

  async #noteAway(by: { readonly edgeId: string; readonly session: number }): Promise<void> {
    try {
      await this.#deps.catalog.noteEdgeAway(by);
    } catch (error) {
      // It shows by its silence all the same, half a minute later.
      this.#deps.logger.warn({ edgeId: by.edgeId, error: messageOf(error) }, 'could not note that an edge went away');
    }
  }
}

function olderSession(edgeId: string): ZoetropeError {
  return new ZoetropeError('fenced', `The edge ${edgeId} was registered again, or removed. Register again.`);
}

/** Passes an id of the right shape: such a text is safe in keys. @throws not_found */
export function requireId(kind: 'stream' | 'segment' | 'edge', id: string): void {
  if (!isId(kind, id)) throw new ZoetropeError('not_found', `There is no ${kind} ${JSON.stringify(id.slice(0, 100))}.`);
}

/** Moves an edge's times to our clock. */
function noteOf({ streams, ...report }: EdgeStatus, nowMs: number): Parameters<Catalog['noteEdge']>[1] {
  const offsetMs = report.clockOffsetMs ?? 0;
  return {
    report,
    streams: streams.map(({ id, lastCapturedAtMs, lastReceivedAtMs }) => ({
      streamId: id,
      lastCapturedAtMs: lastCapturedAtMs === null ? null : wallMs(lastCapturedAtMs),
      lastReceivedAtMs: lastReceivedAtMs === null ? null : wallMs(Math.min(nowMs, lastReceivedAtMs + offsetMs)),
    })),
  };
}
