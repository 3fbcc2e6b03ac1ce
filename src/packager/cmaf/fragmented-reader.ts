import { ZoetropeError } from '../../base/errors.ts';
import { parseAudioSpecificConfig } from '../aac/audio-specific-config.ts';
import { DEMUX_LIMITS, type DemuxedAudio, type DemuxedMedia } from '../demuxed/demuxed-media.ts';
import type { DemuxedVideo, DemuxLimits } from '../demuxed/demuxed-media.ts';
import { FaultLog } from '../demuxed/fault-log.ts';
import { PictureCollector } from '../demuxed/picture-collector.ts';
import { readAvcConfiguration, splitLengthPrefixed } from '../h264/nal.ts';
import { readHevcConfiguration } from '../hevc/nal.ts';
import { BoxCursor, corruptBoxes, findBox } from './box-reader.ts';
import { readEditList } from './edit-list.ts';
import { readFragments, type TrackFragment } from './fragment-reader.ts';
import { readTimescale, readTrackInfo, sampleEntry, visualEntryBoxes } from './init-reader.ts';
import { trackBoxes, type TrackBox } from './track-boxes.ts';

/**
 * Takes a fragmented MP4 segment apart as encoders write them: any timescale, several `moof`s and tracks, `styp`, `sidx`, `emsg` and `prft`
 * passed over. The first track of H.264 or HEVC and the first of AAC count. Edit lists are applied, so priming lies before what is heard.
 * @throws payload_too_large beyond the limits, unsupported_media when no track is of these codecs, corrupt_media when it is malformed
 */
export function readFragmentedMedia(
  init: Uint8Array,
  bytes: Uint8Array,
  limits: DemuxLimits = DEMUX_LIMITS,
): DemuxedMedia {
  const size = init.length + bytes.length;
  if (size > limits.maxBytes) {
    throw new ZoetropeError(
      'payload_too_large',
      `A segment may have ${limits.maxBytes} bytes. Got ${size}; cut shorter segments.`,
    );
  }
  const faults = new FaultLog();
  const named = trackBoxes(init).map((track) => ({ track, entry: sampleEntry(init, track.box).type }));
  const pictures = named.find(({ track, entry }) => track.kind === 'video' && VIDEO_ENTRIES.has(entry))?.track;
  const sound = named.find(({ track, entry }) => track.kind === 'audio' && entry === 'mp4a')?.track;
  if (pictures === undefined && sound === undefined) throw unsupported(named.map(({ entry }) => entry));
  for (const { track, entry } of named) {
    if (track.kind === null || track === pictures || track === sound) continue;
    faults.note(`track ${entry}`, `Track ${track.id}, ${JSON.stringify(entry)}, was passed over.`);
  }
  const defaults = new Map(named.map(({ track }) => [track.id, track.defaults]));
  const fragments = readFragments(bytes, (id) => defaults.get(id) ?? { duration: null, size: null, flags: 0 });
  const context = { init, fragments, faults, limits };
  const video = pictures === undefined ? null : readPictures(pictures, context);
  const audio = sound === undefined ? null : readSound(sound, context);
  if (video === null && audio === null) throw corruptBoxes('The media segment holds no picture and no sound.');
  return { video, audio, faults: faults.lines() };
}

interface Context {
  readonly init: Uint8Array;
  readonly fragments: readonly TrackFragment[];
  readonly faults: FaultLog;
  readonly limits: DemuxLimits;
}

const VIDEO_ENTRIES: ReadonlyMap<string, 'h264' | 'hevc'> = new Map([
  ['avc1', 'h264'],
  ['avc3', 'h264'],
  ['hvc1', 'hevc'],
  ['hev1', 'hevc'],
]);

function readPictures(track: TrackBox, { init, fragments, faults, limits }: Context): DemuxedVideo | null {
  const entry = sampleEntry(init, track.box);
  const codec = VIDEO_ENTRIES.get(entry.type) ?? 'h264';
  const type = codec === 'h264' ? 'avcC' : 'hvcC';
  const box = visualEntryBoxes(init, entry).find((child) => child.type === type);
  if (box === undefined) throw corruptBoxes(`The ${entry.type} sample entry has no ${type} box.`);
  const record = init.subarray(box.bodyStart, box.end);
  const collector = new PictureCollector(codec, faults, limits.maxPictures);
  collector.addSets(codec === 'h264' ? readAvcConfiguration(record) : readHevcConfiguration(record));
  const to90k = presentationClock(init, track);
  let end = Number.NEGATIVE_INFINITY;
  for (const { trackId, baseMediaDecodeTime, samples } of fragments) {
    if (trackId !== track.id) continue;
    let decoding = baseMediaDecodeTime;
    for (const { data, duration, isSync, compositionOffset } of samples) {
      const presented = decoding + compositionOffset;
      collector.add({
        units: splitLengthPrefixed(data),
        pts90k: Math.round(to90k(presented)),
        dts90k: Math.round(to90k(decoding)),
        claimsSync: isSync,
      });
      end = Math.max(end, presented + duration);
      decoding += duration;
    }
  }
  return collector.finish(Number.isFinite(end) ? Math.round(to90k(end)) : null);
}

function readSound(track: TrackBox, { init, fragments, limits }: Context): DemuxedAudio | null {
  const info = readTrackInfo(init, track.box);
  if (info.codec !== 'mp4a') throw corruptBoxes('A track of sound has a sample entry of pictures.');
  const to90k = presentationClock(init, track);
  const frames: { readonly data: Uint8Array; readonly pts90k: number }[] = [];
  for (const { trackId, baseMediaDecodeTime, samples } of fragments) {
    if (trackId !== track.id) continue;
    let decoding = baseMediaDecodeTime;
    for (const { data, duration } of samples) {
      frames.push({ data, pts90k: to90k(decoding) });
      decoding += duration;
    }
  }
  if (frames.length > limits.maxAudioFrames) {
    throw new ZoetropeError(
      'payload_too_large',
      `A segment may hold ${limits.maxAudioFrames} packets of sound. Got ${frames.length}; cut shorter segments.`,
    );
  }
  if (frames.length === 0) return null;
  const { sampleRateHz, channels } = parseAudioSpecificConfig(info.audioConfig);
  return { codec: 'aac', audioSpecificConfig: info.audioConfig, sampleRateHz, channels, frames };
}

/** From ticks of a track's media to ticks of 1/90,000 s as presented, whole seconds apart, so that large times stay exact. */
function presentationClock(init: Uint8Array, { box }: TrackBox): (ticks: number) => number {
  const timescale = readTimescale(init, box);
  const { mediaTime, emptyDuration } = readEditList(init, box);
  const movie = new BoxCursor(init, findBox(init, ['moov', 'mvhd']));
  movie.skip(movie.versionAndFlags().version === 1 ? 16 : 8);
  const movieTimescale = movie.u32();
  // On whole ticks of the track: the movie's clock is coarser as a rule, and packets of sound stay on their samples.
  const delay = movieTimescale === 0 ? 0 : Math.round((emptyDuration * timescale) / movieTimescale);
  return (ticks) => {
    const presented = ticks - mediaTime + delay;
    const seconds = Math.floor(presented / timescale);
    return seconds * 90_000 + ((presented - seconds * timescale) * 90_000) / timescale;
  };
}

function unsupported(entries: readonly string[]): ZoetropeError {
  const listed = entries.map((entry) => JSON.stringify(entry)).join(', ');
  return new ZoetropeError(
    'unsupported_media',
    `fMP4 must carry avc1, avc3, hvc1, hev1 or mp4a. Got ${listed}; set the encoder to H.264, HEVC or AAC.`,
  );
}
