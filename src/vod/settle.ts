import type { IdSource } from '../base/ids.ts';
import { isZoetropeError } from '../base/errors.ts';
import { TICKS_PER_MS, wallMs, type WallMs } from '../base/time.ts';
import type { AssetChange, AssetJob, AssetSegment, NewTask, OutputChange } from '../catalog/asset-store.ts';
import type { NewWebhookEvent } from '../catalog/webhook-store.ts';
import type { EncodedInit, EncodedMediaSegment, SplitResult } from '../engine/transcoder.ts';
import { isFinal, type Asset, type FailureCause, type Output, type WorkState } from '../timeline/asset.ts';
import type { Task } from '../timeline/task.ts';
import { assetEvent } from './asset-events.ts';
import { planTasks, RANK, type PlanRules } from './plan-tasks.ts';
import { chunkOf, type DownloadTaskInput, type FilesResult, type SegmentsResult } from './task-input.ts';

/** What a decision needs besides the job. */
export interface SettleRules extends PlanRules {
  readonly ids: IdSource;
  readonly nowMs: WallMs;
}

/**
 * What is to change about a job, given what its tasks have left behind: outputs and tasks planned after the split, finished chunks published in order, states,
 * times, events. The same job settled again, with nothing new, changes nothing.
 */
export function settle(job: AssetJob, rules: SettleRules): AssetChange {
  return new Decision(job, rules).make();
}

/** The asset's end when deciding about it is impossible: what stands in the way is told, and nothing waits for ever. */
export function failJob(job: AssetJob, rules: SettleRules, cause: FailureCause): AssetChange {
  return isFinal(job.asset.state) ? {} : new Decision(job, rules).fail(cause);
}

/** The asset's end by someone's wish: nothing of what was made of it stays. */
export function cancelJob(job: AssetJob, rules: SettleRules): AssetChange {
  return new Decision(job, rules).cancel();
}

/** Kinds whose failure fails the asset; without the others it is ready all the same. */
const ESSENTIAL = new Set<Task['kind']>(['fetch', 'split', 'video', 'audio']);

class Decision {
  readonly #job: AssetJob;
  readonly #rules: SettleRules;
  readonly #asset: { -readonly [K in keyof NonNullable<AssetChange['asset']>]: NonNullable<AssetChange['asset']>[K] } =
    {};
  /** The outputs as they will be. */
  readonly #outputs: Map<string, Output>;
  readonly #changes = new Map<string, OutputChange>();
  readonly #segments: AssetSegment[] = [];
  readonly #newTasks: NewTask[] = [];
  readonly #cancelled: string[] = [];
  readonly #events: NewWebhookEvent[] = [];
  #unseen: readonly string[] = [];

  constructor(job: AssetJob, rules: SettleRules) {
    this.#job = job;
    this.#rules = rules;
    this.#outputs = new Map(job.outputs.map((output) => [output.id, output]));
  }

