import { paletteSlot } from './clusters.ts';

/** How many colours markers are told apart by. */
const MARKER_COLOURS = 6;

/** The colours that the timeline is drawn with, read from the page's style. */
export interface TimelineColours {
  readonly surface: string;
  readonly well: string;
  readonly line: string;
  readonly text: string;
  readonly muted: string;
  readonly faint: string;
  readonly accent: string;
  readonly accentInk: string;
  readonly accentSoft: string;
  readonly band: string;
  readonly bandEdge: string;
  readonly hatch: string;
  readonly session: string;
  readonly hold: string;
  /** Of recordings: the dot of one that runs, its bar, and the bars of those that have ended. */
  readonly rec: string;
  readonly recFill: string;
  readonly recBand: string;
  /** Of the overview's window. */
  readonly windowFill: string;
  readonly markers: readonly string[];
  readonly font: string;
}

/** Reads the custom properties that stand on the page now. */
export function readColours(): TimelineColours {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    surface: read('surface'),
    well: read('bg'),
    line: read('line'),
    text: read('text'),
    muted: read('muted'),
    faint: read('faint'),
    accent: read('accent'),
    accentInk: read('accent-ink'),
    accentSoft: read('accent-soft'),
    band: read('band'),
    bandEdge: read('band-edge'),
    hatch: read('hatch'),
    session: read('session'),
    hold: read('hold'),
    rec: read('rec'),
    recFill: read('rec-fill'),
    recBand: read('rec-band'),
    windowFill: read('surface-3'),
    markers: Array.from({ length: MARKER_COLOURS }, (_, slot) => read(`marker-${slot}`)),
    font: read('font'),
  };
}

/** The drawn colour of a marker type; null stands for several. */
export function markerColour(type: string | null, colours: TimelineColours): string {
  return type === null ? colours.muted : (colours.markers[paletteSlot(type, MARKER_COLOURS)] ?? colours.muted);
}

/** The styled colour of a marker type. */
export function markerColourVariable(type: string): string {
  return `var(--marker-${paletteSlot(type, MARKER_COLOURS)})`;
}
