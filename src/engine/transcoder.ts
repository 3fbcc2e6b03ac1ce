import type { Component } from '../base/component.ts';
import type { Pts90k, WallMs } from '../base/time.ts';
import type { AudioSpec, StoryboardSpec, Usage, VideoSpec, WatermarkRequest } from '../timeline/asset.ts';
import type { AudioTrack, MediaDescription, SubtitleTrack, VideoTrack } from '../timeline/media-description.ts';
import type { MediaRef } from './engine.ts';

/**
 * Media operations on uploaded files. Each runs alone in a child process of low priority; a native crash costs that task alone, and it is not tried
 * again here: tries are the task store's. Aborting ends the process at once, so that nothing goes on in secret.
 *
 * Every call may throw: `cancelled`, `deadline_exceeded` (it stood still: no progress for the stated time), `engine_failed` (the process died, with
 * the cause), `storage_full`, `unavailable`. Media faults are `unsupported_media`, `corrupt_media`, `payload_too_large` (of memory too), `out_of_range`, not
 * retryable.
 * The same request gives the same bytes.
 */
export interface Transcoder extends Component {
  /** What a file is, without decoding it. */
  describe(request: DescribeRequest, options?: RunOptions): Promise<MediaDescription>;
  /** Reads the file once and lays its packets down as parts that begin with keyframes; resolves the audio clock; extracts captions. */
  split(request: SplitRequest, options?: RunOptions): Promise<Measured<SplitResult>>;
  /** Decodes a stretch once and encodes every rung of it. */
  encodeVideo(request: EncodeVideoRequest, options?: RunOptions): Promise<Measured<EncodeVideoResult>>;
  /** Encodes a stretch of one audio track. */
  encodeAudio(request: EncodeAudioRequest, options?: RunOptions): Promise<Measured<EncodeAudioResult>>;
  /** Single pictures and storyboard sheets, from as few decoded pictures as possible. */
  drawPictures(request: DrawPicturesRequest, options?: RunOptions): Promise<Measured<DrawPicturesResult>>;
  /** Puts finished segments of one video and at most one audio rendition into one MP4, `moov` first, without encoding. */
  writeMovie(
    request: WriteMovieRequest,
    options?: RunOptions,
  ): Promise<Measured<WrittenObject & { readonly durationMs: number }>>;
  /** Cuts a stretch of a timeline out into one MP4, `moov` first; encodes no more than the pictures around its ends and its holes. */
  cutClip(request: CutClipRequest, options?: RunOptions): Promise<Measured<CutClipResult>>;
  /** Decodes a segment of a live stream once and encodes every rung of it, the sound beside it as it is. */
  encodeLadder(request: EncodeLadderRequest, options?: RunOptions): Promise<Measured<EncodeLadderResult>>;
  /** Runs under way with their processes, and processes that wait for another. */
  stats(): { readonly running: number; readonly pids: readonly number[]; readonly idle: number };
}

/** How a run is watched. */
export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Called now and then with the part done, 0–1. Also the sign of life for the watchdog. */
  readonly onProgress?: (fraction: number) => void;
  /** A process that has done a run well for the same owner may do this one too; left out: a fresh process that ends with the run. */
  readonly owner?: string;
}

/** A result and what it cost. */
export interface Measured<T> {
  readonly value: T;
  readonly usage: Usage;
}

/** Bounds on what is taken. */
export interface MediaLimits {
  readonly maxBytes: number;
  readonly maxDurationMs: number;
  /** Of one picture, as coded. */
  readonly maxPixels: number;
  /** Tracks of all kinds. */
  readonly maxTracks: number;
}

/** Which file. */
export interface DescribeRequest {
  readonly ref: MediaRef;
  readonly limits: MediaLimits;
}

/** Which tracks of a file, to where. Times count from the first picture of `video` (or, without one, the first sample of the first audio track). */
export interface SplitRequest {
  readonly ref: MediaRef;
  readonly limits: MediaLimits;
  /** `MediaDescription.video[n]` to be read; null: none (audio alone). */
  readonly video: VideoTrack | null;
  readonly audio: readonly AudioTrack[];
  readonly subtitles: readonly SubtitleTrack[];
  /** Objects are written below it. */
  readonly outputPrefix: string;
}

