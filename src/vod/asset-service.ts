import { stat } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import { isZoetropeError, ZoetropeError } from '../base/errors.ts';
import type { IdSource } from '../base/ids.ts';
import type { AssetChange, AssetJob, AssetStore, NewTask } from '../catalog/asset-store.ts';
import type { GuardedHttp } from '../egress/guarded-http.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import {
  assetPrefix,
  filesPrefix,
  isFinal,
  mediaPrefix,
  sourceKey,
  type Asset,
  type AssetRequest,
  type AssetSource,
} from '../timeline/asset.ts';
import { assetEvent } from './asset-events.ts';
import { RANK } from './plan-tasks.ts';
import { cancelJob } from './settle.ts';
import type { Settler } from './settler.ts';

/** Where the file of a new asset is. */
export type NewAssetSource =
  /** A finished file on this machine; it is moved away. */
  | { readonly kind: 'file'; readonly path: string; readonly filename: string | null; readonly sizeBytes: number }
  /** An object that is there; it stays and is not copied. */
  | { readonly kind: 'object'; readonly key: string }
  /** Something to be fetched. */
  | { readonly kind: 'url'; readonly url: string };

/** An asset to be made of a file. */
export interface AssetToMake {
  /** Left out: a new one. The same id again answers the asset that is there. */
  readonly id?: string;
  readonly tenant: string;
  readonly name: string;
  readonly referenceId: string | null;
  readonly priority: number;
  readonly request: AssetRequest;
  readonly source: NewAssetSource;
}

/** What can be done with assets from outside, whatever the API. */
export interface AssetService {
  /** @throws missing_input when the object, file or watermark is not there; what {@link GuardedHttp.checkUrl} throws for the webhook's address */
  create(asset: AssetToMake): Promise<Asset>;
  /** Ends the job and removes its files. @throws not_found; conflict when it has ended */
  cancel(id: string): Promise<Asset>;
  /** Ends one output and removes its files; the last one ends the asset. @throws not_found; conflict when it has ended */
  cancelOutput(id: string, outputId: string): Promise<Asset>;
  /** Begins again from the file. @throws not_found; conflict unless it failed, or was cancelled and its file is still to be had */
  retry(id: string): Promise<Asset>;
  /** @throws not_found */
  update(id: string, change: { readonly name?: string; readonly priority?: number }): Promise<Asset>;
  /** Removes the asset with everything of it. @throws not_found */
  remove(id: string): Promise<void>;
}

/** What the service is made of. */
export interface AssetServiceDeps {
  readonly catalog: AssetStore;
  readonly objects: ObjectStore;
  readonly settler: Settler;
  /** Judges addresses from outside. */
  readonly http: Pick<GuardedHttp, 'checkUrl'>;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly segmentMs: number;
  readonly chunkMs: number;
  readonly maxAttempts: number;
}

/** Makes, cancels, retries and removes assets. */
export function createAssetService(deps: AssetServiceDeps): AssetService {
  return new Assets(deps);
}

class Assets implements AssetService {
  readonly #deps: AssetServiceDeps;

  constructor(deps: AssetServiceDeps) {
    this.#deps = deps;
  }

