import { drawMask, fillBox, type Box, type Plane } from '../../engine/overlay/draw-mask.ts';
import type { TextRaster } from '../../engine/overlay/text-raster.ts';
import type { Colour } from './colour.ts';

/** Something with a soft edge: how far a place lies outside it, in pixels; negative inside. */
export type Shape = (x: number, y: number) => number;

/** A 4:2:0 picture to draw on. Width and height are even. */
export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly luma: Plane;
  readonly blue: Plane;
  readonly red: Plane;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.luma = plane(width, height);
    this.blue = plane(width / 2, height / 2);
    this.red = plane(width / 2, height / 2);
  }

  /** Makes this a copy of a canvas of the same size. */
  copyFrom(other: Canvas): void {
    this.luma.data.set(other.luma.data);
    this.blue.data.set(other.blue.data);
    this.red.data.set(other.red.data);
  }

  /** Fills a rectangle with hard edges. */
  box(box: Box, { y, cb, cr }: Colour, opacity = 1): void {
    const half = { left: box.left / 2, top: box.top / 2, width: box.width / 2, height: box.height / 2 };
    fillBox(this.luma, box, y, opacity);
    fillBox(this.blue, half, cb, opacity);
    fillBox(this.red, half, cr, opacity);
  }

  /** Colours every row by its height: 0 at the top, 1 at the bottom. */
  fillRows(colourAt: (height: number) => Colour, fromY = 0, toY = this.height): void {
    for (let y = Math.max(0, Math.round(fromY)); y < Math.min(this.height, toY); y++) {
      this.box({ left: 0, top: y, width: this.width, height: 1 }, colourAt((y - fromY) / (toY - fromY)));
    }
  }

  /** Paints a shape with an edge as soft as given, in pixels. `bounds` says where to look. */
  paint(shape: Shape, bounds: Box, { y, cb, cr }: Colour, opacity = 1, softness = 1): void {
    const reach = {
      left: bounds.left - softness,
      top: bounds.top - softness,
      width: bounds.width + 2 * softness,
      height: bounds.height + 2 * softness,
    };
    paintPlane(this.luma, shape, reach, 1, y, opacity, softness);
    paintPlane(this.blue, shape, reach, 2, cb, opacity, softness);
    paintPlane(this.red, shape, reach, 2, cr, opacity, softness);
  }

  /** Writes a line of text with the top of its capitals at `top`; returns its width. */
  write(raster: TextRaster, text: string, left: number, top: number, { y, cb, cr }: Colour, opacity = 1): number {
    const mask = raster.draw(text);
    const lift = Math.round((raster.lineHeight - raster.capHeight) / 2);
    drawMask(this.luma, mask, Math.round(left), Math.round(top) - lift, y, opacity);
    const half = halve(mask);
    drawMask(this.blue, half, Math.round(left / 2), Math.round((top - lift) / 2), cb, opacity);
    drawMask(this.red, half, Math.round(left / 2), Math.round((top - lift) / 2), cr, opacity);
    return mask.width;
  }
}

/** A rectangle with round corners. */
export function roundedBox(box: Box, radius: number): Shape {
  const centreX = box.left + box.width / 2;
  const centreY = box.top + box.height / 2;
  return (x, y) => {
    const dx = Math.abs(x - centreX) - box.width / 2 + radius;
    const dy = Math.abs(y - centreY) - box.height / 2 + radius;
    return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius;
  };
}

/** A disc. */
export function disc(centreX: number, centreY: number, radius: number): Shape {
  return (x, y) => Math.hypot(x - centreX, y - centreY) - radius;
}

/** A line with round ends. */
export function line(fromX: number, fromY: number, toX: number, toY: number, thickness: number): Shape {
  const dx = toX - fromX;
  const dy = toY - fromY;
  const square = dx * dx + dy * dy || 1;
  return (x, y) => {
    const along = Math.min(1, Math.max(0, ((x - fromX) * dx + (y - fromY) * dy) / square));
    return Math.hypot(x - fromX - along * dx, y - fromY - along * dy) - thickness / 2;
  };
}

/** The edge of a shape, so thick. */
export function outline(shape: Shape, thickness: number): Shape {
  return (x, y) => Math.abs(shape(x, y)) - thickness / 2;
}

function paintPlane(
  target: Plane,
  shape: Shape,
  bounds: Box,
  step: 1 | 2,
  value: number,
  opacity: number,
  softness: number,
): void {
  const right = Math.min(target.width, Math.ceil((bounds.left + bounds.width) / step) + 1);
  const bottom = Math.min(target.height, Math.ceil((bounds.top + bounds.height) / step) + 1);
  for (let y = Math.max(0, Math.floor(bounds.top / step)); y < bottom; y++) {
    for (let x = Math.max(0, Math.floor(bounds.left / step)); x < right; x++) {
      const outside = shape((x + 0.5) * step, (y + 0.5) * step);
      const coverage = Math.min(1, Math.max(0, 0.5 - outside / softness)) * opacity;
      if (coverage === 0) continue;
      const at = y * target.stride + x;
      const before = target.data[at] ?? 0;
      target.data[at] = Math.round(before + (value - before) * coverage);
    }
  }
}

function halve(mask: { readonly width: number; readonly height: number; readonly alpha: Uint8Array }): typeof mask {
  const width = mask.width >> 1;
  const height = mask.height >> 1;
  const alpha = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) alpha[y * width + x] = mask.alpha[2 * y * mask.width + 2 * x] ?? 0;
  }
  return { width, height, alpha };
}

function plane(width: number, height: number): Plane {
  return { data: new Uint8Array(width * height), stride: width, width, height };
}
