import { disc, line, roundedBox, type Canvas } from './canvas.ts';
import { colour, mix, type Colour } from './colour.ts';

/** The still part of what a camera sees. */
export interface Scene {
  readonly name: string;
  readonly draw: (canvas: Canvas) => void;
}

/** Blends along a row of colours; `at` from 0 to 1. */
function ramp(stops: readonly Colour[], at: number): Colour {
  const place = Math.min(0.9999, Math.max(0, at)) * (stops.length - 1);
  const index = Math.floor(place);
  const from = stops[index];
  const to = stops[index + 1] ?? from;
  if (from === undefined || to === undefined) throw new RangeError('A ramp needs a colour.');
  return mix(from, to, place - index);
}

const rampOf = (...hexes: readonly string[]): ((at: number) => Colour) => {
  const stops = hexes.map(colour);
  return (at) => ramp(stops, at);
};

/** A gate across a road at dusk. */
function drawGate(canvas: Canvas): void {
  const { width: w, height: h } = canvas;
  const horizon = h * 0.52;
  canvas.fillRows(rampOf('#1d2a4a', '#3c4a73', '#8a6f86', '#d79a7c'), 0, horizon);
  const sun = { left: w * 0.56, top: h * 0.3, width: w * 0.2, height: w * 0.2 };
  canvas.paint(disc(w * 0.66, horizon - h * 0.02, w * 0.055), sun, colour('#f3c9a0'), 0.85, w * 0.03);
  canvas.fillRows(rampOf('#2b3140', '#1a1e28'), horizon);
  for (const [index, x] of [0.08, 0.2, 0.31, 0.83, 0.93].entries()) {
    const tall = h * (0.1 + 0.035 * ((index * 7) % 4));
    const tree = { left: w * x - tall, top: horizon - tall * 1.5, width: tall * 2, height: tall * 1.6 };
    canvas.paint(disc(w * x, horizon - tall * 0.75, tall * 0.6), tree, colour('#232a3c'), 0.95, 2);
  }
  canvas.box({ left: 0, top: horizon - h * 0.012, width: w, height: h * 0.014 }, colour('#232a3c'));
  const road = (x: number, y: number): number =>
    Math.abs(x - w / 2) - (w * 0.09 + ((y - horizon) / (h - horizon)) * w * 0.3);
  canvas.paint(road, { left: 0, top: horizon, width: w, height: h - horizon }, colour('#3a4150'), 0.9, 2);
  for (let dash = 0; dash < 5; dash++) {
    const y = horizon + (h - horizon) * (0.16 + 0.19 * dash);
    const long = h * (0.02 + 0.012 * dash);
    const box = { left: w / 2 - w * 0.02, top: y, width: w * 0.04, height: long };
    canvas.paint(line(w / 2, y, w / 2, y + long, w * (0.004 + 0.002 * dash)), box, colour('#b9bfca'), 0.65);
  }
  for (const side of [0.27, 0.73]) {
    const post = { left: w * side - w * 0.02, top: horizon - h * 0.16, width: w * 0.04, height: h * 0.3 };
    canvas.paint(roundedBox(post, w * 0.006), post, colour('#4d566b'));
    const lamp = { left: post.left, top: post.top - h * 0.05, width: post.width, height: h * 0.05 };
    canvas.paint(disc(w * side, post.top, w * 0.014), lamp, colour('#ffe3b0'), 0.95, 3);
    canvas.paint(
      disc(w * side, post.top, w * 0.03),
      { left: w * side - w * 0.09, top: post.top - w * 0.09, width: w * 0.18, height: w * 0.18 },
      colour('#ffe3b0'),
      0.25,
      w * 0.1,
    );
  }
  for (let bar = 0; bar < 9; bar++) {
    const x = w * (0.3 + 0.05 * bar);
    const box = { left: x - 3, top: horizon - h * 0.07, width: 6, height: h * 0.18 };
    canvas.paint(line(x, horizon - h * 0.07, x, horizon + h * 0.1, w * 0.004), box, colour('#565f75'), 0.9);
  }
}

/** A yard with lanes, from above, by day. */
function drawYard(canvas: Canvas): void {
  const { width: w, height: h } = canvas;
  const horizon = h * 0.3;
  canvas.fillRows(rampOf('#7f9cb4', '#b3c4cc', '#d9dccf'), 0, horizon);
  canvas.fillRows(rampOf('#8d9691', '#6d7673', '#535b5b'), horizon);
  for (const [index, x] of [0.02, 0.2, 0.36, 0.61, 0.8].entries()) {
    const tall = h * (0.11 + 0.03 * ((index * 5) % 3));
    const shed = { left: w * x, top: horizon - tall, width: w * (0.15 + 0.02 * (index % 2)), height: tall };
    canvas.box(shed, colour(['#6c7f8b', '#8b7f74', '#64747c', '#7d8a86', '#8a8177'][index] ?? '#6c7f8b'));
    canvas.box({ ...shed, height: h * 0.012 }, colour('#556570'));
    for (let door = 0; door < 3; door++) {
      const left = shed.left + shed.width * (0.14 + 0.29 * door);
      canvas.box(
        { left, top: horizon - tall * 0.42, width: shed.width * 0.16, height: tall * 0.42 },
        colour('#4c5a63'),
        0.7,
      );
    }
  }
  for (let lane = -6; lane <= 6; lane++) {
    const box = { left: 0, top: horizon, width: w, height: h - horizon };
    const shape = line(w / 2 + lane * w * 0.075, horizon + h * 0.05, w / 2 + lane * w * 0.26, h * 1.05, w * 0.0045);
    canvas.paint(shape, box, colour('#dfe3da'), 0.42);
  }
  for (const y of [0.4, 0.56, 0.8]) {
    canvas.box({ left: 0, top: h * y, width: w, height: Math.max(1, h * 0.005) }, colour('#dfe3da'), 0.3);
  }
}

