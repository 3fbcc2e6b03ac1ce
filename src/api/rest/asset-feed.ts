import type { Clock, Timer } from '../../base/clock.ts';
import { isZoetropeError, messageOf } from '../../base/errors.ts';
import { isId } from '../../base/ids.ts';
import type { Logger } from '../../base/logger.ts';
import type { AssetStore } from '../../catalog/asset-store.ts';
import type { CatalogChange } from '../../catalog/catalog.ts';
import { isFinal, type Asset, type Output } from '../../timeline/asset.ts';
import { assetJson } from './asset-json.ts';
import type { AssetJson } from './asset-shapes.ts';

/** Changes of one asset within this time are told as one. */
const COALESCE_MS = 250;
const PAGE = 1000;
/** How many of the newest assets are looked at for those that ended while a subscriber was away. */
const LOOK_BACK = 1000;
/** Ends that are told again, in case clocks of processes differ. */
const OVERLAP_MS = 5000;

/** Someone who wants to know how assets fare. */
export interface AssetSubscriber {
  /** Null: all that it can see. */
  readonly assetId: string | null;
  canSee(tenant: string): boolean;
  changed(asset: AssetJson): unknown;
  removed(id: string): unknown;
}

/** What an {@link AssetFeed} needs. */
export interface AssetFeedDeps {
  readonly catalog: Pick<AssetStore, 'getAsset' | 'outputsOf' | 'listAssets'> & {
    onChange(listener: (change: CatalogChange) => void): () => void;
  };
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publicUrl: string | undefined;
}

/** Tells subscribers how assets fare: each change is read once however many there are, and none while there are none. */
export class AssetFeed {
  readonly #deps: AssetFeedDeps;
  readonly #subscribers = new Set<AssetSubscriber>();
  readonly #dirty = new Set<string>();
  /** Tenants of assets that were told: for saying that one is gone. */
  readonly #tenants = new Map<string, string>();
  #unlisten: (() => void) | undefined;
  #timer: Timer | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(deps: AssetFeedDeps) {
    this.#deps = deps;
  }

  /**
   * Tells the present state (of the one asset; or of all that are under way, and of those that ended since `sinceMs`), then each change. Answers how to
   * stop. @throws what the catalog throws
   */
  async subscribe(subscriber: AssetSubscriber, sinceMs: number | null): Promise<() => void> {
    this.#unlisten ??= this.#deps.catalog.onChange((change) => this.#changed(change));
    this.#subscribers.add(subscriber);
    const leave = (): void => this.#leave(subscriber);
    try {
      if (subscriber.assetId !== null) await this.#tellOne(subscriber.assetId, [subscriber]);
      else await this.#tellAll(subscriber, sinceMs);
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }

  /** Tells that an asset was removed here; one that another process removes is missed if nothing was told of it before. */
  noteRemoved(id: string, tenant: string): void {
    this.#tenants.set(id, tenant);
    this.#tellRemoved(id);
  }

  /** Ends the watching. */
  close(): void {
    for (const subscriber of this.#subscribers) this.#leave(subscriber);
  }

  #leave(subscriber: AssetSubscriber): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size > 0) return;
    this.#unlisten?.();
    this.#unlisten = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dirty.clear();
    this.#tenants.clear();
  }

  #changed({ streamIds }: CatalogChange): void {
    for (const id of streamIds) if (isId('asset', id) && this.#listenersOf(id).length > 0) this.#dirty.add(id);
    if (this.#dirty.size === 0 || this.#timer !== undefined) return;
    this.#timer = this.#deps.clock.schedule(COALESCE_MS, () => {
      this.#reading = this.#reading.then(() => this.#tellDirty());
    });
  }

  async #tellDirty(): Promise<void> {
    this.#timer = undefined;
    const ids = [...this.#dirty];
    this.#dirty.clear();
    for (const id of ids) {
      try {
        await this.#tellOne(id, this.#listenersOf(id));
      } catch (error) {
        if (isZoetropeError(error, 'not_found')) this.#tellRemoved(id);
        else this.#deps.logger.warn({ assetId: id, error: messageOf(error) }, 'could not read an asset');
      }
    }
  }

  #listenersOf(id: string): readonly AssetSubscriber[] {
    return [...this.#subscribers].filter(({ assetId }) => assetId === null || assetId === id);
  }

  async #tellOne(id: string, subscribers: readonly AssetSubscriber[]): Promise<void> {
    const { catalog } = this.#deps;
    const asset = await catalog.getAsset(id);
    const outputs = await catalog.outputsOf([id]);
    this.#tell(asset, outputs.get(id) ?? [], subscribers);
  }

  async #tellAll(subscriber: AssetSubscriber, sinceMs: number | null): Promise<void> {
    await this.#eachAsset(Number.POSITIVE_INFINITY, true, (asset, outputs) => this.#tell(asset, outputs, [subscriber]));
    if (sinceMs === null) return;
    await this.#eachAsset(LOOK_BACK, false, (asset, outputs) => {
      const endedMs = asset.endedAtMs ?? Number.NEGATIVE_INFINITY;
      if (endedMs >= sinceMs - OVERLAP_MS) this.#tell(asset, outputs, [subscriber]);
    });
  }

  async #eachAsset(
    most: number,
    isOpen: boolean,
    visit: (asset: Asset, outputs: readonly Output[]) => void,
  ): Promise<void> {
    const { catalog } = this.#deps;
    const states = STATES.filter((state) => isFinal(state) !== isOpen);
    let cursor: string | undefined;
    let seen = 0;
    do {
      const page = await catalog.listAssets({ states }, { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
      const outputs = await catalog.outputsOf(page.items.map(({ id }) => id));
      for (const asset of page.items) visit(asset, outputs.get(asset.id) ?? []);
      seen += page.items.length;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined && seen < most);
  }

  #tell(asset: Asset, outputs: readonly Output[], subscribers: readonly AssetSubscriber[]): void {
    const listeners = subscribers.filter((one) => this.#subscribers.has(one) && one.canSee(asset.tenant));
    if (listeners.length === 0) return;
    this.#tenants.set(asset.id, asset.tenant);
    const { publicUrl, clock } = this.#deps;
    const json = assetJson(asset, outputs, { publicUrl, nowMs: clock.nowMs() });
    for (const listener of listeners) listener.changed(json);
  }

  #tellRemoved(id: string): void {
    const tenant = this.#tenants.get(id);
    this.#dirty.delete(id);
    if (tenant === undefined) return;
    this.#tenants.delete(id);
    for (const listener of this.#listenersOf(id)) if (listener.canSee(tenant)) listener.removed(id);
  }
}

const STATES = ['queued', 'probing', 'transcoding', 'packaging', 'ready', 'failed', 'cancelled'] as const;
