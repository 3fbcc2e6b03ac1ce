import { avChannelLayoutDefault, SoftwareResampleContext } from 'node-av/lib';
import { AV_SAMPLE_FMT_FLTP } from 'node-av/constants';
import { check } from '../av.ts';
import { SoundTimeline } from './sound-timeline.ts';

/** More than the filter looks at on either side, at any pair of rates. Samples of the source. */
const FILTER_MARGIN = 8192;
const BLOCK = 65_536;

/** A stretch, in samples of one rate. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/**
 * What of the source is needed for a stretch at another rate. It begins where a sample of one lies exactly on one of the other, so that wherever
 * a stretch begins, the filter has the same phase.
 */
export function sourceStretch({ from, to }: Stretch, outRateHz: number, sourceRateHz: number): Stretch {
  if (outRateHz === sourceRateHz) return { from, to };
  const step = sourceRateHz / greatestCommonDivisor(outRateHz, sourceRateHz);
  const first = Math.floor((from * sourceRateHz) / outRateHz) - FILTER_MARGIN;
  return {
    from: Math.floor(first / step) * step,
    to: Math.ceil((to * sourceRateHz) / outRateHz) + FILTER_MARGIN,
  };
}

/** The same sound at another rate, for a stretch whose {@link sourceStretch} the source covers. */
export function resample(source: SoundTimeline, outRateHz: number, stretch: Stretch): SoundTimeline {
  const { sampleRateHz } = source;
  const channels = source.planes.length;
  if (outRateHz === sampleRateHz) return source;
  const out = new SoundTimeline({ sampleRateHz: outRateHz, channels, ...stretch });
  const layout = avChannelLayoutDefault(channels);
  using context = new SoftwareResampleContext();
  check(
    context.allocSetOpts2(layout, AV_SAMPLE_FMT_FLTP, outRateHz, layout, AV_SAMPLE_FMT_FLTP, sampleRateHz),
    'set up the resampler',
  );
  check(context.init(), 'open the resampler');
  // Exact, for the source begins where both rates have a sample.
  let position = Math.round((source.from * outRateHz) / sampleRateHz);
  const room = Math.ceil((BLOCK * outRateHz) / sampleRateHz) + FILTER_MARGIN;
  const target = Array.from({ length: channels }, () => Buffer.alloc(room * 4));
  for (let at = 0; at < source.to - source.from; at += BLOCK) {
    const block = source.planes.map((plane) => bytesOf(plane.subarray(at, at + BLOCK)));
    const count = Math.min(BLOCK, source.to - source.from - at);
    const samples = check(context.convertSync(target, room, block, count), 'resample sound');
    out.place(position, samples, target);
    position += samples;
  }
  return out;
}

function bytesOf(samples: Float32Array): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
