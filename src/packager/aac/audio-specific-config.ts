import { ZoetropeError } from '../../base/errors.ts';
import { BitReader } from '../bits/bit-reader.ts';

/** Samples of each channel in a packet of AAC-LC. */
export const AAC_PACKET_SAMPLES = 1024;

/** What an AudioSpecificConfig says (ISO/IEC 14496-3 §1.6.2.1). */
export interface AudioSpecificConfig {
  /** 2 is AAC-LC. */
  readonly objectType: number;
  readonly sampleRateHz: number;
  /** Place in the table of rates; 15: none of these. */
  readonly sampleRateIndex: number;
  /** 1 to 7: a layout of the standard. */
  readonly channelConfiguration: number;
  readonly channels: number;
}

/** Reads an encoder's AudioSpecificConfig. @throws corrupt_media when it is cut off, unsupported_media for a layout of its own */
export function parseAudioSpecificConfig(bytes: Uint8Array): AudioSpecificConfig {
  const bits = new BitReader(bytes, corruptConfig);
  const objectTypeEscape = 31;
  const short = bits.u(5);
  const objectType = short === objectTypeEscape ? 32 + bits.u(6) : short;
  const sampleRateIndex = bits.u(4);
  const sampleRateHz = sampleRateIndex === 15 ? bits.u(24) : SAMPLE_RATES_HZ[sampleRateIndex];
  const channelConfiguration = bits.u(4);
  const channels = CHANNELS[channelConfiguration] ?? 0;
  if (sampleRateHz === undefined || sampleRateHz === 0) throw corruptConfig(`the rate has index ${sampleRateIndex}`);
  if (channels === 0) {
    throw new ZoetropeError(
      'unsupported_media',
      `AAC must use a standard channel layout, 1 to 7. Got ${channelConfiguration}; encode the audio as mono or stereo.`,
    );
  }
  return { objectType, sampleRateHz, sampleRateIndex, channelConfiguration, channels };
}

/** RFC 6381 codec string, e.g. `mp4a.40.2` for AAC-LC. */
export function aacCodecString(config: AudioSpecificConfig): string {
  return `mp4a.40.${config.objectType}`;
}

const SAMPLE_RATES_HZ: readonly number[] = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350,
];
const CHANNELS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 8];

function corruptConfig(why: string): ZoetropeError {
  return new ZoetropeError('corrupt_media', `The AudioSpecificConfig is not valid: ${why}. Encode the audio again.`);
}
