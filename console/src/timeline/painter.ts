import type { Zone } from '../time/zone.ts';
import type { Cluster } from './clusters.ts';
import { clustersOf } from './clusters.ts';
import { markerColour, type TimelineColours } from './colours.ts';
import { drawRecordings, lanesOf } from './recording-lane.ts';
import { heightOf, ROWS } from './rows.ts';
import { ticksOf } from './ticks.ts';
import type { Stretch, TimelineData } from './timeline-data.ts';
import { xOf, type Viewport } from './viewport.ts';

/** What the timeline shows at a moment. */
export interface TimelineScene {
  readonly view: Viewport;
  readonly data: TimelineData | null;
  readonly nowMs: number;
  readonly playheadMs: number | null;
  readonly hoverMs: number | null;
  readonly selection: Stretch | null;
  readonly zone: Zone;
  readonly colours: TimelineColours;
  /** In CSS pixels. */
  readonly width: number;
}

type Pen = CanvasRenderingContext2D;

function hatching(pen: Pen, colour: string): CanvasPattern | string {
  const tile = document.createElement('canvas');
  const ratio = devicePixelRatio;
  tile.width = 8 * ratio;
  tile.height = 8 * ratio;
  const draw = tile.getContext('2d');
  if (draw === null) return colour;
  draw.scale(ratio, ratio);
  draw.strokeStyle = colour;
  draw.lineWidth = 1.25;
  // Three strokes, so that the slanted line goes on over the tile's corners.
  for (const shift of [-8, 0, 8]) {
    draw.beginPath();
    draw.moveTo(shift, 8);
    draw.lineTo(shift + 8, 0);
    draw.stroke();
  }
  const pattern = pen.createPattern(tile, 'repeat');
  pattern?.setTransform(new DOMMatrix().scale(1 / ratio));
  return pattern ?? colour;
}

/** Draws the timeline. One painter belongs to one canvas. */
export class TimelinePainter {
  readonly #canvas: HTMLCanvasElement;
  #hatch: { readonly colour: string; readonly ratio: number; readonly fill: CanvasPattern | string } | null = null;
  /** The pins of the last drawing, for finding what is under the pointer. */
  clusters: readonly Cluster[] = [];

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  /** Draws a scene. */
  draw(scene: TimelineScene): void {
    const lanes = lanesOf(scene.data?.holds ?? []);
    const height = heightOf(lanes.length);
    const pen = fitCanvas(this.#canvas, scene.width, height);
    if (pen === null) return;
    pen.fillStyle = scene.colours.surface;
    pen.fillRect(0, 0, scene.width, height);
    this.#band(pen, scene);
    drawRuler(pen, scene);
    if (scene.data !== null) {
      drawSessions(pen, scene, scene.data);
      drawHolds(pen, scene, scene.data);
      drawRecordings(pen, scene, lanes);
      drawMarkerRanges(pen, scene, scene.data);
    }
    drawSelection(pen, scene);
    this.clusters = clustersOf(scene.data?.markers ?? [], scene.view, scene.width);
    for (const cluster of this.clusters) drawPin(pen, cluster, scene.colours);
    drawHover(pen, scene);
    drawPlayhead(pen, scene);
  }

  #hatched(pen: Pen, colour: string): CanvasPattern | string {
    const ratio = devicePixelRatio;
    if (this.#hatch?.colour !== colour || this.#hatch.ratio !== ratio) {
      this.#hatch = { colour, ratio, fill: hatching(pen, colour) };
    }
    return this.#hatch.fill;
  }

