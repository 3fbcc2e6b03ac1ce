import { sql } from 'kysely';
import type { Output } from '../../timeline/asset.ts';
import { toOutput } from './asset-rows.ts';
import type { CatalogDb } from './schema.ts';

const IDS_AT_ONCE = 500;

/** Outputs of assets in order of making; what running tasks report is added as of now. Nothing for assets that do not exist. */
export async function readOutputs(
  db: CatalogDb,
  assetIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Output[]>> {
  const all = new Map<string, Output[]>();
  for (let at = 0; at < assetIds.length; at += IDS_AT_ONCE) {
    const ids = assetIds.slice(at, at + IDS_AT_ONCE);
    const assets = await db.selectFrom('asset').select('id').where('id', 'in', ids).execute();
    for (const { id } of assets) all.set(id, []);
    const running = await runningWeights(db, ids);
    const rows = await db
      .selectFrom('output')
      .selectAll()
      .where('asset_id', 'in', ids)
      .orderBy('asset_id')
      .orderBy('ordinal')
      .execute();
    for (const row of rows) all.get(row.asset_id)?.push(toOutput(row, running.get(row.id) ?? 0));
  }
  return all;
}

/** Of each output that running tasks name: their weights, each times its progress. */
async function runningWeights(db: CatalogDb, assetIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom('task')
    .select(['output_ids', 'weight', 'progress'])
    .where(sql<boolean>`state = 'running'`)
    .where('owner_id', 'in', assetIds)
    .execute();
  const weights = new Map<string, number>();
  for (const row of rows) {
    for (const id of JSON.parse(row.output_ids) as string[]) {
      weights.set(id, (weights.get(id) ?? 0) + row.weight * row.progress);
    }
  }
  return weights;
}
