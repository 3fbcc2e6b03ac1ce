import { TICKS_PER_MS, pts90k, wallMs, type Pts90k, type WallMs } from '../base/time.ts';

/** A stretch with one set of codec parameters and one unbroken media clock. */
export interface Epoch {
  readonly id: string;
  readonly renditionId: string;
  readonly placement: 'onTime' | 'late';
  /** Counts the rendition's on-time epochs from 0: the discontinuity sequence number of its segments in `live`. -1 for a late epoch. */
  readonly ordinal: number;
  /** The wall time at media time 0. */
  readonly anchorMs: WallMs;
  /** The init segment: `ftyp` + `moov`. */
  readonly init: Uint8Array;
  /** Hex, of {@link Epoch.init}. */
  readonly initSha256: string;
  /** RFC 6381, e.g. `avc1.42C01E`. */
  readonly codecs: string;
  readonly width: number;
  readonly height: number;
  readonly createdAtMs: WallMs;
}

/** Wall time to media time in an epoch, to the tick. */
export function toMediaTime(epoch: Pick<Epoch, 'anchorMs'>, atMs: WallMs): Pts90k {
  return pts90k(Math.round((atMs - epoch.anchorMs) * TICKS_PER_MS));
}

/** Media time in an epoch to wall time. */
export function toWallTime(epoch: Pick<Epoch, 'anchorMs'>, at: Pts90k): WallMs {
  return wallMs(epoch.anchorMs + at / TICKS_PER_MS);
}

/** Which tracks the segments of an epoch have. */
export interface EpochTracks {
  readonly video: boolean;
  readonly audio: boolean;
}

/** Reads which tracks there are from an epoch's codecs. */
export function tracksOf(epoch: Pick<Epoch, 'codecs'>): EpochTracks {
  return { video: codecsOf(epoch, 'video') !== '', audio: codecsOf(epoch, 'audio') !== '' };
}

/** The codecs of its tracks of one kind (RFC 6381); empty without. */
export function codecsOf({ codecs }: Pick<Epoch, 'codecs'>, kind: keyof EpochTracks): string {
  const ofKind = codecs.split(',').filter((codec) => codec.trim().startsWith('mp4a') === (kind === 'audio'));
  return ofKind.join(',').trim();
}
