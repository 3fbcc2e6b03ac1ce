import { CAP_HEIGHT, GLYPHS, MISSING_GLYPH, type Glyph } from './glyphs.ts';

/** How strongly ink covers each pixel, 0–255, row by row. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly alpha: Uint8Array;
}

/** Thickness of the pen and space between characters, in the glyphs' units. */
const PEN = 0.86;
const SPACING = 1.35;
/** Room above and below the capitals for the pen and for what reaches beyond them. */
const MARGIN = 1;
const CURVE_STEPS = 8;

type Point = readonly [x: number, y: number];
type Stroke = readonly [from: Point, to: Point];

/** Draws text with a round pen at one size. Keeps each glyph once drawn, so that a running clock costs copies only. */
export class TextRaster {
  /** Height of the capitals, in pixels. */
  readonly capHeight: number;
  /** Height of a line including its margins, in pixels. */
  readonly lineHeight: number;
  readonly #unit: number;
  readonly #glyphs = new Map<string, Mask>();

  /** @param sizePx height of the capitals */
  constructor(sizePx: number) {
    this.capHeight = sizePx;
    this.#unit = sizePx / CAP_HEIGHT;
    this.lineHeight = Math.ceil(sizePx + 2 * MARGIN * this.#unit);
  }

  /** Width that {@link TextRaster.draw} takes, in pixels. */
  measure(text: string): number {
    return Array.from(text).reduce((sum, character) => sum + this.#mask(character).width, 0);
  }

  draw(text: string): Mask {
    const glyphs = Array.from(text, (character) => this.#mask(character));
    const width = glyphs.reduce((sum, mask) => sum + mask.width, 0);
    const alpha = new Uint8Array(width * this.lineHeight);
    let left = 0;
    for (const mask of glyphs) {
      for (let y = 0; y < mask.height; y++) {
        alpha.set(mask.alpha.subarray(y * mask.width, (y + 1) * mask.width), y * width + left);
      }
      left += mask.width;
    }
    return { width, height: this.lineHeight, alpha };
  }

  #mask(character: string): Mask {
    let mask = this.#glyphs.get(character);
    if (mask === undefined) {
      mask = this.#draw(GLYPHS.get(character.toUpperCase()) ?? MISSING_GLYPH);
      this.#glyphs.set(character, mask);
    }
    return mask;
  }

  /** Coverage by distance: a pixel whose centre lies within the pen is full, with a soft edge of one pixel. */
  #draw(glyph: Glyph): Mask {
    const unit = this.#unit;
    const width = Math.max(1, Math.round((glyph.width + SPACING) * unit));
    const height = this.lineHeight;
    const alpha = new Uint8Array(width * height);
    const strokes = flatten(glyph.path);
    const reach = Math.max(1, PEN * unit) / 2 + 0.5;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at: Point = [(x + 0.5) / unit - SPACING / 2, (y + 0.5) / unit - MARGIN];
        const coverage = reach - distance(at, strokes) * unit;
        alpha[y * width + x] = Math.round(255 * Math.min(1, Math.max(0, coverage)));
      }
    }
    return { width, height, alpha };
  }
}

function distance([x, y]: Point, strokes: readonly Stroke[]): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (const [[ax, ay], [bx, by]] of strokes) {
    const dx = bx - ax;
    const dy = by - ay;
    const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)));
    nearest = Math.min(nearest, (x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2);
  }
  return Math.sqrt(nearest);
}

function flatten(path: string): readonly Stroke[] {
  const strokes: Stroke[] = [];
  let pen: Point = [0, 0];
  for (const [, command, list] of path.matchAll(/([MLC])([^MLC]*)/g)) {
    const numbers = (list ?? '').trim().split(/\s+/).map(Number);
    const point = (index: number): Point => [numbers[2 * index] ?? 0, numbers[2 * index + 1] ?? 0];
    if (command === 'C') {
      for (const next of curve(pen, point(0), point(1), point(2))) {
        strokes.push([pen, next]);
        pen = next;
      }
    } else {
      if (command === 'L') strokes.push([pen, point(0)]);
      pen = point(0);
    }
  }
  return strokes;
}

/** A cubic Bézier curve as a row of points. */
function curve(a: Point, b: Point, c: Point, d: Point): readonly Point[] {
  return Array.from({ length: CURVE_STEPS }, (_, step) => {
    const t = (step + 1) / CURVE_STEPS;
    const s = 1 - t;
    const mix = (axis: 0 | 1): number =>
      s * s * s * a[axis] + 3 * s * s * t * b[axis] + 3 * s * t * t * c[axis] + t * t * t * d[axis];
    return [mix(0), mix(1)];
  });
}
