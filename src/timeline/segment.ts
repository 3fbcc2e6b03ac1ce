import { TICKS_PER_MS, wallMs, type Pts90k, type WallMs } from '../base/time.ts';

/** `onTime` segments follow each other in `live`; `late` ones came after a newer segment was durable. */
export type Placement = 'onTime' | 'late';

/** The smallest independently decodable stretch of a rendition. Immutable once committed, but for the last four fields. */
export interface Segment {
  readonly id: string;
  readonly streamId: string;
  readonly renditionId: string;
  readonly epochId: string;
  readonly placement: Placement;
  /** Counts the rendition's segments of this placement from 0, without holes or repeats. On-time: the `live` media sequence number. */
  readonly sequence: number;
  /** Capture time of the first frame. */
  readonly startMs: WallMs;
  /** Media time of the first frame since the epoch's start (`tfdt`). */
  readonly mediaStart90k: Pts90k;
  /** The sum of the durations of its samples. */
  readonly duration90k: Pts90k;
  /** Capture times of its frames, rising; empty where unknown (pushed media). */
  readonly frameTimesMs: readonly WallMs[];
  readonly objectKey: string;
  readonly sizeBytes: number;
  /** Hex, of the object's bytes. */
  readonly sha256: string;
  /** Bytes from the object's start that hold its header and its first picture (for I-frame playlists); null where not kept: frames, audio, captions. */
  readonly keyframeBytes: number | null;
  /** EXT-X-DISCONTINUITY stands before it among the on-time segments (`live`). Always true for a late one. */
  readonly discontinuity: boolean;
  readonly createdAtMs: WallMs;
  /** EXT-X-DISCONTINUITY stands before it among all segments in wall order (`dvr`). */
  readonly dvrDiscontinuity: boolean;
  /** Its bytes were lost: playlists name it with EXT-X-GAP. */
  readonly lost: boolean;
  /** Its bytes are at its edge and not here. */
  readonly remote: boolean;
  /** When it left the retained window; null while inside. Only a hold still shows it then. */
  readonly retiredAtMs: WallMs | null;
}

/** The wall time at which a segment ends (exclusive). */
export function segmentEndMs(segment: Pick<Segment, 'startMs' | 'duration90k'>): WallMs {
  return wallMs(segment.startMs + segment.duration90k / TICKS_PER_MS);
}

/** Orders segments as they lie on the timeline: by wall time, then on-time before late, then sequence. */
export function byWallOrder(a: Segment, b: Segment): number {
  if (a.startMs !== b.startMs) return a.startMs - b.startMs;
  if (a.placement !== b.placement) return a.placement === 'onTime' ? -1 : 1;
  return a.sequence - b.sequence;
}
