import { createHash } from 'node:crypto';
import { isZoetropeError, ZoetropeError } from '../base/errors.ts';
import type { AssetTaskLease } from '../catalog/asset-store.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { MediaLimits, RunOptions, Transcoder, WrittenObject } from '../engine/transcoder.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { renderWebVtt } from '../packager/webvtt/write-webvtt.ts';
import {
  filesPrefix,
  isFinal,
  mediaPrefix,
  NO_USAGE,
  partsPrefix,
  sourceKey,
  type Asset,
  type Output,
  type OutputFile,
  type OutputSpec,
} from '../timeline/asset.ts';
import type { MediaDescription } from '../timeline/media-description.ts';
import type { FetchFile } from './fetch-file.ts';
import type { Settler } from './settler.ts';
import { inputOf, type FilesResult, type SegmentsResult } from './task-input.ts';
import type { LeaseRunner, TryContext, TryResult } from './worker.ts';

/** What doing tasks needs. */
export interface RunnerDeps {
  readonly transcoder: Transcoder;
  readonly catalog: Pick<Catalog, 'renditionWindow' | 'getAsset'>;
  readonly objects: ObjectStore;
  readonly settler: Pick<Settler, 'apply' | 'removeObjects'>;
  readonly fetchFile: FetchFile;
  readonly limits: MediaLimits;
  readonly clock: { nowMs(): Asset['createdAtMs'] };
}

/** Renditions of sound in one asset; further tracks are left out. */
const MAX_AUDIO_TRACKS = 8;
const TICKS_PER_S = 90_000;

/** Does tries of the tasks of assets. */
export interface AssetTaskRunner extends LeaseRunner<AssetTaskLease> {
  run(lease: AssetTaskLease, context: TryContext): Promise<TryResult>;
}

/** Does tasks of every kind that assets have with the transcoder. */
export function createTaskRunner(deps: RunnerDeps): AssetTaskRunner {
  return new Runner(deps);
}

/** How a try's runs behave. */
type TaskContext = TryContext & Pick<RunOptions, 'owner'>;

class Runner implements AssetTaskRunner {
  readonly #deps: RunnerDeps;

  constructor(deps: RunnerDeps) {
    this.#deps = deps;
  }

  run(lease: AssetTaskLease, tryContext: TryContext): Promise<TryResult> {
    // Processes are kept for one asset's tasks; a task that failed once gets a fresh one.
    const context: TaskContext = lease.task.attempt > 1 ? tryContext : { ...tryContext, owner: lease.asset.id };
    switch (lease.task.kind) {
      case 'fetch':
        return this.#fetch(lease, context);
      case 'split':
        return this.#split(lease, context);
      case 'video':
        return this.#video(lease, context);
      case 'audio':
        return this.#audio(lease, context);
      case 'subtitles':
        return this.#subtitles(lease);
      case 'pictures':
        return this.#pictures(lease, context);
      case 'download':
        return this.#download(lease, context);
      case 'clip':
        throw new ZoetropeError('internal', `Task ${lease.task.id} of an asset is a clip's.`);
    }
  }

  async discard(lease: AssetTaskLease): Promise<void> {
    const { task, asset } = lease;
    if (task.kind === 'fetch') return this.#discardFile(asset);
    const prefixes =
      task.kind === 'split'
        ? [`${partsPrefix(asset.id)}${tryName(lease)}`]
        : task.outputIds.flatMap((id) => [
            `${mediaPrefix(asset.id, id)}${tryName(lease)}`,
            `${filesPrefix(asset.id, id)}${tryName(lease)}`,
          ]);
    for (const prefix of prefixes) await this.#deps.settler.removeObjects(prefix);
  }

