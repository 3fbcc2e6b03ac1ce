import { ZoetropeError } from '../../base/errors.ts';
import { pts90k, wallMs } from '../../base/time.ts';
import { MAIN_RENDITION } from '../../timeline/rendition.ts';
import type { NewSegment } from '../catalog.ts';
import type { AppendedRungs, NewRungSegments, RungSegment } from '../ladder-store.ts';
import { findEpoch, findRendition, updateRendition } from './append-queries.ts';
import { appendSegment } from './append-segment.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { found, type Row } from './rows.ts';
import type { CatalogDb, EpochTable, RenditionTable, SegmentTable } from './schema.ts';
import { makeRendition } from './stream-rows.ts';
import { newestEver } from './window-queries.ts';

/** Gaps that are noted in one transaction: nobody else writes meanwhile. */
const MAX_GAPS = 200;

/** Where a rung's next segment of a placement goes, as `main` has it. */
interface Source {
  readonly row: Row<SegmentTable>;
  readonly epoch: Row<EpochTable>;
}

/** As {@link LadderStore.appendRungs}. */
export async function appendRungs(
  backend: SqlBackend,
  scope: WriteScope,
  { streamId, fence, sourceId, rungs }: NewRungSegments,
): Promise<AppendedRungs> {
  const { db } = scope;
  await checkOwner(db, streamId, fence);
  const [main] = await findRendition(db, { streamId, name: MAIN_RENDITION });
  const mainId = found(main, 'rendition', `${MAIN_RENDITION} of stream ${streamId}`).id;
  const source = await db
    .selectFrom('segment')
    .selectAll()
    .where('id', '=', sourceId)
    .where('rendition_id', '=', mainId)
    .executeTakeFirst();
  const row = found(source, 'segment', sourceId);
  let appended = 0;
  let isComplete = true;
  for (const rung of rungs) {
    const known = await renditionOf(backend, scope, { streamId, name: rung.rendition, beginsWith: row, main });
    const next = nextOf(known, row.is_late);
    if (row.sequence < next) continue;
    const missing = await missingBefore(db, row, next);
    isComplete &&= missing.length <= MAX_GAPS;
    for (const gap of missing.slice(0, MAX_GAPS)) {
      await appendOne(backend, scope, { rung, fence, streamId, isGap: true, row: gap });
      appended += 1;
    }
    if (missing.length > MAX_GAPS) continue;
    await appendOne(backend, scope, { rung, fence, streamId, isGap: false, row });
    appended += 1;
  }
  return { appended, isComplete };
}

async function checkOwner(db: CatalogDb, streamId: string, fence: number): Promise<void> {
  const ladder = await db.selectFrom('ladder').selectAll().where('stream_id', '=', streamId).executeTakeFirst();
  if (ladder?.wanted === 1 && ladder.owner !== null && ladder.fence === fence) return;
  throw new ZoetropeError(
    'fenced',
    `The ladder of stream ${streamId} has another owner (fence ${String(ladder?.fence)}, got ${fence}) or is wanted no more. Stop making it.`,
  );
}

/** A rung that is new begins with the source's numbers. */
async function renditionOf(
  backend: SqlBackend,
  scope: WriteScope,
  {
    streamId,
    name,
    beginsWith,
    main,
  }: {
    readonly streamId: string;
    readonly name: string;
    readonly beginsWith: Row<SegmentTable>;
    readonly main: Row<RenditionTable> | undefined;
  },
): Promise<Row<RenditionTable>> {
  const [known] = await findRendition(scope.db, { streamId, name });
  if (known !== undefined) return known;
  const made = await makeRendition(backend, scope, { streamId, name, ofAsset: false });
  const isLate = beginsWith.is_late === 1;
  const row = {
    ...made,
    next_sequence: isLate ? (main?.next_sequence ?? 0) : beginsWith.sequence,
    next_late_sequence: isLate ? beginsWith.sequence : (main?.next_late_sequence ?? 0),
  };
  await updateRendition(scope.db, row);
  return row;
}

function nextOf(rendition: Row<RenditionTable>, isLate: number): number {
  return isLate === 1 ? rendition.next_late_sequence : rendition.next_sequence;
}

