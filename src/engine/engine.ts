import type { Component } from '../base/component.ts';
import type { Pts90k, WallMs } from '../base/time.ts';
import type { OverlaySettings } from '../timeline/stream.ts';

/**
 * Media operations. They run in supervised child processes, one a core; a native crash costs one task, which is retried on a fresh process.
 * Every call may throw: `too_many` (the queue is full), `deadline_exceeded`, `cancelled`, `engine_failed` (after the stated tries, with the cause).
 */
export interface Engine extends Component {
  /** JPEGs to CMAF segments in the object store. Never throws for a bad frame: that is in `rejected`. */
  encodeFrames(request: EncodeFramesRequest, signal?: AbortSignal): Promise<EncodeFramesResult>;
  /** What a media file or picture is. @throws unsupported_media, corrupt_media, payload_too_large, missing_input */
  probe(request: ProbeRequest, signal?: AbortSignal): Promise<ProbeResult>;
  /** One sample of a segment as a JPEG. */
  snapshot(request: SnapshotRequest, signal?: AbortSignal): Promise<Uint8Array>;
  /** The same samples in another container, without encoding. */
  remux(request: RemuxRequest, signal?: AbortSignal): Promise<RemuxResult>;
  stats(): EngineStats;
}

/** Bytes by reference: an object's key, or an absolute path that the caller has checked against the allowed directories. */
export type MediaRef = { readonly objectKey: string } | { readonly path: string };

/** A frame to encode. */
export interface FrameInput {
  readonly capturedAtMs: WallMs;
  readonly ref: MediaRef;
}

/** Bounds on what is decoded. */
export interface FrameLimits {
  readonly maxBytes: number;
  readonly maxPixels: number;
}

/** A batch of frames, rising in capture time. */
export interface EncodeFramesRequest {
  readonly frames: readonly FrameInput[];
  /** Capture time of the frame after the batch if known: the last frame lasts until then. */
  readonly nextCapturedAtMs: WallMs | null;
  /** Else the last frame lasts so long. */
  readonly lastFrameDurationMs: number;
  /** The epoch to go on with if the encoder's parameters turn out the same; null begins a new one. */
  readonly epoch: { readonly initSha256: string; readonly anchorMs: WallMs } | null;
  /** Quality from 0 (lossless) to 51, on the scale of x264's constant rate factor. */
  readonly crf: number;
  readonly overlay: OverlaySettings | null;
  readonly limits: FrameLimits;
  /** Objects are written as `${outputPrefix}${fresh id}.m4s`. */
  readonly outputPrefix: string;
  /** False: when a frame's bytes are missing, encode nothing and reject just the missing ones (retryable). */
  readonly allowMissing: boolean;
}

/** What came of a batch. Accepted and rejected frames together are the batch. */
export interface EncodeFramesResult {
  /** One for each run of frames of one size, in order; empty when no frame was good. */
  readonly segments: readonly EncodedSegment[];
  readonly rejected: readonly RejectedFrame[];
  readonly cpuMs: number;
}

/** A segment whose object is durable. */
export interface EncodedSegment {
  /** Present when it does not go on with the requested epoch (or the run before it). */
  readonly newEpoch: EncodedEpoch | null;
  readonly startMs: WallMs;
  readonly mediaStart90k: Pts90k;
  readonly duration90k: Pts90k;
  readonly frameTimesMs: readonly WallMs[];
  readonly objectKey: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** An epoch that begins with a segment. */
export interface EncodedEpoch {
  readonly anchorMs: WallMs;
  readonly init: Uint8Array;
  readonly initSha256: string;
  readonly codecs: string;
  readonly width: number;
  readonly height: number;
}

/** A frame that was not encoded, and why. */
export interface RejectedFrame {
  readonly capturedAtMs: WallMs;
  readonly code: 'missing_input' | 'corrupt_media' | 'unsupported_media' | 'payload_too_large';
  readonly message: string;
  readonly retryable: boolean;
}

/** What to look at. */
export interface ProbeRequest {
  readonly ref: MediaRef;
  readonly limits: FrameLimits;
}

/** What a file holds. */
export interface ProbeResult {
  /** `jpeg`, `mp4`, `mpegts`, `matroska`, …: sniffed from the bytes, never from a name. */
  readonly container: string;
  readonly durationMs: number | null;
  readonly tracks: readonly ProbedTrack[];
}

/** One track of a file. */
export interface ProbedTrack {
  readonly kind: 'video' | 'audio' | 'subtitle' | 'other';
  readonly codec: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly frameRate: number | null;
  readonly sampleRateHz: number | null;
  readonly channels: number | null;
}

/** Which picture, how large. */
export interface SnapshotRequest {
  readonly init: Uint8Array;
  readonly segmentKey: string;
  /** Index of the sample to show, from 0. */
  readonly sampleIndex: number;
  /** Scaled to this width (never up); null: as it is. */
  readonly widthPx: number | null;
}

/** Which bytes, into what. */
export interface RemuxRequest {
  readonly source: { readonly init: Uint8Array; readonly segmentKeys: readonly string[] };
  readonly container: 'mp4' | 'mpegts';
  readonly outputKey: string;
}

/** The object that a remux wrote. */
export interface RemuxResult {
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly durationMs: number;
}

/** For metrics and readiness. */
export interface EngineStats {
  readonly processes: number;
  readonly ready: number;
  readonly queued: number;
  readonly running: number;
  /** Processes whose task has run for more than 10 s: nothing else gets through them before its deadline. */
  readonly stalled: number;
  readonly restarts: number;
  /** Process ids of the children, for tests that kill them. */
  readonly pids: readonly number[];
}
