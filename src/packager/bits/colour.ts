/** Colour description, in the code points of ISO/IEC 23091-2 (`nclx`). */
export interface Colour {
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
  readonly fullRange: boolean;
}

/** Code point for what is not said (ISO/IEC 23091-2 tables 2 to 4). */
export const UNSPECIFIED_COLOUR = 2;