/** Segments of the source before one that a rung lacks, as far as they still have rows. */
async function missingBefore(
  db: CatalogDb,
  row: Row<SegmentTable>,
  next: number,
): Promise<readonly Row<SegmentTable>[]> {
  if (row.sequence === next) return [];
  return db
    .selectFrom('segment')
    .selectAll()
    .where('rendition_id', '=', row.rendition_id)
    .where('is_late', '=', row.is_late)
    .where('sequence', '>=', next)
    .where('sequence', '<', row.sequence)
    .orderBy('sequence')
    .limit(MAX_GAPS + 1)
    .execute();
}

interface Step {
  readonly rung: RungSegment;
  readonly fence: number;
  readonly streamId: string;
  /** There is no such segment in the rung: it is said to be lost. */
  readonly isGap: boolean;
  /** Of the source. */
  readonly row: Row<SegmentTable>;
}

async function appendOne(backend: SqlBackend, scope: WriteScope, step: Step): Promise<void> {
  const { rung, row, isGap, streamId, fence } = step;
  const { db } = scope;
  const [epochRow] = await findEpoch(db, { id: row.epoch_id });
  const source: Source = { row, epoch: found(epochRow, 'epoch', row.epoch_id) };
  const existingId = await alignNumbers(db, step, source);
  const { init } = rung;
  const id = isGap ? backend.ids.next('segment') : rung.id;
  const segment: NewSegment = {
    id,
    streamId,
    rendition: rung.rendition,
    placement: row.is_late === 1 ? 'late' : 'onTime',
    startMs: wallMs(row.start_ms),
    mediaStart90k: pts90k(row.media_start_90k),
    duration90k: pts90k(row.duration_90k),
    frameTimesMs: [],
    objectKey: isGap ? `media/${streamId}/${id}.m4s` : rung.objectKey,
    sizeBytes: isGap ? 0 : rung.sizeBytes,
    sha256: isGap ? '' : rung.sha256,
    keyframeBytes: null,
    epoch:
      existingId !== null
        ? { existingId }
        : {
            begin: {
              id: backend.ids.next('epoch'),
              anchorMs: wallMs(source.epoch.anchor_ms),
              init: init.bytes,
              initSha256: init.sha256,
              codecs: init.codecs,
              width: init.width,
              height: init.height,
            },
          },
    fence,
    offlineAfterMs: null,
  };
  await appendSegment(backend, scope, segment, { discontinuity: row.discontinuity === 1, isLost: isGap });
}

/** Sets the rung's counters to what the source has, and answers the epoch that goes on; null: one begins. */
async function alignNumbers(db: CatalogDb, { rung, streamId, isGap }: Step, source: Source): Promise<string | null> {
  const { row, epoch } = source;
  const [known] = await findRendition(db, { streamId, name: rung.rendition });
  const rendition = found(known, 'rendition', `${rung.rendition} of stream ${streamId}`);
  const next = nextOf(rendition, row.is_late);
  // What the source lacks was swept; a number may only be left out where nothing before it is listed any more.
  if (row.sequence !== next && rendition.window_count > 0) {
    throw new ZoetropeError(
      'unavailable',
      `The rung ${rung.rendition} of stream ${streamId} still lists segments from before a stretch that is gone. It goes on when they have left its window.`,
      { retryable: true },
    );
  }
  if (row.is_late === 1) {
    if (row.sequence !== next) await updateRendition(db, { ...rendition, next_late_sequence: row.sequence });
    return null;
  }
  const newest = await newestEpoch(db, rendition.id);
  const goesOn =
    newest !== null && newest.ordinal === epoch.ordinal && (isGap || newest.init_sha256 === rung.init.sha256);
  const ordinal = goesOn ? epoch.ordinal + 1 : epoch.ordinal;
  if (row.sequence !== next || rendition.next_epoch_ordinal !== ordinal) {
    await updateRendition(db, { ...rendition, next_sequence: row.sequence, next_epoch_ordinal: ordinal });
  }
  return goesOn ? newest.id : null;
}

async function newestEpoch(db: CatalogDb, renditionId: string): Promise<Row<EpochTable> | null> {
  const [segment] = await newestEver(db, { renditionId });
  if (segment === undefined) return null;
  const [epoch] = await findEpoch(db, { id: segment.epoch_id });
  return epoch ?? null;
}
