import type { IdSource } from '../../base/ids.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import type { EncoderPool } from './encoder-pool.ts';

/** What a task in an engine process may use. */
export interface WorkerContext {
  readonly objects: ObjectStore;
  readonly ids: IdSource;
  readonly encoders: EncoderPool;
}
