import type { Mask } from './text-raster.ts';

/** One plane of a picture: 8-bit values, `stride` bytes from row to row. */
export interface Plane {
  readonly data: Uint8Array;
  readonly stride: number;
  readonly width: number;
  readonly height: number;
}

/** A rectangle in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Moves every value under the ink towards `value`; ink outside the plane is left out. `opacity` is from 0 to 1. */
export function drawMask(plane: Plane, mask: Mask, left: number, top: number, value: number, opacity = 1): void {
  const firstX = Math.max(0, -left);
  const lastX = Math.min(mask.width, plane.width - left);
  for (let y = Math.max(0, -top); y < Math.min(mask.height, plane.height - top); y++) {
    let at = (top + y) * plane.stride + left + firstX;
    for (let x = firstX; x < lastX; x++, at++) {
      const coverage = ((mask.alpha[y * mask.width + x] ?? 0) / 255) * opacity;
      if (coverage === 0) continue;
      const before = plane.data[at] ?? 0;
      plane.data[at] = Math.round(before + (value - before) * coverage);
    }
  }
}

/** Moves every value in the box towards `value` by `opacity` (from 0 to 1). */
export function fillBox(plane: Plane, box: Box, value: number, opacity = 1): void {
  const left = Math.max(0, Math.round(box.left));
  const right = Math.min(plane.width, Math.round(box.left + box.width));
  const bottom = Math.min(plane.height, Math.round(box.top + box.height));
  for (let y = Math.max(0, Math.round(box.top)); y < bottom; y++) {
    const row = plane.data.subarray(y * plane.stride + left, y * plane.stride + right);
    if (opacity === 1) row.fill(value);
    else for (let x = 0; x < row.length; x++) row[x] = Math.round((row[x] ?? 0) * (1 - opacity) + value * opacity);
  }
}
