import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { WallMs } from '../base/time.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { archiveOf, type NewHold } from '../recordings/archives.ts';
import type { Session, SessionEnd } from '../timeline/session.ts';
import { effectiveSettings, isOnline, type Stream, type StreamSettings } from '../timeline/stream.ts';

/** What the offline checker works with. */
export interface OfflineCheckerDeps {
  readonly catalog: Pick<Catalog, 'openSessions' | 'endSession' | 'unarchivedSessions' | 'settleSession'>;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly defaults: StreamSettings;
  /** Whether no frame of the stream still waits to become a segment, as after a restart. Default: yes. */
  readonly isCaughtUp?: (stream: Stream) => Promise<boolean>;
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
}

/** Ends sessions whose source went silent or that grew too long, and archives them. Any number of checkers may run at once. */
export class OfflineChecker {
  readonly #deps: OfflineCheckerDeps;

  constructor(deps: OfflineCheckerDeps) {
    this.#deps = deps;
  }

  /** One run. A session that another checker ends meanwhile is left to it. */
  async runOnce(options: { readonly signal: AbortSignal; readonly dryRun?: boolean }): Promise<OfflineReport> {
    const { catalog, logger } = this.#deps;
    const { signal, dryRun = false } = options;
    const open = await catalog.openSessions();
    const ended: EndedSession[] = [];
    let postponed = 0;
    for (const { session, stream } of open) {
      signal.throwIfAborted();
      const settings = effectiveSettings(stream, this.#deps.defaults);
      const by = reasonToEnd(session, stream, settings, this.#deps.clock.nowMs());
      if (by === null) continue;
      if (by === 'offline' && !((await this.#deps.isCaughtUp?.(stream)) ?? true)) {
        postponed++;
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
    const report: OfflineReport = { dryRun, open: open.length, ended, postponed };
    this.#deps.onReport?.(report);
    if (ended.length + postponed > 0) logger.info({ ended: ended.length, postponed, dryRun }, 'sessions were ended');
    return report;
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

/** Why a session ends now; null while it goes on. */
function reasonToEnd(session: Session, stream: Stream, settings: StreamSettings, nowMs: WallMs): SessionEnd | null {
  if (!isOnline(stream, settings.offlineAfterMs, nowMs)) return 'offline';
  return session.endMs - session.startMs >= settings.maxSessionMs ? 'maxDuration' : null;
}
