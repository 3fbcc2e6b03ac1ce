import type { EdgeJson } from '../api/edge-api.ts';
import { bitRate, bytes, timeLeft } from '../assets/quantities.ts';
import { duration } from '../time/format.ts';

/** What an edge had sent at a time. */
export interface SentSample {
  readonly atMs: number;
  readonly sentBytes: number;
}

/** So far back rates are looked at: segments come in bursts. */
const REACH_MS = 30_000;

/** Takes in what an edge says it has sent; one that began anew, or an old word of it, is no sample. */
export function addSample(samples: readonly SentSample[], fresh: SentSample): readonly SentSample[] {
  const last = samples.at(-1);
  if (last !== undefined && fresh.sentBytes < last.sentBytes) return [fresh];
  return [...samples.filter(({ atMs }) => fresh.atMs - atMs <= REACH_MS), fresh];
}

/** Bits a second over what is known; null: nothing can be said yet. */
export function rateOf(samples: readonly SentSample[]): number | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.atMs - first.atMs < 1000) return null;
  return ((last.sentBytes - first.sentBytes) * 8000) / (last.atMs - first.atMs);
}

/** Clocks nearer than this are one, for people. */
const IN_STEP_MS = 100;
/** From here on pictures land visibly at another place of the timeline. */
const MATTERS_MS = 1000;

/** How far an edge's clock is from this server's, and whether somebody should see to it. */
export function skewWords(skewMs: number | null): { readonly text: string; readonly matters: boolean } {
  if (skewMs === null) return { text: 'not measured yet', matters: false };
  const apart = Math.abs(skewMs);
  if (apart < IN_STEP_MS) return { text: `in step (${Math.round(skewMs)} ms)`, matters: false };
  const length = apart < 60_000 ? `${(apart / 1000).toFixed(1)} s` : duration(apart);
  const side = skewMs > 0 ? 'ahead' : 'behind';
  if (apart < MATTERS_MS) return { text: `${length} ${side}`, matters: false };
  return {
    text: `${length} ${side}: its pictures stand ${length} too ${skewMs > 0 ? 'late' : 'early'} on their timelines. Set its clock, best by NTP.`,
    matters: true,
  };
}

/** What is still to come from an edge, and how long that takes at a rate (bits a second). */
export function backlogWords(backlog: EdgeJson['backlog'], bitsPerS: number | null): string {
  if (backlog === null) return 'not known yet';
  const { rows, segments, bytes: waiting } = backlog;
  if (rows === 0 && segments === 0) return 'nothing: all that is wanted is here';
  const parts = [
    ...(rows === 0 ? [] : [`${rows} ${rows === 1 ? 'row' : 'rows'} of timelines`]),
    ...(segments === 0 ? [] : [`${segments} ${segments === 1 ? 'segment' : 'segments'}, ${bytes(waiting)}`]),
  ];
  const left =
    bitsPerS === null || bitsPerS <= 0 || waiting === 0
      ? ''
      : `; ${timeLeft((waiting * 8) / bitsPerS)} at ${bitRate(bitsPerS)}`;
  return `${parts.join(', ')}${left}`;
}

/** How an edge's disk is, in words; the part that its segments take of what they could. */
export function diskWords({ storedBytes, freeBytes }: Pick<EdgeJson, 'storedBytes' | 'freeBytes'>): {
  readonly text: string;
  readonly part: number | null;
} {
  if (storedBytes === null) return { text: 'not known yet', part: null };
  if (freeBytes === null) return { text: `${bytes(storedBytes)} of segments`, part: null };
  return {
    text: `${bytes(storedBytes)} of segments, ${bytes(freeBytes)} free`,
    part: storedBytes / Math.max(1, storedBytes + freeBytes),
  };
}
