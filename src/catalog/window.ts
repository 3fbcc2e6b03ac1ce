import type { Epoch } from '../timeline/epoch.ts';
import type { Rendition } from '../timeline/rendition.ts';
import type { Segment } from '../timeline/segment.ts';

/** The `dvr` window of a rendition. */
export interface Window {
  readonly rendition: Rendition;
  /** Not retired, in wall order. */
  readonly segments: readonly Segment[];
  /** The epochs of those segments. */
  readonly epochs: readonly Epoch[];
}
