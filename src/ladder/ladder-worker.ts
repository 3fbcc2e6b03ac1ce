import type { Timer } from '../base/clock.ts';
import type { Component } from '../base/component.ts';
import { messageOf } from '../base/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { LadderLease } from '../catalog/ladder-store.ts';
import { StreamLadder, type StreamLadderDeps } from './stream-ladder.ts';

/** What a worker of ladders is made of. */
export interface LadderWorkerDeps extends StreamLadderDeps {
  readonly catalog: StreamLadderDeps['catalog'] & Pick<Catalog, 'onChange' | 'claimLadders' | 'releaseLadders'>;
  /** Names this process in leases. */
  readonly workerId: string;
}

/** How often leases are renewed, and ladders looked for that nobody makes. */
const CLAIM_EVERY_MS = 1000;
/** How long the ladders of a process that died stand still. Some renewals, so that a slow moment loses none. */
const LEASE_MS = 5000;

/**
 * Makes live ladders: takes streams that want one, each by a lease, and encodes what their rungs lack. Any number of processes share the streams; any may be
 * killed. One that has no slot free takes no stream more.
 */
export class LadderWorker implements Component {
  readonly name = 'ladder worker';
  readonly #deps: LadderWorkerDeps;
  readonly #ladders = new Map<string, StreamLadder>();
  readonly #closing = new Set<Promise<void>>();
  #isClosing = false;
  #claiming: Promise<void> | undefined;
  #timer: Timer | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(deps: LadderWorkerDeps) {
    this.#deps = deps;
  }

  /** Streams whose ladders this process makes, and how far the slowest is behind. */
  stats(): { readonly streams: number; readonly lagMs: number } {
    const lags = [...this.#ladders.values()].map(({ lagMs }) => lagMs);
    return { streams: lags.length, lagMs: Math.max(0, ...lags) };
  }

  /** Begins to take streams. */
  async start(): Promise<void> {
    this.#unsubscribe = this.#deps.catalog.onChange(({ streamIds }) => {
      for (const id of streamIds) this.#ladders.get(id)?.wake();
    });
    this.#claim();
  }

  /** Ends what is encoded and lets others have the streams. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#unsubscribe?.();
    this.#timer?.cancel();
    await this.#claiming;
    for (const streamId of this.#ladders.keys()) this.#drop(streamId);
    await Promise.all(this.#closing);
    await this.#deps.catalog.releaseLadders(this.#deps.workerId);
  }

  #claim(): void {
    this.#claiming = this.#claimOnce().finally(() => {
      this.#claiming = undefined;
      if (!this.#isClosing) this.#timer = this.#deps.clock.schedule(CLAIM_EVERY_MS, () => this.#claim());
    });
  }

  async #claimOnce(): Promise<void> {
    const { catalog, workerId, slots, logger } = this.#deps;
    try {
      this.#keep(await catalog.claimLadders({ owner: workerId, leaseMs: LEASE_MS, limit: slots.free }));
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'asking for live ladders failed; it is tried again');
    }
  }

  /** What is not listed is another's, or wanted no more. */
  #keep(leases: readonly LadderLease[]): void {
    const held = new Map(leases.map((lease) => [lease.streamId, lease]));
    for (const [streamId, ladder] of this.#ladders) {
      if (held.get(streamId)?.fence !== ladder.fence) this.#drop(streamId);
    }
    for (const lease of leases) {
      if (this.#ladders.has(lease.streamId)) continue;
      const ladder = new StreamLadder(lease, this.#deps);
      this.#ladders.set(lease.streamId, ladder);
      ladder.wake();
    }
  }

  #drop(streamId: string): void {
    const ladder = this.#ladders.get(streamId);
    this.#ladders.delete(streamId);
    if (ladder === undefined) return;
    const closed = ladder
      .close()
      .catch((error: unknown) => {
        // What it wrote and did not append is swept as orphans.
        this.#deps.logger.warn({ streamId, error: messageOf(error) }, 'a live ladder did not close cleanly');
      })
      .finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }
}
