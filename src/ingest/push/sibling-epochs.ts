import { TICKS_PER_MS, type WallMs } from '../../base/time.ts';
import { unwrap90k } from '../../packager/demuxed/media-clock.ts';

/** How an epoch lies on its source's clock. */
export interface PlacedEpoch {
  /** See `Epoch.ordinal`. */
  readonly ordinal: number;
  readonly anchorMs: WallMs;
  /** The source's time stamp at media time 0. */
  readonly originPts90k: number;
}

/** Of each rendition so many newest are known: one may be behind the others by as many starts of the encoder. */
const REMEMBERED = 4;
/** Sound may begin so long before the pictures that it goes with; what lies before the epoch is left out. 90 kHz ticks. */
const EARLIEST_90K = 18_000;
/** Two renditions of one encoder agree so far about what time it is, whether it says so or the time is that of their arrival. */
const AGREEMENT_MS = 2000;

/**
 * The newest epochs of all renditions of a stream. An encoder's clock is one for all that it sends at a time: where a rendition begins an epoch, it takes
 * the place and the number of the epoch that others began there, so that they are in step: the same media time at the same wall time, and the same
 * discontinuity sequence (RFC 8216bis §6.2.4).
 */
export class SiblingEpochs {
  readonly #epochs = new Map<string, readonly PlacedEpoch[]>();

  /** A rendition began an epoch, or goes on with it. */
  note(rendition: string, epoch: PlacedEpoch): void {
    const others = (this.#epochs.get(rendition) ?? []).filter(({ ordinal }) => ordinal !== epoch.ordinal);
    this.#epochs.set(rendition, [...others, epoch].slice(-REMEMBERED));
  }

  /** The newest epoch of another rendition in which a media time lies at this wall time, give or take; null: there is none. */
  at(rendition: string, startPts90k: number, startMs: number): (PlacedEpoch & { readonly startMs: number }) | null {
    let newest: (PlacedEpoch & { readonly startMs: number }) | null = null;
    for (const epoch of this.#others(rendition)) {
      const ticks = unwrap90k(startPts90k, epoch.originPts90k) - epoch.originPts90k;
      const ownMs = epoch.anchorMs + ticks / TICKS_PER_MS;
      if (ticks < -EARLIEST_90K || Math.abs(ownMs - startMs) > AGREEMENT_MS) continue;
      if (newest === null || epoch.ordinal > newest.ordinal) newest = { ...epoch, startMs: ownMs };
    }
    return newest;
  }

  /** The number that an epoch must have at least which begins at this wall time and is no other rendition's: behind all that began before. */
  numberAt(rendition: string, startMs: number): number {
    return this.#others(rendition).reduce(
      (least, { ordinal, anchorMs }) => (anchorMs < startMs ? Math.max(least, ordinal + 1) : least),
      0,
    );
  }

  #others(rendition: string): readonly PlacedEpoch[] {
    return [...this.#epochs].flatMap(([name, epochs]) => (name === rendition ? [] : epochs));
  }
}