  make(): AssetChange {
    const { asset, tasks, outputs } = this.#job;
    if (isFinal(asset.state)) return this.#cancelRest();
    const failed = tasks.find((task) => task.state === 'failed' && ESSENTIAL.has(task.kind) && this.#isWanted(task));
    if (failed !== undefined) return this.fail(failed.cause ?? UNKNOWN_CAUSE);
    if (outputs.length === 0) return this.#prepare();
    for (const output of outputs) {
      if (!isFinal(output.state)) this.#advance(output);
    }
    this.#startDownloads();
    this.#notePlayable();
    this.#noteState();
    const takenIn = tasks.filter((task) => this.#isTakenIn(task)).map(({ id }) => id);
    return { ...this.#change(), takenIn };
  }

  /** Before there are outputs: the file is brought in, then split, then planned. */
  #prepare(): AssetChange {
    const { asset, tasks } = this.#job;
    const fetched = tasks.find((task) => task.kind === 'fetch');
    const split = tasks.find((task) => task.kind === 'split');
    if (fetched?.state === 'done' && split === undefined) {
      this.#newTasks.push(this.#task({ kind: 'split', rank: RANK.playing }));
    }
    if (split?.state !== 'done' || asset.media === null) return this.#change();
    const result = split.result as SplitResult;
    const media = { ...asset.media, durationMs: result.durationMs };
    try {
      const plan = planTasks(asset, media, result, this.#rules);
      this.#asset.state = 'transcoding';
      this.#asset.media = media;
      return { ...this.#change(), newOutputs: plan.outputs, newTasks: plan.tasks, takenIn: [split.id] };
    } catch (error) {
      if (!isZoetropeError(error)) throw error;
      return this.fail({ code: error.code, message: error.message });
    }
  }

  #advance(output: Output): void {
    const own = this.#job.tasks.filter((task) => task.outputIds.includes(output.id));
    const failed = own.find((task) => task.state === 'failed');
    if (failed !== undefined) return this.#end(output, 'failed', { cause: failed.cause ?? UNKNOWN_CAUSE });
    switch (output.spec.kind) {
      case 'video':
      case 'audio':
      case 'subtitles':
        return this.#publish(output, own);
      case 'thumbnails':
      case 'storyboard':
      case 'download':
        return this.#collect(output, own);
    }
  }

  /** Appends the chunks that are done and next in order. */
  #publish(output: Output, own: readonly Task[]): void {
    const done = own.filter((task) => task.state === 'done');
    const byChunk = new Map(done.map((task) => [chunkOf(task), task]));
    let next = output.publishedChunks;
    let files = output.files;
    for (;;) {
      const task = byChunk.get(next);
      if (task === undefined) break;
      const result = task.result as SegmentsResult;
      const rendition = result.renditions.find(({ id }) => id === output.id);
      for (const segment of rendition?.segments ?? []) {
        if (rendition !== undefined) this.#segments.push(this.#segment(output.id, rendition.init, segment));
      }
      files = [...files, ...(result.files?.[output.id] ?? [])];
      next += 1;
    }
    const isDone = output.totalChunks !== null && next >= output.totalChunks;
    if (next !== output.publishedChunks) this.#set(output, { publishedChunks: next, files });
    if (isDone) this.#end(output, 'ready');
    else if (!own.some(isOpen)) this.#end(output, 'failed', { cause: NO_TASK_CAUSE });
    else this.#begin(output, own, 'transcoding');
  }

  #collect(output: Output, own: readonly Task[]): void {
    const [task] = own;
    if (task?.state !== 'done') {
      const isDownload = output.spec.kind === 'download';
      // A download's task is made when what it is put together from is ready.
      if (!own.some(isOpen) && !(isDownload && task === undefined)) {
        return this.#end(output, 'failed', { cause: NO_TASK_CAUSE });
      }
      return this.#begin(output, own, isDownload ? 'packaging' : 'transcoding');
    }
    const result = task.result as FilesResult;
    this.#end(output, 'ready', { files: result.files[output.id] ?? [] });
  }

  #segment(outputId: string, init: EncodedInit, segment: EncodedMediaSegment): AssetSegment {
    return {
      id: this.#rules.ids.next('segment'),
      outputId,
      startMs: wallMs(segment.mediaStart90k / TICKS_PER_MS),
      mediaStart90k: segment.mediaStart90k as AssetSegment['mediaStart90k'],
      duration90k: segment.duration90k as AssetSegment['duration90k'],
      objectKey: segment.objectKey,
      sizeBytes: segment.sizeBytes,
      sha256: segment.sha256,
      keyframeBytes: segment.keyframeBytes,
      epoch: {
        id: this.#rules.ids.next('epoch'),
        anchorMs: wallMs(0),
        init: Buffer.from(init.base64, 'base64'),
        initSha256: init.sha256,
        codecs: init.codecs,
        width: init.width,
        height: init.height,
      },
    };
  }

  /** A download waits for what it is put together from, and shares its fate. */
  #startDownloads(): void {
    for (const output of this.#outputs.values()) {
      if (output.spec.kind !== 'download' || isFinal(output.state)) continue;
      const { videoOutputId, audioOutputId } = output.spec;
      const ids = audioOutputId === null ? [videoOutputId] : [videoOutputId, audioOutputId];
      const sources = ids.map((id) => this.#outputs.get(id));
      const lost = sources.find((source) => source?.state === 'cancelled' || source?.state === 'failed');
      if (lost !== undefined) {
        this.#end(output, lost.state === 'failed' ? 'failed' : 'cancelled', { cause: lost.cause });
        this.#cancelTasksOf(output.id);
        continue;
      }
      const isStarted = this.#job.tasks.some((task) => task.kind === 'download');
      if (isStarted || sources.some((source) => source?.state !== 'ready')) continue;
      const input: DownloadTaskInput = { outputIds: ids };
      this.#newTasks.push(this.#task({ kind: 'download', rank: RANK.extras, outputIds: [output.id], input }));
      this.#set(output, { state: 'packaging', startedAtMs: this.#rules.nowMs });
    }
  }

  #notePlayable(): void {
    const { asset } = this.#job;
    if (asset.playableAtMs !== null) return;
    const outputs = [...this.#outputs.values()].filter(({ state }) => state !== 'cancelled' && state !== 'failed');
    const pictures = outputs.filter(({ spec }) => spec.kind === 'video');
    const sound = outputs.filter(({ spec }) => spec.kind === 'audio' && spec.isDefault);
    const isSeen = pictures.length === 0 || pictures.some(({ publishedChunks }) => publishedChunks > 0);
    const isHeard = sound.every(({ publishedChunks }) => publishedChunks > 0);
    if (!isSeen || !isHeard || pictures.length + sound.length === 0) return;
    this.#asset.playableAtMs = this.#rules.nowMs;
    this.#event('asset.playable');
  }

