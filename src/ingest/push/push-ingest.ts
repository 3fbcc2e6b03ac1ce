import type { Component } from '../../base/component.ts';
import { messageOf } from '../../base/errors.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Consumer, EventLog } from '../../events/event-log.ts';
import { PUSH_GROUP, PUSHES_TOPIC } from './push-event.ts';
import { PushWorker, type PushWorkerDeps } from './push-worker.ts';

/** How long segments under way may take to be written at shutdown. */
const DRAIN_LIMIT_MS = 10_000;

/** What the ingest of pushed streams works with. */
export interface PushIngestDeps extends PushWorkerDeps {
  readonly catalog: PushWorkerDeps['catalog'] & Pick<Catalog, 'onChange'>;
  readonly events: Pick<EventLog, 'publish' | 'consume'>;
}

/** Pushed files in, segments on timelines out. */
export class PushIngest implements Component {
  readonly name = 'push ingest';
  readonly #deps: PushIngestDeps;
  readonly #workers = new Map<PushWorker, Promise<void>>();
  #consumer: Consumer | null = null;
  #unsubscribe: (() => void) | null = null;

  constructor(deps: PushIngestDeps) {
    this.#deps = deps;
  }

  /** Pushed files that are on no timeline yet. */
  get pending(): number {
    return [...this.#workers.keys()].reduce((sum, worker) => sum + worker.pending, 0);
  }

  async start(): Promise<void> {
    const { catalog, events, logger } = this.#deps;
    this.#unsubscribe = catalog.onChange((change) => {
      const own = new Set(change.appended.map(({ segment }) => segment.streamId));
      const changed = new Set(change.streamIds.filter((id) => change.remote || !own.has(id)));
      if (changed.size > 0) for (const worker of this.#workers.keys()) worker.refresh(changed);
    });
    this.#consumer = await events.consume({
      topic: PUSHES_TOPIC,
      group: PUSH_GROUP,
      onAssigned: async (partition) => {
        const worker = new PushWorker(partition, this.#deps);
        const run = worker.run();
        this.#workers.set(worker, run);
        try {
          await run;
        } finally {
          this.#workers.delete(worker);
        }
      },
      onError: (error) => logger.error({ error: messageOf(error) }, 'a partition of pushes was given up for now'),
    });
  }

  /** Finishes the segments under way, commits, and leaves the group. What waits is read again at the next start. */
  async close(): Promise<void> {
    for (const worker of this.#workers.keys()) worker.drain();
    const giveUp = new AbortController();
    const tooLong = this.#deps.clock.wait(DRAIN_LIMIT_MS, giveUp.signal).catch(() => undefined);
    await Promise.race([this.#consumer?.close(), tooLong]);
    giveUp.abort();
    this.#consumer = null;
    this.#unsubscribe?.();
  }
}
