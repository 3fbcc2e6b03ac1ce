import { ZoetropeError } from '../../base/errors.ts';
import { writeMovieInit } from './init-writer.ts';
import type { AacTrack, VideoTrack } from './init-track.ts';
import { writeMovieFragment, type TrackSamples } from './media-writer.ts';

/** Tracks that one segment holds together. Not both are null. */
export interface MuxedTracks {
  readonly video: VideoTrack | null;
  readonly audio: AacTrack | null;
}

/** Pictures and sound of one segment, each on its own track's clock: 90 kHz and the sample rate. Not both are null. */
export interface MuxedSegment {
  /** `mfhd` sequence number, from 0; only its low 32 bits are kept. */
  readonly sequenceNumber: number;
  readonly video: TrackSamples | null;
  readonly audio: TrackSamples | null;
}

/**
 * Writes the init segment of a rendition whose segments hold pictures and sound in one file, so that they are in step by construction. With one
 * track it is what `writeInitSegment` writes. Pictures are the first track. @throws as `writeInitSegment`, invalid_argument without a track
 */
export function writeMuxedInit({ video, audio }: MuxedTracks): Uint8Array {
  return writeMovieInit(present(video, audio));
}

/**
 * Writes a media segment: one `moof` with one `traf` a track, one `mdat` with the pictures' data before the sound's. With one track it is what
 * `writeMediaSegment` writes. @throws as `writeMediaSegment`, invalid_argument without a track
 */
export function writeMuxedSegment({ sequenceNumber, video, audio }: MuxedSegment): Uint8Array {
  return writeMovieFragment(sequenceNumber, present(video, audio));
}

function present<V, A>(video: V | null, audio: A | null): readonly (V | A)[] {
  const tracks = [video, audio].filter((track) => track !== null);
  if (tracks.length === 0) {
    throw new ZoetropeError('invalid_argument', 'A segment needs a track. Got neither pictures nor sound.');
  }
  return tracks;
}
