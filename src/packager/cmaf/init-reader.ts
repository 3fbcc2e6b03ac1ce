import { ZoetropeError } from '../../base/errors.ts';
import { nalType, NAL, readAvcConfiguration } from '../h264/nal.ts';
import { codecString } from '../h264/sps.ts';
import { BoxCursor, corruptBoxes, findBox, readBoxes } from './box-reader.ts';

/** What an init segment says of its one track. */
export interface InitInfo {
  readonly codec: 'avc1';
  /** RFC 6381, e.g. `avc1.42C01E`. */
  readonly codecs: string;
  readonly sps: Uint8Array;
  readonly pps: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Ticks a second of its media segments. */
  readonly timescale: number;
}

/** Reads an init segment. @throws corrupt_media when it is malformed, unsupported_media when its track is not H.264 in `avc1`. */
export function readInit(bytes: Uint8Array): InitInfo {
  const stsd = findBox(bytes, ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd']);
  const entries = new BoxCursor(bytes, stsd);
  entries.versionAndFlags();
  entries.u32();
  const entry = readBoxes(bytes, entries.offset, stsd.end)[0];
  if (entry === undefined) throw corruptBoxes('The stsd box has no sample entry.');
  if (entry.type !== 'avc1') {
    throw new ZoetropeError(
      'unsupported_media',
      `The track must be H.264 in an avc1 sample entry. Got ${JSON.stringify(entry.type)}; transcode it.`,
    );
  }
  const fields = new BoxCursor(bytes, entry);
  fields.skip(24);
  const width = fields.u16();
  const height = fields.u16();
  fields.skip(50);
  const avcC = readBoxes(bytes, fields.offset, entry.end).find((box) => box.type === 'avcC');
  if (avcC === undefined) throw corruptBoxes('The avc1 sample entry has no avcC box.');
  const sets = readAvcConfiguration(bytes.subarray(avcC.bodyStart, avcC.end));
  const sps = sets.find((unit) => nalType(unit) === NAL.sps);
  const pps = sets.find((unit) => nalType(unit) === NAL.pps);
  if (sps === undefined || pps === undefined) throw corruptBoxes('The avcC box lacks an SPS or a PPS.');
  const timescale = new DataView(bytes.buffer, bytes.byteOffset).getUint32(timescaleOffset(bytes));
  if (timescale === 0) throw corruptBoxes('The timescale is 0.');
  return { codec: 'avc1', codecs: codecString(sps), sps, pps, width, height, timescale };
}

/** Where the media timescale stands in an init segment (`mdhd`, ISO/IEC 14496-12 §8.4.2). @throws corrupt_media */
export function timescaleOffset(bytes: Uint8Array): number {
  const cursor = new BoxCursor(bytes, findBox(bytes, ['moov', 'trak', 'mdia', 'mdhd']));
  cursor.skip(cursor.versionAndFlags().version === 1 ? 16 : 8);
  return cursor.skip(4);
}
