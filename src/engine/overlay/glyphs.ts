/** Height of a capital in the glyphs' units; the width of most is 4. */
export const CAP_HEIGHT = 6;

/** A character as strokes: absolute `M`, `L` and `C` commands of an SVG path, y down, capitals from 0 to {@link CAP_HEIGHT}. */
export interface Glyph {
  readonly width: number;
  readonly path: string;
}

const glyph = (path: string, width = 4): Glyph => ({ path, width });

/**
 * Zoetrope's own stroke font: digits of one width, capitals, and what times and names need. Drawn with a round pen, so it is smooth at any size.
 * Small letters are shown as capitals, anything else as a small box.
 */
export const GLYPHS: ReadonlyMap<string, Glyph> = new Map([
  ['0', glyph('M2 0C3.3 0 4 1.2 4 3C4 4.8 3.3 6 2 6C.7 6 0 4.8 0 3C0 1.2 .7 0 2 0')],
  ['1', glyph('M.8 1.3L2.4 0L2.4 6')],
  ['2', glyph('M.1 1.7C.1 .6 .9 0 2 0C3.1 0 3.9 .65 3.9 1.7C3.9 2.6 3.3 3.2 2.6 3.9L.2 6L4 6')],
  [
    '3',
    glyph(
      'M.2 1.2C.5 .4 1.2 0 2 0C3.1 0 3.8 .6 3.8 1.5C3.8 2.4 3.1 2.85 2 2.85L1.5 2.85M2 2.85C3.2 2.85 4 3.4 4 4.4C4 5.4 3.2 6 2 6C1 6 .3 5.5 0 4.7',
    ),
  ],
  ['4', glyph('M3 6L3 0L0 4.3L4 4.3')],
  ['5', glyph('M3.7 0L.7 0L.4 2.8C.8 2.4 1.4 2.2 2 2.2C3.2 2.2 4 2.95 4 4.05C4 5.2 3.2 6 2 6C1 6 .3 5.5 0 4.8')],
  [
    '6',
    glyph(
      'M3.6 .9C3.3 .3 2.7 0 2.1 0C.8 0 0 1.3 0 3.3C0 5 .7 6 2 6C3.2 6 4 5.2 4 4.1C4 3 3.2 2.3 2.1 2.3C1 2.3 .2 3 0 3.8',
    ),
  ],
  ['7', glyph('M0 0L4 0L1.5 6')],
  [
    '8',
    glyph(
      'M2 2.8C1 2.8 .3 2.3 .3 1.4C.3 .6 1 0 2 0C3 0 3.7 .6 3.7 1.4C3.7 2.3 3 2.8 2 2.8C.8 2.8 0 3.4 0 4.4C0 5.4 .8 6 2 6C3.2 6 4 5.4 4 4.4C4 3.4 3.2 2.8 2 2.8',
    ),
  ],
  [
    '9',
    glyph(
      'M.4 5.1C.7 5.7 1.3 6 1.9 6C3.2 6 4 4.7 4 2.7C4 1 3.3 0 2 0C.8 0 0 .8 0 1.9C0 3 .8 3.7 1.9 3.7C3 3.7 3.8 3 4 2.2',
    ),
  ],
  ['A', glyph('M0 6L2.1 0L4.2 6M.75 4L3.45 4', 4.2)],
  [
    'B',
    glyph(
      'M0 0L2 0C3.1 0 3.7 .55 3.7 1.4C3.7 2.3 3 2.8 2 2.8L0 2.8M2 2.8C3.3 2.8 4 3.4 4 4.4C4 5.4 3.3 6 2.1 6L0 6L0 0',
    ),
  ],
  ['C', glyph('M4.1 1.3C3.7 .5 3 0 2.2 0C.9 0 0 1.2 0 3C0 4.8 .9 6 2.2 6C3 6 3.7 5.5 4.1 4.7', 4.1)],
  ['D', glyph('M0 0L1.7 0C3.2 0 4.1 1.1 4.1 3C4.1 4.9 3.2 6 1.7 6L0 6L0 0', 4.1)],
  ['E', glyph('M3.5 0L0 0L0 6L3.5 6M0 2.9L3 2.9', 3.5)],
  ['F', glyph('M3.5 0L0 0L0 6M0 2.9L3 2.9', 3.5)],
  ['G', glyph('M4 1.2C3.6 .4 3 0 2.2 0C.9 0 0 1.2 0 3C0 4.8 .9 6 2.2 6C3.4 6 4.1 5.1 4.1 3.4L2.4 3.4', 4.1)],
  ['H', glyph('M0 0L0 6M4 0L4 6M0 2.9L4 2.9')],
  ['I', glyph('M.2 0L.2 6', 0.4)],
  ['J', glyph('M3 0L3 4.2C3 5.4 2.4 6 1.5 6C.7 6 .2 5.6 0 4.9', 3)],
  ['K', glyph('M0 0L0 6M3.9 0L0 3.9M1.3 2.6L4 6')],
  ['L', glyph('M0 0L0 6L3.4 6', 3.4)],
  ['M', glyph('M0 6L0 0L2.4 3.8L4.8 0L4.8 6', 4.8)],
  ['N', glyph('M0 6L0 0L4 6L4 0')],
  ['O', glyph('M2.2 0C3.6 0 4.4 1.2 4.4 3C4.4 4.8 3.6 6 2.2 6C.8 6 0 4.8 0 3C0 1.2 .8 0 2.2 0', 4.4)],
  ['P', glyph('M0 6L0 0L2.1 0C3.3 0 3.9 .7 3.9 1.7C3.9 2.7 3.3 3.4 2.1 3.4L0 3.4', 3.9)],
  ['Q', glyph('M2.2 0C3.6 0 4.4 1.2 4.4 3C4.4 4.8 3.6 6 2.2 6C.8 6 0 4.8 0 3C0 1.2 .8 0 2.2 0M2.8 4.6L4.3 6.4', 4.4)],
  ['R', glyph('M0 6L0 0L2.1 0C3.3 0 3.9 .7 3.9 1.65C3.9 2.6 3.3 3.3 2.1 3.3L0 3.3M2.1 3.3L4 6')],
  [
    'S',
    glyph(
      'M3.8 1.2C3.4 .4 2.8 0 2 0C.9 0 .2 .6 .2 1.5C.2 2.5 1 2.75 2 3C3.2 3.3 4 3.6 4 4.6C4 5.5 3.2 6 2 6C1 6 .3 5.5 0 4.7',
    ),
  ],
  ['T', glyph('M0 0L4 0M2 0L2 6')],
  ['U', glyph('M0 0L0 3.9C0 5.3 .8 6 2 6C3.2 6 4 5.3 4 3.9L4 0')],
  ['V', glyph('M0 0L2.1 6L4.2 0', 4.2)],
  ['W', glyph('M0 0L1.4 6L2.9 1.2L4.4 6L5.8 0', 5.8)],
  ['X', glyph('M0 0L4 6M4 0L0 6')],
  ['Y', glyph('M0 0L2 3L4 0M2 3L2 6')],
  ['Z', glyph('M0 0L4 0L0 6L4 6')],
  ['-', glyph('M.2 3.1L2.4 3.1', 2.6)],
  ['+', glyph('M0 3.2L3.6 3.2M1.8 1.4L1.8 5', 3.6)],
  [':', glyph('M.3 1.7L.3 1.8M.3 4.9L.3 5', 0.6)],
  ['.', glyph('M.3 5.8L.3 5.9', 0.6)],
  [',', glyph('M.4 5.7L.1 6.9', 0.6)],
  ['/', glyph('M0 6.6L2.6 -.6', 2.6)],
  ['_', glyph('M0 6.6L3.6 6.6', 3.6)],
  ['#', glyph('M1.4 0L.8 6M3.4 0L2.8 6M.2 2L4 2M0 4L3.8 4')],
  [' ', glyph('', 1.6)],
]);

/** Stands in for a character that the font lacks. */
export const MISSING_GLYPH: Glyph = glyph('M0 2L3 2L3 6L0 6L0 2', 3);
