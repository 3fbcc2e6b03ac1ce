import type { WallMs } from '../base/time.ts';
import type { Clip } from '../timeline/clip.ts';
import type { NewTask } from './asset-store.ts';
import type { Page, PageRequest } from './page.ts';

/** A clip to be made. */
export type NewClip = Pick<
  Clip,
  'id' | 'tenant' | 'streamId' | 'sourceHoldId' | 'name' | 'spec' | 'holdId' | 'expiresAtMs'
>;

/** Which clips. */
export interface ClipFilter {
  readonly tenant?: string;
  readonly streamId?: string;
  /** Only those that were to expire before this. */
  readonly expiredByMs?: WallMs;
}

/**
 * Clips. Each is made by one task of kind `clip`, handed out and taken back like those of assets; its state and its result are the task's. Besides the
 * {@link Catalog}'s contract: a hold protects a clip's source from the transaction that makes it to the one in which it ends, whatever ends it.
 */
export interface ClipStore {
  /** Makes the clip, its hold and its task. @throws not_found without the stream; conflict when the id is taken */
  createClip(clip: NewClip, task: NewTask): Promise<Clip>;
  /** @throws not_found */
  getClip(id: string): Promise<Clip>;
  /** Newest first. */
  listClips(filter: ClipFilter, page: PageRequest): Promise<Page<Clip>>;
  /** How many clips of a tenant wait or are worked on. */
  countOpenClips(tenant: string): Promise<number>;
  /** Ends its task: the worker's next renewal or finish says `lost`. @throws not_found; conflict when it has ended */
  cancelClip(id: string): Promise<Clip>;
  /** Removes the clip with its task and its hold. The caller removes the objects afterwards. @throws not_found */
  deleteClip(id: string): Promise<void>;
}
