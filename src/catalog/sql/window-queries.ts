import { isCovered } from './hold-cover.ts';
import { prepare } from './prepared.ts';
import type { Row } from './rows.ts';
import type { CatalogDb, EpochTable, SegmentTable } from './schema.ts';

/** The newest on-time segments that are not retired, newest first. */
export const newestOnTime = prepare<{ renditionId: string; count: number }, Row<SegmentTable>>((db, param) =>
  db
    .selectFrom('segment')
    .selectAll()
    .where('rendition_id', '=', param('renditionId'))
    .where('is_late', '=', 0)
    .where('retired_at_ms', 'is', null)
    .orderBy('sequence', 'desc')
    .limit(param('count')),
);

/** The newest on-time segment, retired or not. */
export const newestEver = prepare<{ renditionId: string }, Row<SegmentTable>>((db, param) =>
  db
    .selectFrom('segment')
    .selectAll()
    .where('rendition_id', '=', param('renditionId'))
    .where('is_late', '=', 0)
    .orderBy('sequence', 'desc')
    .limit(1),
);

/** On-time segments that are not retired from a sequence number on, oldest first. */
export const onTimeFrom = prepare<{ renditionId: string; fromSequence: number }, Row<SegmentTable>>((db, param) =>
  db
    .selectFrom('segment')
    .selectAll()
    .where('rendition_id', '=', param('renditionId'))
    .where('is_late', '=', 0)
    .where('sequence', '>=', param('fromSequence'))
    .where('retired_at_ms', 'is', null)
    .orderBy('sequence'),
);

/** Late segments that are not retired from a late sequence number on, lowest first. */
export const lateFrom = prepare<{ renditionId: string; fromSequence: number; limit: number }, Row<SegmentTable>>(
  (db, param) =>
    db
      .selectFrom('segment')
      .selectAll()
      .where('rendition_id', '=', param('renditionId'))
      .where('is_late', '=', 1)
      .where('sequence', '>=', param('fromSequence'))
      .where('retired_at_ms', 'is', null)
      .orderBy('sequence')
      .limit(param('limit')),
);

/** The whole window in wall order. */
export const wholeWindow = prepare<{ renditionId: string }, Row<SegmentTable>>((db, param) =>
  db
    .selectFrom('segment')
    .selectAll()
    .where('rendition_id', '=', param('renditionId'))
    .where('retired_at_ms', 'is', null)
    .orderBy('start_ms')
    .orderBy('is_late')
    .orderBy('sequence'),
);

/** A range of a rendition. What overlaps it starts no more than the longest segment before it, which bounds the index on both sides. */
export interface RangeParams {
  readonly streamId: string;
  readonly renditionId: string;
  readonly sinceStartMs: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Shown segments that overlap a range, in wall order. */
export const shownBetween = prepare<RangeParams & { readonly limit: number }, Row<SegmentTable>>((db, param) =>
  db
    .selectFrom('segment')
    .selectAll()
    .where('rendition_id', '=', param('renditionId'))
    .where('start_ms', '>', param('sinceStartMs'))
    .where('start_ms', '<', param('toMs'))
    .where('end_ms', '>', param('fromMs'))
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
    .limit(param('limit')),
);

/** The epochs of segments. */
export async function epochsOf(
  db: CatalogDb,
  segments: readonly Pick<SegmentTable, 'epoch_id'>[],
): Promise<Row<EpochTable>[]> {
  const ids = [...new Set(segments.map((segment) => segment.epoch_id))];
  const rows: Row<EpochTable>[] = [];
  for (let at = 0; at < ids.length; at += 500) {
    rows.push(
      ...(await db
        .selectFrom('epoch')
        .selectAll()
        .where('id', 'in', ids.slice(at, at + 500))
        .execute()),
    );
  }
  return rows;
}
