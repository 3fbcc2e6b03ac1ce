import type { StreamJson } from '../api/client.ts';
import type { Player } from '../player/player.ts';
import type { WallSpan } from '../player/player-state.ts';
import type { SelectDrag } from '../timeline/gestures.ts';

/** An end of a marked range. */
export type RangeEnd = 'from' | 'to';

/** What range marks read and change. */
export interface RangeTarget {
  readonly player: Player;
  readonly kind: () => StreamJson['kind'];
  readonly range: () => WallSpan | null;
  readonly setRange: (range: WallSpan) => void;
  /** The newest wall time that can be marked. */
  readonly latestMs: () => number;
}

/** A playlist says times to the millisecond: what lies nearer to the edge of a picture may be in the next one. */
const ROUNDING_MS = 0.5;
/** How long a range becomes of which one end was marked. */
const FIRST_LENGTH_MS = 60_000;
/** A handle that is dragged shows its picture as often. */
const SHOW_EVERY_MS = 120;

/** The times that take in a picture, and no other: in whole milliseconds, as the API takes them. */
export function insideOf(picture: WallSpan, kind: StreamJson['kind']): WallSpan {
  // Frames of cameras have capture times in whole milliseconds.
  const fromMs = kind === 'frames' ? Math.round(picture.fromMs) : Math.ceil(picture.fromMs + ROUNDING_MS);
  return { fromMs, toMs: Math.max(fromMs + 1, Math.floor(picture.toMs - ROUNDING_MS)) };
}

/** Marks a range by its first and its last picture: with keys, or by handles that show their picture while they are dragged. */
export class RangeMarks {
  readonly #target: RangeTarget;
  /** The end whose picture is on its way: its place is corrected once that is loaded. */
  #pending: RangeEnd | null = null;
  #shownAt = 0;

  constructor(target: RangeTarget) {
    this.#target = target;
  }

  /** Corrects what was marked on pictures that were not loaded, until the returned function is called. */
  follow(): () => void {
    return this.#target.player.state.watch(() => {
      const end = this.#pending;
      const range = this.#target.range();
      if (end === null) return;
      if (range === null) this.#pending = null;
      else this.#snap(range, end);
    });
  }

  /** Puts an end at the picture on screen, which is then the first or the last of the range; the other end stays, unless it is on the wrong side. */
  mark(end: RangeEnd): void {
    const { player, range, kind, setRange, latestMs } = this.#target;
    const atMs = player.state.get().frameMs ?? player.playheadMs();
    if (atMs === null) return;
    const frame = player.frames()?.spanAt(atMs + ROUNDING_MS) ?? null;
    const picture = insideOf(frame ?? { fromMs: atMs, toMs: atMs + 1 }, kind());
    const old = range();
    if (end === 'from') {
      const { fromMs } = picture;
      const fallback = Math.max(picture.toMs, Math.min(fromMs + FIRST_LENGTH_MS, latestMs()));
      setRange({ fromMs, toMs: old !== null && old.toMs > fromMs ? old.toMs : fallback });
    } else {
      const { toMs } = picture;
      setRange({ fromMs: old !== null && old.fromMs < toMs ? old.fromMs : toMs - FIRST_LENGTH_MS, toMs });
    }
  }

  /** The range while an end of it is dragged: shows the picture there, and snaps to it in the end. */
  drag(range: WallSpan, { heldMs, isNew, done }: SelectDrag): void {
    const { player, setRange, latestMs } = this.#target;
    const bounded = { fromMs: range.fromMs, toMs: Math.min(range.toMs, latestMs()) };
    if (bounded.toMs <= bounded.fromMs) return;
    const now = performance.now();
    if (done || now - this.#shownAt > SHOW_EVERY_MS) {
      this.#shownAt = now;
      if (player.state.get().playing) player.pause();
      player.seek(Math.min(heldMs, bounded.toMs));
    }
    if (!done) {
      setRange(bounded);
      return;
    }
    const end: RangeEnd = heldMs === range.fromMs ? 'from' : 'to';
    const other = (isNew ? this.#snapped(bounded, end === 'from' ? 'to' : 'from') : null) ?? bounded;
    this.#pending = end;
    if (!this.#snap(other, end)) setRange(other);
  }

  /** Puts one end where its picture begins or ends. Answers whether that is where it will stay. */
  #snap(range: WallSpan, end: RangeEnd): boolean {
    const snapped = this.#snapped(range, end);
    if (snapped === null) return false;
    const { player, setRange } = this.#target;
    if (player.frames()?.spanAt(this.#probe(snapped, end))?.isCertain === true) this.#pending = null;
    const now = this.#target.range();
    if (now?.fromMs !== snapped.fromMs || now.toMs !== snapped.toMs) setRange(snapped);
    return true;
  }

  /** A time within the picture at an end. */
  #probe(range: WallSpan, end: RangeEnd): number {
    return end === 'from' ? range.fromMs + ROUNDING_MS : range.toMs - 2 * ROUNDING_MS;
  }

  #snapped(range: WallSpan, end: RangeEnd): WallSpan | null {
    const frame = this.#target.player.frames()?.spanAt(this.#probe(range, end)) ?? null;
    if (frame === null) return null;
    const inside = insideOf(frame, this.#target.kind());
    const snapped = end === 'from' ? { ...range, fromMs: inside.fromMs } : { ...range, toMs: inside.toMs };
    return snapped.toMs > snapped.fromMs ? snapped : null;
  }
}
