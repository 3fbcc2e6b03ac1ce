import type { Clock } from '../../base/clock.ts';
import type { Component } from '../../base/component.ts';
import { messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { wallMs, type WallMs } from '../../base/time.ts';
import type { StreamStore, StreamTouch } from '../../catalog/catalog.ts';

const INTERVAL_MS = 1_000;

/** Notes when each stream's newest frame was captured and arrived, and tells the catalog once a second: who is online is judged by that. */
export class LastSeen implements Component {
  readonly name = 'last seen';
  readonly #catalog: Pick<StreamStore, 'touchStreams'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #ended = new AbortController();
  #touches = new Map<string, StreamTouch>();
  #lastWriteMs = Number.NEGATIVE_INFINITY;
  #first: Promise<void> | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(deps: {
    readonly catalog: Pick<StreamStore, 'touchStreams'>;
    readonly clock: Clock;
    readonly logger: Logger;
  }) {
    this.#catalog = deps.catalog;
    this.#clock = deps.clock;
    this.#logger = deps.logger;
  }

  /** A frame was accepted, at the door or from the log. */
  note(streamId: string, capturedAtMs: WallMs, receivedAtMs: number): void {
    const known = this.#touches.get(streamId);
    this.#touches.set(streamId, {
      streamId,
      lastCapturedAtMs: wallMs(Math.max(capturedAtMs, known?.lastCapturedAtMs ?? 0)),
      lastReceivedAtMs: wallMs(Math.max(receivedAtMs, known?.lastReceivedAtMs ?? 0)),
    });
    // After a quiet second the first frame is told at once, so that its stream is seen to be there when it is acknowledged.
    if (this.#first !== null || this.#clock.monotonicMs() - this.#lastWriteMs < INTERVAL_MS) return;
    this.#first = this.#write().finally(() => {
      this.#first = null;
    });
  }

  async start(): Promise<void> {
    this.#writing = this.#writeRegularly();
  }

  /** Writes what was noted last. */
  async close(): Promise<void> {
    this.#ended.abort();
    await this.#writing;
    await this.#first;
    await this.#write();
  }

  async #writeRegularly(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      try {
        await this.#clock.wait(INTERVAL_MS, this.#ended.signal);
      } catch {
        // Closing: `close` writes the rest.
        return;
      }
      await this.#write();
    }
  }

  async #write(): Promise<void> {
    if (this.#touches.size === 0) return;
    this.#lastWriteMs = this.#clock.monotonicMs();
    const touches = [...this.#touches.values()];
    this.#touches = new Map();
    try {
      await this.#catalog.touchStreams(touches);
    } catch (error) {
      const fields = { error: messageOf(error), streams: touches.length };
      this.#logger.warn(fields, 'last-seen times could not be written; the next frames bring newer ones');
    }
  }
}
