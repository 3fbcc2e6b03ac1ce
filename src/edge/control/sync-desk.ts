import type { Clock, Timer } from '../../base/clock.ts';
import type { Catalog } from '../../catalog/catalog.ts';

/** Changes of one moment are looked at together. */
const GATHER_MS = 25;
/** What happens to streams is urgent for nobody: a recording that begins, a clip that is wanted. */
const GATHER_STREAMS_MS = 500;
/** Looking takes at most such a part of the time. */
const LOOKING_PART = 5;

/** An edge that waits to hear what is wanted of it. */
export interface WaitingEdge {
  /** Streams whose changes concern it. */
  streamIds: ReadonlySet<string>;
  /** How long looking at what is wanted took last: the longer it takes, the more seldom it is done. */
  lookingMs: number;
  /** Resolves when something may have changed since the last call resolved, at the time given, or when there is no waiting any more. */
  changed(untilMs: number): Promise<void>;
  /** Somebody else of this edge waits now, or the server closes: answer. */
  readonly isDismissed: boolean;
  leave(): void;
}

/** Edges that wait, and what wakes them. An edge waits once: a new one takes the place of the one before. */
export class SyncDesk {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Place>();
  #stop: (() => void) | undefined;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins to follow changes. */
  start(catalog: Pick<Catalog, 'onChange'>): void {
    this.#stop = catalog.onChange(({ streamIds, appended }) => {
      if (this.#waiting.size === 0) return;
      // Rows that came are no news to the edge that sent them.
      const grown = new Set(appended.map(({ segment }) => segment.streamId));
      for (const [edgeId, place] of this.#waiting) {
        if (streamIds.includes(edgeId)) place.wake(GATHER_MS);
        else if (streamIds.some((id) => place.streamIds.has(id) && !grown.has(id))) place.wake(GATHER_STREAMS_MS);
      }
    });
  }

  /** Sends all away, and lets nobody wait any more. */
  dismissAll(): void {
    this.#isClosed = true;
    for (const place of this.#waiting.values()) place.dismiss();
  }

  close(): void {
    this.#stop?.();
    this.dismissAll();
  }

  wait(edgeId: string, signal: AbortSignal): WaitingEdge {
    this.#waiting.get(edgeId)?.dismiss();
    const place = new Place(this.#clock, signal, () => {
      if (this.#waiting.get(edgeId) === place) this.#waiting.delete(edgeId);
    });
    this.#waiting.set(edgeId, place);
    if (this.#isClosed) place.dismiss();
    return place;
  }

  /** Whether it is this one that waits for its edge. */
  isNewest(edgeId: string, place: WaitingEdge): boolean {
    return this.#waiting.get(edgeId) === place;
  }
}

class Place implements WaitingEdge {
  streamIds: ReadonlySet<string> = new Set();
  isDismissed = false;
  lookingMs = 0;
  readonly #clock: Clock;
  readonly #leave: () => void;
  readonly #signal: AbortSignal;
  #isDirty = false;
  #resolve: (() => void) | undefined;
  #gathering: Timer | undefined;
  #gatheredAtMs = Number.POSITIVE_INFINITY;
  readonly #onAbort = (): void => this.#release();

  constructor(clock: Clock, signal: AbortSignal, leave: () => void) {
    this.#clock = clock;
    this.#leave = leave;
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  wake(gatherMs: number): void {
    this.#isDirty = true;
    const atMs = this.#clock.monotonicMs() + Math.max(gatherMs, this.lookingMs * LOOKING_PART);
    if (atMs >= this.#gatheredAtMs) return;
    this.#gathering?.cancel();
    this.#gatheredAtMs = atMs;
    this.#gathering = this.#clock.schedule(atMs - this.#clock.monotonicMs(), () => this.#release());
  }

  dismiss(): void {
    this.isDismissed = true;
    this.#release();
  }

  async changed(untilMs: number): Promise<void> {
    // What happened while it was looked at is gathered already.
    if ((!this.#isDirty || this.#gathering !== undefined) && !this.isDismissed && !this.#signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#resolve = resolve;
      const timer = this.#clock.schedule(untilMs - this.#clock.monotonicMs(), () => this.#release());
      await promise;
      timer.cancel();
    }
    this.#isDirty = false;
  }

  leave(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#release();
    this.#leave();
  }

  #release(): void {
    this.#gathering?.cancel();
    this.#gathering = undefined;
    this.#gatheredAtMs = Number.POSITIVE_INFINITY;
    this.#resolve?.();
    this.#resolve = undefined;
  }
}
