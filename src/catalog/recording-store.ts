import type { WallMs } from '../base/time.ts';
import type { Hold } from '../timeline/hold.ts';

/** A recording to be made: a hold of its kind. */
export interface NewRecording {
  readonly id: string;
  readonly streamId: string;
  readonly name: string;
  readonly metadata: Hold['metadata'];
  readonly fromMs: WallMs;
  /** When it is to stop by itself; null: when it is stopped. */
  readonly toMs: WallMs | null;
  /** It reaches back: refused unless the timeline does too. */
  readonly isPast: boolean;
}

/** Why a recording ended: somebody stopped it, its time was over, it was deleted while it ran, or its stream was. */
export type RecordingEnd = 'call' | 'until' | 'deleted' | 'streamDeleted';

/**
 * Recordings: holds that somebody starts and stops. Each start and stop is told as `recording.started` and `recording.stopped` in its own transaction
 * (data: `recordingId`, `streamId`, `deviceId`, `title`, `from`; of `recording.stopped` also `to` and `endedBy`).
 */
export interface RecordingStore {
  /**
   * Makes a recording and tells of it. In one transaction with the look at the timeline, so that retention cannot take what was promised.
   * @throws out_of_range, with the earliest time possible, when one that `isPast` begins before all that the stream shows
   */
  startRecording(recording: NewRecording): Promise<Hold>;
  /**
   * Ends a recording at a time, which may lie ahead. One that was stopped before stays as it is. What it no longer covers goes a grace later.
   * @throws invalid_argument for an end that is not after its start
   */
  stopRecording(id: string, toMs: WallMs): Promise<Hold>;
  /** Notes and tells the end of those whose time is over, at most 100. Answers how many. */
  stopDueRecordings(): Promise<number>;
  /**
   * The hold with its extent, measured if it must be: takes as long as reading all of it. While segments keep coming, the extent of one that grows is kept up
   * to date by each.
   */
  measureHold(id: string): Promise<Hold>;
}
