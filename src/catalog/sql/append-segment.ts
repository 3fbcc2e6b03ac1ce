import { ZoetropeError } from '../../base/errors.ts';
import { wallMs, type WallMs } from '../../base/time.ts';
import { insertIntoWindow } from '../../timeline/numbering.ts';
import { type Segment, segmentEndMs } from '../../timeline/segment.ts';
import { MAIN_RENDITION } from '../../timeline/rendition.ts';
import type { Session } from '../../timeline/session.ts';
import { sessionStep } from '../../timeline/session-rule.ts';
import type { AppendedSegment, NewSegment } from '../catalog.ts';
import * as queries from './append-queries.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { takeChunk } from './chunk-store.ts';
import { decodeFrameTimes, encodeFrameTimes } from './frame-times.ts';
import { countInHolds, forgetExtents } from './hold-extent.ts';
import { found, type Row, toEpoch, toRendition, toSegment, toSession } from './rows.ts';
import type { CatalogDb, EpochTable, RenditionTable, SegmentTable } from './schema.ts';
import { publishOffline, publishOnline } from './session-events.ts';

/** What a segment of a rung has from its source. */
export interface SourceFlags {
  readonly discontinuity: boolean;
  /** It was not made: there is no object. */
  readonly isLost: boolean;
}

/** Appends a segment within a transaction, as {@link TimelineStore.appendSegment} states; `source` of a live ladder's rung. */
export async function appendSegment(
  backend: SqlBackend,
  scope: WriteScope,
  segment: NewSegment,
  source: SourceFlags | null = null,
): Promise<AppendedSegment> {
  const { db } = scope;
  const name = segment.rendition ?? MAIN_RENDITION;
  const [row] = await queries.findRendition(db, { streamId: segment.streamId, name });
  const rendition = found(row, 'rendition', `${name} of stream ${segment.streamId}`);
  const placed = place(segment);
  checkFence(rendition, segment);
  await checkFramesAreNew(db, rendition, segment, placed);
  const nowMs = backend.clock.nowMs();
  const epoch = await takeEpoch(db, rendition, segment, nowMs);
  const discontinuity = source?.discontinuity ?? isDiscontinuity(segment, rendition);
  const window = await insertWindowed(db, { rendition, segment, placed, epoch, discontinuity });
  const { offlineAfterMs } = segment;
  const session =
    placed.isLate === 1 || offlineAfterMs === null
      ? null
      : await stepSession(backend, scope, { ...segment, endMs: placed.endMs, offlineAfterMs });
  const segmentRow: Row<SegmentTable> = {
    id: segment.id,
    rendition_id: rendition.id,
    epoch_id: epoch.id,
    is_late: placed.isLate,
    sequence: placed.isLate === 1 ? rendition.next_late_sequence : rendition.next_sequence,
    start_ms: segment.startMs,
    end_ms: placed.endMs,
    media_start_90k: segment.mediaStart90k,
    duration_90k: segment.duration90k,
    frame_times: encodeFrameTimes(segment.frameTimesMs),
    frame_count: segment.frameTimesMs.length,
    object_key: segment.objectKey,
    size_bytes: segment.sizeBytes,
    sha256: segment.sha256,
    discontinuity: Number(discontinuity),
    dvr_discontinuity: Number(window.dvrDiscontinuity),
    lost: Number(source?.isLost ?? false),
    created_at_ms: nowMs,
    retired_at_ms: null,
    held: 0,
    keyframe_bytes: segment.keyframeBytes,
    of_asset: rendition.of_asset,
  };
  try {
    await queries.insertSegment(db, segmentRow);
  } catch (error) {
    if (!backend.isUniqueViolation(error)) throw error;
    throw new ZoetropeError('conflict', `There is a segment ${segment.id} already. Give each a fresh id.`, {
      cause: error,
    });
  }
  if (segment.chunkIndex !== undefined) await takeChunk(scope, segment.streamId, segment.chunkIndex);
  const updated = advance(rendition, segment, placed, epoch, window.numbers);
  await queries.updateRendition(db, updated);
  if (placed.isLate === 1) await forgetExtents(db, segment.streamId, { startMs: segment.startMs, endMs: placed.endMs });
  else if (isOfHolds(rendition)) await countInHolds(db, segment.streamId, segmentRow, window.before);
  const appended: AppendedSegment = {
    segment: toSegment(segmentRow, segment.streamId),
    epoch: toEpoch(epoch),
    rendition: toRendition(updated),
    session,
  };
  scope.changed(segment.streamId, appended);
  return appended;
}