  #noteState(): void {
    const outputs = [...this.#outputs.values()];
    if (outputs.every(({ state }) => isFinal(state))) {
      const renditions = outputs.filter(({ spec }) => spec.kind === 'video' || spec.kind === 'audio');
      const failed = renditions.find(({ state }) => state === 'failed');
      if (renditions.some(({ state }) => state === 'ready')) this.#finish('ready', null);
      else if (failed !== undefined) this.#finish('failed', failed.cause);
      else this.#cancelAll();
      return;
    }
    const isPackaging = outputs.every(({ state, spec }) => isFinal(state) || spec.kind === 'download');
    const state = isPackaging ? 'packaging' : 'transcoding';
    if (this.#job.asset.state !== state) this.#asset.state = state;
  }

  cancel(): AssetChange {
    this.#cancelAll();
    return this.#cancelRest();
  }

  /** Also of what was ready: its files go. What failed keeps saying why. */
  #cancelAll(): void {
    for (const { id, state } of this.#job.outputs) {
      const output = this.#outputs.get(id);
      if (output === undefined) continue;
      const nothing = { files: [], publishedChunks: 0 };
      if (output.state === 'failed' || state === 'cancelled') this.#set(output, nothing);
      else this.#end(output, 'cancelled', nothing);
    }
    this.#unseen = [...this.#outputs.keys()];
    this.#segments.length = 0;
    this.#finish('cancelled', null);
  }

  fail(cause: FailureCause): AssetChange {
    for (const output of this.#job.outputs) {
      if (!isFinal(output.state)) this.#end(output, 'failed', { cause });
    }
    this.#finish('failed', cause);
    return this.#cancelRest();
  }

  #finish(state: 'ready' | 'failed' | 'cancelled', cause: FailureCause | null): void {
    this.#asset.state = state;
    this.#asset.cause = cause;
    this.#asset.endedAtMs = this.#rules.nowMs;
    this.#event(`asset.${state}`);
  }

  #cancelRest(): AssetChange {
    for (const task of this.#job.tasks) {
      if (isOpen(task)) this.#cancelled.push(task.id);
    }
    return this.#change();
  }

  /** Whether somebody still wants what a task is for. */
  #isWanted({ outputIds }: Task): boolean {
    return outputIds.length === 0 || outputIds.some((id) => this.#outputs.get(id)?.state !== 'cancelled');
  }

  /** Done, and of its result all was made that ever will be. */
  #isTakenIn(task: Task): boolean {
    if (task.state !== 'done' || task.kind === 'fetch') return false;
    if (task.kind === 'split') return this.#outputs.size > 0;
    const chunk = chunkOf(task) ?? Number.POSITIVE_INFINITY;
    return task.outputIds.every((id) => {
      const output = this.#outputs.get(id);
      return output === undefined || isFinal(output.state) || output.publishedChunks > chunk;
    });
  }

  #cancelTasksOf(outputId: string): void {
    for (const task of this.#job.tasks) {
      if (isOpen(task) && task.outputIds.every((id) => id === outputId)) this.#cancelled.push(task.id);
    }
  }

  #begin(output: Output, own: readonly Task[], state: WorkState): void {
    if (output.state === 'queued' && own.some((task) => task.attempt > 0)) {
      this.#set(output, { state, startedAtMs: this.#rules.nowMs });
    }
  }

  #end(output: Output, state: 'ready' | 'failed' | 'cancelled', more: Omit<OutputChange, 'id'> = {}): void {
    const { nowMs } = this.#rules;
    const now = this.#outputs.get(output.id) ?? output;
    this.#set(now, { ...more, state, startedAtMs: now.startedAtMs ?? nowMs, endedAtMs: nowMs });
  }

  #set(output: Output, change: Omit<OutputChange, 'id'>): void {
    const now = this.#outputs.get(output.id) ?? output;
    this.#outputs.set(output.id, { ...now, ...change });
    this.#changes.set(output.id, { ...this.#changes.get(output.id), ...change, id: output.id });
  }

  #task(spec: Pick<NewTask, 'kind' | 'rank'> & Partial<NewTask>): NewTask {
    const { ids, maxAttempts } = this.#rules;
    return { ordinal: 0, outputIds: [], weight: 1, input: null, id: ids.next('task'), maxAttempts, ...spec };
  }

  #event(type: 'asset.playable' | 'asset.ready' | 'asset.failed' | 'asset.cancelled'): void {
    const asset: Asset = { ...this.#job.asset, ...this.#asset };
    const outputs = [...this.#outputs.values()].map((output) => ({ ...output, kind: output.spec.kind }));
    this.#events.push(assetEvent(type, asset, outputs));
  }

  #change(): AssetChange {
    return {
      asset: this.#asset,
      outputs: [...this.#changes.values()],
      newTasks: this.#newTasks,
      removeRenditions: this.#unseen,
      cancelTasks: this.#cancelled,
      segments: this.#segments,
      events: this.#events,
    };
  }
}

function isOpen({ state }: Task): boolean {
  return state === 'waiting' || state === 'running';
}

const NO_TASK_CAUSE: FailureCause = {
  code: 'internal',
  message: 'Nothing works for this output, so it would never end. Retry; if it repeats, look at the workers’ logs.',
};

const UNKNOWN_CAUSE: FailureCause = { code: 'internal', message: 'A task failed without saying why.' };
