import { wallMs, type WallMs } from '../base/time.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ObjectStore } from '../objects/object-store.ts';

const BATCH = 500;
const MIN_GRACE_MS = 30_000;
const TARGET_DURATIONS = 3;
/** A playlist's target duration may lie so far above its longest segment: the steps of the ladder it is taken from. */
const TARGET_MARGIN = 1.2;

/** A number of segments and their bytes. */
export interface Amount {
  readonly segments: number;
  readonly bytes: number;
}

/** What a sweep works with. */
export interface SweepDeps {
  readonly catalog: Pick<Catalog, 'sweepableSegments' | 'takeSweepable' | 'removeSegments'>;
  readonly objects: Pick<ObjectStore, 'delete'>;
}

/**
 * How long a retired segment stays: three target durations, so that whoever holds a playlist of before can still play it
 * (RFC 8216 6.2.2 asks for the segment's and the playlist's duration), and 30 s at least.
 */
export function sweepGraceMs(longestSegmentMs: number): number {
  return Math.max(MIN_GRACE_MS, TARGET_DURATIONS * Math.ceil((TARGET_MARGIN * longestSegmentMs) / 1000) * 1000);
}

/**
 * Removes what was retired longer ago than the grace and is not held: objects first, then rows. A crash between the two leaves rows whose
 * objects are gone and that nothing shows; the next run finds and finishes them.
 */
export async function sweep(
  { catalog, objects }: SweepDeps,
  options: {
    readonly nowMs: WallMs;
    readonly graceMs: number;
    readonly signal: AbortSignal;
    readonly dryRun: boolean;
  },
): Promise<Amount> {
  const { nowMs, graceMs, signal, dryRun } = options;
  const limit = dryRun ? Number.MAX_SAFE_INTEGER : BATCH;
  let segments = 0;
  let bytes = 0;
  for (;;) {
    signal.throwIfAborted();
    const refs = await catalog.sweepableSegments({ retiredByMs: wallMs(nowMs - graceMs), limit });
    // Taken first: a hold that is made meanwhile must not promise what is going.
    const taken = dryRun ? null : await catalog.takeSweepable(refs.map(({ id }) => id));
    const going = taken === null ? refs : refs.filter(({ id }) => taken.has(id));
    if (!dryRun && going.length > 0) {
      await objects.delete(going.map(({ objectKey }) => objectKey));
      await catalog.removeSegments(going.map(({ id }) => id));
    }
    segments += going.length;
    bytes += going.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (refs.length < limit) return { segments, bytes };
  }
}
