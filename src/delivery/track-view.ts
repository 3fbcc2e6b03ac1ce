import { ZoetropeError } from '../base/errors.ts';
import { writeEmptySegment } from '../packager/cmaf/media-writer.ts';
import { readMuxedInit, readMuxedSegment, selectTrack } from '../packager/cmaf/muxed-reader.ts';
import type { TrackKind } from '../packager/cmaf/track-boxes.ts';
import type { Epoch } from '../timeline/epoch.ts';
import type { Segment } from '../timeline/segment.ts';

/**
 * One track of a segment. Where its epoch has the track and the source sent nothing of it for so long, that is a segment without samples.
 * @throws not_found when the epoch has no such track; corrupt_media
 */
export function trackOf(segment: Segment, epoch: Epoch, bytes: Uint8Array, kind: TrackKind): Uint8Array {
  const info = readMuxedInit(epoch.init)[kind];
  if (info === null) {
    const missing = kind === 'video' ? 'pictures' : 'sound';
    throw new ZoetropeError('not_found', `Segment ${segment.id} has no ${missing}. Ask for what its playlist names.`);
  }
  if (readMuxedSegment(epoch.init, bytes)[kind] !== null) return selectTrack(epoch.init, bytes, kind);
  const baseMediaDecodeTime = Math.round((segment.mediaStart90k * info.timescale) / 90_000);
  return writeEmptySegment({ sequenceNumber: segment.sequence, baseMediaDecodeTime });
}