  /** The file of an asset that was cancelled or removed while it came in. */
  async #discardFile(asset: Asset): Promise<void> {
    const { catalog, settler } = this.#deps;
    try {
      if ((await catalog.getAsset(asset.id)).state !== 'cancelled') return;
    } catch (error) {
      if (!isZoetropeError(error, 'not_found')) throw error;
    }
    await settler.removeObjects(sourceKey(asset.id));
  }

  async #fetch({ asset }: AssetTaskLease, context: TaskContext): Promise<TryResult> {
    if (asset.source.kind !== 'url') {
      throw new ZoetropeError(
        'internal',
        `Asset ${asset.id} has nothing to fetch: its source is ${asset.source.kind}.`,
      );
    }
    await this.#noteStart(asset);
    const { sizeBytes } = await this.#deps.fetchFile(asset.source.url, sourceKey(asset.id), context);
    return { result: { sizeBytes }, usage: NO_USAGE };
  }

  /** Says what the file is as soon as that is known, then takes it apart. */
  async #split(lease: AssetTaskLease, context: TaskContext): Promise<TryResult> {
    const { transcoder, limits } = this.#deps;
    const { asset } = lease;
    const ref = { objectKey: fileKey(asset) };
    await this.#noteStart(asset);
    const { onProgress: _, ...unwatched } = context;
    const media = await transcoder.describe({ ref, limits }, unwatched);
    await this.#deps.settler.apply(asset.id, (job) =>
      isFinal(job.asset.state) || job.asset.round !== asset.round ? null : { asset: { media }, isUnfinished: true },
    );
    const { value, usage } = await transcoder.split(
      {
        ref,
        limits,
        video: media.video[0] ?? null,
        audio: media.audio.slice(0, MAX_AUDIO_TRACKS),
        subtitles: asset.request.captions ? media.subtitles.filter(({ isText }) => isText) : [],
        outputPrefix: `${partsPrefix(asset.id)}${tryName(lease)}`,
      },
      context,
    );
    return { result: value, usage };
  }

  async #video(lease: AssetTaskLease, context: TaskContext): Promise<TryResult> {
    const { asset, task, outputs } = lease;
    const { chunk: _, ...input } = inputOf(task, 'video');
    const rungs = outputs.flatMap(({ id, spec, state }) =>
      spec.kind === 'video' && !isFinal(state)
        ? [{ id, spec, outputPrefix: `${mediaPrefix(asset.id, id)}${tryName(lease)}` }]
        : [],
    );
    const { watermark } = asset.request;
    const { value, usage } = await this.#deps.transcoder.encodeVideo(
      { ...input, track: videoTrack(asset), rungs, watermark },
      context,
    );
    const result: SegmentsResult = { renditions: value.rungs };
    return { result, usage, shares: value.shares };
  }

  async #audio(lease: AssetTaskLease, context: TaskContext): Promise<TryResult> {
    const { asset, task } = lease;
    const { chunk: _, ...input } = inputOf(task, 'audio');
    const { id, spec } = only(lease, 'audio');
    const { value, usage } = await this.#deps.transcoder.encodeAudio(
      {
        ...input,
        parts: input.source.parts.map(({ key }) => key),
        spec,
        id,
        outputPrefix: `${mediaPrefix(asset.id, id)}${tryName(lease)}`,
      },
      context,
    );
    const result: SegmentsResult = { renditions: [value.rendition] };
    return { result, usage };
  }

  async #subtitles(lease: AssetTaskLease): Promise<TryResult> {
    const { asset, task } = lease;
    const { cues, durationMs } = inputOf(task, 'subtitles');
    const { id } = only(lease, 'subtitles');
    const bytes = Buffer.from(renderWebVtt(cues));
    const objectKey = `${mediaPrefix(asset.id, id)}${tryName(lease)}0.vtt`;
    await this.#deps.objects.put(objectKey, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const empty = createHash('sha256').digest('hex');
    const duration90k = Math.max(1, Math.round((durationMs / 1000) * TICKS_PER_S));
    const segment = { mediaStart90k: 0, duration90k, objectKey, sizeBytes: bytes.length, sha256, keyframeBytes: null };
    const file = { name: 'captions.vtt', objectKey, sizeBytes: bytes.length, contentType: 'text/vtt; charset=utf-8' };
    const result: SegmentsResult = {
      renditions: [
        { id, init: { base64: '', sha256: empty, codecs: 'wvtt', width: 0, height: 0 }, segments: [segment] },
      ],
      files: { [id]: [file] },
    };
    return { result, usage: NO_USAGE };
  }

  async #pictures(lease: AssetTaskLease, context: TaskContext): Promise<TryResult> {
    const { asset, task, outputs } = lease;
    const { parts, end90k } = inputOf(task, 'pictures');
    const prefixOf = (id: string): string => `${filesPrefix(asset.id, id)}${tryName(lease)}`;
    const stills = outputs.flatMap(({ id, spec }) => (spec.kind === 'thumbnails' ? [{ id, spec }] : []));
    const board = outputs.flatMap(({ id, spec }) => (spec.kind === 'storyboard' ? [{ id, spec }] : []))[0];
    const { value, usage } = await this.#deps.transcoder.drawPictures(
      {
        track: videoTrack(asset),
        parts,
        end90k,
        stills: stills.map(({ id, spec }) => ({ ...spec, outputPrefix: prefixOf(id) })),
        storyboard: board === undefined ? null : { spec: board.spec, outputPrefix: prefixOf(board.id) },
        watermark: asset.request.watermark,
      },
      context,
    );
    const files: Record<string, readonly OutputFile[]> = {};
    for (const [index, { id }] of stills.entries()) files[id] = (value.stills[index] ?? []).map(jpegFile);
    if (board !== undefined) files[board.id] = value.sheets.map(jpegFile);
    const result: FilesResult = { files };
    return { result, usage };
  }

  async #download(lease: AssetTaskLease, context: TaskContext): Promise<TryResult> {
    const { asset, task } = lease;
    const { id } = only(lease, 'download');
    const tracks = await Promise.all(
      inputOf(task, 'download').outputIds.map(async (outputId) => {
        const { segments, epochs } = await this.#deps.catalog.renditionWindow(asset.id, outputId, 0);
        const [epoch] = epochs;
        if (epoch === undefined || epochs.length > 1) {
          throw new ZoetropeError(
            'unsupported_media',
            `A download needs one set of codec parameters from start to end; output ${outputId} has ${epochs.length}.`,
          );
        }
        return { init: epoch.init, segmentKeys: segments.map(({ objectKey }) => objectKey) };
      }),
    );
    const outputKey = `${filesPrefix(asset.id, id)}${tryName(lease)}download.mp4`;
    const { value, usage } = await this.#deps.transcoder.writeMovie({ tracks, outputKey }, context);
    const file = { name: 'download.mp4', objectKey: outputKey, sizeBytes: value.sizeBytes, contentType: 'video/mp4' };
    const result: FilesResult = { files: { [id]: [file] } };
    return { result, usage };
  }

  async #noteStart(asset: Asset): Promise<void> {
    if (asset.startedAtMs !== null) return;
    const startedAtMs = this.#deps.clock.nowMs();
    await this.#deps.settler.apply(asset.id, (job) =>
      job.asset.state === 'queued' && job.asset.round === asset.round
        ? { asset: { state: 'probing', startedAtMs }, isUnfinished: true }
        : null,
    );
  }
}

