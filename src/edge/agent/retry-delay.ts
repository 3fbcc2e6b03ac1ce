const FIRST_MS = 500;
const LONGEST_MS = 10_000;

/** How long to wait before a try: twice as long each time, and up to half of it at random, so that many do not come at once. `failures` from 1. */
export function retryDelayMs(failures: number, random: () => number): number {
  const fullMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  return fullMs * (0.5 + random() / 2);
}
