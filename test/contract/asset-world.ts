import assert from 'node:assert/strict';
import { randomIds } from '../../src/base/ids.ts';
import { pts90k, wallMs } from '../../src/base/time.ts';
import type {
  AssetChange,
  AssetJob,
  AssetSegment,
  NewAsset,
  NewOutput,
  NewTask,
  AssetTaskLease,
  TaskLease,
  TaskOutcome,
} from '../../src/catalog/asset-store.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import type { NewWebhookEvent } from '../../src/catalog/webhook-store.ts';
import type { Asset, AssetRequest, Usage } from '../../src/timeline/asset.ts';
import type { World } from './catalog-world.ts';

/** What is asked for of most test assets. */
export const REQUEST: AssetRequest = {
  video: null,
  audioBitrateKbps: null,
  captions: true,
  thumbnails: [],
  poster: true,
  storyboard: true,
  download: false,
  watermark: null,
  encryption: 'none',
  webhookUrl: null,
};

/** An asset to be made. */
export function newAsset(fields: Partial<NewAsset> = {}): NewAsset {
  const id = randomIds.next('asset');
  return {
    id,
    tenant: 'tenant',
    name: `name of ${id}`,
    referenceId: null,
    source: { kind: 'upload', filename: 'a.mp4', sizeBytes: 1_000 },
    request: REQUEST,
    priority: 0,
    ...fields,
  };
}

/** A task to be made. */
export function newTask(fields: Partial<NewTask> = {}): NewTask {
  return {
    id: randomIds.next('task'),
    kind: 'video',
    rank: 1,
    ordinal: 0,
    outputIds: [],
    weight: 1,
    input: { chunk: 0 },
    maxAttempts: 3,
    ...fields,
  };
}

/** A video output to be made. */
export function newOutput(fields: Partial<NewOutput> = {}): NewOutput {
  const id = randomIds.next('output');
  return {
    id,
    name: `name of ${id}`,
    spec: {
      kind: 'video',
      codec: 'h264',
      width: 640,
      height: 360,
      crf: null,
      bitsPerS: 800_000,
      maxBitsPerS: 1_200_000,
      preset: 'veryfast',
      frameRate: 25,
    },
    totalChunks: 4,
    ...fields,
  };
}

/** A segment of two seconds, the `index`th of its output. Its epoch is that of all with the same `init`. */
export function newAssetSegment(
  outputId: string,
  index: number,
  { init = 'a', ...fields }: Partial<AssetSegment> & { readonly init?: string } = {},
): AssetSegment {
  const id = randomIds.next('segment');
  return {
    id,
    outputId,
    startMs: wallMs(index * 2_000),
    mediaStart90k: pts90k(index * 180_000),
    duration90k: pts90k(180_000),
    objectKey: `assets/x/media/${outputId}/${id}.m4s`,
    sizeBytes: 500,
    sha256: 'ab'.repeat(32),
    keyframeBytes: 100,
    epoch: {
      id: randomIds.next('epoch'),
      init: Buffer.from(init),
      initSha256: Buffer.from(init).toString('hex').padEnd(64, '0'),
      codecs: 'avc1.640028',
      width: 640,
      height: 360,
      anchorMs: wallMs(0),
    },
    ...fields,
  };
}

/** An event about an asset. */
export function newEvent(fields: Partial<NewWebhookEvent> = {}): NewWebhookEvent {
  return { type: 'asset.created', tenant: 'tenant', subjectId: 'ast_1', data: { asset: { id: 'ast_1' } }, ...fields };
}

/** A cost. */
export function usage(cpuMs: number, peakMemoryBytes = 0, wallMs_ = cpuMs): Usage {
  return { cpuMs, peakMemoryBytes, wallMs: wallMs_ };
}

/** A try that went well. */
export function done(fields: Partial<Extract<TaskOutcome, { kind: 'done' }>> = {}): TaskOutcome {
  return { kind: 'done', result: { ok: true }, usage: usage(0), shares: null, ...fields };
}

/** A try that failed. */
export function failed(retryAtMs: number | null, cost: Usage = usage(0)): TaskOutcome {
  return {
    kind: 'failed',
    cause: { code: 'engine_failed', message: 'It fell over.' },
    usage: cost,
    retryAtMs: retryAtMs === null ? null : wallMs(retryAtMs),
  };
}

/** Makes an asset, then the outputs and tasks given. */
export async function assetWith(
  { catalog }: World,
  made: Pick<AssetChange, 'newOutputs' | 'newTasks'> & Partial<NewAsset>,
): Promise<AssetJob> {
  const { newOutputs = [], newTasks = [], ...fields } = made;
  const asset = await catalog.createAsset(newAsset(fields), [], []);
  await settle(catalog, asset, { newOutputs, newTasks });
  return catalog.assetJob(asset.id);
}

/** Settles an asset that must not have moved on. */
export async function settle(catalog: Catalog, { id }: Pick<Asset, 'id'>, change: AssetChange): Promise<Asset> {
  const { version } = await catalog.getAsset(id);
  const after = await catalog.settleAsset(id, version, change);
  assert.ok(after !== null, 'nobody else settles it');
  return after;
}

/** Claims a task that must be there. */
export async function claim(
  catalog: Catalog,
  fields: Partial<Parameters<Catalog['claimTask']>[0]> = {},
): Promise<AssetTaskLease> {
  const lease = await catalog.claimTask({ workerId: 'worker', leaseMs: 10_000, ...fields });
  assert.ok(lease !== null && lease.clip === undefined, 'there is a task');
  return lease;
}

/** What names the try of a lease. */
export function tryOf({ task }: TaskLease): { readonly taskId: string; readonly attempt: number } {
  return { taskId: task.id, attempt: task.attempt };
}
