import { randomIds } from '../../src/base/ids.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import type { EdgeRowBatch, EdgeSession, RowCursor } from '../../src/catalog/edge-store.ts';
import type { EdgeReport } from '../../src/timeline/edge.ts';
import { newSegment, type SegmentPlan, type World } from './catalog-world.ts';

/** Seconds before the beginning of test timelines, which lies ahead of the clock: what is over for the clock too. */
export const PAST = -6_000_000;
/** How tests ask what is wanted. */
export const ASK = { idleAfterMs: 30_000, askedForMs: 15_000, limit: 10 };
/** How an edge of tests is. */
export const REPORT: EdgeReport = {
  uptimeS: 1,
  freeBytes: null,
  storedBytes: 5,
  backlogRows: 0,
  backlogSegments: 0,
  backlogBytes: 0,
  sentBytes: 0,
  clockOffsetMs: 12,
  roundTripMs: null,
};

/** What an edge sends of a rendition. */
export type Rows = Pick<EdgeRowBatch, 'epochs' | 'rows'>;

/** Rows as an edge numbers them: those of one epoch each unless they name one. */
export function rowsOf(streamId: string, plans: readonly (SegmentPlan & { readonly sequence: number })[]): Rows {
  const made = plans.map((plan) => ({ segment: newSegment(streamId, plan), plan }));
  return {
    epochs: made.flatMap(({ segment }) => ('begin' in segment.epoch ? [segment.epoch.begin] : [])),
    rows: made.map(({ segment, plan }) => {
      const { epoch, streamId: _, fence: __, offlineAfterMs: ___, ...rest } = segment;
      const epochId = 'begin' in epoch ? epoch.begin.id : epoch.existingId;
      return { ...rest, lost: false, epochId, sequence: plan.sequence };
    }),
  };
}

/** An edge's on-time rows of 10 s, one behind the other in one epoch. */
export function runOf(streamId: string, count: number, from = 0): Rows {
  const first = rowsOf(streamId, [{ at: from, sequence: 0 }]);
  const epochId = first.epochs[0]?.id;
  const others = Array.from({ length: count - 1 }, (_, index) => ({
    at: from + (index + 1) * 10,
    sequence: index + 1,
    epochId,
  }));
  return { epochs: first.epochs, rows: [...first.rows, ...rowsOf(streamId, others).rows] };
}

/** An edge that is registered, with a stream. */
export async function makeEdge(
  w: World,
  id = newEdgeId(),
): Promise<{ readonly by: EdgeSession; readonly streamId: string }> {
  const { edge } = await w.catalog.registerEdge({ id, tenant: 'tenant', name: 'site', version: '1' });
  const by = { edgeId: id, session: edge.session };
  const streamId = randomIds.next('stream');
  await w.catalog.putEdgeStream(by, { streamId, kind: 'push', name: 'north', endedAtMs: null });
  return { by, streamId };
}

/** An id of an edge. */
export function newEdgeId(): string {
  return randomIds.next('edge');
}

/** Appends rows of an edge. */
export function append(
  catalog: Catalog,
  by: EdgeSession,
  streamId: string,
  rows: Rows,
  rendition = 'main',
): Promise<RowCursor> {
  return catalog.appendEdgeRows(by, { streamId, rendition, offlineAfterMs: 60_000, ...rows });
}
