import type { WallMs } from '../base/time.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { MediaDescription } from './media-description.ts';

/**
 * Where an asset or an output stands. The last three are final, but for a retry:
 * queued → probing → transcoding → packaging → ready | failed | cancelled.
 */
export type WorkState = 'queued' | 'probing' | 'transcoding' | 'packaging' | 'ready' | 'failed' | 'cancelled';

/** Whether nothing more happens by itself in this state. */
export function isFinal(state: WorkState): state is 'ready' | 'failed' | 'cancelled' {
  return state === 'ready' || state === 'failed' || state === 'cancelled';
}

/** Why something failed, in words for the one who asked for it. */
export interface FailureCause {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Where the file of an asset comes from. Its bytes lie at {@link sourceKey} once it is there. */
export type AssetSource =
  | { readonly kind: 'upload'; readonly filename: string | null; readonly sizeBytes: number }
  | { readonly kind: 'object'; readonly key: string }
  | { readonly kind: 'url'; readonly url: string };

/** Codecs that a video output can have. */
export type VideoCodec = 'h264' | 'hevc' | 'vp9' | 'av1';

/** A video output as asked for. What is left out comes from the ladder's defaults for that height. */
export interface VideoRequest {
  readonly codec?: VideoCodec;
  /** Of the short side after rotation, as in `720p`. Never scaled up: a larger one becomes the source's. */
  readonly heightPx?: number;
  /** Target average. Excludes `crf`. */
  readonly bitrateKbps?: number;
  /** Constant quality on the encoder's own scale. Excludes `bitrateKbps`. */
  readonly crf?: number;
  /** The encoder's own name for its speed, such as `veryfast`. */
  readonly preset?: string;
}

/** Pictures at given times. */
export interface ThumbnailsRequest {
  /** Seconds from the start; times beyond the end are taken as the last picture. */
  readonly timesSeconds: readonly number[];
  /** Scaled to this width, never up; left out: as large as the source. */
  readonly widthPx?: number;
}

/** A picture laid over the video, once, in the same pass. */
export interface WatermarkRequest {
  /** The object that holds it: PNG, JPEG or WebP. */
  readonly objectKey: string;
  readonly position: 'top-left' | 'top-right' | 'bottom-left' | 'bottom-right' | 'center';
  /** Its width as a part of the video's, 0–1. */
  readonly size: number;
  /** 0 (not seen) to 1. */
  readonly opacity: number;
  /** Distance from the edges as a part of the video's width, 0–0.5. */
  readonly margin: number;
}

/** What was asked for. Complete: defaults are filled in where it is read from outside. */
export interface AssetRequest {
  /** Null: the default ladder. */
  readonly video: readonly VideoRequest[] | null;
  /** Kilobits a second of each audio rendition; null: by the ladder. */
  readonly audioBitrateKbps: number | null;
  readonly captions: boolean;
  readonly thumbnails: readonly ThumbnailsRequest[];
  readonly poster: boolean;
  readonly storyboard: boolean;
  /** An MP4 of the best H.264 rendition with the default audio. */
  readonly download: boolean;
  readonly watermark: WatermarkRequest | null;
  /** `aes-128`: HLS segments are encrypted, with keys behind the playback token; there is no DASH then. */
  readonly encryption: 'none' | 'aes-128';
  /** Called for every event of this asset, besides the tenant's endpoints. */
  readonly webhookUrl: string | null;
}

/** A file and its outputs. It is a stream of kind `asset` with the same id; its timeline begins at wall time 0. */
export interface Asset {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  /** The client's own name for it; null: none. Not unique. */
  readonly referenceId: string | null;
  readonly source: AssetSource;
  readonly request: AssetRequest;
  /** −10 to 10; tasks of a higher one go first. */
  readonly priority: number;
  readonly state: WorkState;
  readonly cause: FailureCause | null;
  readonly media: MediaDescription | null;
  /** Counts every change of the asset, its outputs or its tasks' ends: the compare-and-swap token of {@link AssetStore.settleAsset}. */
  readonly version: number;
  /** Counts retries from 0. */
  readonly round: number;
  readonly createdAtMs: WallMs;
  readonly startedAtMs: WallMs | null;
  /** When the first video rendition (and its audio) could be played. */
  readonly playableAtMs: WallMs | null;
  /** When it became ready, failed or cancelled. */
  readonly endedAtMs: WallMs | null;
}

/** The key of the object that holds an asset's file. */
export function sourceKey(assetId: string): string {
  return `assets/${assetId}/source`;
}

/** What every object of an asset begins with. */
export function assetPrefix(assetId: string): string {
  return `assets/${assetId}/`;
}

/** What every object begins with that the job needs and the finished asset does not. */
export function partsPrefix(assetId: string): string {
  return `assets/${assetId}/parts/`;
}

/** What the segments of one output begin with. */
export function mediaPrefix(assetId: string, outputId: string): string {
  return `assets/${assetId}/media/${outputId}/`;
}

/** What the files of one output begin with. */
export function filesPrefix(assetId: string, outputId: string): string {
  return `assets/${assetId}/files/${outputId}/`;
}

/** How a video rendition is encoded. */
export interface VideoSpec {
  readonly kind: 'video';
  readonly codec: VideoCodec;
  /** Even numbers; pixels are square. */
  readonly width: number;
  readonly height: number;
  /** Constant quality, or null when `bitsPerS` is the target. */
  readonly crf: number | null;
  readonly bitsPerS: number | null;
  /** Ceiling (VBV), with a buffer of two seconds of it. Null: none. */
  readonly maxBitsPerS: number | null;
  readonly preset: string;
  /** Nominal pictures a second: the encoder's clock. True times are stamped by the packager. */
  readonly frameRate: number;
}

/** How an audio rendition is encoded: AAC-LC. */
export interface AudioSpec {
  readonly kind: 'audio';
  readonly codec: 'aac';
  /** {@link AudioTrack.index} of its source. */
  readonly track: number;
  readonly bitsPerS: number;
  readonly channels: 1 | 2;
  readonly sampleRateHz: number;
  readonly language: string | null;
  readonly title: string | null;
  readonly isDefault: boolean;
}

/** A WebVTT rendition: one segment over the whole length. */
export interface SubtitlesSpec {
  readonly kind: 'subtitles';
  readonly track: number;
  readonly language: string | null;
  readonly title: string | null;
  readonly isDefault: boolean;
  readonly isForced: boolean;
}

/** JPEGs at given times. The poster is one of these with the name `poster`. */
export interface ThumbnailsSpec {
  readonly kind: 'thumbnails';
  readonly timesMs: readonly number[];
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Sheets of small pictures at even intervals, for hovering. */
export interface StoryboardSpec {
  readonly kind: 'storyboard';
  readonly intervalMs: number;
  readonly columns: number;
  readonly rows: number;
  readonly tileWidthPx: number;
  readonly tileHeightPx: number;
}

/** One MP4 of a video and an audio rendition. */
export interface DownloadSpec {
  readonly kind: 'download';
  readonly videoOutputId: string;
  readonly audioOutputId: string | null;
}

/** How an output is made. */
export type OutputSpec = VideoSpec | AudioSpec | SubtitlesSpec | ThumbnailsSpec | StoryboardSpec | DownloadSpec;

/** A file that an output consists of, other than segments. */
export interface OutputFile {
  /** `0.jpg`, `sheet-1.jpg`, `captions.vtt`, `download.mp4`: safe in a URL. */
  readonly name: string;
  readonly objectKey: string;
  readonly sizeBytes: number;
  readonly contentType: string;
}

/** One thing made from an asset. A rendition output's segments lie on the stream's rendition with the output's id as its name. */
export interface Output {
  readonly id: string;
  readonly assetId: string;
  /** `720p`, `audio-eng`, `captions-eng`, `poster`, `storyboard`, `download`: unique within the asset; for people and file names. */
  readonly name: string;
  readonly spec: OutputSpec;
  readonly state: WorkState;
  readonly cause: FailureCause | null;
  /** How many of its chunks are on the timeline: always the first ones. */
  readonly publishedChunks: number;
  /** How many there will be; null until known. */
  readonly totalChunks: number | null;
  readonly files: readonly OutputFile[];
  /** What its tasks have cost so far, failed tries included. */
  readonly usage: Usage;
  /** 0–1, what running tasks report included. */
  readonly progress: number;
  readonly startedAtMs: WallMs | null;
  readonly endedAtMs: WallMs | null;
}

/** What work has cost. */
export interface Usage {
  readonly cpuMs: number;
  /** The largest of any task, not the sum. */
  readonly peakMemoryBytes: number;
  /** The sum over tasks. */
  readonly wallMs: number;
}

/** No cost at all. */
export const NO_USAGE: Usage = { cpuMs: 0, peakMemoryBytes: 0, wallMs: 0 };

/** The cost of both. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    cpuMs: a.cpuMs + b.cpuMs,
    peakMemoryBytes: Math.max(a.peakMemoryBytes, b.peakMemoryBytes),
    wallMs: a.wallMs + b.wallMs,
  };
}
