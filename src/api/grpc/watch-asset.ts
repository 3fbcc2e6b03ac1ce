import type { Metadata, ServerErrorResponse } from '@grpc/grpc-js';
import { canSee } from '../../access/permission.ts';
import { ZoetropeError } from '../../base/errors.ts';
import type { AssetStore } from '../../catalog/asset-store.ts';
import { isFinal } from '../../timeline/asset.ts';
import type { AssetFeed } from '../rest/asset-feed.ts';
import type { AssetJson } from '../rest/asset-shapes.ts';
import { loadAsset } from '../rest/lookup.ts';
import { assetMessage } from './asset-message.ts';
import { principalOf, toStatus, type CallDeps } from './call.ts';
import type { Asset as AssetMessage } from './generated/zoetrope/v1/Asset.ts';

/** What watching needs. */
export interface WatchDeps extends CallDeps {
  readonly catalog: Pick<AssetStore, 'getAsset'>;
  readonly feed: Pick<AssetFeed, 'subscribe'>;
}

/** The part of a call that watching uses. */
export interface WatchCall {
  readonly metadata: Metadata;
  readonly request: { readonly id?: string | undefined };
  /** False: what was written waits for the client to read. */
  write(message: AssetMessage): boolean;
  end(): void;
  emit(event: 'error', error: ServerErrorResponse): boolean;
  on(event: 'cancelled' | 'drain', listener: () => void): unknown;
}

/** Sends an asset as it is, then as it changes, until it has ended. A client that reads slowly misses what was between, not the last. */
export async function watchAsset(deps: WatchDeps, call: WatchCall): Promise<void> {
  const watch = new Watch(deps, call);
  try {
    await watch.begin();
  } catch (error) {
    watch.end(error);
  }
}

class Watch {
  readonly #deps: WatchDeps;
  readonly #call: WatchCall;
  #leave: (() => void) | undefined;
  #isOver = false;
  #isFull = false;
  /** The newest that was not sent, because the client has not read what was. */
  #waiting: AssetJson | null = null;

  constructor(deps: WatchDeps, call: WatchCall) {
    this.#deps = deps;
    this.#call = call;
    call.on('cancelled', () => this.#stop());
    call.on('drain', () => this.#drained());
  }

  async begin(): Promise<void> {
    const { access, catalog, feed } = this.#deps;
    const principal = await principalOf(this.#call.metadata, ['read'], access);
    const { id } = await loadAsset(catalog, { principal }, this.#call.request.id ?? '');
    this.#leave = await feed.subscribe(
      {
        assetId: id,
        canSee: (tenant) => canSee(principal, tenant),
        changed: (asset) => this.#changed(asset),
        removed: () => this.end(new ZoetropeError('not_found', `The asset ${id} was removed.`)),
      },
      null,
    );
    // It may have ended, or the client have gone, while the present state was told.
    if (this.#isOver) this.#leave();
  }

  /** Null: as it should. */
  end(error: unknown): void {
    if (this.#isOver) return;
    this.#stop();
    if (error === null) this.#call.end();
    else this.#call.emit('error', toStatus(error, this.#deps.logger));
  }

  #stop(): void {
    this.#isOver = true;
    this.#waiting = null;
    this.#leave?.();
  }

  #changed(asset: AssetJson): void {
    if (this.#isOver) return;
    if (this.#isFull) {
      this.#waiting = asset;
      return;
    }
    this.#isFull = !this.#call.write(assetMessage(asset));
    if (isFinal(asset.state)) this.end(null);
  }

  #drained(): void {
    this.#isFull = false;
    const asset = this.#waiting;
    this.#waiting = null;
    if (asset !== null) this.#changed(asset);
  }
}