/** A wall with three roller doors under lamps. */
function drawDock(canvas: Canvas): void {
  const { width: w, height: h } = canvas;
  const floor = h * 0.66;
  canvas.fillRows(rampOf('#2a3238', '#3a444b', '#465158'), 0, floor);
  canvas.fillRows(rampOf('#5a5f60', '#3d4244', '#2b3032'), floor);
  for (let door = 0; door < 3; door++) {
    const centre = w * (0.2 + 0.3 * door);
    const box = { left: centre - w * 0.105, top: h * 0.24, width: w * 0.21, height: floor - h * 0.24 };
    canvas.paint(roundedBox(box, 3), box, colour('#222a30'));
    for (let slat = 0; slat < 11; slat++) {
      const top = box.top + h * 0.012 + slat * (box.height / 11);
      const shade = colour(door === 1 ? '#a7663f' : '#6d7c84');
      canvas.box(
        { left: box.left + w * 0.009, top, width: box.width - w * 0.018, height: box.height / 11 - h * 0.006 },
        mix(shade, colour('#20272c'), slat * 0.035),
      );
    }
    const glow = { left: centre - w * 0.16, top: 0, width: w * 0.32, height: floor };
    canvas.paint(disc(centre, h * 0.17, w * 0.02), glow, colour('#ffeccb'), 0.22, w * 0.24);
    const lamp = { left: centre - w * 0.03, top: h * 0.16, width: w * 0.06, height: h * 0.02 };
    canvas.paint(roundedBox(lamp, h * 0.008), lamp, colour('#fff1d8'), 0.95);
  }
  for (let stripe = 0; stripe < 17; stripe++) {
    const left = (stripe / 16) * w;
    const box = { left: left - h * 0.03, top: floor, width: w / 16, height: h * 0.03 };
    const slanted = (x: number, y: number): number => Math.abs(x - left - w / 64 + (y - floor) * 0.9) - w / 64;
    canvas.paint(slanted, box, colour('#d6b04c'), 0.75);
  }
}

/** A skyline by night, with a moon. */
function drawRoof(canvas: Canvas): void {
  const { width: w, height: h } = canvas;
  canvas.fillRows(rampOf('#0d1530', '#1b2a55', '#35467c', '#6a6f9e'));
  const moon = { left: w * 0.72, top: h * 0.08, width: w * 0.14, height: w * 0.14 };
  canvas.paint(disc(w * 0.79, h * 0.08 + w * 0.07, w * 0.04), moon, colour('#f2efe2'), 0.25, w * 0.08);
  canvas.paint(disc(w * 0.79, h * 0.08 + w * 0.07, w * 0.03), moon, colour('#f6f3e8'));
  for (let star = 0; star < 40; star++) {
    const x = (star * 0.618_034) % 1;
    const y = ((star * star * 0.1373) % 1) * 0.42;
    const box = { left: w * x - 2, top: h * y - 2, width: 4, height: 4 };
    canvas.paint(disc(w * x, h * y, w * 0.0012 * (1 + (star % 3) * 0.4)), box, colour('#dfe6ff'), 0.7);
  }
  for (const [layer, [hex, base]] of (
    [
      ['#2a3766', 0.5],
      ['#1d2850', 0.6],
      ['#121a38', 0.7],
    ] as const
  ).entries()) {
    for (let house = 0; house < 9; house++) {
      const tall = h * (0.08 + 0.045 * ((house * 5 + layer * 3) % 6));
      const left = w * (house / 8.4 - 0.04 + layer * 0.02);
      const box = { left, top: h * base - tall, width: w * 0.11, height: h - h * base + tall };
      canvas.box(box, colour(hex));
      for (let pane = 0; pane < (layer === 0 ? 0 : 15); pane++) {
        if ((pane * 31 + house * 17 + layer * 7) % 5 > 1) continue;
        const at = {
          left: left + w * (0.012 + 0.032 * (pane % 3)),
          top: box.top + h * (0.02 + 0.04 * Math.floor(pane / 3)),
        };
        canvas.box({ ...at, width: w * 0.014, height: h * 0.017 }, colour('#f4cf8b'), 0.8);
      }
    }
  }
  canvas.fillRows(rampOf('#1a2038', '#10142a'), h * 0.82);
  canvas.box({ left: 0, top: h * 0.815, width: w, height: h * 0.008 }, colour('#39446b'));
}

/** Scenes in the order in which cameras take them. */
export const SCENES: readonly Scene[] = [
  { name: 'gate-north', draw: drawGate },
  { name: 'yard', draw: drawYard },
  { name: 'loading-dock', draw: drawDock },
  { name: 'roof', draw: drawRoof },
];