interface Placed {
  readonly isLate: 0 | 1;
  readonly endMs: WallMs;
  /** Behind its end and its last frame. */
  readonly reachMs: number;
}

function place(segment: NewSegment): Placed {
  const endMs = segmentEndMs(segment);
  const lastFrameMs = segment.frameTimesMs.at(-1) ?? segment.startMs;
  if (!(segment.duration90k > 0) || (segment.frameTimesMs[0] ?? segment.startMs) < segment.startMs) {
    throw new ZoetropeError(
      'invalid_argument',
      `A segment lasts longer than nothing and holds no frame from before its start. Got ${segment.duration90k} ticks from ${segment.startMs}, first frame ${String(segment.frameTimesMs[0])}.`,
    );
  }
  return { isLate: segment.placement === 'late' ? 1 : 0, endMs, reachMs: Math.max(endMs, lastFrameMs + 1) };
}

function checkFence(rendition: Row<RenditionTable>, segment: NewSegment): void {
  if (segment.fence >= rendition.fence) return;
  throw new ZoetropeError(
    'fenced',
    `Rendition ${rendition.name} of stream ${segment.streamId} was claimed with fence ${rendition.fence}; this writer has ${segment.fence} and must stop.`,
  );
}

/** Every frame is on its timeline once. Looks only at segments that reach into the new one. */
async function checkFramesAreNew(
  db: CatalogDb,
  rendition: Row<RenditionTable>,
  segment: NewSegment,
  placed: Placed,
): Promise<void> {
  if (rendition.newest_end_ms === null || segment.startMs >= rendition.newest_end_ms) return;
  const near = await queries.frameTimesNear(db, {
    renditionId: rendition.id,
    fromMs: segment.startMs - rendition.max_span_ms,
    toMs: placed.reachMs,
  });
  const known = new Set(near.flatMap((row) => decodeFrameTimes(row.frame_times)));
  const repeated = segment.frameTimesMs.find((time) => known.has(time));
  if (repeated === undefined) return;
  throw new ZoetropeError(
    'conflict',
    `The frame captured at ${new Date(repeated).toISOString()} (${repeated}) is on the timeline of stream ${segment.streamId} already. Leave it out.`,
    { details: { streamId: segment.streamId, capturedAtMs: repeated } },
  );
}

async function takeEpoch(
  db: CatalogDb,
  rendition: Row<RenditionTable>,
  segment: NewSegment,
  nowMs: WallMs,
): Promise<Row<EpochTable>> {
  if ('begin' in segment.epoch) {
    const { begin } = segment.epoch;
    const isLate = segment.placement === 'late';
    const epoch: Row<EpochTable> = {
      id: begin.id,
      rendition_id: rendition.id,
      is_late: Number(isLate),
      ordinal: isLate ? -1 : Math.max(rendition.next_epoch_ordinal, begin.leastOrdinal ?? 0),
      anchor_ms: begin.anchorMs,
      init: begin.init,
      init_sha256: begin.initSha256,
      codecs: begin.codecs,
      width: begin.width,
      height: begin.height,
      created_at_ms: nowMs,
      segment_count: 1,
    };
    await db.insertInto('epoch').values(epoch).execute();
    return epoch;
  }
  const id = segment.epoch.existingId;
  const [row] = await queries.findEpoch(db, { id });
  const epoch = found(row, 'epoch', id);
  const isNewest = epoch.is_late === 0 && epoch.ordinal === rendition.next_epoch_ordinal - 1;
  if (segment.placement === 'late' || epoch.rendition_id !== rendition.id || !isNewest) {
    throw new ZoetropeError(
      'invalid_argument',
      `Epoch ${id} cannot go on: only an on-time segment may, and only with its rendition's newest epoch. Begin an epoch with this segment.`,
    );
  }
  await queries.countInEpoch(db, { id });
  return epoch;
}

/** Holds are measured by the rendition that their timeline shows, and assets have none. */
function isOfHolds(rendition: Row<RenditionTable>): boolean {
  return rendition.of_asset === 0 && rendition.name === MAIN_RENDITION;
}

function isDiscontinuity(segment: NewSegment, rendition: Row<RenditionTable>): boolean {
  return segment.placement === 'late' || ('begin' in segment.epoch && rendition.next_epoch_ordinal > 0);
}

