import {
  FF_ENCODER_LIBSVTAV1,
  FF_ENCODER_LIBVPX_VP9,
  FF_ENCODER_LIBX264,
  FF_ENCODER_LIBX265,
  type FFEncoderCodec,
} from 'node-av/constants';
import { ZoetropeError } from '../../../base/errors.ts';
import type { VideoCodec, VideoSpec } from '../../../timeline/asset.ts';
import { x264VectorParameters } from './x264-vectors.ts';

/** How FFmpeg's encoder for a rendition is set up. */
export interface EncoderSettings {
  /** FFmpeg's name of the encoder. */
  readonly encoder: FFEncoderCodec;
  /** Its own options, by name. */
  readonly options: Readonly<Record<string, string>>;
  /** Target average; 0: by quality alone. */
  readonly bitsPerS: number;
  /** Ceiling and its buffer; 0: none. */
  readonly maxBitsPerS: number;
  readonly bufferBits: number;
  /** Pictures a second, as a fraction. */
  readonly rate: { readonly num: number; readonly den: number };
}

/** Seconds of the ceiling that the decoder's buffer holds. */
const BUFFER_SECONDS = 2;

const X26X_PRESETS = [
  'ultrafast',
  'superfast',
  'veryfast',
  'faster',
  'fast',
  'medium',
  'slow',
  'slower',
  'veryslow',
  'placebo',
];
const VP9_SPEEDS = ['0', '1', '2', '3', '4', '5', '6', '7', '8'];
const AV1_PRESETS = [...VP9_SPEEDS, '9', '10', '11', '12', '13'];

/** The names that an encoder has for its speed, from which {@link VideoSpec.preset} must be. */
export const ENCODER_PRESETS: Readonly<Record<VideoCodec, readonly string[]>> = {
  h264: X26X_PRESETS,
  hevc: X26X_PRESETS,
  vp9: VP9_SPEEDS,
  av1: AV1_PRESETS,
};

/**
 * The settings for a rendition: one thread, a picture that refers to nothing before it only where a segment begins, nothing that depends on chance.
 * @throws invalid_argument when the specification cannot be met by any encoder
 */
export function encoderSettings(spec: VideoSpec): EncoderSettings {
  const { codec, preset, crf, bitsPerS, maxBitsPerS } = spec;
  if (!ENCODER_PRESETS[codec].includes(preset)) {
    throw new ZoetropeError(
      'invalid_argument',
      `The preset of ${codec} must be one of ${ENCODER_PRESETS[codec].join(', ')}. Got ${JSON.stringify(preset)}.`,
    );
  }
  if ((crf === null) === (bitsPerS === null)) {
    throw new ZoetropeError('invalid_argument', `Give a crf or a bit rate, not both. Got ${crf} and ${bitsPerS}.`);
  }
  const quality: Readonly<Record<string, string>> = crf === null ? {} : { crf: String(crf) };
  const common = {
    bitsPerS: bitsPerS ?? 0,
    maxBitsPerS: maxBitsPerS ?? 0,
    bufferBits: BUFFER_SECONDS * (maxBitsPerS ?? 0),
    rate: rationalRate(spec.frameRate),
  };
  switch (codec) {
    case 'h264':
      return {
        ...common,
        encoder: FF_ENCODER_LIBX264,
        options: {
          preset,
          ...quality,
          'forced-idr': '1',
          a53cc: '0',
          'x264-params': `scenecut=0:open-gop=0${x264VectorParameters(spec.width)}`,
        },
      };
    case 'hevc':
      return {
        ...common,
        encoder: FF_ENCODER_LIBX265,
        options: {
          preset,
          ...quality,
          'forced-idr': '1',
          a53cc: '0',
          'x265-params':
            'pools=none:frame-threads=1:wpp=0:keyint=-1:scenecut=0:open-gop=0:info=0:repeat-headers=0:log-level=none',
        },
      };
    case 'vp9':
      return {
        ...common,
        // libvpx takes a ceiling to a quality as the target that the quality may not exceed.
        bitsPerS: bitsPerS ?? maxBitsPerS ?? 0,
        encoder: FF_ENCODER_LIBVPX_VP9,
        options: { deadline: 'good', 'cpu-used': preset, ...quality, 'row-mt': '0' },
      };
    case 'av1':
      return {
        ...common,
        // SVT-AV1 knows a ceiling to a quality alone.
        maxBitsPerS: crf === null ? 0 : common.maxBitsPerS,
        bufferBits: crf === null ? 0 : common.bufferBits,
        encoder: FF_ENCODER_LIBSVTAV1,
        options: { preset, ...quality, 'svtav1-params': 'lp=1:scd=0' },
      };
  }
}

/** A rate as a fraction: film and video rates exactly, others to a thousandth. @throws invalid_argument unless it is above 0 */
export function rationalRate(rate: number): { readonly num: number; readonly den: number } {
  if (!Number.isFinite(rate) || rate <= 0) {
    throw new ZoetropeError('invalid_argument', `A frame rate must be a number above 0. Got ${rate}.`);
  }
  const whole = Math.round(rate);
  if (Math.abs(rate - whole) < 1e-6) return { num: whole, den: 1 };
  const slowed = Math.round(rate * 1.001);
  if (Math.abs(rate - slowed / 1.001) < 1e-3) return { num: slowed * 1000, den: 1001 };
  return { num: Math.max(1, Math.round(rate * 1000)), den: 1000 };
}
