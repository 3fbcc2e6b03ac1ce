/** A jump back beyond this, and in formats for broadcasting a jump forward, is a new clock and no pause. 90 kHz ticks. */
const MAX_BACK_90K = 45_000;
const MAX_FORWARD_90K = 900_000;
/** Clocks that tracks may still follow: they do not change it at the same place of the file. */
const KNOWN_OFFSETS = 4;

/** Where one track is on the file's clock. */
interface TrackState {
  offset90k: number;
  /** When its last packet was decoded and its next is expected, on the resolved clock; null before the first. */
  last: { readonly at90k: number; readonly next90k: number } | null;
}

/**
 * One clock for all tracks of a file whose own may start again: recordings that were joined, transport streams with discontinuities. A new offset
 * found at one track holds for the others too, so that they stay together. Times are 90 kHz ticks with fractions.
 */
export class FileClock {
  readonly #mayJumpForward: boolean;
  readonly #tracks = new Map<number, TrackState>();
  #offsets: readonly number[] = [0];
  #jumps = 0;

  constructor(container: string) {
    this.#mayJumpForward = container === 'mpegts' || container === 'mpegps';
  }

  /** How often the clock was found to start anew. */
  get jumps(): number {
    return this.#jumps;
  }

  /** What to add to the times of a track's packet whose decoding time and duration these are. */
  offsetAt(track: number, decoding90k: number, duration90k: number): number {
    const state = this.#tracks.get(track) ?? { offset90k: this.#offsets[0] ?? 0, last: null };
    this.#tracks.set(track, state);
    if (state.last !== null && this.#isJump(decoding90k + state.offset90k, state.last)) {
      state.offset90k = this.#anchor(decoding90k, state.last.next90k);
    }
    const at90k = decoding90k + state.offset90k;
    state.last = { at90k, next90k: at90k + duration90k };
    return state.offset90k;
  }

  /** The offset that holds now, for tracks whose packets are too rare to tell. */
  get offset90k(): number {
    return this.#offsets[0] ?? 0;
  }

  #anchor(decoding90k: number, next90k: number): number {
    const known = this.#offsets.find((offset) => Math.abs(decoding90k + offset - next90k) < MAX_BACK_90K);
    if (known !== undefined) return known;
    const offset = next90k - decoding90k;
    this.#offsets = [offset, ...this.#offsets].slice(0, KNOWN_OFFSETS);
    this.#jumps += 1;
    return offset;
  }

  #isJump(at90k: number, last: { readonly at90k: number; readonly next90k: number }): boolean {
    return at90k < last.at90k - MAX_BACK_90K || (this.#mayJumpForward && at90k > last.next90k + MAX_FORWARD_90K);
  }
}
