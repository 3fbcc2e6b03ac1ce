import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Hold } from '../../timeline/hold.ts';
import type { CatalogDb, CatalogSchema } from './schema.ts';

type SegmentBuilder = ExpressionBuilder<CatalogSchema, 'segment'>;

/** Whether a hold of the stream overlaps the segment at hand; `protecting` narrows which holds count. */
export function isCovered(
  eb: SegmentBuilder,
  streamId: Expression<string>,
  protecting?: (eb: ExpressionBuilder<CatalogSchema, 'segment' | 'hold'>) => Expression<SqlBool>,
): Expression<SqlBool> {
  let holds = eb
    .selectFrom('hold')
    .select('hold.id')
    .where('hold.stream_id', '=', streamId)
    .whereRef('hold.from_ms', '<', 'segment.end_ms')
    .where((inner) =>
      inner.or([inner('hold.to_ms', 'is', null), inner('hold.to_ms', '>', inner.ref('segment.start_ms'))]),
    );
  if (protecting !== undefined) holds = holds.where(protecting);
  return eb.exists(holds);
}

/**
 * Lets retired segments of a range be swept that no hold covers any more. Segments are flagged `held` as they retire so that sweeping need not
 * step over them: archives keep many times as many segments as the windows do. Call after the hold's row has shrunk or gone.
 */
export async function settleHeld(
  db: CatalogDb,
  streamId: string,
  range: { readonly fromMs: number; readonly toMs: number | null },
): Promise<void> {
  const renditions = await db
    .selectFrom('rendition')
    .select(['id', 'max_span_ms'])
    .where('stream_id', '=', streamId)
    .execute();
  for (const { id, max_span_ms } of renditions) {
    let freed = db
      .updateTable('segment')
      .set({ held: 0 })
      .where('rendition_id', '=', id)
      .where('start_ms', '>', range.fromMs - max_span_ms)
      .where('held', '=', 1)
      .where('end_ms', '>', range.fromMs)
      .where((eb) => eb.not(isCovered(eb, eb.val(streamId))));
    if (range.toMs !== null) freed = freed.where('start_ms', '<', range.toMs);
    await freed.execute();
  }
}

/** Whether one of these holds overlaps a range. */
export function isHeldBy(
  holds: readonly Pick<Hold, 'fromMs' | 'toMs'>[],
  range: { readonly startMs: number; readonly endMs: number },
): boolean {
  return holds.some(({ fromMs, toMs }) => fromMs < range.endMs && (toMs === null || toMs > range.startMs));
}
