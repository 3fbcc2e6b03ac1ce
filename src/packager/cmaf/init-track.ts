import type { Colour } from '../bits/colour.ts';
import type { Vp9Configuration } from '../vp9/configuration.ts';

/** What every video track has. */
interface VisualTrack {
  readonly width: number;
  readonly height: number;
  /** Written as `colr`; left out: taken from the stream's own headers if they say anything. */
  readonly colour?: Colour;
  /** Ticks a second; left out: 90,000. */
  readonly timescale?: number;
}

/** An H.264 track. */
export interface AvcTrack extends VisualTrack {
  readonly codec: 'avc1';
  /** NAL units without start code or length. */
  readonly sps: Uint8Array;
  readonly pps: Uint8Array;
}

/** An HEVC track. */
export interface HevcTrack extends VisualTrack {
  readonly codec: 'hvc1';
  /** NAL units without start code or length. */
  readonly vps: Uint8Array;
  readonly sps: Uint8Array;
  readonly pps: Uint8Array;
}

/** A VP9 track. */
export interface Vp9Track extends VisualTrack {
  readonly codec: 'vp09';
  readonly configuration: Vp9Configuration;
}

/** An AV1 track. */
export interface Av1Track extends VisualTrack {
  readonly codec: 'av01';
  /** The sequence header unit, with its header. */
  readonly sequenceHeader: Uint8Array;
}

/** An AAC track. Its timescale is its sample rate. */
export interface AacTrack {
  readonly codec: 'mp4a';
  /** AudioSpecificConfig: the encoder's extradata. */
  readonly audioConfig: Uint8Array;
  /** Samples at the start that are not to be heard: the edit list skips them. 0: no edit list. */
  readonly primingSamples: number;
}

/** A video track that an init segment can describe. */
export type VideoTrack = AvcTrack | HevcTrack | Vp9Track | Av1Track;

/** A track that an init segment can describe. */
export type InitTrack = VideoTrack | AacTrack;
