import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ObjectStore } from '../../objects/object-store.ts';

/** How often progress is told and the pipe looked at. */
const TURN_MS = 250;

/** What a run in a transcoder's process may use. */
export interface TranscodeContext {
  readonly objects: ObjectStore;
  readonly progress: Progress;
  /** Where one file may be made on the way to an object; null: nowhere. Removed when the process is gone. */
  readonly scratchPath: string | null;
}

/**
 * Tells how far a run is, a few times a second at most. Loops over synchronous work must await {@link Progress.at} in every round: it is the sign
 * of life for the watchdog, shows the memory held, and lets the process notice that its server is gone. It costs nothing while no turn is due.
 */
export class Progress {
  readonly #report: (fraction: number) => void;
  #lastMs = 0;

  constructor(report: (fraction: number) => void) {
    this.#report = report;
  }

  /** `fraction` of the run is done, 0–1. */
  async at(fraction: number): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#lastMs < TURN_MS) return;
    this.#lastMs = nowMs;
    this.#report(Math.min(1, Math.max(0, fraction)));
    await nextTurn();
  }
}
