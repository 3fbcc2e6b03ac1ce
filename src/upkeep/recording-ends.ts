import type { Logger } from '../base/logger.ts';
import type { Catalog } from '../catalog/catalog.ts';

/** What ending recordings works with. */
export interface RecordingEndsDeps {
  readonly catalog: Pick<Catalog, 'stopDueRecordings'>;
  readonly logger: Logger;
}

/** Notes, and tells, the end of recordings that were to stop by themselves. They take in nothing past it however late this runs. */
export class RecordingEnds {
  readonly #deps: RecordingEndsDeps;

  constructor(deps: RecordingEndsDeps) {
    this.#deps = deps;
  }

  /** One run. Several at once are harmless. */
  async runOnce({ signal }: { readonly signal: AbortSignal }): Promise<{ readonly ended: number }> {
    let ended = 0;
    for (;;) {
      signal.throwIfAborted();
      const count = await this.#deps.catalog.stopDueRecordings();
      ended += count;
      if (count === 0) break;
    }
    if (ended > 0) this.#deps.logger.info({ recordings: ended }, 'recordings ended at their time');
    return { ended };
  }
}
