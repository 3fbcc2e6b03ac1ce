import { panBy, spanOf, timeAt, xOf, zoomAt, type Viewport } from './viewport.ts';
import type { Stretch } from './timeline-data.ts';

/** What gestures on the timeline read and do. */
export interface GestureTarget {
  readonly view: () => Viewport;
  readonly setView: (view: Viewport) => void;
  readonly bounds: () => Viewport;
  readonly playheadMs: () => number | null;
  readonly selection: () => Stretch | null;
  readonly isSelecting: () => boolean;
  /** The pointer rests over, or left (null). */
  readonly onHover: (atMs: number | null, x: number, y: number) => void;
  readonly onClick: (atMs: number, x: number, y: number) => void;
  /** The playhead is being dragged; `done` with the last one. */
  readonly onScrub: (atMs: number, done: boolean) => void;
  readonly onSelect: (stretch: Stretch, drag: SelectDrag) => void;
}

/** How a selection is being dragged. */
export interface SelectDrag {
  /** Where the pointer is: one end of it. */
  readonly heldMs: number;
  /** It is being drawn anew; else one end of what is there is moved. */
  readonly isNew: boolean;
  /** With the last one. */
  readonly done: boolean;
}

type Drag =
  | { readonly kind: 'pan'; readonly view: Viewport }
  | { readonly kind: 'scrub' }
  | { readonly kind: 'select'; readonly anchorMs: number; readonly isNew: boolean };

/** A pointer that moved less than this clicks. */
const CLICK_PX = 5;

/** Lets pointers, wheel and pinch work on a timeline's canvas, until the returned function is called. */
export function followGestures(element: HTMLElement, target: GestureTarget): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  const pointers = new Map<number, { x: number; readonly startX: number; readonly y: number }>();
  let drag: Drag | null = null;
  let moved = false;
  let pinch: { readonly distance: number; readonly view: Viewport; readonly anchorMs: number } | null = null;

  const width = (): number => element.clientWidth;
  const localX = (event: MouseEvent): number => event.clientX - element.getBoundingClientRect().left;
  const localY = (event: MouseEvent): number => event.clientY - element.getBoundingClientRect().top;
  const timeOf = (x: number): number => timeAt(x, target.view(), width());

  const select = ({ anchorMs, isNew }: Extract<Drag, { kind: 'select' }>, heldMs: number, done: boolean): void =>
    target.onSelect({ fromMs: Math.min(anchorMs, heldMs), toMs: Math.max(anchorMs, heldMs) }, { heldMs, isNew, done });

  const startDrag = (event: PointerEvent, x: number, y: number): Drag => {
    const reach = event.pointerType === 'touch' ? 18 : 8;
    const near = (atMs: number | undefined | null): boolean =>
      atMs !== undefined && atMs !== null && Math.abs(xOf(atMs, target.view(), width()) - x) <= reach;
    const selection = target.selection();
    if (selection !== null && near(selection.fromMs)) return { kind: 'select', anchorMs: selection.toMs, isNew: false };
    if (selection !== null && near(selection.toMs)) return { kind: 'select', anchorMs: selection.fromMs, isNew: false };
    if (event.shiftKey || target.isSelecting()) return { kind: 'select', anchorMs: timeOf(x), isNew: true };
    // The handle stands on the ruler; lower down, the playhead's line can be grabbed too, but pins go first there.
    if (near(target.playheadMs()) && (y < 26 || y > 50)) return { kind: 'scrub' };
    return { kind: 'pan', view: target.view() };
  };

  const onDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const [x, y] = [localX(event), localY(event)];
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, { x, startX: x, y });
    moved = pointers.size > 1;
    if (pointers.size === 2) {
      const [a, b] = [...pointers.values()];
      if (a === undefined || b === undefined) return;
      drag = null;
      pinch = { distance: Math.max(8, Math.abs(a.x - b.x)), view: target.view(), anchorMs: timeOf((a.x + b.x) / 2) };
    } else {
      drag = startDrag(event, x, y);
    }
  };

  const onMove = (event: PointerEvent): void => {
    const x = localX(event);
    const pointer = pointers.get(event.pointerId);
    if (pointer === undefined) {
      if (event.pointerType !== 'touch') target.onHover(timeOf(x), x, localY(event));
      return;
    }
    pointer.x = x;
    if (Math.abs(x - pointer.startX) >= CLICK_PX) moved = true;
    if (pinch !== null && pointers.size === 2) {
      const [a, b] = [...pointers.values()];
      if (a === undefined || b === undefined) return;
      const factor = pinch.distance / Math.max(8, Math.abs(a.x - b.x));
      const zoomed = zoomAt(pinch.view, pinch.anchorMs, factor, target.bounds());
      // The time between the fingers follows them.
      const shift = pinch.anchorMs - timeAt((a.x + b.x) / 2, zoomed, width());
      target.setView(panBy(zoomed, shift, target.bounds()));
      return;
    }
    if (!moved || drag === null) return;
    if (drag.kind === 'pan') {
      target.onHover(null, x, localY(event));
      target.setView(panBy(drag.view, ((pointer.startX - x) / width()) * spanOf(drag.view), target.bounds()));
      return;
    }
    const atMs = timeOf(Math.min(width(), Math.max(0, x)));
    target.onHover(atMs, x, localY(event));
    if (drag.kind === 'scrub') target.onScrub(atMs, false);
    else select(drag, atMs, false);
  };

  const onUp = (event: PointerEvent): void => {
    const pointer = pointers.get(event.pointerId);
    if (pointer === undefined) return;
    pointers.delete(event.pointerId);
    if (pinch !== null) {
      if (pointers.size === 0) pinch = null;
      return;
    }
    const x = Math.min(width(), Math.max(0, localX(event)));
    if (event.type === 'pointerup' && !moved) target.onClick(timeOf(x), x, pointer.y);
    else if (drag?.kind === 'scrub') target.onScrub(timeOf(x), true);
    else if (drag?.kind === 'select') select(drag, timeOf(x), true);
    if (event.pointerType === 'touch') target.onHover(null, x, localY(event));
    drag = null;
  };

  const onWheel = (event: WheelEvent): void => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.shiftKey ? event.deltaY : 0;
    const view = target.view();
    if (sideways !== 0) {
      target.setView(panBy(view, ((sideways * lines) / width()) * spanOf(view), target.bounds()));
      return;
    }
    // A trackpad's pinch comes as a wheel with ctrl, in small steps.
    const strength = event.ctrlKey ? 0.01 : 0.0018;
    const factor = Math.exp(Math.max(-240, Math.min(240, event.deltaY * lines)) * strength);
    target.setView(zoomAt(view, timeOf(localX(event)), factor, target.bounds()));
  };

  element.addEventListener('pointerdown', onDown, { signal });
  element.addEventListener('pointermove', onMove, { signal });
  element.addEventListener('pointerup', onUp, { signal });
  element.addEventListener('pointercancel', onUp, { signal });
  element.addEventListener('pointerleave', (event) => target.onHover(null, localX(event), localY(event)), { signal });
  element.addEventListener('wheel', onWheel, { passive: false, signal });
  return () => stop.abort();
}
