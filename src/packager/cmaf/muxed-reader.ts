import { ZoetropeError } from '../../base/errors.ts';
import { BoxCursor, corruptBoxes, findBox } from './box-reader.ts';
import { BoxWriter } from './box-writer.ts';
import { readFragments } from './fragment-reader.ts';
import { readTrackInfo, type AacInfo, type InitInfo } from './init-reader.ts';
import { TRACK_ID, writeFileType, writeTrackDefaults } from './init-writer.ts';
import { joinFragments, type ReadMediaSegment } from './media-reader.ts';
import { writeMediaSegment } from './media-writer.ts';
import { trackBoxes, type TrackBox, type TrackKind } from './track-boxes.ts';

/** What an init segment says of its tracks. Not both are null. */
export interface MuxedInfo {
  readonly video: Exclude<InitInfo, AacInfo> | null;
  readonly audio: AacInfo | null;
}

/** What a media segment holds of each track; null: nothing. */
export interface ReadMuxedSegment {
  readonly video: ReadMediaSegment | null;
  readonly audio: ReadMediaSegment | null;
}

/** Reads an init segment of pictures, sound, or both. @throws as `readInit` */
export function readMuxedInit(init: Uint8Array): MuxedInfo {
  const { video, audio } = tracksByKind(init);
  return {
    video: video === undefined ? null : videoInfo(readTrackInfo(init, video.box)),
    audio: audio === undefined ? null : audioInfo(readTrackInfo(init, audio.box)),
  };
}

/**
 * Reads a media segment of pictures, sound, or both; `init` is its init segment, which says which track is which.
 * @throws corrupt_media when anything in it is malformed or reaches outside, or it holds nothing of either
 */
export function readMuxedSegment(init: Uint8Array, bytes: Uint8Array): ReadMuxedSegment {
  const { video, audio } = tracksByKind(init);
  const fragments = readFragments(bytes, (trackId) => {
    const track = [video, audio].find((one) => one?.id === trackId);
    return track?.defaults ?? { duration: null, size: null, flags: 0 };
  });
  const stretchOf = (track: TrackBox | undefined): ReadMediaSegment | null => {
    const own = fragments.filter(({ trackId, samples }) => trackId === track?.id && samples.length > 0);
    return own.length === 0 ? null : joinFragments(own);
  };
  const segment = { video: stretchOf(video), audio: stretchOf(audio) };
  if (segment.video === null && segment.audio === null) throw corruptBoxes('The media segment holds no sample.');
  return segment;
}

/**
 * The init segment of one track alone, as `writeInitSegment` writes it; `retimeInit` takes it.
 * @throws not_found when there is no such track, corrupt_media when it is malformed
 */
export function selectTrackInit(init: Uint8Array, kind: TrackKind): Uint8Array {
  const tracks = trackBoxes(init);
  const selected = tracks.find((track) => track.kind === kind);
  if (selected === undefined) throw noTrack(kind, 'init segment');
  if (tracks.length === 1) return init;
  const out = new BoxWriter(init.length);
  writeFileType(out, 1);
  out.box('moov', () => {
    const movie = findBox(init, ['moov', 'mvhd']);
    const nextTrackIdAt = out.length + movie.end - movie.start - 4;
    out.bytes(init.subarray(movie.start, movie.end));
    out.patchU32(nextTrackIdAt, TRACK_ID + 1);
    const { box, idOffset } = selected;
    const trackIdAt = out.length + idOffset - box.start;
    out.bytes(init.subarray(box.start, box.end));
    out.patchU32(trackIdAt, TRACK_ID);
    writeTrackDefaults(out, 1);
  });
  return out.finish();
}

/**
 * A media segment of one track alone, as `writeMediaSegment` writes it.
 * @throws not_found when the init segment has no such track or the segment nothing of it, corrupt_media when either is malformed
 */
export function selectTrack(init: Uint8Array, bytes: Uint8Array, kind: TrackKind): Uint8Array {
  const tracks = trackBoxes(init);
  if (tracks.length === 1 && tracks[0]?.kind === kind) return bytes;
  const track = readMuxedSegment(init, bytes)[kind];
  if (track === null) throw noTrack(kind, 'segment');
  return writeMediaSegment({ sequenceNumber: sequenceNumberOf(bytes), ...track });
}

function tracksByKind(init: Uint8Array): Readonly<Record<TrackKind, TrackBox | undefined>> {
  const tracks = trackBoxes(init);
  const video = tracks.find((track) => track.kind === 'video');
  const audio = tracks.find((track) => track.kind === 'audio');
  if (video === undefined && audio === undefined)
    throw corruptBoxes('The init segment has neither pictures nor sound.');
  return { video, audio };
}

function videoInfo(info: InitInfo): Exclude<InitInfo, AacInfo> {
  if (info.codec === 'mp4a') throw corruptBoxes('A track of pictures has a sample entry of sound.');
  return info;
}

function audioInfo(info: InitInfo): AacInfo {
  if (info.codec !== 'mp4a') throw corruptBoxes('A track of sound has a sample entry of pictures.');
  return info;
}

/** `mfhd` (ISO/IEC 14496-12 §8.8.5) of the first fragment. */
function sequenceNumberOf(bytes: Uint8Array): number {
  const cursor = new BoxCursor(bytes, findBox(bytes, ['moof', 'mfhd']));
  cursor.versionAndFlags();
  return cursor.u32();
}

function noTrack(kind: TrackKind, where: string): ZoetropeError {
  const missing = kind === 'video' ? 'pictures' : 'sound';
  return new ZoetropeError('not_found', `The ${where} holds no ${missing}. Ask for what its playlist names.`);
}
