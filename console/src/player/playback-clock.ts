/** A stretch of the playlist as the player holds it: where it lies in media time and in wall time. */
export interface ClockFragment {
  /** Start on the media element's clock, in seconds. */
  readonly startS: number;
  /** Length on the media element's clock, in seconds. */
  readonly durationS: number;
  /** Wall time (ms since the Unix epoch) of its first frame: EXT-X-PROGRAM-DATE-TIME. */
  readonly wallMs: number;
}

/** Where a wall time lies on the media element's clock. */
export interface MediaPosition {
  readonly timeS: number;
  /** The wall time found there: the one asked for, or the nearest that has pictures. */
  readonly wallMs: number;
  /** `gap`: nothing was there, so it is the next stretch's start. `before`, `after`: outside the playlist, so its first or last moment. */
  readonly found: 'exact' | 'gap' | 'before' | 'after';
}

/** Two fragments closer than this on the wall clock follow each other: EXTINF and PROGRAM-DATE-TIME are rounded to 1 ms. */
const TOUCH_MS = 2;

/** Keeps a target inside the fragment, so that rounding in the media element cannot fall over its end. */
const INSIDE_S = 0.001;

/**
 * Maps the media element's clock to wall time and back, fragment by fragment, so that gaps and discontinuities (which the
 * media clock leaps over) cost no accuracy. Fragments come in playlist order: rising in media time, and in wall time but
 * for late pictures, which may lie inside the stretch before them.
 */
export class PlaybackClock {
  readonly #fragments: readonly ClockFragment[];
  readonly #speed: number;

  /** @param speed How many seconds of wall time a second of media time shows (`?speed=` of the playlist). */
  constructor(fragments: readonly ClockFragment[], speed = 1) {
    this.#fragments = fragments;
    this.#speed = speed;
  }

  /** The wall time of the first picture; null when there is none. */
  get startMs(): number | null {
    return this.#fragments[0]?.wallMs ?? null;
  }

  /** The wall time at which the last picture ends; null when there is none. */
  get endMs(): number | null {
    const last = this.#fragments.at(-1);
    return last === undefined ? null : this.#endOf(last);
  }

  #endOf(fragment: ClockFragment): number {
    return fragment.wallMs + fragment.durationS * 1000 * this.#speed;
  }

  /** Index of the last fragment that starts at or before; -1 if none does. */
  #lastNotAfter(read: (fragment: ClockFragment) => number, value: number): number {
    let low = 0;
    let high = this.#fragments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const fragment = this.#fragments[middle];
      if (fragment !== undefined && read(fragment) <= value) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Index of the fragment that plays at a media time: the nearest one outside the playlist; -1 if there is none. */
  indexAt(timeS: number): number {
    const index = this.#lastNotAfter((fragment) => fragment.startS, timeS);
    return index < 0 ? (this.#fragments.length > 0 ? 0 : -1) : index;
  }

  /** The wall time shown at a media time; null when the playlist is empty. */
  wallAt(timeS: number): number | null {
    const fragment = this.#fragments[this.indexAt(timeS)];
    if (fragment === undefined) return null;
    const within = Math.min(Math.max(0, timeS - fragment.startS), fragment.durationS);
    return fragment.wallMs + within * 1000 * this.#speed;
  }

  /** The wall time of a media time in one fragment, its very end included; null when there is no such fragment. */
  wallIn(index: number, timeS: number): number | null {
    const fragment = this.#fragments[index];
    return fragment === undefined ? null : fragment.wallMs + (timeS - fragment.startS) * 1000 * this.#speed;
  }

  /** The media time that shows a wall time; null when the playlist is empty. */
  mediaAt(wallMs: number): MediaPosition | null {
    const first = this.#fragments[0];
    const last = this.#fragments.at(-1);
    if (first === undefined || last === undefined) return null;
    const index = this.#lastNotAfter((fragment) => fragment.wallMs, wallMs);
    if (index < 0) return { timeS: first.startS, wallMs: first.wallMs, found: 'before' };
    // A late stretch may start inside the one before it and end sooner: then the earlier one still covers the time.
    for (let back = index; back >= Math.max(0, index - 8); back -= 1) {
      const fragment = this.#fragments[back];
      if (fragment !== undefined && wallMs < this.#endOf(fragment)) return this.#inside(fragment, wallMs);
    }
    const next = this.#fragments[index + 1];
    const before = this.#fragments[index];
    if (next === undefined || before === undefined) {
      return { ...this.#inside(last, this.#endOf(last)), found: 'after' };
    }
    const touching = next.wallMs - this.#endOf(before) <= TOUCH_MS;
    return { timeS: next.startS, wallMs: next.wallMs, found: touching ? 'exact' : 'gap' };
  }

  #inside(fragment: ClockFragment, wallMs: number): MediaPosition {
    const wantedS = (wallMs - fragment.wallMs) / 1000 / this.#speed;
    const within = Math.min(wantedS, Math.max(0, fragment.durationS - INSIDE_S));
    return { timeS: fragment.startS + within, wallMs, found: 'exact' };
  }
}
