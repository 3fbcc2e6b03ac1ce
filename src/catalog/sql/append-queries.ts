import type { StretchRow } from './coverage.ts';
import type { Row } from './rows.ts';
import { prepare } from './prepared.ts';
import type { EpochTable, RenditionTable, SegmentTable, SessionTable } from './schema.ts';

/** A segment beside the place of insertion. */
export type NeighbourRow = Pick<SegmentTable, 'id' | 'epoch_id' | 'dvr_discontinuity'> & StretchRow;

const NEIGHBOUR_COLUMNS = [
  'id',
  'epoch_id',
  'dvr_discontinuity',
  'start_ms',
  'end_ms',
  'is_late',
  'sequence',
  'frame_count',
  'size_bytes',
  'discontinuity',
] as const;

/** A place on a rendition's timeline. */
export interface Place {
  readonly renditionId: string;
  readonly startMs: number;
  readonly isLate: number;
}

/** A rendition by its stream and name. */
export const findRendition = prepare<{ streamId: string; name: string }, Row<RenditionTable>>((db, param) =>
  db.selectFrom('rendition').selectAll().where('stream_id', '=', param('streamId')).where('name', '=', param('name')),
);

/** All renditions of a stream. */
export const allRenditions = prepare<{ streamId: string }, Row<RenditionTable>>((db, param) =>
  db.selectFrom('rendition').selectAll().where('stream_id', '=', param('streamId')),
);

/** An epoch by its id. */
export const findEpoch = prepare<{ id: string }, Row<EpochTable>>((db, param) =>
  db.selectFrom('epoch').selectAll().where('id', '=', param('id')),
);

/** Counts one more segment of an epoch. */
export const countInEpoch = prepare<{ id: string }>((db, param) =>
  db
    .updateTable('epoch')
    .set((eb) => ({ segment_count: eb('segment_count', '+', 1) }))
    .where('id', '=', param('id')),
);

/** Frame times of segments that start in [fromMs, toMs]. */
export const frameTimesNear = prepare<
  { renditionId: string; fromMs: number; toMs: number },
  Pick<SegmentTable, 'frame_times'>
>((db, param) =>
  db
    .selectFrom('segment')
    .select('frame_times')
    .where('rendition_id', '=', param('renditionId'))
    .where('start_ms', '>=', param('fromMs'))
    .where('start_ms', '<=', param('toMs')),
);

/** The last segment in the window that lies before a new one in wall order, which is behind its equals. */
export const lastBefore = prepare<Place, NeighbourRow>((db, param) =>
  db
    .selectFrom('segment')
    .select(NEIGHBOUR_COLUMNS)
    .where('rendition_id', '=', param('renditionId'))
    .where('retired_at_ms', 'is', null)
    .where('start_ms', '<=', param('startMs'))
    .where((eb) => eb.or([eb('start_ms', '<', param('startMs')), eb('is_late', '<=', param('isLate'))]))
    .orderBy('start_ms', 'desc')
    .orderBy('is_late', 'desc')
    .orderBy('sequence', 'desc')
    .limit(1),
);

/** The first segment in the window that lies behind a new one in wall order. */
export const firstAfter = prepare<Place, NeighbourRow>((db, param) =>
  db
    .selectFrom('segment')
    .select(NEIGHBOUR_COLUMNS)
    .where('rendition_id', '=', param('renditionId'))
    .where('retired_at_ms', 'is', null)
    .where('start_ms', '>=', param('startMs'))
    .where((eb) => eb.or([eb('start_ms', '>', param('startMs')), eb('is_late', '>', param('isLate'))]))
    .orderBy('start_ms')
    .orderBy('is_late')
    .orderBy('sequence')
    .limit(1),
);

/** Sets the one flag of a segment that its neighbours decide. */
export const setDvrDiscontinuity = prepare<{ id: string; value: number }>((db, param) =>
  db
    .updateTable('segment')
    .set({ dvr_discontinuity: param('value') })
    .where('id', '=', param('id')),
);

/** The open session of a stream. */
export const openSession = prepare<{ streamId: string }, Row<SessionTable>>((db, param) =>
  db.selectFrom('session').selectAll().where('stream_id', '=', param('streamId')).where('closed_at_ms', 'is', null),
);

/** Moves a session's end. */
export const extendSession = prepare<{ id: string; endMs: number }>((db, param) =>
  db
    .updateTable('session')
    .set({ end_ms: param('endMs') })
    .where('id', '=', param('id')),
);

/** Writes a segment's row. */
export const insertSegment = prepare<Row<SegmentTable>>((db, param) =>
  db.insertInto('segment').values({
    id: param('id'),
    rendition_id: param('rendition_id'),
    epoch_id: param('epoch_id'),
    is_late: param('is_late'),
    sequence: param('sequence'),
    start_ms: param('start_ms'),
    end_ms: param('end_ms'),
    media_start_90k: param('media_start_90k'),
    duration_90k: param('duration_90k'),
    frame_times: param('frame_times'),
    frame_count: param('frame_count'),
    object_key: param('object_key'),
    size_bytes: param('size_bytes'),
    sha256: param('sha256'),
    discontinuity: param('discontinuity'),
    dvr_discontinuity: param('dvr_discontinuity'),
    lost: param('lost'),
    created_at_ms: param('created_at_ms'),
    retired_at_ms: param('retired_at_ms'),
    held: param('held'),
    keyframe_bytes: param('keyframe_bytes'),
    of_asset: param('of_asset'),
    remote: param('remote'),
  }),
);

/** Writes a rendition's row. */
export const insertRendition = prepare<Row<RenditionTable>>((db, param) =>
  db.insertInto('rendition').values({
    id: param('id'),
    stream_id: param('stream_id'),
    name: param('name'),
    fence: param('fence'),
    next_sequence: param('next_sequence'),
    next_late_sequence: param('next_late_sequence'),
    next_epoch_ordinal: param('next_epoch_ordinal'),
    dvr_media_sequence: param('dvr_media_sequence'),
    dvr_discontinuity_sequence: param('dvr_discontinuity_sequence'),
    window_count: param('window_count'),
    window_tags: param('window_tags'),
    window_bytes: param('window_bytes'),
    retired_count: param('retired_count'),
    retired_bytes: param('retired_bytes'),
    newest_end_ms: param('newest_end_ms'),
    max_span_ms: param('max_span_ms'),
    of_asset: param('of_asset'),
    remote_bytes: param('remote_bytes'),
  }),
);

/** Writes back what appending and retiring change of a rendition. */
export const updateRendition = prepare<Row<RenditionTable>>((db, param) =>
  db
    .updateTable('rendition')
    .set({
      fence: param('fence'),
      next_sequence: param('next_sequence'),
      next_late_sequence: param('next_late_sequence'),
      next_epoch_ordinal: param('next_epoch_ordinal'),
      dvr_media_sequence: param('dvr_media_sequence'),
      dvr_discontinuity_sequence: param('dvr_discontinuity_sequence'),
      window_count: param('window_count'),
      window_tags: param('window_tags'),
      window_bytes: param('window_bytes'),
      retired_count: param('retired_count'),
      retired_bytes: param('retired_bytes'),
      newest_end_ms: param('newest_end_ms'),
      max_span_ms: param('max_span_ms'),
      remote_bytes: param('remote_bytes'),
    })
    .where('id', '=', param('id')),
);
