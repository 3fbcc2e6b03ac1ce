import { ZoetropeError } from '../../base/errors.ts';
import { AAC_PACKET_SAMPLES } from '../aac/audio-specific-config.ts';
import type { Sample } from '../cmaf/media-writer.ts';
import type { DemuxedAudio } from './demuxed-media.ts';

/** Sound on its epoch's clock, in samples since the origin. */
export interface LaidOutAudio {
  readonly startSamples: number;
  /** Where the last packet ends. */
  readonly endSamples: number;
  readonly samples: readonly Sample[];
}

/** What sound is laid out against. */
export interface AudioPlace {
  readonly originPts90k: number;
  /** A sample at which a packet of the epoch begins or ends; null: there is none yet. */
  readonly gridSamples: number | null;
  /** Takes what was wrong. */
  readonly faults: string[];
}

/** Ticks of 90 kHz lie a few samples apart: a packet so near to the grid stands on it. */
const SNAP_S = 0.001;

/** Within a segment packets follow each other as long as time stamps agree so far. */
const TOLERANCE_S = 0.03;

const MAX_SPAN_S = 3600;

/**
 * Places packets of AAC. They stand on the epoch's grid where their times are within a millisecond of it, and follow each other as long as times
 * agree within 30 ms; a hole is bridged by the packet before it, and a packet that overlaps is left out, as is what begins before the origin.
 * Null when nothing remains. @throws corrupt_media when they span more than an hour
 */
export function layOutAudio(
  audio: DemuxedAudio,
  { originPts90k, gridSamples, faults }: AudioPlace,
): LaidOutAudio | null {
  const { sampleRateHz, frames } = audio;
  const placed: { readonly data: Uint8Array; readonly at: number }[] = [];
  let grid = gridSamples;
  let [holes, overlaps] = [0, 0];
  for (const { data, pts90k } of frames) {
    const exact = ((pts90k - originPts90k) * sampleRateHz) / 90_000;
    const expected = placed.length === 0 ? null : (placed.at(-1)?.at ?? 0) + AAC_PACKET_SAMPLES;
    if (expected !== null && Math.abs(exact - expected) <= TOLERANCE_S * sampleRateHz) {
      placed.push({ data, at: expected });
      continue;
    }
    if (expected !== null && exact < expected) {
      overlaps += 1;
      continue;
    }
    const at = snapped(exact, grid, sampleRateHz);
    if (at < 0) continue;
    if (expected !== null) holes += 1;
    grid = at;
    placed.push({ data, at });
  }
  const [first, last] = [placed[0], placed.at(-1)];
  if (first === undefined || last === undefined) return null;
  if (last.at - first.at > MAX_SPAN_S * sampleRateHz) {
    throw new ZoetropeError(
      'corrupt_media',
      `The sound of one segment must lie within an hour. Got ${Math.round((last.at - first.at) / sampleRateHz)} s; look at the encoder's clock.`,
    );
  }
  if (holes > 0) faults.push(`The sound has ${holes} holes.`);
  if (overlaps > 0) faults.push(`${overlaps} packets of sound overlap those before them; they were left out.`);
  const endSamples = last.at + AAC_PACKET_SAMPLES;
  const samples = placed.map(({ data, at }, index): Sample => {
    return { data, isSync: true, duration: (placed[index + 1]?.at ?? endSamples) - at };
  });
  return { startSamples: first.at, endSamples, samples };
}

function snapped(exact: number, grid: number | null, sampleRateHz: number): number {
  const whole = Math.round(exact);
  if (grid === null) return whole;
  const onGrid = grid + AAC_PACKET_SAMPLES * Math.round((exact - grid) / AAC_PACKET_SAMPLES);
  return Math.abs(exact - onGrid) <= SNAP_S * sampleRateHz ? onGrid : whole;
}
