import type { Component } from '../../base/component.ts';
import { messageOf } from '../../base/errors.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Consumer, EventLog } from '../../events/event-log.ts';
import { FRAMES_TOPIC, SEGMENTER_GROUP } from './frame-event.ts';
import type { LastSeen } from './last-seen.ts';
import { PartitionWorker, type PartitionWorkerDeps } from './partition-worker.ts';

const DRAIN_LIMIT_MS = 15_000;

/** What the frames ingest works with. */
export interface FramesIngestDeps extends Omit<PartitionWorkerDeps, 'seen' | 'catalog' | 'events'> {
  readonly catalog: PartitionWorkerDeps['catalog'] & Pick<Catalog, 'onChange'>;
  readonly lastSeen: Pick<LastSeen, 'note'>;
  readonly events: Pick<EventLog, 'publish' | 'consume'>;
}

/** The frames role: frame events in, segments on timelines out. */
export class FramesIngest implements Component {
  readonly name = 'frames ingest';
  readonly #deps: FramesIngestDeps;
  readonly #workers = new Map<PartitionWorker, Promise<void>>();
  #consumer: Consumer | null = null;
  #unsubscribe: (() => void) | null = null;
  #draining = false;

  constructor(deps: FramesIngestDeps) {
    this.#deps = deps;
  }

  /** Frames that are read and not yet durable in a segment. */
  get pendingFrames(): number {
    return [...this.#workers.keys()].reduce((sum, worker) => sum + worker.pending, 0);
  }

  /** Streams with frames that are not yet durable in a segment. */
  get openStreams(): number {
    return [...this.#workers.keys()].reduce((sum, worker) => sum + worker.openStreams, 0);
  }

  async start(): Promise<void> {
    this.#unsubscribe = this.#deps.catalog.onChange((change) => {
      const own = new Set(change.appended.map(({ segment }) => segment.streamId));
      const changed = new Set(change.streamIds.filter((id) => change.remote || !own.has(id)));
      if (changed.size > 0) for (const worker of this.#workers.keys()) worker.refresh(changed);
    });
    this.#consumer = await this.#deps.events.consume({
      topic: FRAMES_TOPIC,
      group: SEGMENTER_GROUP,
      onAssigned: async (partition) => {
        const worker = new PartitionWorker(partition, {
          ...this.#deps,
          seen: (streamId, capturedAtMs, receivedAtMs) =>
            this.#deps.lastSeen.note(streamId, capturedAtMs, receivedAtMs),
        });
        if (this.#draining) worker.drain();
        const run = worker.run();
        this.#workers.set(worker, run);
        try {
          await run;
        } finally {
          this.#workers.delete(worker);
        }
      },
      onError: (error) =>
        this.#deps.logger.error({ error: messageOf(error) }, 'a partition of frames was given up for now'),
    });
  }

  /** Closes and writes every open segment, commits, and leaves the group. */
  async close(): Promise<void> {
    this.#draining = true;
    for (const worker of this.#workers.keys()) worker.drain();
    await this.#drained();
    await this.#consumer?.close();
    this.#consumer = null;
    this.#unsubscribe?.();
  }

  /** Every worker ends by itself once it is drained; a stuck one is cut off by the consumer's close. */
  async #drained(): Promise<void> {
    const giveUp = new AbortController();
    const tooLong = this.#deps.clock.wait(DRAIN_LIMIT_MS, giveUp.signal).catch(() => undefined);
    await Promise.race([Promise.allSettled(this.#workers.values()), tooLong]);
    giveUp.abort();
  }
}