function fileKey(asset: Asset): string {
  return asset.source.kind === 'object' ? asset.source.key : sourceKey(asset.id);
}

/** What the objects of a try begin with: no other task of the output, and no other try, has the same. */
function tryName({ task }: AssetTaskLease): string {
  return `${task.id.slice(-10)}-${task.attempt}-`;
}

function videoTrack({ id, media }: Asset): MediaDescription['video'][number] {
  const track = media?.video[0];
  if (track === undefined) throw new ZoetropeError('internal', `Asset ${id} has a task for pictures and no pictures.`);
  return track;
}

function only<K extends OutputSpec['kind']>(
  { task, outputs }: AssetTaskLease,
  kind: K,
): { readonly id: string; readonly spec: Extract<OutputSpec, { kind: K }> } {
  const [output] = outputs;
  if (output === undefined || !isOf(output, kind)) {
    throw new ZoetropeError('internal', `Task ${task.id} needs one output of kind ${kind}.`);
  }
  return output;
}

function isOf<K extends OutputSpec['kind']>(
  output: Output,
  kind: K,
): output is Output & { readonly spec: Extract<OutputSpec, { kind: K }> } {
  return output.spec.kind === kind;
}

function jpegFile({ objectKey, sizeBytes }: WrittenObject, index: number): OutputFile {
  return { name: `${index}.jpg`, objectKey, sizeBytes, contentType: 'image/jpeg' };
}
