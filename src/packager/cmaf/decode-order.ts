import { ZoetropeError } from '../../base/errors.ts';
import type { Sample } from './media-writer.ts';

/** A coded picture as an encoder gives it out. */
export interface TimedPacket {
  /** As a media segment holds it: see `videoSampleOf`. */
  readonly data: Uint8Array;
  /** Presentation time, in whole ticks of the track. */
  readonly pts: number;
  readonly isSync: boolean;
}

/** Samples with their times, ready to be written as one segment. */
export interface TimedSamples {
  /** Decoding time of the first sample, which is the earliest presentation time. */
  readonly baseMediaDecodeTime: number;
  readonly samples: readonly Sample[];
}

/**
 * Gives packets in decoding order their decoding times: the presentation times, sorted. So a segment's decoding begins and ends when its
 * presentation does, segments follow each other without a gap whatever the reordering or frame rate, and no edit list is needed; composition
 * offsets may be negative (ISO/IEC 14496-12 §8.8.8, version 1). A sample's duration is the distance to the next decoding time, the last one's
 * to `end`. Without reordering, that is how long each picture is shown.
 * @throws invalid_argument when there is no packet, two have the same time, or one is not before `end`
 */
export function decodeOrderSamples(packets: readonly TimedPacket[], end: number): TimedSamples {
  const times = packets.map((packet) => packet.pts).sort((a, b) => a - b);
  const first = times[0];
  if (first === undefined)
    throw new ZoetropeError('invalid_argument', 'A segment needs at least one packet. Got none.');
  const samples = packets.map((packet, index): Sample => {
    const decoding = times[index] ?? first;
    const duration = (times[index + 1] ?? end) - decoding;
    if (!Number.isInteger(packet.pts) || !(duration > 0)) {
      throw new ZoetropeError(
        'invalid_argument',
        `Presentation times must be different whole numbers before the segment's end, ${end}. Got ${decoding} and then ${times[index + 1] ?? end}.`,
      );
    }
    return { data: packet.data, isSync: packet.isSync, duration, compositionOffset: packet.pts - decoding };
  });
  return { baseMediaDecodeTime: first, samples };
}
