/** The stretch of wall time a timeline shows, in ms since the Unix epoch. */
export interface Viewport {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The shortest stretch a timeline zooms in to. */
export const MIN_SPAN_MS = 5000;

/** The length of a viewport. */
export function spanOf(view: Viewport): number {
  return view.toMs - view.fromMs;
}

/** The x, in pixels from the left, of a wall time. */
export function xOf(atMs: number, view: Viewport, width: number): number {
  return ((atMs - view.fromMs) / spanOf(view)) * width;
}

/** The wall time at x pixels from the left. */
export function timeAt(x: number, view: Viewport, width: number): number {
  return view.fromMs + (x / width) * spanOf(view);
}

/** Moves and, if need be, shortens a viewport so that it lies within bounds. */
export function clampTo(view: Viewport, bounds: Viewport): Viewport {
  const span = Math.min(Math.max(spanOf(view), MIN_SPAN_MS), Math.max(spanOf(bounds), MIN_SPAN_MS));
  const fromMs = Math.max(bounds.fromMs, Math.min(view.fromMs, bounds.toMs - span));
  return { fromMs, toMs: fromMs + span };
}

/** Zooms by a factor (above 1 shows more time) so that the wall time under the pointer stays where it is. */
export function zoomAt(view: Viewport, anchorMs: number, factor: number, bounds: Viewport): Viewport {
  const wanted = spanOf(view) * factor;
  const span = Math.min(Math.max(wanted, MIN_SPAN_MS), Math.max(spanOf(bounds), MIN_SPAN_MS));
  const share = (anchorMs - view.fromMs) / spanOf(view);
  const fromMs = anchorMs - share * span;
  return clampTo({ fromMs, toMs: fromMs + span }, bounds);
}

/** Moves a viewport by a length of time. */
export function panBy(view: Viewport, deltaMs: number, bounds: Viewport): Viewport {
  return clampTo({ fromMs: view.fromMs + deltaMs, toMs: view.toMs + deltaMs }, bounds);
}

/** A viewport of the given length in which a wall time stands at a share (0 left, 1 right) of the width. */
export function placeAt(atMs: number, share: number, spanMs: number, bounds: Viewport): Viewport {
  const fromMs = atMs - share * spanMs;
  return clampTo({ fromMs, toMs: fromMs + spanMs }, bounds);
}

/** Shows a stretch with a little air on both sides. */
export function fit(stretch: Viewport, bounds: Viewport): Viewport {
  const air = Math.max(spanOf(stretch) * 0.05, 500);
  return clampTo({ fromMs: stretch.fromMs - air, toMs: stretch.toMs + air }, bounds);
}

/** Whether a wall time is in view. */
export function contains(view: Viewport, atMs: number): boolean {
  return atMs >= view.fromMs && atMs <= view.toMs;
}

/** What to show first: the shortest usual length that covers all pictures, ending just after now. */
export function firstView(dataFromMs: number, nowMs: number, bounds: Viewport): Viewport {
  const lengths = [5, 15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => minutes * 60_000);
  const span = lengths.find((length) => nowMs - dataFromMs <= length * 0.9) ?? 86_400_000;
  return placeAt(nowMs, 0.97, span, bounds);
}
