import type { WallMs } from '../../base/time.ts';
import { isFinal, type Asset, type Output, type OutputSpec, type WorkState } from '../../timeline/asset.ts';
import type { AssetJson, OutputJson, UploadJson } from './asset-shapes.ts';
import { linkOf, timeJson } from './json.ts';
import type { UploadStatus } from '../../vod/uploads/uploads.ts';

/** What an asset is shown by. */
export interface AssetContext {
  readonly publicUrl: string | undefined;
  readonly nowMs: WallMs;
}

/** A pace is told once so much is done: before, it is mostly starting up. */
const TELLING_PROGRESS = 0.01;
/** What a picture costs to encode, against H.264. */
const CODEC_WORK = { h264: 1, hevc: 2, vp9: 3, av1: 3 } as const;

/**
 * An asset as the API shows it, everywhere: answers, events, webhooks, console, command line. Speed and remaining time follow from what is done since the
 * work began, so that every process says the same.
 */
export function assetJson(asset: Asset, outputs: readonly Output[], context: AssetContext): AssetJson {
  const { id, media, request, state } = asset;
  const durationMs = media?.durationMs ?? null;
  const progress = progressOf(state, outputs);
  const elapsedMs = asset.startedAtMs === null ? 0 : (asset.endedAtMs ?? context.nowMs) - asset.startedAtMs;
  const hasPace = elapsedMs > 0 && durationMs !== null && progress >= TELLING_PROGRESS;
  const numbers = thumbnailNumbers(outputs);
  return {
    id,
    tenant: asset.tenant,
    name: asset.name,
    referenceId: asset.referenceId,
    state,
    cause: asset.cause,
    priority: asset.priority,
    source: asset.source.kind === 'object' ? { kind: 'object', objectKey: asset.source.key } : asset.source,
    media,
    durationMs,
    progress: rounded(progress, 4),
    speed: hasPace ? rounded((progress * durationMs) / elapsedMs, 2) : null,
    etaSeconds: remainingSeconds(state, progress, elapsedMs),
    createdAt: timeJson(asset.createdAtMs),
    startedAt: timeJson(asset.startedAtMs),
    playableAt: timeJson(asset.playableAtMs),
    endedAt: timeJson(asset.endedAtMs),
    request: { ...request },
    playback: playbackOf(asset, outputs, context.publicUrl),
    outputs: outputs.map((output) => outputJson(output, context, numbers.get(output.id) ?? 0)),
  };
}

/** A resumable upload as the API shows it. */
export function uploadJson({ record, offsetBytes, expiresAtMs }: UploadStatus): UploadJson {
  const { id, filename, sizeBytes, state, assetId } = record;
  return {
    id,
    filename,
    sizeBytes,
    offsetBytes,
    expiresAt: timeJson(expiresAtMs),
    assetId: state === 'done' ? assetId : null,
  };
}

/** The part done of what is still wanted: a mean over outputs, weighted by the work that they are. */
function progressOf(state: WorkState, outputs: readonly Output[]): number {
  if (state === 'ready') return 1;
  let [done, whole] = [0, 0];
  for (const { spec, state, progress } of outputs) {
    if (state === 'cancelled' || state === 'failed') continue;
    const weight = workOf(spec);
    whole += weight;
    done += weight * (state === 'ready' ? 1 : progress);
  }
  return whole === 0 ? 0 : Math.min(1, done / whole);
}

/** How much work an output is, in pixels of H.264 for the same time. */
function workOf(spec: OutputSpec): number {
  switch (spec.kind) {
    case 'video':
      return spec.width * spec.height * CODEC_WORK[spec.codec];
    case 'audio':
    case 'storyboard':
      return 20_000;
    case 'thumbnails':
    case 'download':
      return 10_000;
    case 'subtitles':
      return 1000;
  }
}

function outputJson(output: Output, context: AssetContext, firstThumbnail: number): OutputJson {
  const { id, name, spec, state, usage, startedAtMs, endedAtMs } = output;
  const progress = state === 'ready' ? 1 : output.progress;
  const elapsedMs = startedAtMs === null ? 0 : (endedAtMs ?? context.nowMs) - startedAtMs;
  return {
    id,
    name,
    kind: spec.kind,
    spec,
    state,
    cause: output.cause,
    progress: rounded(progress, 4),
    etaSeconds: remainingSeconds(state, progress, elapsedMs),
    cpuSeconds: rounded(usage.cpuMs / 1000, 3),
    peakMemoryBytes: usage.peakMemoryBytes,
    wallSeconds: rounded(usage.wallMs / 1000, 3),
    startedAt: timeJson(startedAtMs),
    endedAt: timeJson(endedAtMs),
    files: output.files.map(({ name, sizeBytes, contentType }, index) => ({
      name,
      url: linkOf(
        `/play/assets/${output.assetId}/${filePath(output, contentType, index, firstThumbnail)}`,
        context.publicUrl,
      ),
      sizeBytes,
      contentType,
    })),
  };
}

/** Where a file of an output lies below its asset. */
function filePath(output: Output, contentType: string, index: number, firstThumbnail: number): string {
  switch (output.spec.kind) {
    case 'thumbnails':
      return output.name === 'poster' ? 'poster.jpg' : `thumbnails/${firstThumbnail + index}.jpg`;
    case 'storyboard':
      return contentType.startsWith('image/') ? `storyboard/${index}.jpg` : 'storyboard.json';
    case 'download':
      return 'download.mp4';
    case 'subtitles':
      return `captions/${output.id}.vtt`;
    case 'video':
    case 'audio':
      return `${output.id}/index.m3u8`;
  }
}

/** Pictures of all thumbnail outputs but the poster are numbered through in their order, by what was asked for, so that a number never moves. */
function thumbnailNumbers(outputs: readonly Output[]): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  let next = 0;
  for (const { id, name, spec } of outputs) {
    if (spec.kind !== 'thumbnails' || name === 'poster') continue;
    numbers.set(id, next);
    next += spec.timesMs.length;
  }
  return numbers;
}

function playbackOf(asset: Asset, outputs: readonly Output[], publicUrl: string | undefined): AssetJson['playback'] {
  if (asset.playableAtMs === null || asset.state === 'failed' || asset.state === 'cancelled') return null;
  const link = (name: string): string => linkOf(`/play/assets/${asset.id}/${name}`, publicUrl);
  const has = (fits: (output: Output) => boolean): boolean => outputs.some((one) => one.state === 'ready' && fits(one));
  const hasStoryboard = has(({ spec }) => spec.kind === 'storyboard');
  return {
    hls: link('master.m3u8'),
    dash: asset.request.encryption === 'none' ? link('manifest.mpd') : null,
    poster: has(({ spec, name }) => spec.kind === 'thumbnails' && name === 'poster') ? link('poster.jpg') : null,
    storyboardVtt: hasStoryboard ? link('storyboard.vtt') : null,
    storyboardJson: hasStoryboard ? link('storyboard.json') : null,
    download: has(({ spec }) => spec.kind === 'download') ? link('download.mp4') : null,
  };
}

function remainingSeconds(state: WorkState, progress: number, elapsedMs: number): number | null {
  if (isFinal(state) || progress < TELLING_PROGRESS || elapsedMs <= 0) return null;
  return rounded((elapsedMs * (1 - progress)) / progress / 1000, 1);
}

function rounded(value: number, decimals: number): number {
  const unit = 10 ** decimals;
  return Math.round(value * unit) / unit;
}
