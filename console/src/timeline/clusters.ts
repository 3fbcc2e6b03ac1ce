import type { Marker } from './timeline-data.ts';
import { contains, xOf, type Viewport } from './viewport.ts';

/** Markers that stand too close to draw apart. */
export interface Cluster {
  /** Pixels from the left. */
  readonly x: number;
  readonly atMs: number;
  /** In order of time; never empty. */
  readonly markers: readonly Marker[];
  /** The type they share; null when they differ. */
  readonly type: string | null;
}

/** Groups the markers in view (given in order of time) so that no two pins stand closer than `minPx`. */
export function clustersOf(markers: readonly Marker[], view: Viewport, width: number, minPx = 24): readonly Cluster[] {
  const groups: { x: number; atMs: number; markers: Marker[]; type: string | null }[] = [];
  for (const marker of markers) {
    if (!contains(view, marker.atMs)) continue;
    const x = xOf(marker.atMs, view, width);
    const last = groups.at(-1);
    if (last !== undefined && x - last.x < minPx) {
      last.markers.push(marker);
      if (last.type !== marker.type) last.type = null;
    } else {
      groups.push({ x, atMs: marker.atMs, markers: [marker], type: marker.type });
    }
  }
  return groups;
}

/** A steady colour for a marker type: one of `count` palette slots. */
export function paletteSlot(type: string, count: number): number {
  let hash = 2_166_136_261;
  for (const character of type) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16_777_619);
  return (hash >>> 0) % count;
}
