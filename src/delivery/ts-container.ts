import { readInit } from '../packager/cmaf/init-reader.ts';
import { readMediaSegment } from '../packager/cmaf/media-reader.ts';
import { TS_LEAD_90K } from '../packager/mpegts/pes.ts';
import { writeTsSegment } from '../packager/mpegts/ts-writer.ts';

/** A CMAF segment as MPEG-TS. @throws corrupt_media; unsupported_media for codecs that it has no place for */
export function repackageAsTs(
  init: Uint8Array,
  segment: Uint8Array,
  options: { readonly sequenceNumber: number; readonly speed: number },
): Uint8Array {
  const { baseMediaDecodeTime, samples } = readMediaSegment(segment);
  return writeTsSegment({ track: readInit(init), baseTime: baseMediaDecodeTime, samples, ...options });
}

/** WebVTT whose time 0 is where the clock of our MPEG-TS segments has it (RFC 8216bis §3.1.4). */
export function mapToTsClock(webVtt: Uint8Array): Uint8Array {
  const map = `X-TIMESTAMP-MAP=MPEGTS:${TS_LEAD_90K},LOCAL:00:00:00.000`;
  const lines = Buffer.from(webVtt).toString('utf8').split('\n');
  const [first = 'WEBVTT', ...rest] = lines.filter((line) => !line.startsWith('X-TIMESTAMP-MAP='));
  return Buffer.from([first, map, ...rest].join('\n'));
}