  async create(asset: AssetToMake): Promise<Asset> {
    const { catalog, ids } = this.#deps;
    const id = asset.id ?? ids.next('asset');
    await this.#checkRequest(asset.request);
    const source = await this.#takeSource(id, asset.source);
    const { tenant, name, referenceId, priority, request } = asset;
    const created = { id, tenant, name, referenceId, source, request, priority };
    const event = assetEvent('asset.created', { ...created, state: 'queued', cause: null, media: null }, []);
    try {
      return await catalog.createAsset(created, [this.#firstTask(source)], [event]);
    } catch (error) {
      if (asset.id === undefined || !isZoetropeError(error, 'conflict')) throw error;
      return await catalog.getAsset(asset.id);
    }
  }

  async cancel(id: string): Promise<Asset> {
    const { settler, clock, ids, segmentMs, chunkMs, maxAttempts } = this.#deps;
    return await settler.apply(id, (job) => {
      if (isFinal(job.asset.state)) throw ended('asset', id, job.asset.state);
      return cancelJob(job, { ids, segmentMs, chunkMs, maxAttempts, nowMs: clock.nowMs() });
    });
  }

  async cancelOutput(id: string, outputId: string): Promise<Asset> {
    const { settler, clock } = this.#deps;
    const asset = await settler.apply(id, (job) => {
      const output = job.outputs.find((candidate) => candidate.id === outputId);
      if (output === undefined) {
        throw new ZoetropeError('not_found', `The asset ${id} has no output ${JSON.stringify(outputId)}.`);
      }
      if (isFinal(output.state)) throw ended('output', outputId, output.state);
      const cancelled: AssetChange = {
        outputs: [{ id: outputId, state: 'cancelled', endedAtMs: clock.nowMs(), publishedChunks: 0, files: [] }],
        removeRenditions: [outputId],
        cancelTasks: tasksForNobody(job, outputId),
        isUnfinished: true,
      };
      return cancelled;
    });
    await settler.removeObjects(mediaPrefix(id, outputId));
    await settler.removeObjects(filesPrefix(id, outputId));
    // Whether that was the last, and what waited for it, is decided as always.
    await settler.settle(id);
    return await this.#deps.catalog.getAsset(asset.id);
  }

  async retry(id: string): Promise<Asset> {
    const { settler, objects, catalog } = this.#deps;
    const ended = await catalog.getAsset(id);
    // Else what a cancellation still removes would be taken for the file.
    if (ended.state === 'cancelled') await settler.cleanUp(ended);
    const hasFile = await isThere(objects, sourceKey(id));
    return await settler.apply(id, ({ asset, outputs, tasks }) => {
      const { source } = asset;
      if (asset.state !== 'failed' && asset.state !== 'cancelled') {
        throw new ZoetropeError(
          'conflict',
          `Only what failed or was cancelled is tried again. The asset ${id} is ${asset.state}.`,
        );
      }
      if (source.kind === 'upload' && !hasFile) {
        throw new ZoetropeError(
          'conflict',
          `The file of asset ${id} was removed when it was cancelled. Upload it again.`,
        );
      }
      return {
        asset: {
          state: 'queued',
          cause: null,
          media: null,
          round: asset.round + 1,
          startedAtMs: null,
          playableAtMs: null,
          endedAtMs: null,
        },
        removeOutputs: outputs.map((output) => output.id),
        cancelTasks: openTasks(tasks),
        newTasks: [hasFile ? this.#task('split') : this.#firstTask(source)],
      };
    });
  }

  async update(id: string, change: { readonly name?: string; readonly priority?: number }): Promise<Asset> {
    return await this.#deps.settler.apply(id, () => ({ asset: change, isUnfinished: true }));
  }

  async remove(id: string): Promise<void> {
    const { catalog, settler } = this.#deps;
    const asset = await catalog.getAsset(id);
    await catalog.deleteAsset(id, [assetEvent('asset.deleted', asset, [])]);
    await settler.removeObjects(assetPrefix(id));
  }

  /** What would fail later for certain is refused at once, before the file is taken. */
  async #checkRequest({ webhookUrl, watermark }: AssetRequest): Promise<void> {
    const { http, objects } = this.#deps;
    if (webhookUrl !== null) http.checkUrl(webhookUrl);
    if (watermark !== null) await objects.head(watermark.objectKey);
  }

  async #takeSource(id: string, source: NewAssetSource): Promise<AssetSource> {
    const { objects } = this.#deps;
    switch (source.kind) {
      case 'file': {
        const { filename, sizeBytes } = source;
        // A second call for the same asset, after a crash, finds the file moved already.
        const isHere = await stat(source.path).then(
          () => true,
          () => false,
        );
        if (isHere) await objects.adopt(sourceKey(id), source.path);
        else await objects.head(sourceKey(id));
        return { kind: 'upload', filename, sizeBytes };
      }
      case 'object':
        await objects.head(source.key);
        return source;
      case 'url':
        return source;
    }
  }

  #firstTask(source: AssetSource): NewTask {
    return this.#task(source.kind === 'url' ? 'fetch' : 'split');
  }

  #task(kind: 'fetch' | 'split'): NewTask {
    const { ids, maxAttempts } = this.#deps;
    return {
      id: ids.next('task'),
      kind,
      rank: RANK.playing,
      ordinal: 0,
      outputIds: [],
      weight: 1,
      input: null,
      maxAttempts,
    };
  }
}

function openTasks(tasks: AssetJob['tasks']): readonly string[] {
  return tasks.filter(({ state }) => state === 'waiting' || state === 'running').map(({ id }) => id);
}

/** Tasks that work for this output and others that have ended. */
function tasksForNobody(job: AssetJob, outputId: string): readonly string[] {
  const open = new Set(job.outputs.filter(({ id, state }) => id !== outputId && !isFinal(state)).map(({ id }) => id));
  const idle = job.tasks.filter(
    ({ outputIds }) => outputIds.includes(outputId) && !outputIds.some((id) => open.has(id)),
  );
  return openTasks(idle);
}

function ended(what: string, id: string, state: string): ZoetropeError {
  return new ZoetropeError('conflict', `The ${what} ${id} has ended: it is ${state}. There is nothing to cancel.`);
}

async function isThere(objects: ObjectStore, key: string): Promise<boolean> {
  try {
    await objects.head(key);
    return true;
  } catch (error) {
    if (isZoetropeError(error, 'missing_input')) return false;
    throw error;
  }
}
