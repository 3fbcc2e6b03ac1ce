/**
 * A group of pictures is cut inside only where none of its pictures stays longer. So of two stretches that meet in one, both know: where the next picture
 * that decodes comes later than this behind the cut, pictures are lost, and the stretches meet at the cut itself. 90 kHz ticks.
 */
export const LONGEST_STILL_90K = 90_000;
