import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { wallMs, type WallMs } from '../base/time.ts';
import type { Catalog, SegmentRef } from '../catalog/catalog.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { effectiveSettings, type StreamSettings } from '../timeline/stream.ts';
import { allStreams } from './streams.ts';
import { sweep, sweepGraceMs, type Amount } from './sweep.ts';

/** Segments taken out in one transaction. */
const BATCH = 500;
/** More than any stream has: a dry run asks once, for asking again would answer the same. */
const ALL = 10_000_000;
/** Ceilings never take what ended so recently: a full disk must not black out what people watch now. */
const CEILING_FLOOR_MS = 120_000;

/** What retention works with. */
export interface RetentionDeps {
  readonly catalog: Pick<
    Catalog,
    | 'listStreams'
    | 'retireSegments'
    | 'sweepableSegments'
    | 'takeSweepable'
    | 'removeSegments'
    | 'oldestSegments'
    | 'totals'
  >;
  readonly objects: Pick<ObjectStore, 'delete' | 'freeBytes'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly defaults: StreamSettings;
  /** Ceiling on the bytes of all segments; null: none. */
  readonly maxBytes: number | null;
  /** Free space to keep on the disk; 0: none. */
  readonly minFreeBytes: number;
  /** Told what each run did. */
  readonly onReport?: (report: RetentionReport) => void;
}

/** What a retention run did, or with `dryRun` would do. */
export interface RetentionReport {
  readonly dryRun: boolean;
  readonly streams: number;
  /** Taken out of the retained window because of their age. */
  readonly retiredByAge: Amount;
  /** Taken out because of a ceiling on bytes or on free space. */
  readonly retiredByCeiling: Amount;
  /** Removed for good, objects and rows. */
  readonly swept: Amount;
  /** Bytes still above a ceiling with nothing left that may go: holds or the newest footage keep them. */
  readonly unmetBytes: number;
}

/** Keeps timelines within their age and the store within its ceilings. Any number of processes may run it at once. */
export class Retention {
  readonly #deps: RetentionDeps;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  /** Retires by age, then by ceilings, oldest first over all streams; then sweeps what was retired long enough ago and nothing holds. */
  async runOnce(options: { readonly signal: AbortSignal; readonly dryRun?: boolean }): Promise<RetentionReport> {
    const { catalog, clock, objects } = this.#deps;
    const { signal, dryRun = false } = options;
    const nowMs = clock.nowMs();
    const byAge = new Tally();
    let streams = 0;
    let longestWaitMs = 0;
    for await (const stream of allStreams(catalog)) {
      signal.throwIfAborted();
      streams++;
      const settings = effectiveSettings(stream, this.#deps.defaults);
      longestWaitMs = Math.max(longestWaitMs, settings.maxSegmentWaitMs + settings.frameIntervalMs);
      await this.#retire(stream.id, wallMs(nowMs - settings.retentionMs), byAge, options);
    }
    const longestMs = Math.max(longestWaitMs, byAge.longestMs);
    const ceiling = await this.#applyCeilings(byAge, sweepGraceMs(longestMs), options);
    const graceMs = sweepGraceMs(Math.max(longestMs, ceiling.tally.longestMs));
    const swept = await sweep({ catalog, objects }, { nowMs, graceMs, signal, dryRun });
    const report: RetentionReport = {
      dryRun,
      streams,
      retiredByAge: byAge.amount(),
      retiredByCeiling: ceiling.tally.amount(),
      swept,
      unmetBytes: ceiling.unmetBytes,
    };
    this.#log(report);
    return report;
  }

  async #retire(
    streamId: string,
    beforeMs: WallMs,
    tally: Tally,
    { signal, dryRun = false }: { readonly signal: AbortSignal; readonly dryRun?: boolean },
  ): Promise<void> {
    const limit = dryRun ? ALL : BATCH;
    for (;;) {
      signal.throwIfAborted();
      const refs = await this.#deps.catalog.retireSegments({ streamId, beforeMs, limit, dryRun });
      tally.add(refs);
      if (refs.length < limit) return;
    }
  }