  #band(pen: Pen, scene: TimelineScene): void {
    const { view, width, colours, data, nowMs } = scene;
    const { top, height } = ROWS.band;
    const nowX = Math.min(width, Math.max(0, xOf(nowMs, view, width)));
    pen.fillStyle = colours.well;
    pen.fillRect(0, top, nowX, height);
    if (data === null) return;
    pen.fillStyle = this.#hatched(pen, colours.hatch);
    for (const gap of data.gaps) {
      // A gap at the end of what was asked for lasts: it grows with the clock, not with the next answer.
      const isOpen = gap.toMs >= data.toMs && data.toMs < nowMs;
      fillStretch(pen, isOpen ? { fromMs: gap.fromMs, toMs: nowMs } : gap, scene, top, height, 1);
    }
    pen.fillStyle = colours.band;
    for (const stretch of data.stretches) fillStretch(pen, stretch, scene, top, height, 1.5);
    pen.fillStyle = colours.bandEdge;
    for (const stretch of data.stretches) fillStretch(pen, stretch, scene, top, 2, 1.5);
    if (nowX > 0 && nowX < width) {
      pen.fillStyle = colours.faint;
      for (let y = top; y < top + height; y += 5) pen.fillRect(Math.round(nowX), y, 1, 3);
    }
  }
}

/** Sizes a canvas for the screen's pixels; null when it cannot be drawn on. */
export function fitCanvas(canvas: HTMLCanvasElement, width: number, height: number): Pen | null {
  const ratio = devicePixelRatio;
  const [wantedWidth, wantedHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wantedWidth) canvas.width = wantedWidth;
  if (canvas.height !== wantedHeight) canvas.height = wantedHeight;
  const pen = canvas.getContext('2d');
  pen?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return pen;
}

/** Fills a stretch, at least `minPx` wide so that it never vanishes. */
function fillStretch(
  pen: Pen,
  stretch: Stretch,
  scene: TimelineScene,
  top: number,
  height: number,
  minPx: number,
): void {
  const left = xOf(stretch.fromMs, scene.view, scene.width);
  const right = xOf(stretch.toMs, scene.view, scene.width);
  if (right < 0 || left > scene.width) return;
  const from = Math.max(-4, left);
  pen.fillRect(from, top, Math.max(minPx, Math.min(scene.width + 4, right) - from), height);
}

function drawRuler(pen: Pen, { view, width, zone, colours }: TimelineScene): void {
  const { height } = ROWS.ruler;
  pen.textBaseline = 'middle';
  for (const tick of ticksOf(view, width, zone)) {
    const x = Math.round(xOf(tick.atMs, view, width)) + 0.5;
    const isDay = tick.level === 'day';
    pen.fillStyle = tick.level === 'minor' ? colours.line : colours.faint;
    pen.fillRect(
      x - 0.5,
      isDay ? 2 : height - (tick.level === 'major' ? 7 : 4),
      1,
      isDay ? height - 2 : tick.level === 'major' ? 7 : 4,
    );
    // Half a label tells nothing.
    if (tick.label === '' || (!isDay && (x < 24 || x > width - 24))) continue;
    pen.font = `${isDay ? '600 ' : ''}11px ${colours.font}`;
    pen.fillStyle = isDay ? colours.text : colours.muted;
    pen.textAlign = isDay ? 'left' : 'center';
    pen.fillText(tick.label, isDay ? x + 5 : x, 10);
  }
}

function drawSessions(pen: Pen, scene: TimelineScene, data: TimelineData): void {
  const { top, height } = ROWS.sessions;
  pen.fillStyle = scene.colours.session;
  for (const session of data.sessions) {
    // A hair of space keeps a session apart from the one that follows it at once.
    fillStretch(
      pen,
      { fromMs: session.fromMs, toMs: session.open ? scene.nowMs : session.toMs },
      scene,
      top,
      height,
      1,
    );
    pen.clearRect(Math.round(xOf(session.fromMs, scene.view, scene.width)) - 1, top, 1, height);
  }
}

function drawHolds(pen: Pen, scene: TimelineScene, data: TimelineData): void {
  const { view, width, colours } = scene;
  const { top, height } = ROWS.holds;
  pen.strokeStyle = colours.hold;
  pen.fillStyle = colours.hold;
  pen.lineWidth = 1.5;
  pen.font = `10px ${colours.font}`;
  pen.textAlign = 'left';
  for (const hold of data.holds) {
    if (hold.kind === 'recording') continue;
    const left = xOf(hold.fromMs, view, width);
    const right = xOf(hold.toMs, view, width);
    if (right < 0 || left > width) continue;
    const from = Math.max(-5, left) + 0.75;
    const to = Math.max(from + 3, Math.min(width + 5, right) - 0.75);
    pen.beginPath();
    pen.moveTo(from, top);
    pen.lineTo(from, top + 4);
    pen.lineTo(to, top + 4);
    pen.lineTo(to, top);
    pen.stroke();
    const label = hold.kind;
    if (to - from > 90) {
      const x = Math.max(8, from + 8);
      const labelWidth = pen.measureText(label).width;
      pen.fillStyle = colours.surface;
      pen.fillRect(x - 4, top, labelWidth + 8, height);
      pen.fillStyle = colours.hold;
      pen.fillText(label, x, top + 5);
    }
  }
}

