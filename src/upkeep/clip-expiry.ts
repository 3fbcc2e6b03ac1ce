import type { Clock } from '../base/clock.ts';
import { isZoetropeError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { removeClipObjects } from '../recordings/clips.ts';
import type { Clip } from '../timeline/clip.ts';

const PAGE = 500;

/** What clip expiry works with. */
export interface ClipExpiryDeps {
  readonly catalog: Pick<Catalog, 'listClips' | 'deleteClip'>;
  readonly objects: Pick<ObjectStore, 'list' | 'delete'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a run removed, or with `dryRun` would remove. */
export interface ClipExpiryReport {
  readonly dryRun: boolean;
  readonly removed: readonly Pick<Clip, 'id' | 'streamId' | 'name' | 'expiresAtMs'>[];
}

/** Removes clips whose time is over: rows first, then objects; what a crash leaves in between, the sweep of orphans takes. */
export class ClipExpiry {
  readonly #deps: ClipExpiryDeps;

  constructor(deps: ClipExpiryDeps) {
    this.#deps = deps;
  }

  /** One run. Several at once are harmless. */
  async runOnce(options: { readonly signal: AbortSignal; readonly dryRun?: boolean }): Promise<ClipExpiryReport> {
    const { signal, dryRun = false } = options;
    const { logger } = this.#deps;
    const expired = await this.#expired(signal);
    for (const { id } of dryRun ? [] : expired) {
      signal.throwIfAborted();
      await this.#remove(id);
    }
    if (expired.length > 0) logger.info({ clips: expired.length, dryRun }, 'expired clips were removed');
    return {
      dryRun,
      removed: expired.map(({ id, streamId, name, expiresAtMs }) => ({ id, streamId, name, expiresAtMs })),
    };
  }

  async #remove(id: string): Promise<void> {
    const { catalog, objects } = this.#deps;
    try {
      await catalog.deleteClip(id);
    } catch (error) {
      // Somebody else was quicker.
      if (!isZoetropeError(error, 'not_found')) throw error;
    }
    await removeClipObjects(id, objects);
  }

  async #expired(signal: AbortSignal): Promise<readonly Clip[]> {
    const expiredByMs = this.#deps.clock.nowMs();
    const expired: Clip[] = [];
    let cursor: string | null = null;
    do {
      signal.throwIfAborted();
      const page: Awaited<ReturnType<Catalog['listClips']>> = await this.#deps.catalog.listClips(
        { expiredByMs },
        cursor === null ? { limit: PAGE } : { limit: PAGE, cursor },
      );
      expired.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return expired;
  }
}
