/** What a media file holds, as found by looking into it. Shown to clients before anything is processed. */
export interface MediaDescription {
  /** `mp4`, `matroska`, `mpegts`, `avi`, …: sniffed from the bytes, never from a name. */
  readonly container: string;
  readonly sizeBytes: number;
  /** Null when the container does not say; the split finds out. */
  readonly durationMs: number | null;
  readonly video: readonly VideoTrack[];
  readonly audio: readonly AudioTrack[];
  readonly subtitles: readonly SubtitleTrack[];
}

/** A video track. Cover pictures are not listed. */
export interface VideoTrack {
  /** Number of the track in the file, from 0 over all kinds. */
  readonly index: number;
  /** FFmpeg's name of the codec: `h264`, `hevc`, `vp9`, `mpeg4`, … */
  readonly codec: string;
  /** As coded, before rotation and sample aspect ratio. */
  readonly codedWidth: number;
  readonly codedHeight: number;
  /** As it is to be seen: upright, with square pixels, whole numbers (not made even). */
  readonly width: number;
  readonly height: number;
  /** Clockwise turn that makes it upright, in degrees. */
  readonly rotation: 0 | 90 | 180 | 270;
  /** Width over height of one coded pixel. */
  readonly sampleAspectRatio: number;
  /** Average, pictures a second; null where unknown. */
  readonly frameRate: number | null;
  /** FFmpeg's name: `yuv420p`, `yuv420p10le`, … */
  readonly pixelFormat: string;
  readonly bitDepth: number;
  readonly isInterlaced: boolean;
  /** The transfer function when it is one of high dynamic range. */
  readonly hdr: 'pq' | 'hlg' | null;
  readonly bitsPerS: number | null;
}

/** An audio track. */
export interface AudioTrack {
  readonly index: number;
  readonly codec: string;
  readonly sampleRateHz: number;
  readonly channels: number;
  /** BCP 47 or ISO 639-2 as the file says; null when it says nothing or `und`. */
  readonly language: string | null;
  readonly title: string | null;
  readonly isDefault: boolean;
  readonly bitsPerS: number | null;
}

/** A subtitle track. */
export interface SubtitleTrack {
  readonly index: number;
  readonly codec: string;
  readonly language: string | null;
  readonly title: string | null;
  /** False for subtitles that are pictures (DVD, PGS, DVB), which cannot become WebVTT. */
  readonly isText: boolean;
  readonly isDefault: boolean;
  readonly isForced: boolean;
}
