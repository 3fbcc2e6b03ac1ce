import type { WallMs } from '../base/time.ts';

/** A stretch that another server wants kept here. */
export interface KeptStretch {
  /** Of the hold there, and of the hold here that keeps it. */
  readonly id: string;
  readonly streamId: string;
  readonly name: string;
  readonly fromMs: WallMs;
  /** Exclusive; null: it goes on. */
  readonly toMs: WallMs | null;
}

/** What an edge keeps because its control wants it: recordings that nobody here has started. */
export interface KeptStore {
  /**
   * Makes the stretches kept for control these and no others, in one transaction: missing ones are made, changed ones changed, those that were let go taken up
   * again while they still protect, the rest let go as recordings are. A stretch of a stream that is not here is passed over. What is so already costs a look.
   */
  keepForControl(stretches: readonly KeptStretch[]): Promise<void>;
}
