/** Where an asset or an output stands; the last three are final. */
export type WorkState = 'queued' | 'probing' | 'transcoding' | 'packaging' | 'ready' | 'failed' | 'cancelled';

/** Why something failed, in words for the one who asked for it. */
export interface FailureJson {
  readonly code: string;
  readonly message: string;
}

/** A file that an output consists of, other than segments. */
export interface OutputFileJson {
  readonly name: string;
  readonly url: string;
  readonly sizeBytes: number;
  readonly contentType: string;
}

/** How an output is made; which properties there are depends on its kind. */
export interface OutputSpecJson {
  readonly codec?: string;
  readonly width?: number;
  readonly height?: number;
  readonly crf?: number | null;
  readonly bitsPerS?: number | null;
  readonly maxBitsPerS?: number | null;
  readonly frameRate?: number;
  readonly channels?: number;
  readonly language?: string | null;
  readonly title?: string | null;
  readonly timesMs?: readonly number[];
  readonly intervalMs?: number;
  readonly widthPx?: number;
  readonly heightPx?: number;
}

/** One thing made from an asset. */
export interface OutputJson {
  readonly id: string;
  readonly name: string;
  readonly kind: 'video' | 'audio' | 'subtitles' | 'thumbnails' | 'storyboard' | 'download';
  readonly spec: OutputSpecJson;
  readonly state: WorkState;
  readonly cause: FailureJson | null;
  /** 0–1. */
  readonly progress: number;
  readonly etaSeconds: number | null;
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
  readonly wallSeconds: number;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly files: readonly OutputFileJson[];
}

/** A video track of the file. */
export interface VideoTrackJson {
  readonly index: number;
  readonly codec: string;
  readonly codedWidth: number;
  readonly codedHeight: number;
  readonly width: number;
  readonly height: number;
  readonly rotation: number;
  readonly sampleAspectRatio: number;
  readonly frameRate: number | null;
  readonly pixelFormat: string;
  readonly bitDepth: number;
  readonly isInterlaced: boolean;
  readonly hdr: 'pq' | 'hlg' | null;
  readonly bitsPerS: number | null;
}

/** An audio track of the file. */
export interface AudioTrackJson {
  readonly index: number;
  readonly codec: string;
  readonly sampleRateHz: number;
  readonly channels: number;
  readonly language: string | null;
  readonly title: string | null;
  readonly bitsPerS: number | null;
}

/** A subtitle track of the file. */
export interface SubtitleTrackJson {
  readonly index: number;
  readonly codec: string;
  readonly language: string | null;
  readonly title: string | null;
  /** False for pictures, which cannot become WebVTT. */
  readonly isText: boolean;
}

/** What the file holds, as found by looking into it. */
export interface MediaJson {
  readonly container: string;
  readonly sizeBytes: number;
  readonly durationMs: number | null;
  readonly video: readonly VideoTrackJson[];
  readonly audio: readonly AudioTrackJson[];
  readonly subtitles: readonly SubtitleTrackJson[];
}

/** Addresses to play and fetch an asset from; paths on this server, or whole addresses where it knows its public name. */
export interface PlaybackJson {
  readonly hls: string;
  /** Null while encrypted: there is no DASH then. */
  readonly dash: string | null;
  readonly poster: string | null;
  readonly storyboardVtt: string | null;
  readonly download: string | null;
}

/** Where the file came from. */
export type AssetSourceJson =
  | { readonly kind: 'upload'; readonly filename: string | null; readonly sizeBytes: number }
  | { readonly kind: 'object'; readonly objectKey: string }
  | { readonly kind: 'url'; readonly url: string };

/** A file and its outputs. */
export interface AssetJson {
  readonly id: string;
  readonly name: string;
  readonly referenceId: string | null;
  readonly state: WorkState;
  readonly cause: FailureJson | null;
  readonly priority: number;
  readonly source: AssetSourceJson;
  readonly media: MediaJson | null;
  readonly durationMs: number | null;
  /** 0–1. */
  readonly progress: number;
  /** Media seconds a second. */
  readonly speed: number | null;
  readonly etaSeconds: number | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly playableAt: string | null;
  readonly endedAt: string | null;
  /** Null until it can be played. */
  readonly playback: PlaybackJson | null;
  readonly outputs: readonly OutputJson[];
}

/** A video output to be made. */
export interface NewVideo {
  readonly codec: 'h264' | 'hevc' | 'vp9' | 'av1';
  readonly heightPx: number;
}

/** What is to be said of a new asset besides where its file is. */
export interface NewAssetOptions {
  readonly referenceId?: string;
  readonly priority?: number;
  readonly webhookUrl?: string;
  readonly outputs: {
    readonly video?: readonly NewVideo[];
    readonly audioBitrateKbps?: number;
    readonly captions: boolean;
    readonly poster: boolean;
    readonly storyboard: boolean;
    readonly download: boolean;
    readonly thumbnails?: readonly { readonly timesSeconds: readonly number[]; readonly widthPx?: number }[];
    readonly watermark?: {
      readonly objectKey: string;
      readonly position: string;
      readonly size: number;
      readonly opacity: number;
      readonly margin: number;
    };
    readonly encryption?: 'aes-128';
  };
}

/** An unfinished or finished upload. */
export interface UploadJson {
  readonly id: string;
  readonly filename: string | null;
  readonly sizeBytes: number;
  readonly offsetBytes: number;
  readonly expiresAt: string;
  readonly assetId: string | null;
}

/** Whether nothing more happens by itself in this state. */
export function isFinal(state: WorkState): boolean {
  return state === 'ready' || state === 'failed' || state === 'cancelled';
}
