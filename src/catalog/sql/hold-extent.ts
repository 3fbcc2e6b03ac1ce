import { sql } from 'kysely';
import { wallMs } from '../../base/time.ts';
import type { Hold } from '../../timeline/hold.ts';
import { MAIN_RENDITION } from '../../timeline/rendition.ts';
import { coverageOf, ownTolerance, type StretchRow } from './coverage.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { prepare } from './prepared.ts';
import { found, type Row, toHold } from './rows.ts';
import type { CatalogDb, HoldTable } from './schema.ts';

/** A hold with no end is measured up to here. */
const FAR_MS = 8_640_000_000_000_000;
/** How often a hold is measured again because its stream changed meanwhile; then the newest result is answered and not kept. */
const MAX_TRIES = 3;

type ExtentColumns = Pick<HoldTable, 'segment_count' | 'size_bytes' | 'covered_ms' | 'gap_count' | 'measured_to_ms'>;

interface Range {
  readonly startMs: number;
  readonly endMs: number;
}

const measuredOver = prepare<{ streamId: string } & Range, Row<HoldTable>>((db, param) =>
  db
    .selectFrom('hold')
    .selectAll()
    .where('stream_id', '=', param('streamId'))
    .where('measured_to_ms', 'is not', null)
    .where(sql<boolean>`coalesce(to_ms, 8640000000000000) > ${param('startMs')}`)
    // Not by an index: by its start, all that have ended before would be looked at.
    .where(sql<boolean>`from_ms + 0 < ${param('endMs')}`),
);

const setExtent = prepare<ExtentColumns & { id: string }>((db, param) =>
  db
    .updateTable('hold')
    .set({
      segment_count: param('segment_count'),
      size_bytes: param('size_bytes'),
      covered_ms: param('covered_ms'),
      gap_count: param('gap_count'),
      measured_to_ms: param('measured_to_ms'),
    })
    .where('id', '=', param('id')),
);

/** Counts a segment that was appended at the end of a stream in the holds that it falls into; `before` is the one before it in the window. */
export async function countInHolds(
  db: CatalogDb,
  streamId: string,
  row: StretchRow,
  before: StretchRow | undefined,
): Promise<void> {
  for (const hold of await measuredOver(db, { streamId, startMs: row.start_ms, endMs: row.end_ms })) {
    const countedToMs = hold.measured_to_ms ?? hold.from_ms;
    const isFirst = hold.segment_count === 0;
    const isGap = !isFirst && row.start_ms - countedToMs > ownTolerance(before, row);
    const fromMs = isGap || isFirst ? Math.max(row.start_ms, countedToMs) : countedToMs;
    const endMs = Math.min(row.end_ms, hold.to_ms ?? row.end_ms);
    await setExtent(db, {
      id: hold.id,
      segment_count: hold.segment_count + 1,
      size_bytes: hold.size_bytes + row.size_bytes,
      covered_ms: hold.covered_ms + Math.max(0, endMs - fromMs),
      gap_count: hold.gap_count + Number(isGap),
      measured_to_ms: Math.max(countedToMs, endMs),
    });
  }
}

/** Notes that holds must be measured anew: something came to lie within them, or left. */
export async function forgetExtents(db: CatalogDb, streamId: string, range: Range): Promise<void> {
  for (const { id } of await measuredOver(db, { streamId, ...range })) await forgetExtent(db, id);
}

/** Notes that one hold must be measured anew. */
export async function forgetExtent(db: CatalogDb, id: string): Promise<void> {
  await db.updateTable('hold').set({ measured_to_ms: null }).where('id', '=', id).execute();
}

/** The columns of a hold that begins where nothing is yet. */
export function emptyExtent(fromMs: number): ExtentColumns {
  return { segment_count: 0, size_bytes: 0, covered_ms: 0, gap_count: 0, measured_to_ms: fromMs };
}

/** The columns of a hold that is still to be measured. */
export function unknownExtent(): ExtentColumns {
  return { segment_count: 0, size_bytes: 0, covered_ms: 0, gap_count: 0, measured_to_ms: null };
}

/** As {@link RecordingStore.measureHold}: reads outside of any transaction, and keeps what it found if nothing happened to the stream meanwhile. */
export async function measureHold(backend: SqlBackend, id: string): Promise<Hold> {
  for (let tries = 1; ; tries++) {
    const { hold, extent, revision } = await measure(backend, id);
    if (extent === null) return toHold(hold);
    const measured = toHold({ ...hold, ...extent });
    if (await backend.write((scope) => keepExtent(scope, measured, extent, revision))) return measured;
    if (tries >= MAX_TRIES) return measured;
  }
}

async function measure(
  backend: SqlBackend,
  id: string,
): Promise<{ readonly hold: Row<HoldTable>; readonly extent: ExtentColumns | null; readonly revision: number }> {
  const before = await backend.snapshot(async (db) => {
    const row = await db.selectFrom('hold').selectAll().where('id', '=', id).executeTakeFirst();
    const hold = found(row, 'hold', id);
    const rendition = await db
      .selectFrom('rendition')
      .select(['id', 'max_span_ms'])
      .where('stream_id', '=', hold.stream_id)
      .where('name', '=', MAIN_RENDITION)
      .executeTakeFirst();
    return { hold, rendition, revision: await revisionOf(db, hold.stream_id) };
  });
  const { hold, rendition, revision } = before;
  if (hold.measured_to_ms !== null || rendition === undefined) return { hold, extent: null, revision };
  const toMs = hold.to_ms ?? FAR_MS;
  const stretches = await backend.snapshot((db) =>
    coverageOf(
      db,
      {
        streamId: hold.stream_id,
        renditionId: rendition.id,
        sinceStartMs: hold.from_ms - rendition.max_span_ms,
        fromMs: hold.from_ms,
        toMs,
      },
      null,
    ),
  );
  const extent: ExtentColumns = {
    segment_count: stretches.reduce((sum, one) => sum + one.segmentCount, 0),
    size_bytes: stretches.reduce((sum, one) => sum + one.sizeBytes, 0),
    covered_ms: stretches.reduce((sum, one) => sum + overlapMs(one, hold.from_ms, toMs), 0),
    gap_count: Math.max(0, stretches.length - 1),
    measured_to_ms: Math.max(hold.from_ms, Math.min(toMs, stretches.at(-1)?.toMs ?? hold.from_ms)),
  };
  return { hold, extent, revision };
}

/** Whether it was kept. */
async function keepExtent(
  scope: WriteScope,
  { id, streamId }: Hold,
  extent: ExtentColumns,
  revision: number,
): Promise<boolean> {
  if ((await revisionOf(scope.db, streamId)) !== revision) return false;
  await setExtent(scope.db, { id, ...extent });
  return true;
}

async function revisionOf(db: CatalogDb, streamId: string): Promise<number> {
  const row = await db.selectFrom('stream').select('revision').where('id', '=', streamId).executeTakeFirst();
  return row?.revision ?? -1;
}

function overlapMs(stretch: { readonly fromMs: number; readonly toMs: number }, fromMs: number, toMs: number): number {
  return Math.max(0, wallMs(Math.min(stretch.toMs, toMs) - Math.max(stretch.fromMs, fromMs)));
}
