import { ZoetropeError } from '../base/errors.ts';
import type { IdSource } from '../base/ids.ts';
import { formatRfc3339, wallMs, type WallMs } from '../base/time.ts';
import type { Catalog, HoldFilter, Page, PageRequest } from '../catalog/catalog.ts';
import type { Hold } from '../timeline/hold.ts';
import type { Session } from '../timeline/session.ts';
import type { Stream, StreamSettings } from '../timeline/stream.ts';

/** A hold that is not made yet. */
export type NewHold = Omit<Hold, 'createdAtMs' | 'releasedAtMs'>;

/**
 * The archive that a session gets when it ends: a hold over all of it that expires by itself.
 * Null when the session was too short to be worth one.
 */
export function archiveOf(options: {
  readonly session: Session;
  readonly stream: Pick<Stream, 'name'>;
  readonly settings: Pick<StreamSettings, 'minArchiveDurationMs' | 'archiveRetentionMs'>;
  readonly ids: IdSource;
  readonly nowMs: WallMs;
}): NewHold | null {
  const { session, stream, settings, ids, nowMs } = options;
  const durationMs = session.endMs - session.startMs;
  if (durationMs <= 0 || durationMs < settings.minArchiveDurationMs) return null;
  return {
    id: ids.next('archive'),
    streamId: session.streamId,
    kind: 'archive',
    name: `${stream.name} ${formatRfc3339(session.startMs)}`,
    fromMs: session.startMs,
    toMs: session.endMs,
    sessionId: session.id,
    expiresAtMs: wallMs(nowMs + settings.archiveRetentionMs),
  };
}

/** The kept sessions. */
export class Archives {
  readonly #catalog: Pick<Catalog, 'getHold' | 'listHolds' | 'releaseHold'>;

  constructor(catalog: Pick<Catalog, 'getHold' | 'listHolds' | 'releaseHold'>) {
    this.#catalog = catalog;
  }

  /** Newest first. */
  list(filter: Omit<HoldFilter, 'kind'>, page: PageRequest): Promise<Page<Hold>> {
    return this.#catalog.listHolds({ ...filter, kind: 'archive' }, page);
  }

  /** @throws not_found when there is none of this id, or it was let go. */
  async get(id: string): Promise<Hold> {
    const hold = await this.#catalog.getHold(id);
    if (hold.kind === 'archive' && hold.releasedAtMs === null) return hold;
    throw new ZoetropeError('not_found', `There is no archive ${JSON.stringify(id)}; it may have expired.`);
  }

  /** Lets it go: what only it kept is swept after the grace. @throws not_found */
  async release(id: string): Promise<void> {
    await this.get(id);
    await this.#catalog.releaseHold(id);
  }
}
