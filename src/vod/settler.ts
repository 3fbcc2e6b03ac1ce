import type { Clock } from '../base/clock.ts';
import type { Component } from '../base/component.ts';
import { isZoetropeError, messageOf } from '../base/errors.ts';
import type { IdSource } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { AssetChange, AssetJob, AssetStore } from '../catalog/asset-store.ts';
import type { TimelineStore } from '../catalog/catalog.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { assetPrefix, isFinal, sourceKey, type Asset } from '../timeline/asset.ts';
import { failJob, settle, type SettleRules } from './settle.ts';

/** What settling needs. */
export interface SettlerDeps {
  readonly catalog: AssetStore & Pick<TimelineStore, 'objectKeysOf'>;
  readonly objects: Pick<ObjectStore, 'list' | 'delete'>;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  /** Lengths aimed at, milliseconds. */
  readonly segmentMs: number;
  readonly chunkMs: number;
  /** Tries of a task. */
  readonly maxAttempts: number;
}

/** How often it looks for what nobody settled, and for leases that ran out. */
const LOOK_MS = 1000;
const PER_LOOK = 50;

/** Turns what tasks left behind into what is seen. Any number of processes may run one. */
export class Settler implements Component {
  readonly name = 'settler';
  readonly #deps: SettlerDeps;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(deps: SettlerDeps) {
    this.#deps = deps;
  }

  /** Begins to look now and then. Settling by hand needs no start. */
  async start(): Promise<void> {
    this.#loop = this.#look();
  }

  /** Ends the looking. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  /** Settles an asset as far as it can be settled now. An asset that is gone is none of its business. */
  async settle(assetId: string): Promise<void> {
    const { clock, ids, segmentMs, chunkMs, maxAttempts, logger } = this.#deps;
    const rules = (): SettleRules => ({ ids, segmentMs, chunkMs, maxAttempts, nowMs: clock.nowMs() });
    try {
      await this.apply(assetId, (job) => settle(job, rules()));
    } catch (error) {
      if (isZoetropeError(error, 'not_found')) return;
      if (isZoetropeError(error) && error.retryable) throw error;
      logger.error({ err: error, assetId }, 'an asset cannot be settled and fails');
      const code = isZoetropeError(error) ? error.code : 'internal';
      await this.apply(assetId, (job) => failJob(job, rules(), { code, message: messageOf(error) }));
    }
  }

  /**
   * Applies what `decide` makes of the job, reading and deciding again when the asset moved on meanwhile. It gets the tasks of
   * {@link AssetStore.jobToSettle}; null: nothing is to be changed. When the asset ends by it, removes the objects that nothing names any more.
   * @throws not_found, and what `decide` throws
   */
  async apply(assetId: string, decide: (job: AssetJob) => AssetChange | null): Promise<Asset> {
    for (;;) {
      const job = await this.#deps.catalog.jobToSettle(assetId);
      const change = decide(job);
      if (change === null) return job.asset;
      const asset = await this.#deps.catalog.settleAsset(assetId, job.asset.version, change);
      if (asset === null) continue;
      if (isFinal(asset.state) && !isFinal(job.asset.state)) await this.cleanUp(asset);
      return asset;
    }
  }

  /**
   * Removes what an ended asset needs no more: of a cancelled one everything, else the parts and what tries left that came to nothing. Idempotent; what a
   * crash leaves is swept as orphans. What is written after the look at the objects is never removed, and nothing is once the asset was begun anew.
   */
  async cleanUp(asset: Asset): Promise<void> {
    const { objects } = this.#deps;
    const keys: string[] = [];
    for await (const { key } of objects.list(assetPrefix(asset.id))) keys.push(key);
    const named = await this.#namedBy(asset);
    if (named === null) return;
    const gone = keys.filter((key) => !named.has(key));
    if (gone.length > 0) await objects.delete(gone);
  }

  /** Keys that an asset that has ended names; null when it was begun anew. */
  async #namedBy({ id, round, state }: Asset): Promise<ReadonlySet<string> | null> {
    const { catalog } = this.#deps;
    const outputs = (await catalog.outputsOf([id])).get(id) ?? [];
    const segments = await catalog.objectKeysOf(id);
    const now = await catalog.getAsset(id);
    if (now.round !== round || now.state !== state) return null;
    if (state === 'cancelled') return new Set();
    const files = outputs.flatMap((output) => output.files.map(({ objectKey }) => objectKey));
    return new Set([sourceKey(id), ...segments, ...files]);
  }

  /** Removes the objects that begin with a prefix. */
  async removeObjects(prefix: string): Promise<void> {
    const { objects } = this.#deps;
    const gone: string[] = [];
    for await (const { key } of objects.list(prefix)) gone.push(key);
    if (gone.length > 0) await objects.delete(gone);
  }

  /** One that cannot be settled now must not keep those behind it waiting. */
  async #settleOne(assetId: string): Promise<void> {
    try {
      await this.settle(assetId);
    } catch (error) {
      this.#deps.logger.error({ err: error, assetId }, 'an asset could not be settled; it is tried again');
    }
  }

  async #look(): Promise<void> {
    const { catalog, clock, logger } = this.#deps;
    while (!this.#stopping.signal.aborted) {
      try {
        await catalog.expireTasks();
        for (const id of await catalog.unsettledAssets(PER_LOOK)) await this.#settleOne(id);
      } catch (error) {
        logger.error({ err: error }, 'settling assets failed; it is tried again');
      }
      try {
        await clock.wait(LOOK_MS, this.#stopping.signal);
      } catch {
        return; // Closing.
      }
    }
  }
}
