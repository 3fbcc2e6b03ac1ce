/** Rates that recordings are made at. */
const COMMON_RATES = [
  24_000 / 1001,
  24,
  25,
  30_000 / 1001,
  30,
  48,
  50,
  60_000 / 1001,
  60,
  100,
  120_000 / 1001,
  120,
  15_000 / 1001,
  1,
  2,
  5,
  7.5,
  10,
  12,
  12.5,
  15,
  20,
];
const TOLERANCE = 0.001;

/** The common rate within 0.1 % of one that was measured, else the measured one. */
export function snapFrameRate(measured: number): number {
  const closest = COMMON_RATES.toSorted((a, b) => Math.abs(a - measured) - Math.abs(b - measured))[0];
  return closest !== undefined && Math.abs(closest - measured) <= closest * TOLERANCE ? closest : measured;
}
