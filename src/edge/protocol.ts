import type { StreamKind } from '../timeline/stream.ts';

/** The longest that control keeps a {@link EdgeSync} waiting. */
export const LONGEST_SYNC_WAIT_MS = 20_000;
/** Most rows of one {@link EdgeRows}. */
export const MOST_ROWS = 200;
/** Most segments that one {@link EdgeDesired} asks for. */
export const MOST_WANTED = 200;

/** An edge says who it is. All times in milliseconds since the Unix epoch, by the clock of whoever says it. */
export interface EdgeHello {
  /** For people: the host's name unless set. */
  readonly name: string;
  /** Of the program. */
  readonly version: string;
}

/** What control answers an edge that registers. */
export interface EdgeWelcome {
  /** Stands in every request that changes something; the newest one counts. */
  readonly session: number;
  /** How far rows are here; what is not named starts at 0. */
  readonly cursors: readonly EdgeCursor[];
}

/** How far the rows of a rendition have come, in the edge's own numbers. */
export interface EdgeCursor {
  readonly streamId: string;
  readonly rendition: string;
  /** The first on-time sequence number that is not here. */
  readonly nextSequence: number;
  /** The first late one. */
  readonly nextLateSequence: number;
}

/** A stream of the edge's, by its own id. */
export interface EdgeStream {
  readonly session: number;
  readonly kind: Exclude<StreamKind, 'asset'>;
  readonly name: string;
  /** Set once all its rows are here. */
  readonly endedAtMs: number | null;
}

/** Rows of one rendition: on-time ones by sequence, then late ones by theirs; without holes but for what the edge has removed. */
export interface EdgeRows {
  readonly session: number;
  readonly rendition: string;
  /** Every epoch that a row names; those that are here already are passed over. */
  readonly epochs: readonly EdgeEpoch[];
  readonly rows: readonly EdgeRow[];
}

/** An epoch of the edge's. */
export interface EdgeEpoch {
  readonly id: string;
  readonly anchorMs: number;
  /** The init segment, base64. */
  readonly init: string;
  readonly codecs: string;
  readonly width: number;
  readonly height: number;
}

/** A segment of the edge's, without its bytes. */
export interface EdgeRow {
  readonly id: string;
  readonly epochId: string;
  readonly placement: 'onTime' | 'late';
  readonly sequence: number;
  readonly startMs: number;
  readonly mediaStart90k: number;
  readonly duration90k: number;
  /** Rising; empty for pushed media. */
  readonly frameTimesMs: readonly number[];
  readonly sizeBytes: number;
  /** Hex. */
  readonly sha256: string;
  readonly keyframeBytes: number | null;
  /** The edge has lost its bytes itself. */
  readonly lost: boolean;
}

/** How an edge is, and what it knows to be wanted. */
export interface EdgeSync {
  readonly session: number;
  /** {@link EdgeDesired.version} of what it has; null: nothing. */
  readonly seen: string | null;
  /** How long control may wait for another one. */
  readonly waitMs: number;
  readonly sentAtMs: number;
  readonly status: EdgeStatus;
}

/** How an edge is. */
export interface EdgeStatus {
  readonly uptimeS: number;
  /** Of the store of its objects; null: not known. */
  readonly freeBytes: number | null;
  /** Of its segments. */
  readonly storedBytes: number;
  /** Rows that are not here yet. */
  readonly backlogRows: number;
  /** Segments that are wanted and not here yet. */
  readonly backlogSegments: number;
  readonly backlogBytes: number;
  /** Sent since its start. */
  readonly sentBytes: number;
  /** How far control's clock is ahead of the edge's, as it measured last; null: not yet. */
  readonly clockOffsetMs: number | null;
  /** Half of what a request without waiting takes. */
  readonly roundTripMs: number | null;
  readonly streams: readonly EdgeStreamStatus[];
}

/** Of one stream of an edge. */
export interface EdgeStreamStatus {
  readonly id: string;
  readonly lastCapturedAtMs: number | null;
  /** By the edge's clock. */
  readonly lastReceivedAtMs: number | null;
}

/** What control wants of an edge, as a whole: what is not named is not wanted. */
export interface EdgeDesired {
  /** Names this state. */
  readonly version: string;
  /** Streams whose segments are to be sent as they come. */
  readonly live: readonly string[];
  /** Stretches that retention at the edge must not take. */
  readonly keep: readonly EdgeKeep[];
  /** Segments to be sent, the most urgent first. */
  readonly segments: readonly EdgeWanted[];
  /** When control had the request whole. */
  readonly receivedAtMs: number;
  /** When it began to answer. */
  readonly sentAtMs: number;
}

/** A stretch that is kept. */
export interface EdgeKeep {
  /** Of the hold at control. */
  readonly id: string;
  readonly streamId: string;
  readonly name: string;
  readonly fromMs: number;
  /** Exclusive; null: it goes on. */
  readonly toMs: number | null;
}

/** A segment that is wanted. */
export interface EdgeWanted {
  readonly id: string;
  readonly streamId: string;
  /** Somebody waits for it; else it may take its time. */
  readonly urgent: boolean;
}

/** Segments whose bytes an edge has no more. */
export interface EdgeGone {
  readonly session: number;
  readonly ids: readonly string[];
}
