/** Rows of the timeline from the top, in CSS pixels. */
export const ROWS = {
  ruler: { top: 0, height: 26 },
  pins: { top: 26, height: 22 },
  band: { top: 50, height: 42 },
  sessions: { top: 96, height: 4 },
  holds: { top: 104, height: 10 },
  height: 120,
  /** Of recordings, below all else, when there are any. */
  lane: { top: 118, height: 14, step: 17 },
} as const;

/** The timeline's height in CSS pixels, with so many lanes of recordings. */
export function heightOf(lanes: number): number {
  return lanes === 0 ? ROWS.height : ROWS.lane.top + lanes * ROWS.lane.step + 4;
}
