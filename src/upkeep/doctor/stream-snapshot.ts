import { wallMs } from '../../base/time.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Epoch } from '../../timeline/epoch.ts';
import type { Hold } from '../../timeline/hold.ts';
import type { Rendition } from '../../timeline/rendition.ts';
import { byWallOrder, segmentEndMs, type Segment } from '../../timeline/segment.ts';
import type { Session } from '../../timeline/session.ts';
import type { Stream } from '../../timeline/stream.ts';

/** The wall times that a catalog may be asked for: all of them. */
const EVER = { fromMs: wallMs(-8_640_000_000_000_000), toMs: wallMs(8_640_000_000_000_000) };

/** The part of the catalog that a snapshot is read from. */
export type SnapshotCatalog = Pick<
  Catalog,
  'allSegments' | 'allEpochs' | 'renditionsOf' | 'sessionsBetween' | 'listHolds'
>;

/** Everything that the catalog says of one stream, read piece by piece: a busy server may change it meanwhile. */
export interface StreamSnapshot {
  readonly stream: Stream;
  /** Read after the segments. */
  readonly renditions: readonly Rendition[];
  /** In wall order. */
  readonly segments: readonly Segment[];
  readonly epochs: ReadonlyMap<string, Epoch>;
  /** Oldest first. */
  readonly sessions: readonly Session[];
  /** Not released. */
  readonly holds: readonly Hold[];
}

/** Reads a snapshot. @throws not_found when the stream was removed. */
export async function readSnapshot(
  catalog: SnapshotCatalog,
  stream: Stream,
  signal: AbortSignal,
): Promise<StreamSnapshot> {
  const segments: Segment[] = [];
  for await (const segment of catalog.allSegments({ streamId: stream.id })) {
    signal.throwIfAborted();
    segments.push(segment);
  }
  const epochs = new Map<string, Epoch>();
  for await (const epoch of catalog.allEpochs({ streamId: stream.id })) epochs.set(epoch.id, epoch);
  return {
    stream,
    renditions: await catalog.renditionsOf(stream.id),
    segments: segments.sort(byWallOrder),
    epochs,
    sessions: await catalog.sessionsBetween(stream.id, EVER.fromMs, EVER.toMs),
    holds: await holdsOf(catalog, stream.id),
  };
}

/** The part of a snapshot that is about one rendition. */
export interface RenditionSnapshot extends Omit<StreamSnapshot, 'renditions'> {
  readonly rendition: Rendition;
}

/** Takes a snapshot apart: each rendition has numbers, epochs and windows of its own. */
export function byRendition(snapshot: StreamSnapshot): readonly RenditionSnapshot[] {
  const segments = Map.groupBy(snapshot.segments, ({ renditionId }) => renditionId);
  const epochs = Map.groupBy(snapshot.epochs.values(), ({ renditionId }) => renditionId);
  return snapshot.renditions.map((rendition) => ({
    ...snapshot,
    rendition,
    segments: segments.get(rendition.id) ?? [],
    epochs: new Map(epochs.get(rendition.id)?.map((epoch) => [epoch.id, epoch])),
  }));
}

/** Whether playlists may name the segment: it is in the retained window, or a hold covers it. */
export function isShown(segment: Segment, holds: readonly Hold[]): boolean {
  if (segment.retiredAtMs === null) return true;
  if (segment.retiredAtMs < 0) return false; // Its object is being deleted.
  const endMs = segmentEndMs(segment);
  return holds.some(({ fromMs, toMs }) => endMs > fromMs && (toMs === null || segment.startMs < toMs));
}

async function holdsOf(catalog: SnapshotCatalog, streamId: string): Promise<readonly Hold[]> {
  const holds: Hold[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Catalog['listHolds']>> = await catalog.listHolds(
      { streamId },
      cursor === null ? { limit: 1000 } : { limit: 1000, cursor },
    );
    holds.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return holds;
}
