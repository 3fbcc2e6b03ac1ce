import { ZoetropeError } from '../../base/errors.ts';
import { aacCodecString, parseAudioSpecificConfig } from '../aac/audio-specific-config.ts';
import { sequenceHeaderOf } from '../av1/obu.ts';
import { av1CodecString, parseSequenceHeader } from '../av1/sequence-header.ts';
import { nalType, NAL, readAvcConfiguration, type ParameterSets } from '../h264/nal.ts';
import { codecString } from '../h264/sps.ts';
import { hevcParameterSetsOf, type HevcParameterSets } from '../hevc/nal.ts';
import { hevcCodecString } from '../hevc/sps.ts';
import { readVp9Configuration, vp9CodecString, type Vp9Configuration } from '../vp9/configuration.ts';
import { BoxCursor, corruptBoxes, findBox, readBoxes, type Box } from './box-reader.ts';
import { readEditList } from './edit-list.ts';

/** What an init segment says of its one track, whatever its codec. */
export interface TrackInfo {
  /** RFC 6381, e.g. `avc1.42C01E`. */
  readonly codecs: string;
  /** 0 for audio. */
  readonly width: number;
  readonly height: number;
  /** Ticks a second of its media segments. */
  readonly timescale: number;
  /** Ticks of media before the first that is presented, from the edit list; 0 without one. */
  readonly mediaTime: number;
}

/** An H.264 track. */
export interface AvcInfo extends TrackInfo, ParameterSets {
  readonly codec: 'avc1';
}

/** An HEVC track. */
export interface HevcInfo extends TrackInfo, HevcParameterSets {
  readonly codec: 'hvc1';
}

/** A VP9 track. */
export interface Vp9Info extends TrackInfo {
  readonly codec: 'vp09';
  readonly configuration: Vp9Configuration;
}

/** An AV1 track. */
export interface Av1Info extends TrackInfo {
  readonly codec: 'av01';
  /** The sequence header unit, with its header. */
  readonly sequenceHeader: Uint8Array;
}

/** An AAC track. */
export interface AacInfo extends TrackInfo {
  readonly codec: 'mp4a';
  /** AudioSpecificConfig. */
  readonly audioConfig: Uint8Array;
  readonly sampleRateHz: number;
  readonly channels: number;
}

/** What an init segment says of its one track. */
export type InitInfo = AvcInfo | HevcInfo | Vp9Info | Av1Info | AacInfo;

/** Reads an init segment. @throws corrupt_media when it is malformed, unsupported_media when its codec is none of {@link InitInfo}. */
export function readInit(bytes: Uint8Array): InitInfo {
  return readTrackInfo(bytes, findBox(bytes, ['moov', 'trak']));
}

/** Reads one `trak` box of an init segment. @throws as {@link readInit} */
export function readTrackInfo(bytes: Uint8Array, trak: Box): InitInfo {
  const entry = sampleEntry(bytes, trak);
  const timing = { timescale: readTimescale(bytes, trak), mediaTime: readEditList(bytes, trak).mediaTime };
  if (entry.type === 'mp4a') return { ...readAudioEntry(bytes, entry), ...timing };
  if (!VIDEO_ENTRIES.has(entry.type)) throw unsupportedEntry(entry.type);
  const fields = new BoxCursor(bytes, entry);
  fields.skip(24);
  const width = fields.u16();
  const height = fields.u16();
  const boxes = visualEntryBoxes(bytes, entry);
  const configurationIn = (type: string): Uint8Array => {
    const box = boxes.find((child) => child.type === type);
    if (box === undefined) throw corruptBoxes(`The ${entry.type} sample entry has no ${type} box.`);
    return bytes.subarray(box.bodyStart, box.end);
  };
  return { ...readVideoEntry(entry.type, configurationIn), width, height, ...timing };
}

/** The first sample entry of a track. @throws corrupt_media without one */
export function sampleEntry(bytes: Uint8Array, trak: Box): Box {
  const stsd = findBox(bytes, ['mdia', 'minf', 'stbl', 'stsd'], trak);
  const entries = new BoxCursor(bytes, stsd);
  entries.versionAndFlags();
  entries.u32();
  const entry = readBoxes(bytes, entries.offset, stsd.end)[0];
  if (entry === undefined) throw corruptBoxes('The stsd box has no sample entry.');
  return entry;
}

/** Ticks a second of a track's media. @throws corrupt_media when it is 0 */
export function readTimescale(bytes: Uint8Array, trak: Box): number {
  const timescale = mediaTimescale(bytes, trak).u32();
  if (timescale === 0) throw corruptBoxes('The timescale is 0.');
  return timescale;
}

/** The boxes behind the fixed fields of a VisualSampleEntry (ISO/IEC 14496-12 §12.1.3). @throws corrupt_media when it is cut off */
export function visualEntryBoxes(bytes: Uint8Array, entry: Box): readonly Box[] {
  const fields = new BoxCursor(bytes, entry);
  fields.skip(VISUAL_ENTRY_BYTES);
  return readBoxes(bytes, fields.offset, entry.end);
}

