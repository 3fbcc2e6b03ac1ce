import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { WallMs } from '../base/time.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { archiveOf } from '../recordings/archives.ts';
import type { Edge } from '../timeline/edge.ts';
import type { NewHold } from '../timeline/hold.ts';
import type { Session, SessionEnd } from '../timeline/session.ts';
import { effectiveSettings, isOnline, type Stream, type StreamSettings } from '../timeline/stream.ts';
import { endSilentStreams, type SilentStream, type SilentStreamsDeps } from './silent-streams.ts';
import type { CatchUp } from './waiting-frames.ts';

/** A session that waits for its last frames longer than this ends without them; they begin another one if they do come. */
const POSTPONE_LIMIT_MS = 900_000;

/** What the offline checker works with. */
export interface OfflineCheckerDeps {
  readonly catalog: Pick<Catalog, 'openSessions' | 'endSession' | 'unarchivedSessions' | 'settleSession' | 'edgesOf'> &
    SilentStreamsDeps['catalog'];
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly defaults: StreamSettings;
  /** Asked once a run: tells of each stream whether frames of it still wait, as after a restart. Default: none does. */
  readonly catchUp?: () => CatchUp;
  /** Told what each run did. */
  readonly onReport?: (report: OfflineReport) => void;
}

/** A session that a run ended (or that had ended by itself and was now settled), or with `dryRun` would. */
export interface EndedSession {
  readonly sessionId: string;
  readonly streamId: string;
  readonly streamName: string;
  readonly by: SessionEnd;
  readonly startMs: WallMs;
  readonly endMs: WallMs;
  /** Null: it was too short for one. */
  readonly archiveId: string | null;
}

/** What a run of the offline checker did. */
export interface OfflineReport {
  readonly dryRun: boolean;
  readonly open: number;
  readonly ended: readonly EndedSession[];
  /** Sessions of silent streams that stay open because frames of theirs still wait. */
  readonly postponed: number;
  /** Pushed streams that ended because their encoder did not come back, or with `dryRun` would. */
  readonly endedStreams: readonly SilentStream[];
}

/**
 * Ends sessions whose source went silent or that grew too long, and archives them; ends pushed streams whose encoder did not come back. Any number of checkers may run at once.
 */
export class OfflineChecker {
  readonly #deps: OfflineCheckerDeps;
  /** Since when sessions wait for frames to be worked through. */
  #postponedSinceMs = new Map<string, number>();

  constructor(deps: OfflineCheckerDeps) {
    this.#deps = deps;
  }

  /** One run. A session that another checker ends meanwhile is left to it. */
  async runOnce(options: { readonly signal: AbortSignal; readonly dryRun?: boolean }): Promise<OfflineReport> {
    const { catalog, logger } = this.#deps;
    const { signal, dryRun = false } = options;
    const open = await catalog.openSessions();
    const edges = await catalog.edgesOf([...new Set(open.flatMap(({ stream }) => stream.edgeId ?? []))]);
    const isCaughtUp = this.#deps.catchUp?.();
    const ended: EndedSession[] = [];
    const postponed = new Map<string, number>();
    for (const { session, stream } of open) {
      signal.throwIfAborted();
      const settings = effectiveSettings(stream, this.#deps.defaults);
      const by = reasonToEnd(session, stream, settings, heardUntil(stream, edges, this.#deps.clock.nowMs()));
      if (by === null) continue;
      if (by === 'offline' && isCaughtUp !== undefined && !(await isCaughtUp(stream)) && this.#mayWait(session)) {
        postponed.set(session.id, this.#postponedSinceMs.get(session.id) ?? this.#deps.clock.monotonicMs());
        continue;
      }
      const entry = await this.#end(session, stream, by, dryRun);
      if (entry !== null) ended.push(entry);
    }
    for (const { session, stream } of await catalog.unarchivedSessions()) {
      signal.throwIfAborted();
      const entry = await this.#settle(session, stream, dryRun);
      if (entry !== null) ended.push(entry);
    }
    this.#postponedSinceMs = postponed;
    const endedStreams = await endSilentStreams(this.#deps, { signal, dryRun });
    const report: OfflineReport = { dryRun, open: open.length, ended, postponed: postponed.size, endedStreams };
    this.#deps.onReport?.(report);
    if (endedStreams.length > 0) {
      logger.info({ ended: endedStreams.length, dryRun }, 'pushed streams ended: their encoders did not come back');
    }
    if (ended.length > 0)
      logger.info({ ended: ended.length, postponed: postponed.size, dryRun }, 'sessions were ended');
    return report;
  }

  #mayWait(session: Session): boolean {
    const nowMs = this.#deps.clock.monotonicMs();
    return nowMs - (this.#postponedSinceMs.get(session.id) ?? nowMs) < POSTPONE_LIMIT_MS;
  }

  async #end(session: Session, stream: Stream, by: SessionEnd, dryRun: boolean): Promise<EndedSession | null> {
    const archive = this.#archiveOf(session, stream);
    const isMine = dryRun || (await this.#deps.catalog.endSession({ sessionId: session.id, by, archive }));
    return isMine ? entryOf(session, stream, by, dryRun ? null : archive) : null;
  }

  /** A session that closed because its source came back late gets its archive now. */
  async #settle(session: Session, stream: Stream, dryRun: boolean): Promise<EndedSession | null> {
    const archive = this.#archiveOf(session, stream);
    const isMine = dryRun || (await this.#deps.catalog.settleSession(session.id, archive));
    return isMine ? entryOf(session, stream, session.endedBy ?? 'offline', dryRun ? null : archive) : null;
  }

  #archiveOf(session: Session, stream: Stream): NewHold | null {
    const { clock, defaults, ids } = this.#deps;
    return archiveOf({ session, stream, settings: effectiveSettings(stream, defaults), ids, nowMs: clock.nowMs() });
  }
}

function entryOf(session: Session, stream: Stream, by: SessionEnd, archive: NewHold | null): EndedSession {
  return {
    sessionId: session.id,
    streamId: stream.id,
    streamName: stream.name,
    by,
    startMs: session.startMs,
    endMs: session.endMs,
    archiveId: archive?.id ?? null,
  };
}

/**
 * Up to when silence is a source's own: now. Of a source at an edge up to the edge's last word, and null while it has segments that this server does not know
 * of yet: what is silent here may be in them.
 */
function heardUntil({ edgeId }: Stream, edges: ReadonlyMap<string, Edge>, nowMs: WallMs): WallMs | null {
  const edge = edgeId === null ? undefined : edges.get(edgeId);
  if (edge === undefined) return nowMs;
  return edge.report?.backlogRows === 0 ? edge.seenAtMs : null;
}

/** Why a session ends now; null while it goes on. */
function reasonToEnd(
  session: Session,
  stream: Stream,
  settings: StreamSettings,
  heardMs: WallMs | null,
): SessionEnd | null {
  if (heardMs !== null && !isOnline(stream, settings.offlineAfterMs, heardMs)) return 'offline';
  return session.endMs - session.startMs >= settings.maxSessionMs ? 'maxDuration' : null;
}
