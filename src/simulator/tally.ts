import { FRAME_KINDS, type FrameKind } from './simulated-frame.ts';

/** What became of the frames of one kind. */
export interface KindTally {
  readonly sent: number;
  readonly accepted: number;
  readonly refused: number;
}

/** What a simulation did. */
export interface SimulationSummary {
  readonly cameras: number;
  readonly kinds: Readonly<Record<FrameKind, KindTally>>;
  /** Left out on purpose. */
  readonly dropped: number;
  /** Given up because the server did not keep up and the backlog was full, or the end came. */
  readonly lost: number;
  readonly retries: number;
  readonly markers: number;
}

/** Counts what a simulation does. */
export class Tally {
  dropped = 0;
  lost = 0;
  retries = 0;
  markers = 0;
  readonly #kinds = Object.fromEntries(
    FRAME_KINDS.map((kind) => [kind, { sent: 0, accepted: 0, refused: 0 }]),
  ) as Record<FrameKind, { -readonly [K in keyof KindTally]: number }>;

  count(kind: FrameKind, what: keyof KindTally): void {
    this.#kinds[kind][what] += 1;
  }

  summary(cameras: number): SimulationSummary {
    const { dropped, lost, retries, markers } = this;
    return { cameras, kinds: structuredClone(this.#kinds), dropped, lost, retries, markers };
  }
}
