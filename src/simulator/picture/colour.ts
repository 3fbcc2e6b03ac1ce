/** A colour as JFIF stores it: full-range BT.601. */
export interface Colour {
  readonly y: number;
  readonly cb: number;
  readonly cr: number;
}

/** A colour from `#rrggbb` (ITU-T T.871 §7). */
export function colour(hex: string): Colour {
  const value = Number.parseInt(hex.slice(1), 16);
  const [r, g, b] = [(value >> 16) & 255, (value >> 8) & 255, value & 255];
  return {
    y: 0.299 * r + 0.587 * g + 0.114 * b,
    cb: 128 - 0.168736 * r - 0.331264 * g + 0.5 * b,
    cr: 128 + 0.5 * r - 0.418688 * g - 0.081312 * b,
  };
}

/** Between two colours: `share` of the second, from 0 to 1. */
export function mix(a: Colour, b: Colour, share: number): Colour {
  return { y: a.y + (b.y - a.y) * share, cb: a.cb + (b.cb - a.cb) * share, cr: a.cr + (b.cr - a.cr) * share };
}

/** What is written and drawn over every scene. */
export const INK = {
  black: colour('#0b0d10'),
  white: colour('#f4f6f8'),
  soft: colour('#c3cad2'),
  mint: colour('#58f0bd'),
} as const;
