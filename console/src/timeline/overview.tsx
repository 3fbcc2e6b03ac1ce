import { useEffect, useRef, type PointerEvent, type ReactElement } from 'react';
import { useStore } from '../api/store.ts';
import type { CameraModel } from '../camera/camera-model.ts';
import { colourChanges, zone } from '../shell/preferences.ts';
import { clockTime, shortDate } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import { startOfDay } from '../time/zone.ts';
import { readColours } from './colours.ts';
import { fitCanvas } from './painter.ts';
import { useWidth } from './use-width.ts';
import { placeAt, spanOf, timeAt, xOf } from './viewport.ts';

const HEIGHT = 28;

/** Everything that is kept, with the part that the timeline shows as a window to drag. */
export function Overview({ model }: { readonly model: CameraModel }): ReactElement {
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(canvas);
  const view = useStore(model.view);
  const data = useStore(model.feed.data);
  const colourChange = useStore(colourChanges);
  const shownZone = useStore(zone);
  const now = useNow();
  const grip = useRef<number | null>(null);
  const bounds = model.bounds();

  useEffect(() => {
    const element = canvas.current;
    if (element === null || width === 0) return;
    const pen = fitCanvas(element, width, HEIGHT);
    if (pen === null) return;
    const colours = readColours();
    const all = model.bounds();
    const x = (atMs: number): number => xOf(atMs, all, width);
    pen.clearRect(0, 0, width, HEIGHT);
    pen.fillStyle = colours.well;
    pen.fillRect(0, 0, width, HEIGHT);
    const to = x(view.toMs);
    const from = Math.min(x(view.fromMs), width - 10);
    const wide = Math.max(10, to - from);
    pen.fillStyle = colours.windowFill;
    pen.fillRect(from, 0, wide, HEIGHT);
    pen.fillStyle = colours.band;
    for (const stretch of data?.stretches ?? []) {
      pen.fillRect(x(stretch.fromMs), 14, Math.max(1, x(stretch.toMs) - x(stretch.fromMs)), HEIGHT - 17);
    }
    pen.font = `10px ${colours.font}`;
    pen.textBaseline = 'top';
    for (let day = startOfDay(all.fromMs, shownZone, 1); day < all.toMs; day = startOfDay(day, shownZone, 1)) {
      pen.fillStyle = colours.line;
      pen.fillRect(Math.round(x(day)), 0, 1, HEIGHT);
      pen.fillStyle = colours.muted;
      pen.fillText(shortDate(day, shownZone), Math.round(x(day)) + 4, 2);
    }
    pen.strokeStyle = colours.muted;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.roundRect(from + 0.75, 0.75, wide - 1.5, HEIGHT - 1.5, 3);
    pen.stroke();
    const playheadMs = model.player.playheadMs();
    if (playheadMs !== null) {
      pen.fillStyle = colours.accent;
      pen.fillRect(Math.round(x(playheadMs)) - 1, 0, 2, HEIGHT);
    }
  }, [width, view, data, colourChange, shownZone, now, model]);

  const timeOf = (event: PointerEvent<HTMLCanvasElement>): number =>
    timeAt(event.clientX - event.currentTarget.getBoundingClientRect().left, model.bounds(), width);
  const move = (atMs: number): void => {
    if (grip.current === null) return;
    model.setView(placeAt(atMs, grip.current, spanOf(view), model.bounds()));
  };
  const label = (atMs: number): string => `${shortDate(atMs, shownZone)} ${clockTime(atMs, shownZone, 'minute')}`;
  return (
    <canvas
      ref={canvas}
      className="overview"
      style={{ height: HEIGHT }}
      role="img"
      aria-label={`Everything kept, from ${label(bounds.fromMs)}. The timeline shows ${label(view.fromMs)} to ${label(view.toMs)}.`}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        const share = (timeOf(event) - view.fromMs) / spanOf(view);
        // Inside the window it is taken where it was touched; outside, its middle comes here.
        grip.current = share >= 0 && share <= 1 ? share : 0.5;
        move(timeOf(event));
      }}
      onPointerMove={(event) => move(timeOf(event))}
      onPointerUp={() => (grip.current = null)}
      onPointerCancel={() => (grip.current = null)}
    />
  );
}
