import type { WallMs } from '../base/time.ts';
import type { LadderSetting } from './ladder.ts';
import type { SourceReport } from './source-report.ts';

/** Where a stream's pictures come from. */
export type StreamKind = 'frames' | 'push' | 'chunks' | 'asset';

/** Where and how the capture time is drawn into the picture. */
export interface OverlaySettings {
  readonly position: 'top-left' | 'top-right' | 'bottom-left' | 'bottom-right';
  /** Height of the text in pixels of the picture. */
  readonly sizePx: number;
  /** An IANA time zone such as `Europe/Berlin`. */
  readonly timeZone: string;
}

/** Everything about one stream's behaviour that may differ from the server's defaults. All durations in milliseconds. */
export interface StreamSettings {
  /** Frames at which an open segment closes. */
  readonly framesPerSegment: number;
  /** The longest an open segment waits, from the arrival of its first frame. */
  readonly maxSegmentWaitMs: number;
  /** How far back the timeline reaches. */
  readonly retentionMs: number;
  /** Silence after which the source counts as offline and its session ends. */
  readonly offlineAfterMs: number;
  /** A shorter session gets no archive. */
  readonly minArchiveDurationMs: number;
  /** A longer session is archived and a new one begins. */
  readonly maxSessionMs: number;
  /** How long an archive is kept. */
  readonly archiveRetentionMs: number;
  /** Silence between two frames beyond which there is a gap (a new epoch); null: three times the median interval. */
  readonly gapToleranceMs: number | null;
  /** How far a capture time may lie ahead of the server's clock. */
  readonly futureToleranceMs: number;
  /** How long a pushed stream may stay away before its playlists end. */
  readonly reconnectWindowMs: number;
  /** How far an encoder's wall clock may move against its media clock before the two are tied anew, with a discontinuity. */
  readonly clockToleranceMs: number;
  /** How long the last frame lasts before any interval is known. */
  readonly frameIntervalMs: number;
  /** x264 constant rate factor, 0–51; less is better and larger. */
  readonly crf: number;
  /** The playlist's `speed` when a player names none: 1 is real time. */
  readonly displaySpeed: number;
  /** Null: nothing is drawn into the picture. */
  readonly overlay: OverlaySettings | null;
  /** What is encoded below the pushed quality; null: nothing. */
  readonly ladder: LadderSetting | null;
}

/** One source's timeline. */
export interface Stream {
  readonly id: string;
  readonly tenant: string;
  readonly kind: StreamKind;
  readonly name: string;
  /** The source's own name for itself; null for streams that no device feeds. Unique for a tenant. */
  readonly deviceId: string | null;
  /** Only what was set for this stream; the rest comes from the server's defaults. */
  readonly settings: Partial<StreamSettings>;
  readonly createdAtMs: WallMs;
  /** Capture time of the newest frame that was accepted. */
  readonly lastCapturedAtMs: WallMs | null;
  /** When the newest frame arrived. */
  readonly lastReceivedAtMs: WallMs | null;
  /** When it was ended; its playlists have EXT-X-ENDLIST. Null while it goes on: a camera's never ends. */
  readonly endedAtMs: WallMs | null;
  /** Of the encoder behind a pushed stream; null before its first segment, and for other kinds. */
  readonly source: SourceReport | null;
}

/** A stream's settings with the server's defaults filled in. */
export function effectiveSettings(stream: Pick<Stream, 'settings'>, defaults: StreamSettings): StreamSettings {
  return { ...defaults, ...stream.settings };
}

/** Whether a source is sending, judged by when its newest frame arrived. */
export function isOnline(stream: Pick<Stream, 'lastReceivedAtMs'>, offlineAfterMs: number, nowMs: WallMs): boolean {
  return stream.lastReceivedAtMs !== null && nowMs - stream.lastReceivedAtMs <= offlineAfterMs;
}