  /** In a dry run, what is too old still stands in the catalog: it is counted as gone by hand. */
  async #applyCeilings(
    byAge: Tally,
    graceMs: number,
    { signal, dryRun = false }: { readonly signal: AbortSignal; readonly dryRun?: boolean },
  ): Promise<{ readonly tally: Tally; readonly unmetBytes: number }> {
    const { catalog } = this.#deps;
    const tally = new Tally();
    const floorMs = this.#deps.clock.nowMs() - CEILING_FLOOR_MS;
    let excess = await this.#excessBytes(graceMs);
    if (dryRun) {
      const { taken, leftBytes } = await this.#rehearse(excess - byAge.amount().bytes, floorMs, byAge);
      tally.add(taken);
      return { tally, unmetBytes: Math.max(0, leftBytes) };
    }
    while (excess > 0) {
      signal.throwIfAborted();
      const chosen = takeBytes(await catalog.oldestSegments(BATCH), excess, floorMs);
      let retired = 0;
      for (const [streamId, beforeMs] of chosen) {
        const refs = await catalog.retireSegments({ streamId, beforeMs, limit: BATCH, dryRun: false });
        tally.add(refs);
        retired += refs.length;
        excess -= refs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      }
      // What a hold keeps frees nothing. That shows when all that waits is counted, which takes long: only when it may be enough, or is all.
      if (excess <= 0 || retired === 0) excess = await this.#excessBytes(graceMs);
      if (retired === 0) break;
    }
    return { tally, unmetBytes: Math.max(0, excess) };
  }

  /** What a run would take for a ceiling: looks at more and more of the oldest until they are enough. */
  async #rehearse(
    excess: number,
    floorMs: number,
    byAge: Tally,
  ): Promise<{ readonly taken: readonly SegmentRef[]; readonly leftBytes: number }> {
    for (let limit = BATCH; ; limit *= 4) {
      const refs = excess > 0 ? await this.#deps.catalog.oldestSegments(limit) : [];
      const taken: SegmentRef[] = [];
      let leftBytes = excess;
      for (const ref of refs) {
        if (leftBytes <= 0) break;
        if (byAge.has(ref.id) || ref.endMs > floorMs) continue;
        taken.push(ref);
        leftBytes -= ref.sizeBytes;
      }
      if (leftBytes <= 0 || refs.length < limit) return { taken, leftBytes };
    }
  }

  /** Bytes above the ceilings once everything that is retired and not held has been swept. */
  async #excessBytes(graceMs: number): Promise<number> {
    const { catalog, clock, maxBytes, minFreeBytes, objects } = this.#deps;
    const freeBytes = minFreeBytes > 0 ? await objects.freeBytes() : null;
    if (maxBytes === null && freeBytes === null) return 0;
    const totals = await catalog.totals();
    const overBytes = maxBytes === null ? 0 : totals.segmentBytes + totals.retiredBytes - totals.remoteBytes - maxBytes;
    const overFree = freeBytes === null ? 0 : minFreeBytes - freeBytes;
    const excess = Math.max(overBytes, overFree);
    if (excess <= 0) return 0;
    const nowMs = clock.nowMs();
    const releasedByMs = wallMs(nowMs - graceMs);
    const pending = await catalog.sweepableSegments({ retiredByMs: nowMs, releasedByMs, limit: ALL });
    return excess - pending.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  #log(report: RetentionReport): void {
    this.#deps.onReport?.(report);
    const { retiredByAge, retiredByCeiling, swept, unmetBytes } = report;
    if (unmetBytes > 0) {
      this.#deps.logger.warn(
        { unmetBytes },
        'storage stays above its ceiling: holds and the newest minutes keep the rest; delete archives or add space',
      );
    }
    if (retiredByAge.segments + retiredByCeiling.segments + swept.segments === 0) return;
    this.#deps.logger.info({ retiredByAge, retiredByCeiling, swept, dryRun: report.dryRun }, 'retention ran');
  }
}

/** The oldest segments that add up to `bytes`, as the time before which each stream loses its segments. */
function takeBytes(refs: readonly SegmentRef[], bytes: number, floorMs: number): ReadonlyMap<string, WallMs> {
  const beforeMs = new Map<string, WallMs>();
  let sum = 0;
  for (const ref of refs) {
    if (sum >= bytes) break;
    if (ref.endMs > floorMs) continue;
    beforeMs.set(ref.streamId, wallMs(Math.max(ref.endMs, beforeMs.get(ref.streamId) ?? 0)));
    sum += ref.sizeBytes;
  }
  return beforeMs;
}

/** Adds segments up. */
class Tally {
  readonly #ids = new Set<string>();
  #bytes = 0;
  longestMs = 0;

  add(refs: readonly SegmentRef[]): void {
    for (const ref of refs) {
      this.#ids.add(ref.id);
      this.#bytes += ref.sizeBytes;
      this.longestMs = Math.max(this.longestMs, ref.endMs - ref.startMs);
    }
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  amount(): Amount {
    return { segments: this.#ids.size, bytes: this.#bytes };
  }
}