/** What a file was split into. Small enough for a row: keys and times, no packets. */
export interface SplitResult {
  /** End of the last picture or sample, whichever is later. */
  readonly durationMs: number;
  readonly video: SplitVideo | null;
  /** As many as asked for, in that order. */
  readonly audio: readonly SplitAudio[];
  readonly subtitles: readonly SplitSubtitles[];
  /** What was wrong with the file and could be worked around, in words. */
  readonly warnings: readonly string[];
}

/** The pictures of a file. */
export interface SplitVideo {
  readonly parts: readonly VideoPart[];
  /** Coded pictures. */
  readonly frames: number;
  /** End of the last picture. */
  readonly end90k: Pts90k;
  /** Pictures a second: the number of pictures over the duration, snapped to a common rate when within 0.1 %. */
  readonly frameRate: number;
}

/** The longest stretch that is decoded in vain before a stretch that begins inside a group of pictures. 90 kHz ticks. */
export const MAX_PREROLL_90K = 60 * 90_000;

/** One or more groups of pictures. Every part but the first begins with a keyframe; about two seconds unless keyframes are rarer. */
export interface VideoPart {
  readonly key: string;
  /** Presentation time of its keyframe; the first part's is 0. */
  readonly from90k: Pts90k;
  readonly frames: number;
  /**
   * Presentation times of pictures inside it, about one a second: a stretch may begin at these too, and is then decoded from the part's keyframe on. Empty in
   * short parts, and none later than {@link MAX_PREROLL_90K} behind the keyframe.
   */
  readonly cuts90k: readonly Pts90k[];
  /** Pictures that follow the keyframe in decoding order and are shown before it: they need the part before too. */
  readonly hasLeading: boolean;
}

/** One audio track. Sample positions are resolved: holes and overlaps of the file's time stamps are decided here, once. */
export interface SplitAudio {
  readonly track: number;
  readonly sampleRateHz: number;
  readonly channels: number;
  readonly parts: readonly AudioPart[];
  /** Behind the last sample, counted from time 0 at `sampleRateHz`. */
  readonly endSample: number;
}

/** A run of audio packets. */
export interface AudioPart {
  readonly key: string;
  /** Position of its first sample; negative where packets begin before time 0. */
  readonly fromSample: number;
}

/** Captions of one track. */
export interface SplitSubtitles {
  readonly track: number;
  readonly cues: readonly Cue[];
}

/** A caption. Text is WebVTT cue text: markup other than `<b> <i> <u>` removed, `&` and `<` escaped. */
export interface Cue {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}

/** A stretch of video to encode. */
export interface EncodeVideoRequest {
  readonly track: VideoTrack;
  /** Parts in order: from the one whose keyframe is at or before `from90k` on; the last may be there for its leading pictures alone. */
  readonly parts: readonly string[];
  /** Pictures with from90k ≤ presentation time < to90k are encoded. Null: to the end. */
  readonly from90k: Pts90k;
  readonly to90k: Pts90k | null;
  /** End of the last picture where no picture follows. */
  readonly end90k: Pts90k;
  /** A segment begins with the first picture at or after each of these; the first is `from90k`. Rising. */
  readonly segmentStarts90k: readonly Pts90k[];
  readonly rungs: readonly VideoRung[];
  readonly watermark: WatermarkRequest | null;
  /** Pictures expected, for progress. */
  readonly expectedFrames: number;
}

/** One rendition to encode. Objects are written as `${outputPrefix}${number of the segment from 0}.m4s`. */
export interface VideoRung {
  readonly id: string;
  readonly spec: VideoSpec;
  readonly outputPrefix: string;
}

/** What a stretch of video became. */
export interface EncodeVideoResult {
  /** In order of the rungs. */
  readonly rungs: readonly EncodedRendition[];
  readonly frames: number;
  /** How the CPU time fell to rungs: parts that sum to 1. */
  readonly shares: Readonly<Record<string, number>>;
}

/** Segments of one rendition. Their objects are durable. */
export interface EncodedRendition {
  readonly id: string;
  readonly init: EncodedInit;
  readonly segments: readonly EncodedMediaSegment[];
}

/** An init segment. The same for every chunk of a rendition unless something in the source changes. */
export interface EncodedInit {
  /** Base64: results are kept as JSON. */
  readonly base64: string;
  readonly sha256: string;
  /** RFC 6381. */
  readonly codecs: string;
  /** 0 for audio. */
  readonly width: number;
  readonly height: number;
}

/** A segment. Times count presentation from time 0, rounded to ticks from exact positions, so that ends and starts meet. */
export interface EncodedMediaSegment {
  readonly mediaStart90k: number;
  readonly duration90k: number;
  readonly objectKey: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Bytes from its start that hold its header and its first picture; null for audio. */
  readonly keyframeBytes: number | null;
}

