/** What can be set right without guessing. */
export type Repair =
  | { readonly kind: 'markLost'; readonly segmentId: string }
  | { readonly kind: 'markFound'; readonly segmentId: string }
  | { readonly kind: 'deleteObject'; readonly key: string }
  | { readonly kind: 'releaseHold'; readonly holdId: string }
  /** Has the asset looked at by whoever settles. */
  | { readonly kind: 'settleAsset'; readonly assetId: string }
  /** Cancels tasks of an asset that has ended, if it is still as it was found. */
  | {
      readonly kind: 'cancelTasks';
      readonly assetId: string;
      readonly version: number;
      readonly taskIds: readonly string[];
    };

/** The names of the doctor's checks. */
export type CheckName =
  | 'stores'
  | 'sequences'
  | 'frames'
  | 'times'
  | 'epochs'
  | 'discontinuities'
  | 'numbers'
  | 'sessions'
  | 'holds'
  | 'objects'
  | 'media'
  | 'chunks'
  | 'alignment'
  | 'jobs'
  | 'orphans'
  | 'playlists'
  | 'events';

/** One thing that is not as it must be. */
export interface Finding {
  readonly check: CheckName;
  /** Of a stream or an asset; null when it is about no single one. */
  readonly streamId: string | null;
  /** What it is about: an id, an object's key or a topic. */
  readonly subject: string;
  /** What is wrong, with the values found. */
  readonly message: string;
  /** Null: a person has to decide. */
  readonly repair: Repair | null;
}

/** Two findings say the same about the same thing. */
export function isSameFinding(a: Finding, b: Finding): boolean {
  return a.check === b.check && a.streamId === b.streamId && a.subject === b.subject && a.message === b.message;
}
