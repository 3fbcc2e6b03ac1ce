import { TextRaster } from '../../engine/overlay/text-raster.ts';
import { formatCaptureTime } from '../../engine/overlay/format-capture-time.ts';
import type { WallMs } from '../../base/time.ts';
import { writeTimeCode } from '../time-code/write-time-code.ts';
import { Canvas, outline, roundedBox } from './canvas.ts';
import { INK } from './colour.ts';
import { ZONE, type MovingObject } from './moving-object.ts';
import { SCENES, type Scene } from './scene.ts';

/** What a camera is looking at. */
export interface CameraViewOptions {
  readonly name: string;
  /** Picks the scene. */
  readonly index: number;
  readonly width: number;
  readonly height: number;
  readonly timeZone: string;
  readonly object: MovingObject;
}

/** Draws what one camera sees at a time: its scene, the moving object, its name, a clock, and the clock again as a code. */
export class CameraView {
  readonly #options: CameraViewOptions;
  readonly #still: Canvas;
  readonly #canvas: Canvas;
  readonly #title: TextRaster;
  readonly #small: TextRaster;
  readonly #clock: TextRaster;

  constructor(options: CameraViewOptions) {
    const { width, height, index } = options;
    this.#options = options;
    this.#still = new Canvas(width, height);
    this.#canvas = new Canvas(width, height);
    this.#title = new TextRaster(Math.max(8, Math.round(width / 38)));
    this.#small = new TextRaster(Math.max(7, Math.round(width / 64)));
    this.#clock = new TextRaster(Math.max(9, Math.round(width / 26)));
    this.#drawStill(SCENES[index % SCENES.length]);
  }

  /** The picture at a time. The canvas is the view's and good until the next call. */
  draw(atMs: WallMs): Canvas {
    const canvas = this.#canvas;
    canvas.copyFrom(this.#still);
    this.#drawObject(atMs);
    const [date = '', time = '', offset = ''] = formatCaptureTime(atMs, this.#options.timeZone).split(' ');
    const margin = Math.round(canvas.width / 40);
    const clockTop = canvas.height - margin - this.#clock.capHeight;
    canvas.write(this.#clock, time, margin, clockTop, INK.white);
    const dateTop = clockTop - this.#small.capHeight * 2;
    canvas.write(this.#small, `${date} ${offset}`, margin, dateTop, INK.soft);
    writeTimeCode(canvas, atMs);
    return canvas;
  }

  /** Everything that does not move: drawn once. */
  #drawStill(scene: Scene | undefined): void {
    const canvas = this.#still;
    const { width, height } = canvas;
    scene?.draw(canvas);
    shade(canvas, 0, height * 0.2, 0.5);
    shade(canvas, height, height * 0.7, 0.72);
    const zone = {
      left: ZONE.left * width,
      top: ZONE.top * height,
      width: ZONE.width * width,
      height: ZONE.height * height,
    };
    canvas.paint(outline(roundedBox(zone, width * 0.012), width * 0.0035), zone, INK.mint, 0.4);
    const margin = Math.round(width / 40);
    canvas.write(this.#title, this.#options.name.replaceAll('-', ' '), margin, margin, INK.white);
  }

  #drawObject(atMs: WallMs): void {
    const { width, height } = this.#canvas;
    const place = this.#options.object.placeAt(atMs);
    const size = width * 0.075;
    const box = { left: place.x * width - size / 2, top: place.y * height - size / 2, width: size, height: size };
    const shadow = { ...box, top: box.top + size * 0.14 };
    this.#canvas.paint(roundedBox(shadow, size * 0.2), shadow, INK.black, 0.45, size * 0.35);
    this.#canvas.paint(roundedBox(box, size * 0.18), box, INK.mint);
    const core = { left: box.left + size * 0.36, top: box.top + size * 0.36, width: size * 0.28, height: size * 0.28 };
    this.#canvas.paint(roundedBox(core, size * 0.08), core, INK.black, 0.55);
  }
}

/** Darkens from an edge (0 or the height) towards the middle, so that text can be read on any scene. */
function shade(canvas: Canvas, edge: number, until: number, opacity: number): void {
  const from = Math.round(Math.min(edge, until));
  const to = Math.round(Math.max(edge, until));
  for (let y = from; y < to; y++) {
    const nearness = 1 - Math.abs(y - edge) / (to - from);
    canvas.box({ left: 0, top: y, width: canvas.width, height: 1 }, INK.black, opacity * nearness * nearness);
  }
}