/** A segment with pictures, and perhaps sound, as it is stored; each rung becomes one object `${outputPrefix}0.m4s`. */
export interface EncodeLadderRequest {
  readonly objectKey: string;
  /** The init segment of its epoch. */
  readonly init: Uint8Array;
  /** Presentation time of its first picture, and when its last one ends after that. */
  readonly mediaStart90k: number;
  readonly duration90k: number;
  readonly rungs: readonly VideoRung[];
}

/** What a live segment became. */
export interface EncodeLadderResult {
  /** In order of the rungs, each with one segment, whose times are the source's. */
  readonly rungs: readonly EncodedRendition[];
}

/** An object that was written. */
export interface WrittenObject {
  readonly objectKey: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** A stretch of audio to encode. Positions count output samples from time 0 and are multiples of 1024 but for the track's end. */
export interface EncodeAudioRequest {
  readonly source: SplitAudio;
  /** Parts that hold the stretch and two and a half seconds around it. */
  readonly parts: readonly string[];
  readonly spec: AudioSpec;
  readonly fromSample: number;
  /** Behind the last sample; the track's end (any number) in the last chunk. */
  readonly toSample: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** A segment begins at each of these; the first is `fromSample`. Rising multiples of 1024. */
  readonly segmentStarts: readonly number[];
  readonly id: string;
  readonly outputPrefix: string;
}

/** What a stretch of audio became. */
export interface EncodeAudioResult {
  readonly rendition: EncodedRendition;
}

/** Which pictures to draw. */
export interface DrawPicturesRequest {
  readonly track: VideoTrack;
  readonly parts: readonly VideoPart[];
  /** The storyboard has a tile for each of its intervals that begins before; behind the last picture they show that one. */
  readonly end90k: Pts90k;
  readonly stills: readonly {
    readonly timesMs: readonly number[];
    readonly widthPx: number;
    readonly heightPx: number;
    /** Objects are `${outputPrefix}${index}.jpg`. */
    readonly outputPrefix: string;
  }[];
  /** Sheets are `${outputPrefix}${index}.jpg`. Tiles may show the nearest keyframe. */
  readonly storyboard: { readonly spec: StoryboardSpec; readonly outputPrefix: string } | null;
  readonly watermark: WatermarkRequest | null;
}

/** Pictures drawn, in the order asked for. */
export interface DrawPicturesResult {
  readonly stills: readonly (readonly WrittenObject[])[];
  readonly sheets: readonly WrittenObject[];
}

/** What to put into a movie. */
export interface WriteMovieRequest {
  readonly tracks: readonly { readonly init: Uint8Array; readonly segmentKeys: readonly string[] }[];
  readonly outputKey: string;
}

/** Which stretch of a timeline to cut out, and how. */
export interface CutClipRequest {
  /** In wall order; all that overlap the stretch. */
  readonly segments: readonly ClipSegment[];
  /** Init segments of their epochs. */
  readonly inits: readonly Uint8Array[];
  readonly fromMs: WallMs;
  readonly toMs: WallMs;
  /** `exact`: the first picture is the one shown at `fromMs`. `keyframes`: it is the keyframe at or before it, and nothing is encoded but black. */
  readonly mode: 'exact' | 'keyframes';
  /** What becomes of stretches without segments: left out, or shown as black for as long as they last. */
  readonly gaps: 'skip' | 'black';
  /** Above 1: pictures pass so many times as fast, without sound. */
  readonly speed: number;
  /** Silence between two segments beyond which there is a gap; null: by the pictures' own distance. */
  readonly gapToleranceMs: number | null;
  readonly outputKey: string;
}

/** A segment as a clip needs it. */
export interface ClipSegment {
  readonly objectKey: string;
  /** Number of its init segment in {@link CutClipRequest.inits}. */
  readonly init: number;
  /** The same number, the same media clock: its epoch's. */
  readonly clock: number;
  readonly startMs: WallMs;
  readonly mediaStart90k: number;
  readonly duration90k: number;
}

/** What a clip became. */
export interface CutClipResult extends WrittenObject {
  readonly durationMs: number;
  /** Wall time of its first picture. */
  readonly startMs: WallMs;
  readonly hasSound: boolean;
  readonly copiedPictures: number;
  readonly encodedPictures: number;
}