function drawMarkerRanges(pen: Pen, scene: TimelineScene, data: TimelineData): void {
  const { top, height } = ROWS.band;
  for (const marker of data.markers) {
    if (marker.untilMs === null) continue;
    pen.fillStyle = markerColour(marker.type, scene.colours);
    const stretch = { fromMs: marker.atMs, toMs: marker.untilMs };
    pen.globalAlpha = 0.28;
    fillStretch(pen, stretch, scene, top, height, 1);
    pen.globalAlpha = 1;
    fillStretch(pen, stretch, scene, top + height - 3, 3, 1);
  }
}

function drawPin(pen: Pen, cluster: Cluster, colours: TimelineColours): void {
  const { top, height } = ROWS.pins;
  const count = cluster.markers.length;
  const { x } = cluster;
  const colour = markerColour(cluster.type, colours);
  pen.fillStyle = colour;
  pen.fillRect(Math.round(x) - 0.5, top + 12, 1, ROWS.band.top - top - 12);
  pen.globalAlpha = count === 1 ? 0.6 : 0.25;
  pen.fillRect(Math.round(x) - 0.5, ROWS.band.top, 1, ROWS.band.height);
  pen.globalAlpha = 1;
  if (count === 1) {
    pen.beginPath();
    pen.arc(Math.round(x), top + 9, 4.5, 0, 2 * Math.PI);
    pen.fill();
    return;
  }
  const label = count > 99 ? '99+' : String(count);
  pen.font = `600 10px ${colours.font}`;
  const width = Math.max(15, pen.measureText(label).width + 8);
  pen.beginPath();
  pen.roundRect(x - width / 2, top + 2, width, height - 8, 7);
  pen.fill();
  pen.fillStyle = colours.surface;
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.fillText(label, x, top + 9.5);
}

function drawSelection(pen: Pen, scene: TimelineScene): void {
  const { selection, colours, view, width } = scene;
  if (selection === null) return;
  const { top, height } = ROWS.band;
  pen.fillStyle = colours.accentSoft;
  fillStretch(pen, selection, scene, 0, top + height, 1);
  pen.fillStyle = colours.accent;
  for (const atMs of [selection.fromMs, selection.toMs]) {
    const x = xOf(atMs, view, width);
    pen.fillRect(Math.round(x) - 0.5, 0, 1, top + height);
    pen.fillRect(Math.round(x) - 2.5, top + height / 2 - 8, 5, 16);
  }
}

function drawHover(pen: Pen, { hoverMs, view, width, colours }: TimelineScene): void {
  if (hoverMs === null) return;
  pen.fillStyle = colours.muted;
  pen.fillRect(
    Math.round(xOf(hoverMs, view, width)),
    ROWS.ruler.height,
    1,
    ROWS.band.top + ROWS.band.height - ROWS.ruler.height,
  );
}

function drawPlayhead(pen: Pen, { playheadMs, view, width, colours }: TimelineScene): void {
  if (playheadMs === null) return;
  const x = Math.round(xOf(playheadMs, view, width));
  if (x < -8 || x > width + 8) return;
  pen.fillStyle = colours.accent;
  pen.fillRect(x - 1, 4, 2, ROWS.sessions.top + ROWS.sessions.height - 4);
  pen.beginPath();
  pen.moveTo(x - 6, 0);
  pen.lineTo(x + 6, 0);
  pen.lineTo(x + 6, 6);
  pen.lineTo(x, 13);
  pen.lineTo(x - 6, 6);
  pen.fill();
}
