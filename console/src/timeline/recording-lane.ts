import type { TimelineScene } from './painter.ts';
import { ROWS } from './rows.ts';
import type { Hold } from './timeline-data.ts';
import { xOf } from './viewport.ts';

/** Recordings that overlap stand below each other, up to so many lanes; more share the last. */
const MOST_LANES = 3;

/** The recordings among holds, in lanes: within one they follow each other. */
export function lanesOf(holds: readonly Hold[]): readonly (readonly Hold[])[] {
  const lanes: Hold[][] = [];
  for (const hold of holds) {
    if (hold.kind !== 'recording') continue;
    const lane = lanes.find((each) => {
      const last = each.at(-1);
      return last !== undefined && !last.running && last.toMs <= hold.fromMs;
    });
    if (lane !== undefined) lane.push(hold);
    else if (lanes.length < MOST_LANES) lanes.push([hold]);
    else lanes.at(-1)?.push(hold);
  }
  return lanes;
}

/** The recording at a place of the timeline, if one is drawn there. */
export function recordingAt(
  lanes: readonly (readonly Hold[])[],
  atMs: number,
  y: number,
  nowMs: number,
): Hold | undefined {
  const lane = lanes[Math.floor((y - ROWS.lane.top) / ROWS.lane.step)];
  return lane?.findLast(({ fromMs, toMs, running }) => atMs >= fromMs && atMs < (running ? nowMs : toMs));
}

/** Draws the lanes: a bar with its title for each recording; one that runs ends at now, in a dot. */
export function drawRecordings(
  pen: CanvasRenderingContext2D,
  scene: TimelineScene,
  lanes: readonly (readonly Hold[])[],
): void {
  for (const [index, lane] of lanes.entries()) {
    const top = ROWS.lane.top + index * ROWS.lane.step;
    for (const hold of lane) drawRecording(pen, scene, hold, top);
  }
}

function drawRecording(pen: CanvasRenderingContext2D, scene: TimelineScene, hold: Hold, top: number): void {
  const { view, width, colours, nowMs } = scene;
  const { height } = ROWS.lane;
  const left = xOf(hold.fromMs, view, width);
  const right = xOf(hold.running ? nowMs : hold.toMs, view, width);
  if (right < 0 || left > width) return;
  const from = Math.max(-8, left);
  const wide = Math.max(4, Math.min(width + 8, right) - from);
  pen.save();
  pen.beginPath();
  pen.roundRect(from, top, wide, height, 4);
  pen.fillStyle = hold.running ? colours.recFill : colours.recBand;
  pen.fill();
  pen.clip();
  const shownFrom = Math.max(0, from);
  if (Math.min(width, from + wide) - shownFrom > 40) {
    pen.font = `600 10px ${colours.font}`;
    pen.textAlign = 'left';
    pen.textBaseline = 'middle';
    pen.fillStyle = '#fff';
    pen.fillText(hold.name, shownFrom + 6, top + height / 2 + 0.5);
  }
  pen.restore();
  if (!hold.running) return;
  pen.fillStyle = colours.rec;
  pen.beginPath();
  pen.arc(right, top + height / 2, 5, 0, 2 * Math.PI);
  pen.fill();
}
