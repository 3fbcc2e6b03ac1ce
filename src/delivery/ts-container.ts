import { ZoetropeError } from '../base/errors.ts';
import type { InitInfo } from '../packager/cmaf/init-reader.ts';
import type { ReadMediaSegment } from '../packager/cmaf/media-reader.ts';
import { readMuxedInit, readMuxedSegment } from '../packager/cmaf/muxed-reader.ts';
import type { TsContent } from '../packager/mpegts/elementary-stream.ts';
import { TS_LEAD_90K } from '../packager/mpegts/pes.ts';
import { writeMuxedTsSegment } from '../packager/mpegts/ts-writer.ts';
import type { Variant } from './variant.ts';

/** A CMAF segment of pictures, sound, or both as MPEG-TS. @throws corrupt_media; unsupported_media for codecs that it has no place for; not_found without the track */
export function repackageAsTs(
  init: Uint8Array,
  segment: Uint8Array,
  options: { readonly sequenceNumber: number } & Pick<Variant, 'speed' | 'track'>,
): Uint8Array {
  const { sequenceNumber, speed, track } = options;
  const info = readMuxedInit(init);
  const read = readMuxedSegment(init, segment);
  const video = track === 'audio' ? null : contentOf(info.video, read.video, speed);
  const audio = track === 'video' ? null : contentOf(info.audio, read.audio, speed);
  if (video === null && audio === null) {
    throw new ZoetropeError('not_found', `The segment holds no ${track === 'video' ? 'pictures' : 'sound'}.`);
  }
  return writeMuxedTsSegment({ sequenceNumber, video, audio });
}

function contentOf(track: InitInfo | null, read: ReadMediaSegment | null, speed: number): TsContent | null {
  if (track === null || read === null) return null;
  return { track, baseTime: read.baseMediaDecodeTime, samples: read.samples, speed };
}

/** WebVTT whose time 0 is where the clock of our MPEG-TS segments has it (RFC 8216bis §3.1.4). */
export function mapToTsClock(webVtt: Uint8Array): Uint8Array {
  const map = `X-TIMESTAMP-MAP=MPEGTS:${TS_LEAD_90K},LOCAL:00:00:00.000`;
  const lines = Buffer.from(webVtt).toString('utf8').split('\n');
  const [first = 'WEBVTT', ...rest] = lines.filter((line) => !line.startsWith('X-TIMESTAMP-MAP='));
  return Buffer.from([first, map, ...rest].join('\n'));
}
