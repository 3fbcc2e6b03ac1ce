import type { KeptStretch } from './edge-store.ts';

/** What an edge keeps because its control wants it: recordings that nobody here has started. */
export interface KeptStore {
  /**
   * Makes the stretches kept for control these and no others, in one transaction: missing ones are made, changed ones changed, those that were let go taken up
   * again while they still protect, the rest let go as recordings are. A stretch of a stream that is not here is passed over. What is so already costs a look.
   */
  keepForControl(stretches: readonly KeptStretch[]): Promise<void>;
}
