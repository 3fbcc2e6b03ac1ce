import type { ParameterSets } from '../h264/nal.ts';
import type { HevcParameterSets } from '../hevc/nal.ts';

/** A coded picture as it was found, in decoding order. Times are ticks of 1/90,000 s without the wrap of 33 bits, on the source's clock. */
export interface DemuxedPicture {
  /** NAL units, each after its length in four bytes; without delimiters, filler, and parameter sets that stand beside the pictures. */
  readonly data: Uint8Array;
  readonly pts90k: number;
  readonly dts90k: number;
  /** Decoding can begin here. */
  readonly isSync: boolean;
}

interface DemuxedPictures {
  /** At least one. */
  readonly samples: readonly DemuxedPicture[];
  /** Where the source says that the last picture ends; null: it does not say. */
  readonly end90k: number | null;
}

/** Pictures of a segment, and the first parameter set of each kind. */
export type DemuxedVideo =
  | (DemuxedPictures & { readonly codec: 'h264'; readonly sets: ParameterSets })
  | (DemuxedPictures & { readonly codec: 'hevc'; readonly sets: HevcParameterSets });

/** A packet of AAC. */
export interface DemuxedFrame {
  readonly data: Uint8Array;
  /** As of pictures, but with a fraction: times between samples' are lost on whole ticks. */
  readonly pts90k: number;
}

/** Sound of a segment. */
export interface DemuxedAudio {
  readonly codec: 'aac';
  readonly audioSpecificConfig: Uint8Array;
  readonly sampleRateHz: number;
  readonly channels: number;
  /** At least one. */
  readonly frames: readonly DemuxedFrame[];
}

/** A segment taken apart, whatever it was packed in. Not both tracks are null. */
export interface DemuxedMedia {
  readonly video: DemuxedVideo | null;
  readonly audio: DemuxedAudio | null;
  /** What was wrong and survived, in words; empty for a clean segment. */
  readonly faults: readonly string[];
}

/** What a segment may cost to take apart. */
export interface DemuxLimits {
  readonly maxBytes: number;
  readonly maxPictures: number;
  readonly maxAudioFrames: number;
}

/** Room for ten minutes at 30 pictures a second. */
export const DEMUX_LIMITS: DemuxLimits = { maxBytes: 256 << 20, maxPictures: 20_000, maxAudioFrames: 60_000 };
