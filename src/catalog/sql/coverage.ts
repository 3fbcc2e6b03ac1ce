import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import { wallMs } from '../../base/time.ts';
import { GAP_INTERVALS } from '../../timeline/gap.ts';
import type { Stretch } from '../catalog.ts';
import { isCovered } from './hold-cover.ts';
import { prepare } from './prepared.ts';
import type { CatalogDb, SegmentTable } from './schema.ts';
import type { RangeParams } from './window-queries.ts';

/** What a segment says of the stretch that it is in. */
export type StretchRow = Pick<
  SegmentTable,
  'start_ms' | 'end_ms' | 'is_late' | 'sequence' | 'frame_count' | 'size_bytes' | 'discontinuity'
>;
type PagePlace = Pick<StretchRow, 'start_ms' | 'is_late' | 'sequence'>;

/** Bounds the memory for ranges of many days, and how long one page keeps the event loop: some 15 ms. */
const PAGE = 20_000;

/** Between two runs of such media: some frames. */
const FRAMELESS_TOLERANCE_MS = 100;

const shownPage = prepare<RangeParams & PagePlace, StretchRow>((db, param) =>
  db
    .selectFrom('segment')
    .select(['start_ms', 'end_ms', 'is_late', 'sequence', 'frame_count', 'size_bytes', 'discontinuity'])
    .where('rendition_id', '=', param('renditionId'))
    .where('start_ms', '>=', param('start_ms'))
    .where('start_ms', '<', param('toMs'))
    .where('end_ms', '>', param('fromMs'))
    .where('lost', '=', 0)
    .where(
      sql<boolean>`(start_ms, is_late, sequence) > (${param('start_ms')}, ${param('is_late')}, ${param('sequence')})`,
    )
    .where((eb) =>
      eb.or([
        eb('retired_at_ms', 'is', null),
        eb.and([
          eb('retired_at_ms', '>=', 0),
          isCovered(eb, param('streamId'), (hold) => hold('hold.released_at_ms', 'is', null)),
        ]),
      ]),
    )
    .orderBy('start_ms')
    .orderBy('is_late')
    .orderBy('sequence')
    .limit(PAGE),
);

/**
 * Merges shown segments into stretches. Done here and not by window functions: reading a day's rows and one pass over them takes less than half
 * the CPU of the two sorts that "gaps and islands" needs in SQLite.
 */
export async function coverageOf(
  db: CatalogDb,
  range: RangeParams,
  toleranceMs: number | null,
): Promise<readonly Stretch[]> {
  const stretches: Stretch[] = [];
  let last: StretchRow | undefined;
  let place: PagePlace = { start_ms: range.sinceStartMs, is_late: -1, sequence: -1 };
  for (;;) {
    const rows = await shownPage(db, { ...range, ...place });
    for (const row of rows) {
      addTo(stretches, row, isOneRun(last, row) ? Number.POSITIVE_INFINITY : (toleranceMs ?? ownTolerance(last, row)));
      if (last === undefined || row.end_ms > last.end_ms) last = row;
    }
    const lastRead = rows.at(-1);
    if (lastRead === undefined || rows.length < PAGE) return stretches;
    place = lastRead;
    await nextTurn();
  }
}

/**
 * What the writer went by when it decided whether a gap precedes a segment: {@link GAP_INTERVALS} frame intervals. Where it saw one (or another
 * reason for a discontinuity) a hole of more than one interval is that gap; the interval is that of the segment before.
 */
export function ownTolerance(before: StretchRow | undefined, row: StretchRow): number {
  if (before === undefined) return 0;
  if (before.frame_count === 0) return isOneRun(before, row) ? Number.POSITIVE_INFINITY : FRAMELESS_TOLERANCE_MS;
  const intervalMs = (before.end_ms - before.start_ms) / before.frame_count;
  return row.discontinuity === 1 ? intervalMs : GAP_INTERVALS * intervalMs;
}

/**
 * Whether media whose frames are not listed (pushed) runs on from one segment to the next: they follow each other in one epoch. Where each lies in wall
 * time is what its encoder said, which need not fit to the millisecond.
 */
function isOneRun(before: StretchRow | undefined, row: StretchRow): boolean {
  return (
    before?.frame_count === 0 &&
    row.discontinuity === 0 &&
    row.is_late === before.is_late &&
    row.sequence === before.sequence + 1
  );
}

function addTo(stretches: Stretch[], row: StretchRow, toleranceMs: number): void {
  const last = stretches.at(-1);
  const goesOn = last !== undefined && row.start_ms - last.toMs <= toleranceMs;
  const before = goesOn
    ? last
    : { fromMs: row.start_ms, toMs: row.end_ms, segmentCount: 0, frameCount: 0, sizeBytes: 0 };
  if (goesOn) stretches.pop();
  stretches.push({
    fromMs: wallMs(before.fromMs),
    toMs: wallMs(Math.max(before.toMs, row.end_ms)),
    segmentCount: before.segmentCount + 1,
    frameCount: before.frameCount + row.frame_count,
    sizeBytes: before.sizeBytes + row.size_bytes,
  });
}