async function insertWindowed(
  db: CatalogDb,
  {
    rendition,
    segment,
    placed,
    epoch,
    discontinuity,
  }: {
    readonly rendition: Row<RenditionTable>;
    readonly segment: NewSegment;
    readonly placed: Placed;
    readonly epoch: Row<EpochTable>;
    readonly discontinuity: boolean;
  },
): Promise<ReturnType<typeof insertIntoWindow> & { readonly before: queries.NeighbourRow | undefined }> {
  const here = { renditionId: rendition.id, startMs: segment.startMs, isLate: placed.isLate };
  const [[before], [after]] = [
    await queries.lastBefore(db, here),
    placed.isLate === 0 && segment.startMs >= (rendition.newest_end_ms ?? segment.startMs)
      ? []
      : await queries.firstAfter(db, here),
  ];
  const insertion = insertIntoWindow(
    {
      mediaSequence: rendition.dvr_media_sequence,
      discontinuitySequence: rendition.dvr_discontinuity_sequence,
      length: rendition.window_count,
      tags: rendition.window_tags,
    },
    { placement: segment.placement, epochId: epoch.id, discontinuity },
    { before: asNeighbour(before), after: asNeighbour(after) },
  );
  if (after !== undefined && insertion.followerDiscontinuity !== (after.dvr_discontinuity === 1)) {
    await queries.setDvrDiscontinuity(db, { id: after.id, value: Number(insertion.followerDiscontinuity) });
  }
  return { ...insertion, before };
}

function asNeighbour(row: queries.NeighbourRow | undefined): Pick<Segment, 'epochId' | 'dvrDiscontinuity'> | null {
  return row === undefined ? null : { epochId: row.epoch_id, dvrDiscontinuity: row.dvr_discontinuity === 1 };
}

async function stepSession(
  backend: SqlBackend,
  scope: WriteScope,
  segment: {
    readonly streamId: string;
    readonly startMs: WallMs;
    readonly endMs: WallMs;
    readonly offlineAfterMs: number;
  },
): Promise<Session> {
  const { db } = scope;
  const [row] = await queries.openSession(db, { streamId: segment.streamId });
  const open = row === undefined ? null : toSession(row);
  const step = sessionStep(open, segment, segment.offlineAfterMs);
  if (step.kind === 'extend' && open !== null) {
    await queries.extendSession(db, { id: open.id, endMs: step.endMs });
    return { ...open, endMs: step.endMs };
  }
  if (open !== null) {
    await db
      .updateTable('session')
      .set({ ended_by: 'offline', closed_at_ms: backend.clock.nowMs() })
      .where('id', '=', open.id)
      .execute();
    await publishOffline(backend, scope, open, 'offline');
  }
  const begun = {
    id: backend.ids.next('session'),
    stream_id: segment.streamId,
    start_ms: segment.startMs,
    end_ms: step.endMs,
    ended_by: null,
    closed_at_ms: null,
    settled: 0,
  };
  await db.insertInto('session').values(begun).execute();
  const session = toSession(begun);
  await publishOnline(backend, scope, session);
  return session;
}

function advance(
  rendition: Row<RenditionTable>,
  segment: NewSegment,
  placed: Placed,
  epoch: Row<EpochTable>,
  numbers: ReturnType<typeof insertIntoWindow>['numbers'],
): Row<RenditionTable> {
  const beginsOnTime = 'begin' in segment.epoch && placed.isLate === 0;
  return {
    ...rendition,
    fence: Math.max(rendition.fence, segment.fence),
    next_sequence: rendition.next_sequence + (1 - placed.isLate),
    next_late_sequence: rendition.next_late_sequence + placed.isLate,
    next_epoch_ordinal: beginsOnTime ? epoch.ordinal + 1 : rendition.next_epoch_ordinal,
    dvr_media_sequence: numbers.mediaSequence,
    dvr_discontinuity_sequence: numbers.discontinuitySequence,
    window_count: numbers.length,
    window_tags: numbers.tags,
    window_bytes: rendition.window_bytes + segment.sizeBytes,
    newest_end_ms: Math.max(rendition.newest_end_ms ?? placed.reachMs, placed.reachMs),
    max_span_ms: Math.max(rendition.max_span_ms, placed.reachMs - wallMs(segment.startMs)),
  };
}
