import type { AssetJob } from '../../catalog/asset-store.ts';
import type { Catalog, Window } from '../../catalog/catalog.ts';
import { isZoetropeError } from '../../base/errors.ts';
import { type Asset, isFinal } from '../../timeline/asset.ts';

/** The part of the catalog that the state of an asset is read from. */
export type AssetCatalog = Pick<Catalog, 'listAssets' | 'assetJob' | 'renditionWindow' | 'unsettledAssets'>;

/** What the catalog says of one asset, read piece by piece. */
export interface AssetSnapshot extends AssetJob {
  /** By output; those that have none yet are left out. */
  readonly windows: ReadonlyMap<string, Window>;
  /** Whether it waits to be settled; looked at only where no task waits or runs. */
  readonly isUnsettled: boolean;
}

const PAGE = 200;
const MANY = 100_000;

/** Every asset, newest first. One that is made meanwhile is missed: the next visit sees it. */
export async function* allAssets(catalog: Pick<Catalog, 'listAssets'>): AsyncIterable<Asset> {
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Catalog['listAssets']>> = await catalog.listAssets(
      {},
      cursor === null ? { limit: PAGE } : { limit: PAGE, cursor },
    );
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== null);
}

/** Reads a snapshot. @throws not_found when the asset was removed. */
export async function readAssetSnapshot(catalog: AssetCatalog, assetId: string): Promise<AssetSnapshot> {
  const job = await catalog.assetJob(assetId);
  const windows = new Map<string, Window>();
  for (const { id } of job.outputs) {
    try {
      windows.set(id, await catalog.renditionWindow(assetId, id, 0));
    } catch (error) {
      // Nothing is published of it, or it is none that is a rendition.
      if (!isZoetropeError(error, 'not_found')) throw error;
    }
  }
  const isAtWork = job.tasks.some(({ state }) => state === 'waiting' || state === 'running');
  const mayStand = !isFinal(job.asset.state) && !isAtWork;
  const isUnsettled = mayStand && (await catalog.unsettledAssets(MANY)).includes(assetId);
  return { ...job, windows, isUnsettled };
}
