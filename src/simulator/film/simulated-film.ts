import { wallMs, type WallMs } from '../../base/time.ts';
import { CameraView } from '../picture/camera-view.ts';
import { MovingObject } from '../picture/moving-object.ts';
import { PictureEncoder } from '../picture/picture-encoder.ts';
import type { PictureSize } from '../simulated-camera.ts';
import { writeAvi } from './avi-writer.ts';

/** What film to make. */
export interface FilmRequest {
  readonly name: string;
  /** Picks the scene and the pitch. */
  readonly index: number;
  readonly size: PictureSize;
  readonly durationMs: number;
  readonly framesPerS: number;
  /** What the clock in the first picture shows. */
  readonly startMs: WallMs;
}

const SAMPLE_RATE_HZ = 48_000;
const LOUDNESS = 6000;
const BEEP_S = 0.1;

/** A film with a moving object, the clock as text and as a readable code, and a tone that beeps with every second. An AVI file. */
export function makeFilm(request: FilmRequest): Uint8Array {
  const { name, index, size, durationMs, framesPerS, startMs } = request;
  const frames = Math.max(1, Math.round((durationMs * framesPerS) / 1000));
  const view = new CameraView({ name, index, ...size, timeZone: 'UTC', object: new MovingObject(index) });
  using encoder = new PictureEncoder(size.width, size.height);
  const pictures = Array.from({ length: frames }, (_, at) =>
    encoder.encode(view.draw(wallMs(startMs + Math.round((at * 1000) / framesPerS)))),
  );
  const samples = toneOf(Math.round((frames * SAMPLE_RATE_HZ) / framesPerS), index);
  return writeAvi({ ...size, framesPerS, pictures, sampleRateHz: SAMPLE_RATE_HZ, samples });
}

function toneOf(length: number, index: number): Int16Array {
  const samples = new Int16Array(length);
  const pitchHz = 220 * 2 ** ((index % 12) / 12);
  for (let at = 0; at < length; at++) {
    const seconds = at / SAMPLE_RATE_HZ;
    const isBeep = seconds % 1 < BEEP_S;
    const wave = Math.sin(2 * Math.PI * (isBeep ? pitchHz * 4 : pitchHz) * seconds);
    samples[at] = Math.round(wave * (isBeep ? LOUDNESS * 2 : LOUDNESS));
  }
  return samples;
}
