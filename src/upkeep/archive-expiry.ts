import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { WallMs } from '../base/time.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Hold } from '../timeline/hold.ts';

const PAGE = 500;

/** What archive expiry works with. */
export interface ArchiveExpiryDeps {
  readonly catalog: Pick<Catalog, 'listHolds' | 'releaseHold'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a run let go, or with `dryRun` would let go. */
export interface ArchiveExpiryReport {
  readonly dryRun: boolean;
  readonly released: readonly Pick<Hold, 'id' | 'streamId' | 'name' | 'expiresAtMs'>[];
}

/** Lets holds go whose time is over; retention then sweeps what they alone kept. */
export class ArchiveExpiry {
  readonly #deps: ArchiveExpiryDeps;

  constructor(deps: ArchiveExpiryDeps) {
    this.#deps = deps;
  }

  /** One run. Several at once are harmless. */
  async runOnce(options: { readonly signal: AbortSignal; readonly dryRun?: boolean }): Promise<ArchiveExpiryReport> {
    const { catalog, clock, logger } = this.#deps;
    const { signal, dryRun = false } = options;
    const expired = await this.#expired(clock.nowMs(), signal);
    for (const hold of dryRun ? [] : expired) {
      signal.throwIfAborted();
      await catalog.releaseHold(hold.id);
    }
    if (expired.length > 0) logger.info({ archives: expired.length, dryRun }, 'expired archives were let go');
    return {
      dryRun,
      released: expired.map(({ id, streamId, name, expiresAtMs }) => ({ id, streamId, name, expiresAtMs })),
    };
  }

  /** All are listed before the first is released: a list that shrinks under its cursor would skip some. */
  async #expired(nowMs: WallMs, signal: AbortSignal): Promise<readonly Hold[]> {
    const expired: Hold[] = [];
    let cursor: string | null = null;
    do {
      signal.throwIfAborted();
      const page: Awaited<ReturnType<Catalog['listHolds']>> = await this.#deps.catalog.listHolds(
        { expiredByMs: nowMs },
        cursor === null ? { limit: PAGE } : { limit: PAGE, cursor },
      );
      expired.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return expired;
  }
}
