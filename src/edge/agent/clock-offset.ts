/** Measurements that are looked at: the newest. */
const KEPT = 8;

/** When a request and its answer left and came, each by the clock of whoever says it. Milliseconds since the Unix epoch. */
export interface FourStamps {
  /** By the edge's clock. */
  readonly sentAtMs: number;
  /** By control's. */
  readonly receivedAtMs: number;
  /** By control's. */
  readonly answeredAtMs: number;
  /** By the edge's. */
  readonly arrivedAtMs: number;
}

/** How two clocks lie. */
export interface OffsetEstimate {
  /** How far the other clock is ahead. */
  readonly offsetMs: number;
  /** How long a request and its answer are under way. The offset is wrong by half of this at most. */
  readonly roundTripMs: number;
}

/** Measures a far clock as NTP does (RFC 5905 section 8): of the newest exchanges that with the shortest way counts. */
export class ClockOffset {
  readonly #newest: OffsetEstimate[] = [];

  /** Takes an exchange in. */
  add({ sentAtMs, receivedAtMs, answeredAtMs, arrivedAtMs }: FourStamps): void {
    const roundTripMs = Math.max(0, arrivedAtMs - sentAtMs - (answeredAtMs - receivedAtMs));
    this.#newest.push({ offsetMs: (receivedAtMs - sentAtMs + answeredAtMs - arrivedAtMs) / 2, roundTripMs });
    if (this.#newest.length > KEPT) this.#newest.shift();
  }

  /** Null before the first exchange. */
  estimate(): OffsetEstimate | null {
    return this.#newest.reduce<OffsetEstimate | null>(
      (best, one) => (best === null || one.roundTripMs <= best.roundTripMs ? one : best),
      null,
    );
  }
}
