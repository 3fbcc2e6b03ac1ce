import type { WallMs } from '../base/time.ts';

/** Where a pushed stream's wall clock comes from: the encoder says it, or it was set at arrival and is carried by media time. */
export type SourceClock = 'programDateTime' | 'arrival';

/** What is known of the encoder behind a pushed stream. Written by its ingest with the segments, so it is as old as the newest of them. */
export interface SourceReport {
  readonly container: 'ts' | 'fmp4';
  /** RFC 6381, pictures and sound. */
  readonly codecs: string;
  readonly width: number;
  readonly height: number;
  /** Pictures a second; null without pictures. */
  readonly frameRate: number | null;
  /** Of the newest segment. */
  readonly bitsPerS: number;
  readonly clock: SourceClock;
  /** How far the encoder's wall clock (or the arrival) has moved against its media clock since the epoch began. Milliseconds; positive: media runs slow. */
  readonly driftMs: number;
  /** How often the media clock was tied to wall time anew. */
  readonly epochs: number;
  readonly segments: number;
  /** Segments that never came, or left a hole. */
  readonly gaps: number;
  /** Segments that came after newer ones. */
  readonly late: number;
  /** Segments that came twice. */
  readonly duplicates: number;
  /** Segments that could not be taken. */
  readonly rejected: number;
  readonly lastRejection: SourceRejection | null;
  /** Object keys of init segments by the encoder's names for them: what its next segments need after a restart. */
  readonly inits: Readonly<Record<string, string>>;
}

/** Why a segment could not be taken. */
export interface SourceRejection {
  readonly atMs: WallMs;
  readonly name: string;
  readonly code: string;
  readonly message: string;
}
