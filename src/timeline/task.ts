import type { WallMs } from '../base/time.ts';
import type { FailureCause, Usage } from './asset.ts';

/** What a task does. */
export type TaskKind = 'fetch' | 'split' | 'video' | 'audio' | 'subtitles' | 'pictures' | 'download' | 'clip';

/**
 * Where a task stands. `waiting` covers a task that failed and is to be tried again at `notBeforeMs`, and one whose lease ran out.
 * The last three are final.
 */
export type TaskState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

/** The smallest retried unit of work: one chunk or one set of pictures of an asset's job, or a whole clip. */
export interface Task {
  readonly id: string;
  /** The asset or the clip that it works for. */
  readonly ownerId: string;
  readonly kind: TaskKind;
  /** The round of the asset that it belongs to. */
  readonly round: number;
  /** Lower goes first within a priority: 0 what playing waits for, 1 the bulk, 2 what is nice to have. */
  readonly rank: number;
  /** Orders tasks of one asset and rank; for chunks, the chunk's number. */
  readonly ordinal: number;
  /** The outputs it works for; a cost is shared by them. */
  readonly outputIds: readonly string[];
  /** Its part of the job, in seconds of media times the work of a second; for progress. */
  readonly weight: number;
  /** What it needs to know; its shape belongs to its kind. JSON. */
  readonly input: unknown;
  readonly state: TaskState;
  /** Tries begun; the number of the try under way is the fencing token of its lease. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly notBeforeMs: WallMs;
  /** Who holds it; null while nobody does. */
  readonly workerId: string | null;
  readonly leaseUntilMs: WallMs | null;
  /** Of the try under way, 0–1. */
  readonly progress: number;
  /** What came of it; its shape belongs to its kind. JSON; null until done. */
  readonly result: unknown;
  /** The last failure, also while it waits for another try. */
  readonly cause: FailureCause | null;
  /** Over all tries, as one task: it is shared between outputs by `shares`. */
  readonly usage: Usage;
  /** How the CPU time of the try that succeeded falls to outputs, parts that sum to 1; null: evenly. */
  readonly shares: Readonly<Record<string, number>> | null;
}
