import type { WallMs } from '../base/time.ts';
import type { FailureCause } from './asset.ts';

/** Where a clip stands. The last three are final. */
export type ClipState = 'queued' | 'working' | 'ready' | 'failed' | 'cancelled';

/** What a clip is to be. */
export interface ClipSpec {
  readonly fromMs: WallMs;
  /** Exclusive. */
  readonly toMs: WallMs;
  /** `exact`: cut to the frame, with the pictures around the ends encoded again; `keyframes`: copied, from the keyframe at or before the start. */
  readonly mode: 'exact' | 'keyframes';
  /** Stretches without pictures are left out, or black and silent for as long as they last. */
  readonly gaps: 'skip' | 'black';
  /** 1, or above: faster, and without sound. */
  readonly speed: number;
}

/** The file that a clip became: what the task leaves behind. */
export interface ClipFile {
  readonly objectKey: string;
  readonly sizeBytes: number;
  /** Hex. */
  readonly sha256: string;
  readonly durationMs: number;
  /** Wall time of the first picture. */
  readonly startMs: WallMs;
  readonly hasSound: boolean;
  /** How many pictures are the source's own, and how many were encoded again. */
  readonly copiedPictures: number;
  readonly encodedPictures: number;
}

/** A stretch of a timeline as one file. It is made by one task, and its state is that of the task. */
export interface Clip {
  readonly id: string;
  readonly tenant: string;
  readonly streamId: string;
  /** The recording or archive that it was cut from; null: the stream. */
  readonly sourceHoldId: string | null;
  readonly name: string;
  readonly spec: ClipSpec;
  /** What protects its source until it has ended. */
  readonly holdId: string;
  readonly state: ClipState;
  /** 0–1. */
  readonly progress: number;
  /** Why it failed, or why the last try did while it waits for another. */
  readonly cause: FailureCause | null;
  /** Null until it is ready. */
  readonly file: ClipFile | null;
  readonly createdAtMs: WallMs;
  /** When it became ready, failed or cancelled. */
  readonly endedAtMs: WallMs | null;
  /** When it goes by itself; null: never. */
  readonly expiresAtMs: WallMs | null;
}

/** Whether nothing more happens to a clip in this state but that it expires. */
export function hasEnded(state: ClipState): boolean {
  return state === 'ready' || state === 'failed' || state === 'cancelled';
}

/** What every object of a clip begins with. */
export function clipPrefix(clipId: string): string {
  return `clips/${clipId}/`;
}
