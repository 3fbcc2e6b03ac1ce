import { messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { persistently, type Persistence } from '../back-off.ts';
import type { PlacedFrame } from './frame-buffer.ts';
import type { IncomingFrame } from './frame-event.ts';
import { framePrefix } from './frame-roots.ts';
import type { FramesMetrics } from './metrics.ts';
import type { NewestFrames } from './newest-frames.ts';

/** What a ledger works with. */
export interface FrameLedgerDeps {
  readonly objects: Pick<ObjectStore, 'delete'>;
  readonly logger: Logger;
  readonly metrics: FramesMetrics;
  readonly newest: NewestFrames;
}

/** Where a frame's end is told. */
export interface FrameLedgerEvents {
  /** The frame is durable in a segment, known to be a duplicate, or in the dead letters. */
  readonly done: (frame: IncomingFrame) => void;
  /** Puts a frame in the dead letters. Resolves when that is durable. */
  readonly bury: (frame: IncomingFrame, code: string, cause: string, tries: number) => Promise<void>;
}

/** Settles each frame of a stream exactly once, and lets go of its stored JPEG when that is no longer needed. */
export class FrameLedger {
  readonly #deps: FrameLedgerDeps;
  readonly #events: FrameLedgerEvents;
  readonly #persistence: Persistence;
  readonly #settled = new WeakSet<IncomingFrame>();

  constructor(deps: FrameLedgerDeps, events: FrameLedgerEvents, persistence: Persistence) {
    this.#deps = deps;
    this.#events = events;
    this.#persistence = persistence;
  }

  isSettled(frame: IncomingFrame): boolean {
    return this.#settled.has(frame);
  }

  /** The frames are durable in a segment. */
  async accepted(streamId: string, frames: readonly PlacedFrame[]): Promise<void> {
    for (const frame of frames) this.#settle(frame.incoming);
    this.#deps.metrics.accepted(frames.length);
    const owned = frames.flatMap((frame) => frame.ownedKey ?? []);
    await this.release(this.#deps.newest.durable(streamId, owned));
  }

  /** The frame is on the timeline already, or waits for its segment as `twin`, whose object must stay. */
  async duplicate(streamId: string, frame: IncomingFrame, twin: PlacedFrame | null): Promise<void> {
    this.#deps.metrics.duplicate(1);
    this.#settle(frame);
    const key = frame.record.framePath;
    if (!key.startsWith(framePrefix(streamId)) || twin?.ownedKey === key) return;
    await this.release(this.#deps.newest.durable(streamId, [key]));
  }

  /** The frame cannot be shown: to the dead letters, with the cause. Its stored JPEG stays for whoever looks into it. */
  async dead(frame: IncomingFrame, code: string, cause: string, tries: number): Promise<void> {
    await persistently(() => this.#events.bury(frame, code, cause, tries), this.#persistence);
    this.#deps.metrics.dead(code);
    this.#settle(frame);
  }

  /** Removes stored JPEGs that nobody needs any more. */
  async release(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    try {
      await this.#deps.objects.delete(keys);
    } catch (error) {
      // The pictures are in their segments; the daily sweep removes what is left of them here.
      this.#deps.logger.warn({ error: messageOf(error), keys: keys.length }, 'stored frames could not be removed yet');
    }
  }

  #settle(frame: IncomingFrame): void {
    this.#settled.add(frame);
    this.#events.done(frame);
  }
}
