/** Bits and playing time of a segment. */
export interface SegmentBits {
  readonly bits: number;
  readonly seconds: number;
}

/** Bit rates of a media playlist, bits a second of playing. */
export interface BitRates {
  /** See {@link bitRatesOf}. */
  readonly peakBitsPerS: number;
  readonly averageBitsPerS: number;
}

/**
 * The average bit rate, and the peak one: the largest of any run of segments whose duration is between 0.5 and 1.5 times the target duration
 * (RFC 8216bis §4.4.6.2), so that a last segment of one picture counts with those before it.
 */
export function bitRatesOf(segments: readonly SegmentBits[]): BitRates {
  const totalBits = segments.reduce((sum, one) => sum + one.bits, 0);
  const totalS = segments.reduce((sum, one) => sum + one.seconds, 0);
  const averageBitsPerS = totalS > 0 ? totalBits / totalS : 0;
  const targetS = longest(segments);
  let peakBitsPerS = averageBitsPerS;
  for (let from = 0; from < segments.length; from++) {
    let [bits, seconds] = [0, 0];
    for (let at = from; at < segments.length; at++) {
      bits += segments[at]?.bits ?? 0;
      seconds += segments[at]?.seconds ?? 0;
      if (seconds > targetS * 1.5) break;
      if (seconds >= targetS * 0.5 && seconds > 0) peakBitsPerS = Math.max(peakBitsPerS, bits / seconds);
    }
  }
  return { peakBitsPerS, averageBitsPerS };
}

function longest(segments: readonly SegmentBits[]): number {
  return segments.reduce((most, one) => Math.max(most, one.seconds), 0);
}
