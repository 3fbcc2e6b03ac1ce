import type { WallMs } from '../../base/time.ts';

/** Samples a second of the simulated sound. */
export const SAMPLE_RATE_HZ = 48_000;

const LOUDNESS = 0.2;
const BEEP_MS = 100;

/** A mono tone that beeps, two octaves higher, at the beginning of every second of wall time. */
export class Tone {
  readonly #startMs: WallMs;
  readonly #pitchHz: number;

  /** @param startMs wall time of sample 0 @param index picks the pitch */
  constructor(startMs: WallMs, index: number) {
    this.#startMs = startMs;
    this.#pitchHz = 220 * 2 ** ((index % 12) / 12);
  }

  /** So many samples from a position on, from −1 to 1. */
  samples(position: number, length: number): Float32Array {
    return Float32Array.from({ length }, (_, at) => this.#sampleAt(position + at));
  }

  #sampleAt(position: number): number {
    const atMs = this.#startMs + (position * 1000) / SAMPLE_RATE_HZ;
    const isBeep = atMs % 1000 < BEEP_MS;
    const angle = 2 * Math.PI * this.#pitchHz * (isBeep ? 4 : 1) * (position / SAMPLE_RATE_HZ);
    return Math.sin(angle) * (isBeep ? 2 : 1) * LOUDNESS;
  }
}
