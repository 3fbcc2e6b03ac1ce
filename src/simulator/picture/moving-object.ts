import type { WallMs } from '../../base/time.ts';

/** Where something is, as shares of the picture's width and height. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** The part of the picture that is watched, as shares of its width and height. */
export const ZONE = { left: 0.36, top: 0.42, width: 0.28, height: 0.34 } as const;

/** Milliseconds from one crossing to the next. */
const PERIOD_MS = 24_000;
/** Share of the period for which it is on its way; the rest it is out of sight. */
const UNDER_WAY = 0.85;

/** Something that crosses the picture again and again, left to right and back, a little differently in front of each camera. */
export class MovingObject {
  readonly #phaseMs: number;
  readonly #height: number;

  /** @param index of the camera */
  constructor(index: number) {
    this.#phaseMs = (index * PERIOD_MS * 0.381_966) % PERIOD_MS;
    this.#height = 0.54 + 0.05 * (index % 3);
  }

  /** Where its centre is; outside 0–1 while it is out of sight. */
  placeAt(atMs: WallMs): Place {
    const turns = (atMs + this.#phaseMs) / PERIOD_MS;
    const way = (turns - Math.floor(turns)) / UNDER_WAY;
    const isBack = Math.floor(turns) % 2 === 1;
    const along = -0.12 + 1.24 * way;
    return { x: isBack ? 1 - along : along, y: this.#height + 0.06 * Math.sin(way * Math.PI * 3) };
  }

  /** Whether its centre is inside {@link ZONE}. */
  isInZone(atMs: WallMs): boolean {
    const { x, y } = this.placeAt(atMs);
    return x >= ZONE.left && x < ZONE.left + ZONE.width && y >= ZONE.top && y < ZONE.top + ZONE.height;
  }
}
