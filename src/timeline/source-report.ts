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
  /** What the source says of renditions that are sound apart from pictures, by rendition; left out: there are none. */
  readonly sound?: Readonly<Record<string, SourceSound>>;
  /** What its next segments need when another process goes on with them. */
  readonly memory: SourceMemory;
}

/** What the ingest of a pushed stream remembers of its source. */
export interface SourceMemory {
  /** Object keys of the newest init segments, by the encoder's names for them, in order of arrival. */
  readonly inits: Readonly<Record<string, string>>;
  /** The newest files taken, oldest first: what comes again is known by them. */
  readonly taken: readonly TakenFile[];
  /** How renditions' media clocks lie on the source's, by rendition. */
  readonly clocks: Readonly<Record<string, EpochClock>>;
  /** Which rendition a playlist of the encoder's is, by its name. */
  readonly renditions: Readonly<Record<string, string>>;
  /** When the source last said that its stream ends; missing: never. */
  readonly lastEndAtMs?: WallMs;
}

/** A file that was taken. An encoder that begins anew may make the same bytes: only with the same time is it the same segment. */
export interface TakenFile {
  /** Hex, of the bytes as they were sent. */
  readonly sha256: string;
  /** What the source said; null: nothing. */
  readonly programDateTimeMs: WallMs | null;
  readonly receivedAtMs: WallMs;
  /** Encoders may send the same bytes to several; left out: `main`. */
  readonly rendition?: string;
}

/** Sound apart from pictures, as a player offers it to choose. */
export interface SourceSound {
  /** BCP 47, if the encoder obeys; null: it does not say. */
  readonly language: string | null;
  /** For people; null: it does not say. */
  readonly label: string | null;
  readonly isDefault: boolean;
}

/** How an epoch's media time lies on its source's clock. */
export interface EpochClock {
  readonly epochId: string;
  /** The source's time stamp at media time 0, counted on without its wrap. 90 kHz ticks. */
  readonly originPts90k: number;
  /** A sample of the epoch at which a packet of sound begins; null without sound. */
  readonly audioGridSamples: number | null;
  readonly clock: SourceClock;
}

/** Why a segment could not be taken. */
export interface SourceRejection {
  readonly atMs: WallMs;
  readonly name: string;
  readonly code: string;
  readonly message: string;
}
