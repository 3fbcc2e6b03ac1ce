import type { KeptStretch } from './edge-store.ts';
import type { Window } from './window.ts';

/** How far a rendition has been copied. */
export interface CopyCursor {
  /** The first on-time sequence number that is still to be copied. */
  readonly nextSequence: number;
  /** The first late one. */
  readonly nextLateSequence: number;
}

/** What an edge needs, whose timelines are copied to its control. */
export interface CopyStore {
  /**
   * Segments of a rendition (by its name) as they were appended: on-time ones from a sequence number on, then late ones from theirs, each by sequence, at most
   * `limit`. Retired ones too, while nobody has begun to delete them. @throws not_found
   */
  segmentsFrom(streamId: string, name: string, from: CopyCursor, limit: number): Promise<Window>;
  /**
   * Makes the stretches kept for control these and no others, in one transaction: missing ones are made, changed ones changed, those that were let go taken up
   * again while they still protect, the rest let go as recordings are. A stretch of a stream that is not here is passed over. What is so already costs a look.
   */
  keepForControl(stretches: readonly KeptStretch[]): Promise<void>;
}