const VISUAL_ENTRY_BYTES = 78;

/** An H.264 track's init segment. @throws as {@link readInit}, and unsupported_media when its track is another codec's. */
export function readAvcInit(bytes: Uint8Array): AvcInfo {
  const info = readInit(bytes);
  if (info.codec === 'avc1') return info;
  throw new ZoetropeError('unsupported_media', `The track must be H.264. Got ${info.codecs}; transcode it.`);
}

/** Where the media timescale stands in an init segment (`mdhd`, ISO/IEC 14496-12 §8.4.2). @throws corrupt_media */
export function timescaleOffset(bytes: Uint8Array): number {
  return mediaTimescale(bytes, findBox(bytes, ['moov', 'trak'])).skip(4);
}

/** Stands before the timescale of a track. */
function mediaTimescale(bytes: Uint8Array, trak: Box): BoxCursor {
  const cursor = new BoxCursor(bytes, findBox(bytes, ['mdia', 'mdhd'], trak));
  cursor.skip(cursor.versionAndFlags().version === 1 ? 16 : 8);
  return cursor;
}

type WithoutTrack<T> = T extends TrackInfo ? Omit<T, keyof TrackInfo> & Pick<T, 'codecs'> : never;

function readVideoEntry(
  type: string,
  configurationIn: (box: string) => Uint8Array,
): WithoutTrack<Exclude<InitInfo, AacInfo>> {
  switch (type) {
    case 'avc1': {
      const sets = readAvcConfiguration(configurationIn('avcC'));
      const sps = sets.find((unit) => nalType(unit) === NAL.sps);
      const pps = sets.find((unit) => nalType(unit) === NAL.pps);
      if (sps === undefined || pps === undefined) throw corruptBoxes('The avcC box lacks an SPS or a PPS.');
      return { codec: 'avc1', codecs: codecString(sps), sps, pps };
    }
    case 'hvc1': {
      const sets = hevcParameterSetsOf(configurationIn('hvcC'));
      return { codec: 'hvc1', codecs: hevcCodecString(sets.sps), ...sets };
    }
    case 'vp09': {
      const configuration = readVp9Configuration(configurationIn('vpcC'));
      return { codec: 'vp09', codecs: vp9CodecString(configuration), configuration };
    }
    case 'av01': {
      const header = sequenceHeaderOf(configurationIn('av1C'));
      const codecs = av1CodecString(parseSequenceHeader(header.payload));
      return { codec: 'av01', codecs, sequenceHeader: header.bytes };
    }
    default:
      throw unsupportedEntry(type);
  }
}

const VIDEO_ENTRIES: ReadonlySet<string> = new Set(['avc1', 'hvc1', 'vp09', 'av01']);

function unsupportedEntry(type: string): ZoetropeError {
  return new ZoetropeError(
    'unsupported_media',
    `The track must be avc1, hvc1, vp09, av01 or mp4a. Got ${JSON.stringify(type)}; transcode it.`,
  );
}

/** MP4AudioSampleEntry (ISO/IEC 14496-14 §6.7.2). */
function readAudioEntry(bytes: Uint8Array, entry: Box): Omit<AacInfo, 'timescale' | 'mediaTime'> {
  const fields = new BoxCursor(bytes, entry);
  fields.skip(28);
  const esds = readBoxes(bytes, fields.offset, entry.end).find((box) => box.type === 'esds');
  if (esds === undefined) throw corruptBoxes('The mp4a sample entry has no esds box.');
  const cursor = new BoxCursor(bytes, esds);
  cursor.versionAndFlags();
  enterDescriptor(cursor, 3);
  cursor.skip(2);
  if (cursor.u8() !== 0) throw corruptBoxes('The esds box depends on another stream.');
  enterDescriptor(cursor, 4);
  const objectType = cursor.u8();
  if (objectType !== 0x40) {
    throw new ZoetropeError(
      'unsupported_media',
      `Audio in an mp4a sample entry must be MPEG-4 AAC. Got object type ${objectType}; transcode it.`,
    );
  }
  cursor.skip(12);
  const size = enterDescriptor(cursor, 5);
  const start = cursor.skip(size);
  const audioConfig = bytes.subarray(start, start + size);
  const config = parseAudioSpecificConfig(audioConfig);
  const { sampleRateHz, channels } = config;
  return { codec: 'mp4a', codecs: aacCodecString(config), width: 0, height: 0, audioConfig, sampleRateHz, channels };
}

/** Passes over a descriptor's tag and length (ISO/IEC 14496-1 §8.3.3); answers the length. */
function enterDescriptor(cursor: BoxCursor, tag: number): number {
  const got = cursor.u8();
  if (got !== tag) throw corruptBoxes(`The esds box must have descriptor ${tag} here. Got ${got}.`);
  let size = 0;
  for (let index = 0; index < 4; index++) {
    const byte = cursor.u8();
    size = size * 128 + (byte & 0x7f);
    if ((byte & 0x80) === 0) return size;
  }
  throw corruptBoxes('A length in the esds box takes more than 4 bytes.');
}
