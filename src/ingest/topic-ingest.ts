import type { Component } from '../base/component.ts';
import { messageOf } from '../base/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Consumer, EventLog } from '../events/event-log.ts';
import type { LanePlan } from './lane.ts';
import { PartitionWorker, type PartitionWorkerDeps } from './partition-worker.ts';

/** What the ingest of a topic works with. */
export interface TopicIngestDeps extends PartitionWorkerDeps {
  readonly catalog: Pick<Catalog, 'onChange'>;
  readonly events: Pick<EventLog, 'publish' | 'consume'>;
}

/** As whom a topic is read. */
export interface TopicMember {
  readonly name: string;
  readonly group: string;
  /** How long what is under way may take to finish at shutdown. */
  readonly drainLimitMs: number;
}

/** A member of a topic's group: events in, segments on timelines out. */
export class TopicIngest<R> implements Component {
  readonly name: string;
  readonly #member: TopicMember;
  readonly #plan: LanePlan<R>;
  readonly #deps: TopicIngestDeps;
  readonly #workers = new Map<PartitionWorker<R>, Promise<void>>();
  #consumer: Consumer | null = null;
  #unsubscribe: (() => void) | null = null;
  #isDraining = false;

  constructor(member: TopicMember, plan: LanePlan<R>, deps: TopicIngestDeps) {
    this.name = member.name;
    this.#member = member;
    this.#plan = plan;
    this.#deps = deps;
  }

  /** Events that are read and not done. */
  get pending(): number {
    return [...this.#workers.keys()].reduce((sum, worker) => sum + worker.pending, 0);
  }

  /** Streams with events that are not done. */
  get openStreams(): number {
    return [...this.#workers.keys()].reduce((sum, worker) => sum + worker.openStreams, 0);
  }

  async start(): Promise<void> {
    const { catalog, events, logger } = this.#deps;
    const { topic } = this.#plan;
    this.#unsubscribe = catalog.onChange((change) => {
      const own = new Set(change.appended.map(({ segment }) => segment.streamId));
      const changed = new Set(change.streamIds.filter((id) => change.remote || !own.has(id)));
      if (changed.size > 0) for (const worker of this.#workers.keys()) worker.refresh(changed);
    });
    this.#consumer = await events.consume({
      topic,
      group: this.#member.group,
      onAssigned: async (partition) => {
        const worker = new PartitionWorker(partition, this.#plan, this.#deps);
        if (this.#isDraining) worker.drain();
        const run = worker.run();
        this.#workers.set(worker, run);
        try {
          await run;
        } finally {
          this.#workers.delete(worker);
        }
      },
      onError: (error) => logger.error({ error: messageOf(error), topic }, 'a partition was given up for now'),
    });
  }

  /** Finishes what is under way, commits, and leaves the group. What waits is read again at the next start. */
  async close(): Promise<void> {
    this.#isDraining = true;
    for (const worker of this.#workers.keys()) worker.drain();
    await this.#drained();
    await this.#consumer?.close();
    this.#consumer = null;
    this.#unsubscribe?.();
  }

  /** Every worker ends by itself once it is drained; a stuck one is cut off by the consumer's close. */
  async #drained(): Promise<void> {
    const giveUp = new AbortController();
    const tooLong = this.#deps.clock.wait(this.#member.drainLimitMs, giveUp.signal).catch(() => undefined);
    await Promise.race([Promise.allSettled(this.#workers.values()), tooLong]);
    giveUp.abort();
  }
}
