import { ZoetropeError } from '../base/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { AssetView, type AssetState, type AssetViewDeps } from './asset-view.ts';
import { ViewCache } from './view-cache.ts';

/** What the views read from. */
export interface AssetViewsDeps extends AssetViewDeps {
  readonly catalog: AssetViewDeps['catalog'] & Pick<Catalog, 'onChange'>;
  /** Memory for renditions' segments; the least recently used assets are let go beyond it. */
  readonly maxWindowBytes: number;
}

/** The assets that somebody is looking at. */
export class AssetViews {
  readonly #cache: ViewCache<AssetView>;

  constructor(deps: AssetViewsDeps) {
    this.#cache = new ViewCache({
      catalog: deps.catalog,
      clock: deps.clock,
      maxWindowBytes: deps.maxWindowBytes,
      idKind: 'asset',
      make: (assetId) => new AssetView(assetId, deps),
      missing: noSuchAsset,
    });
  }

  start(): void {
    this.#cache.start();
  }

  close(): void {
    this.#cache.close();
  }

  /** An asset's view and state. @throws not_found */
  read(assetId: string): Promise<{ readonly view: AssetView; readonly state: AssetState }> {
    return this.#cache.read(assetId, (view) => view.read());
  }
}

/** What is thrown for an asset that is not there, or not for who asks. */
export function noSuchAsset(assetId: string): ZoetropeError {
  return new ZoetropeError('not_found', `There is no asset ${JSON.stringify(assetId)}.`);
}
