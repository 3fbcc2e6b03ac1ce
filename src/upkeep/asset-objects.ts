import { isZoetropeError } from '../base/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { type Asset, isFinal, sourceKey } from '../timeline/asset.ts';

/**
 * Tells which objects below an asset's prefix are its own. While its job goes on all are: results of tasks name what is not published yet, and tries
 * under way write what no row names. Afterwards its file, its segments and the files of its outputs; of a cancelled one, and one that is gone, none.
 */
export async function assetObjects(
  catalog: Pick<Catalog, 'getAsset' | 'outputsOf' | 'objectKeysOf'>,
  assetId: string,
): Promise<(key: string) => boolean> {
  const asset = await findAsset(catalog, assetId);
  if (asset === null || asset.state === 'cancelled') return () => false;
  if (!isFinal(asset.state)) return () => true;
  const outputs = (await catalog.outputsOf([assetId])).get(assetId) ?? [];
  const named = new Set([
    sourceKey(assetId),
    ...(await catalog.objectKeysOf(assetId)),
    ...outputs.flatMap(({ files }) => files.map(({ objectKey }) => objectKey)),
  ]);
  return (key) => named.has(key);
}

async function findAsset(catalog: Pick<Catalog, 'getAsset'>, id: string): Promise<Asset | null> {
  try {
    return await catalog.getAsset(id);
  } catch (error) {
    if (isZoetropeError(error, 'not_found')) return null;
    throw error;
  }
}
