import { ZoetropeError } from '../../base/errors.ts';
import type { AudioSpecificConfig } from './audio-specific-config.ts';

/** Bytes of a header without a checksum. */
export const ADTS_HEADER_BYTES = 7;

/**
 * The header that makes an AAC packet a frame of an Audio Data Transport Stream (ISO/IEC 13818-7 §6.2).
 * @throws unsupported_media for what it has no room for: profiles beyond the first four, rates outside its table, packets of 8 KiB
 */
export function adtsHeader(config: AudioSpecificConfig, packetBytes: number): Uint8Array {
  const { objectType, sampleRateIndex, channelConfiguration } = config;
  const frameBytes = packetBytes + ADTS_HEADER_BYTES;
  if (objectType < 1 || objectType > 4 || sampleRateIndex > 12 || frameBytes > 0x1fff) {
    throw new ZoetropeError(
      'unsupported_media',
      `MPEG-TS carries AAC of object types 1 to 4 at a standard rate in packets below 8 KiB. Got type ${objectType}, ${config.sampleRateHz} Hz, ${packetBytes} bytes; play fMP4.`,
    );
  }
  const profile = objectType - 1;
  const syncWithoutChecksum = [0xff, 0xf1] as const;
  const variableRate = 0x7ff;
  return Uint8Array.of(
    ...syncWithoutChecksum,
    (profile << 6) | (sampleRateIndex << 2) | (channelConfiguration >> 2),
    ((channelConfiguration & 3) << 6) | (frameBytes >> 11),
    (frameBytes >> 3) & 0xff,
    ((frameBytes & 7) << 5) | (variableRate >> 6),
    (variableRate & 0x3f) << 2,
  );
}
