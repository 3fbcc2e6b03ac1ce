/** What a simulation of live sources did. */
export interface LiveSummary {
  readonly streams: readonly string[];
  /** Made by the encoders. */
  readonly segments: number;
  /** Whose bytes the server took. */
  readonly accepted: number;
  readonly refused: number;
  /** Not sent on purpose. */
  readonly dropped: number;
  /** Given up because the server did not keep up and the queue was full, or the end came. */
  readonly lost: number;
  readonly retries: number;
  /** Chunks that came after later ones, and events that came twice, on purpose. */
  readonly late: number;
  readonly duplicates: number;
  readonly restarts: number;
  readonly resizes: number;
  readonly bytes: number;
  /** How far an encoder was behind the clock at most. */
  readonly behindMs: number;
  /** Each different complaint of the server, once. */
  readonly causes: readonly string[];
}

const MOST_CAUSES = 100;

/** Counts what a simulation of live sources does. */
export class LiveTally {
  segments = 0;
  accepted = 0;
  refused = 0;
  dropped = 0;
  lost = 0;
  retries = 0;
  late = 0;
  duplicates = 0;
  restarts = 0;
  resizes = 0;
  bytes = 0;
  behindMs = 0;
  readonly #causes = new Set<string>();

  /** Remembers a complaint; whether it is new. */
  note(cause: string): boolean {
    if (this.#causes.has(cause) || this.#causes.size >= MOST_CAUSES) return false;
    this.#causes.add(cause);
    return true;
  }

  summary(streams: readonly string[]): LiveSummary {
    const { segments, accepted, refused, dropped, lost, retries, late, duplicates, restarts, resizes, bytes } = this;
    const counts = { segments, accepted, refused, dropped, lost, retries, late, duplicates, restarts, resizes, bytes };
    return { streams, ...counts, behindMs: Math.round(this.behindMs), causes: [...this.#causes] };
  }
}
